"""The meaning of a migration's status.

HCX has three families of state names, and most intermediate names are published nowhere. So the decision
rests on ``progress.isDone/didFail/isCancelled`` and on the terminal names that have a source; phases come
from the flags of ``progress.state``; anything unknown is running. Source: [D hcx 4.5] for the flags,
[D+C hcx 4.6] for the names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hcx_waves.clients.json_values import as_mapping
from hcx_waves.model.outside import shown


class Phase(StrEnum):
    """Where a migration is. ``RUNNING`` is all that is known of an unknown state."""

    DRAFT = "draft"
    QUEUED = "queued"
    BASE_SYNC = "base_sync"
    DELTA_SYNC = "delta_sync"
    WAITING_FOR_WINDOW = "waiting_for_window"
    SWITCHOVER = "switchover"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL_PHASES = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED})

# CANCELLED is spelt with one L before the look-up, since HCX uses both spellings [D+C hcx 4.6].
_TERMINAL_NAMES = {
    "MIGRATION_COMPLETE": Phase.DONE,
    "MIGRATED": Phase.DONE,
    "COMPLETED": Phase.DONE,
    "MIGRATION_FAILED": Phase.FAILED,
    "TRANSFER_FAILED": Phase.FAILED,
    "MIGRATE_FAILED": Phase.FAILED,
    "FAILED": Phase.FAILED,
    "MIGRATION_CANCELED": Phase.CANCELLED,
    "MIGRATE_CANCELED": Phase.CANCELLED,
    "CANCELED": Phase.CANCELLED,
}
_BEGUN_FLAGS = frozenset({"isTransfer", "isTransferProgress", "isSwitchover", "isSwitchoverProgress"})
_SOUNDS_FAILED = re.compile(r"FAIL|ERROR|ABORT")
_RELOCATE_STEP = re.compile(r"RELOCATE|(SOURCE|DESTINATION)_SIDE_CLEANUP")


@dataclass(frozen=True)
class MigrationState:
    """The meaning of one status answer.

    :param name: the product's state name, upper case, as sent; empty if none.
    :param phase: see :class:`Phase`.
    :param percent: 0 to 100, or None if the answer does not tell.
    :param message: the product's own words on the progress.
    :param reschedule_allowed: whether the product says that the schedule may still be changed.
    :param is_known: False when neither the name nor any flag was understood.
    """

    name: str
    phase: Phase
    percent: float | None = None
    message: str = ""
    reschedule_allowed: bool = False
    is_known: bool = True

    @classmethod
    def of(
        cls, name: str | None, progress: Any, *, workflow_version: Any = None, step: str | None = None
    ) -> MigrationState:
        """Read a state name and a ``progress`` object (of the compat 2.1 or the gen 1 query).

        :param name: ``state`` of the item, or ``jobInfo.state``.
        :param progress: ``progress`` or ``progressDetails``; anything but a mapping counts as absent.
        :param workflow_version: 2 means that percent is bytes transferred over total bytes [C hcx 4.5].
        :param step: gen 1's workflow step, which tells the phase but never the end [C hcx 4.6].
        """
        facts: Mapping[str, Any] = progress if isinstance(progress, Mapping) else {}
        flags = as_mapping(facts.get("state"))
        word = str(name or "").strip().upper()
        final = _final_phase(word, facts, flags)
        running = None if final else _running_phase(str(step or word).upper(), facts, flags)
        return cls(
            name=word,
            phase=final or running or Phase.RUNNING,
            percent=_percent(facts, workflow_version, done=final is Phase.DONE),
            message=_message(facts, flags),
            reschedule_allowed=_truth(facts.get("isRescheduleAllowed")) or _truth(flags.get("isRescheduleAllowed")),
            is_known=final is not None or running is not None,
        )

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in TERMINAL_PHASES

    @property
    def is_success(self) -> bool:
        """Whether the migration ended well."""
        return self.phase is Phase.DONE

    @property
    def is_failure(self) -> bool:
        """Whether the migration failed."""
        return self.phase is Phase.FAILED

    @property
    def is_cancelled(self) -> bool:
        """Whether the migration was cancelled."""
        return self.phase is Phase.CANCELLED


def _final_phase(word: str, facts: Mapping[str, Any], flags: Mapping[str, Any]) -> Phase | None:
    """Decide whether it is over. Bad news wins: a contradictory answer never reads as success."""
    named = _TERMINAL_NAMES.get(word.replace("CANCELLED", "CANCELED"))
    if _truth(facts.get("didFail")) or named is Phase.FAILED:
        return Phase.FAILED
    if _truth(facts.get("isCancelled")) or named is Phase.CANCELLED:
        return Phase.CANCELLED
    done = _truth(facts.get("isDone")) or _truth(flags.get("isDone"))
    if named is Phase.DONE or not done:
        return named
    if "CANCEL" in word or _truth(flags.get("isCanceled")):
        return Phase.CANCELLED
    if _SOUNDS_FAILED.search(word) or _truth(flags.get("isError")) or _truth(flags.get("isAborted")):
        return Phase.FAILED
    return Phase.DONE


def _running_phase(word: str, facts: Mapping[str, Any], flags: Mapping[str, Any]) -> Phase | None:
    """Find the phase of what is under way; later phases are looked for first."""
    counters = {name: as_mapping(facts.get(name)) for name in ("transfer", "switchover")}
    if _any(flags, "isSwitchoverStarted", "isSwitchoverProgress", "isSwitchoverCompleted"):
        return Phase.SWITCHOVER
    if _any(flags, "isWaitingForMaintWindow") or _any(counters["switchover"], "waiting", "waitingCount"):
        return Phase.WAITING_FOR_WINDOW
    if _any(flags, "isSwitchover") or _any(counters["switchover"], "progress", "progressCount"):
        return Phase.SWITCHOVER
    if _any(flags, "isTransferParked", "isParked", "isTransferCompleted"):
        return Phase.DELTA_SYNC
    if _any(flags, "isTransfer", "isTransferProgress", "isVMotionBaseSyncInProgress"):
        return Phase.BASE_SYNC
    if _any(counters["transfer"], "parked", "parkedCount", "completed", "completedCount"):
        return Phase.DELTA_SYNC
    if _any(counters["transfer"], "progress", "progressCount"):
        return Phase.BASE_SYNC
    if word == "DRAFT" or _truth(facts.get("draftState")):
        return Phase.DRAFT
    if _RELOCATE_STEP.search(word):
        return Phase.SWITCHOVER
    # All phase flags present and none set: nothing has begun.
    return Phase.QUEUED if _BEGUN_FLAGS & flags.keys() else None


def _percent(facts: Mapping[str, Any], workflow_version: Any, *, done: bool) -> float | None:
    total = as_mapping(facts.get("total"))
    whole, part = _number(total.get("value")), _number(total.get("bytesTransferred"))
    by_bytes = 100 * part / whole if whole and part is not None else None
    stated = _number(facts.get("percentComplete"))
    if stated is None:
        stated = _number(facts.get("progressPercentage"))
    preferred = (by_bytes, stated) if str(workflow_version or "").startswith("2") else (stated, by_bytes)
    value = next((candidate for candidate in preferred if candidate is not None), None)
    if value is None:
        return 100.0 if done else None
    return min(100.0, max(0.0, value))


def _message(facts: Mapping[str, Any], flags: Mapping[str, Any]) -> str:
    error = as_mapping(facts.get("error"))
    candidates = (flags.get("errorMessage"), error.get("message"), facts.get("message"), flags.get("message"))
    return next((shown(text) for text in candidates if isinstance(text, str) and text), "")


def _truth(value: Any) -> bool:
    """Read a flag that may come as bool, as 0/1 or a count, or as text (lenient clients echo texts)."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1")
    return bool(value) if isinstance(value, bool | int | float) else False


def _any(values: Mapping[str, Any], *names: str) -> bool:
    return any(_truth(values.get(name)) for name in names)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
