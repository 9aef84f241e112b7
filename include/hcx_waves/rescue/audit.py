"""The audit of rescues: JSON lines beside the reports, on the disk before anything is sent."""

from __future__ import annotations

import fcntl
import os
import pwd
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from hcx_waves.model.bounded_json import UnreadableJsonError, read_bounded, read_json
from hcx_waves.model.files import file_name
from hcx_waves.redaction.secrets import blanked
from hcx_waves.run.rescues import RescueEntry, RescueStep

_MOST_BYTES = 64 * 1024 * 1024
_PRIVATE = 0o600


def audit_path(reports: Path, wave: str, run_id: str) -> Path:
    """Return the audit file of a run's rescues; that of rescues whose run is not known, if it has no id."""
    stem = f"{file_name(run_id)}.rescue" if run_id else "rescue"
    return reports / file_name(wave) / f"{stem}.jsonl"


def read_entries(reports: Path, wave: str, run_id: str, since: datetime | None) -> tuple[RescueEntry, ...]:
    """Return what the audit files hold about a run, in order of time.

    :param since: when the run began; entries that name no run count from then on, none if it is not known.
    :raises OSError: if a file cannot be read.
    :raises ValueError: naming a file that holds a line that is none.
    """
    own = list(_entries(audit_path(reports, wave, run_id)))
    unnamed = [one for one in _entries(audit_path(reports, wave, "")) if since is not None and one.at >= since]
    return tuple(sorted((*own, *unnamed), key=lambda one: one.at))


def _entries(path: Path) -> Iterator[RescueEntry]:
    try:
        content = read_bounded(path, _MOST_BYTES)
    except FileNotFoundError:
        return
    for number, line in enumerate(content.splitlines(), 1):
        try:
            yield RescueEntry.model_validate(read_json(line))
        except (UnreadableJsonError, ValidationError):
            raise ValueError(f"line {number} of {path} cannot be read") from None


def os_user() -> str:
    """Return who calls: the account, and before it the one that became it by sudo."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {account}" if before and before != account else account


@dataclass
class Audit:
    """Writes the lines of one call.

    :param secrets: texts that must not appear.
    :param who: who acts; the user of the operating system unless given.
    :param recovery: the run of the recovery DAG, if it acts.
    """

    path: Path
    wave: str
    run_id: str
    action: str
    now: Callable[[], datetime]
    decided_by: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    who: str = field(default_factory=os_user)
    recovery: str = ""

    def write(
        self, step: RescueStep, *, subject: str = "", text: str = "", found: dict[str, JsonValue] | None = None
    ) -> None:
        """Add a line; it is on the disk when this returns.

        :raises OSError: if it cannot be written; then nothing may be sent.
        """
        entry = RescueEntry(
            at=self.now(),
            call_id=self.call_id,
            who=self.who,
            recovery=self.recovery,
            decided_by=self.decided_by,
            wave=self.wave,
            run_id=self.run_id,
            action=self.action,
            step=step,
            subject=subject,
            text=text,
            found=found or {},
        )
        clean = RescueEntry.model_validate(self.clean(entry.model_dump(mode="json")))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _PRIVATE), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # A line that an earlier call could not finish must not swallow this one.
            begun = file.seek(0, os.SEEK_END) > 0 and _last_byte(file.fileno()) != b"\n"
            file.write((b"\n" if begun else b"") + clean.model_dump_json(exclude_defaults=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def clean(self, value: Any) -> Any:
        """Return JSON primitives, or a text, without the secrets."""
        return blanked(value, self.secrets)


def _last_byte(descriptor: int) -> bytes:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1)
