"""The append-only audit of a world: who called what, what changed, and when, in virtual and in wall time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from hcx_sim.engine.clock import iso

# Per task, as several calls of one world may be under way (long polls) while others are served.
_CAUSE: ContextVar[str] = ContextVar("hcx_sim.cause", default="load")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit.

    ``kind`` is ``call`` (an answered request), ``change`` (a fact of the world changed), ``note`` (something a
    product did that changed no fact) or ``control``. ``cause`` ties a change to the call (``call:7``) or to the
    event (``event:rav.switchover_done:vm-app01``) that brought it about. ``wall_time`` is left out of the
    canonical form, as two equal runs differ in nothing else.
    """

    sequence: int
    kind: str
    virtual_time: str
    wall_time: str
    cause: str
    subject: str
    data: dict[str, Any] = field(default_factory=dict)

    def canonical(self) -> dict[str, Any]:
        """Return the entry without what depends on real time."""
        entry = asdict(self)
        del entry["wall_time"]
        return entry


class Audit:
    """Collects entries; ``now_us`` and ``wall_now`` supply the two times."""

    def __init__(self, now_us: Callable[[], int], wall_now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Start empty."""
        self._now_us = now_us
        self._wall_now = wall_now
        self._entries: list[AuditEntry] = []
        self._calls = 0
        self.recording = True
        self.watchers: list[Callable[[AuditEntry], None]] = []  # told of every entry that is kept

    @property
    def cause(self) -> str:
        """What entries are attributed to at present."""
        return _CAUSE.get()

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    @contextmanager
    def caused_by(self, cause: str) -> Iterator[None]:
        """Attribute the entries made inside the block to ``cause``."""
        token = _CAUSE.set(cause)
        try:
            yield
        finally:
            _CAUSE.reset(token)

    def next_call_id(self) -> str:
        """Return the cause string of a new call."""
        self._calls += 1
        return f"call:{self._calls}"

    def add(self, kind: str, subject: str, **data: Any) -> AuditEntry:
        """Append an entry; ``data`` must be JSON-able and free of secrets.

        While ``recording`` is off (a world is being loaded) the entry is returned but not kept.
        """
        entry = AuditEntry(
            sequence=len(self._entries) + 1,
            kind=kind,
            virtual_time=iso(self._now_us()),
            wall_time=self._wall_now().isoformat(timespec="milliseconds"),
            cause=self.cause,
            subject=subject,
            data=data,
        )
        if self.recording:
            self._entries.append(entry)
            for watcher in self.watchers:
                watcher(entry)
        return entry

    def entries(self, kind: str | None = None, after: int = 0, subject: str | None = None) -> list[AuditEntry]:
        """Return entries with a sequence number above ``after``, filtered by kind and by part of the subject."""
        return [
            entry
            for entry in self._entries[after:]
            if (kind is None or entry.kind == kind) and (subject is None or subject in entry.subject)
        ]

    def canonical_bytes(self) -> bytes:
        """Return the whole audit as JSON lines without wall times: equal runs give equal bytes."""
        lines = (json.dumps(entry.canonical(), sort_keys=True) for entry in self._entries)
        return "\n".join(lines).encode()
