"""How far a migration is: numbers and flags, computed from its record and the time, never kept.

The names of the flags are documented [D hcx 4.5]; which of them are set in which phase is inferred from their names. A
count is 0 or 1 for a single migration, the value beside it the bytes it stands for (a guess).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hcx_sim.engine.clock import MICROSECONDS, to_ms
from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.model import BEFORE_TRANSFER, SWITCHING, TERMINAL, Migration, Phase

_TRANSFER_SHARE = 90  # percent of the whole that the transfer stands for
_PARTS = ("progress", "completed", "aborted", "canceled", "parked", "error")
STATUS_NAMES = ("DRAFT", "RUNNING", "SUCCESS", "FAILED", "CANCELED")
STATE_FLAGS = (
    "isTransfer", "isTransferProgress", "isTransferCompleted", "isTransferParked", "isTransferAborted",
    "isTransferCanceled", "isTransferError", "isSwitchover", "isSwitchoverStarted", "isSwitchoverProgress",
    "isSwitchoverCompleted", "isSwitchoverParked", "isSwitchoverAborted", "isSwitchoverCanceled", "isSwitchoverError",
    "isWaitingForMaintWindow", "isParked", "isAborted", "isCanceled", "isError",
)  # fmt: skip
_ENDED_BADLY = frozenset({Phase.FAILED, Phase.TRANSFER_FAILED, Phase.ROLLBACK})


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes of a migration at one instant."""

    total_bytes: int
    done_bytes: int
    base_bytes: int
    base_done_bytes: int


def amount_of(flow: Flow, migration: Migration) -> Amount:
    """Return how many bytes there are and how many have arrived by now."""
    sync = migration.sync
    done = sync.done_bytes + flow.transfers.arrived(migration.migration_id)
    return Amount(sync.total_bytes, done, sync.base_bytes, min(sync.base_bytes, done))


def percent_of(flow: Flow, migration: Migration) -> int:
    """Return 0 to 100; 100 only when the migration is complete."""
    if migration.phase is Phase.COMPLETE:
        return 100
    amount = amount_of(flow, migration)
    if migration.phase is Phase.SWITCHOVER and migration.switchover_us is not None:
        elapsed_seconds = (flow.world.now_us - migration.switchover_us) / MICROSECONDS
        share = min(1.0, elapsed_seconds / migration.switchover_seconds) if migration.switchover_seconds else 1.0
        return _TRANSFER_SHARE + int(9 * share)
    if migration.phase is Phase.CLEANUP:
        return 99
    if not amount.base_bytes:
        return _TRANSFER_SHARE if migration.sync.base_done_us is not None else 0
    return _TRANSFER_SHARE * amount.base_done_bytes // amount.base_bytes


def updated_ms(flow: Flow, migration: Migration) -> int:
    """Return when something last changed; while bytes arrive that is now."""
    moving = bool(migration.sync.stream) and flow.transfers.rate_of(migration.migration_id) > 0
    return to_ms(flow.world.now_us if moving else migration.updated_us)


def held_up(flow: Flow, migration: Migration) -> bool:
    """Tell whether a step that should be moving gets nowhere."""
    return migration.sync.stalled or flow.transfers.stuck(migration.migration_id)


def status_name(migration: Migration) -> str:
    """Return the coarse status; the words are a guess."""
    return {
        Phase.DRAFT: "DRAFT",
        Phase.COMPLETE: "SUCCESS",
        Phase.FAILED: "FAILED",
        Phase.TRANSFER_FAILED: "FAILED",
        Phase.CANCELLED: "CANCELED",
    }.get(migration.phase, "RUNNING")


def flags_of(flow: Flow, migration: Migration) -> dict[str, int]:
    """Return the 0/1 flags of ``progress.state``."""
    phase = migration.phase
    flags = dict.fromkeys(STATE_FLAGS, 0)
    switching = migration.switching_us is not None
    replicates = migration.plan is not None and migration.plan.migration_type.replicates
    _transfer_flags(flags, migration, replicates, held_up(flow, migration))
    if switching or phase is Phase.SWITCHOVER_TURN:
        flags["isSwitchover"] = 1
    if phase in SWITCHING:
        flags["isSwitchoverStarted"] = flags["isSwitchoverProgress"] = 1
    flags["isSwitchoverCompleted"] = int(phase is Phase.COMPLETE)
    flags["isSwitchoverParked"] = int(phase is Phase.SWITCHOVER_TURN)
    flags["isWaitingForMaintWindow"] = int(phase is Phase.SWITCHOVER_WINDOW)
    flags["isParked"] = max(flags["isTransferParked"], flags["isSwitchoverParked"])
    _end_flags(flags, migration, switching)
    return flags


def _transfer_flags(flags: dict[str, int], migration: Migration, replicates: bool, stuck: bool) -> None:
    if not replicates:
        return
    phase = migration.phase
    flags["isTransfer"] = int(migration.sync.started_us is not None or phase is Phase.BASE_SYNC)
    flags["isTransferProgress"] = int(phase is Phase.BASE_SYNC and not stuck)
    flags["isTransferCompleted"] = int(migration.sync.base_done_us is not None)
    parked = phase is Phase.TRANSFER_WINDOW or (phase is Phase.BASE_SYNC and stuck)
    flags["isTransferParked"] = int(parked)


def _end_flags(flags: dict[str, int], migration: Migration, switching: bool) -> None:
    part = "Switchover" if switching or flags["isTransferCompleted"] else "Transfer"
    if migration.phase is Phase.CANCELLED:
        flags["isCanceled"] = flags[f"is{part}Canceled"] = 1
    elif migration.phase is Phase.CANCEL_FAILED:
        flags["isError"] = 1
    elif migration.phase in _ENDED_BADLY and migration.outcome is not Phase.CANCELLED:
        flags["isError"] = flags[f"is{part}Error"] = 1
        if migration.stun_seconds is not None:
            flags["isAborted"] = flags["isSwitchoverAborted"] = 1


def progress_of(flow: Flow, migration: Migration) -> dict[str, Any]:
    """Return the ``progress`` block of a compat 2.1 answer. [D+C hcx 4.5]"""
    phase = migration.phase
    amount = amount_of(flow, migration)
    flags = flags_of(flow, migration)
    done, failed = phase in TERMINAL, phase in (Phase.FAILED, Phase.TRANSFER_FAILED)
    error = migration.error if flags["isError"] else ""
    waiting = int(phase in (Phase.SWITCHOVER_WINDOW, Phase.SWITCHOVER_TURN))
    block: dict[str, Any] = {
        "startTime": to_ms(migration.started_us or 0),
        "message": migration.message,
        "draftState": "DRAFT" if phase is Phase.DRAFT else "",
        "isRescheduleAllowed": migration.reschedulable,
        "isCancelled": int(phase is Phase.CANCELLED),
        "isDone": done,
        "didFail": failed,
        "percentComplete": percent_of(flow, migration),
        "log": [{"message": line.message} for line in migration.log],
        "total": {"value": amount.total_bytes, "bytesTransferred": amount.done_bytes},
        "error": {"count": flags["isError"], "value": 0, "message": error},
        "warning": {"count": len(migration.warnings), "messages": list(migration.warnings)},
        "transfer": _part(flags, "Transfer", amount.base_bytes, _transfer_times(migration)),
        "switchover": {
            **_part(flags, "Switchover", amount.base_bytes, _switchover_times(migration)),
            "waiting": amount.base_bytes * waiting,
            "waitingCount": waiting,
        },
        "parked": flags["isParked"],
        "aborted": flags["isAborted"],
        "canceled": flags["isCanceled"],
        "state": {
            "statusType": "MIGRATION",
            "rowType": "MIGRATION",
            "status": status_name(migration),
            "message": migration.message,
            "errorMessage": error,
            "errorsOccurred": bool(flags["isError"]),
            "lastUpdated": updated_ms(flow, migration),
            "isRescheduleAllowed": migration.reschedulable,
            "isDone": done,
            "isVMotionBaseSyncInProgress": phase is Phase.BASE_SYNC,
            **flags,
        },
    }
    if migration.ended_us is not None:
        block["endTime"] = to_ms(migration.ended_us)
    return block


def _part(flags: dict[str, int], part: str, value: int, times: tuple[int, int]) -> dict[str, int]:
    block = {"count": flags[f"is{part}"], "value": value, "startTime": times[0], "endTime": times[1]}
    for name in _PARTS:
        count = flags[f"is{part}{name.capitalize()}"]
        block[name] = value * count
        block[f"{name}Count"] = count
    return block


def _transfer_times(migration: Migration) -> tuple[int, int]:
    sync = migration.sync
    return to_ms(sync.started_us or 0), to_ms(sync.base_done_us or 0)


def _switchover_times(migration: Migration) -> tuple[int, int]:
    return to_ms(migration.switching_us or 0), to_ms(migration.switchover_ended_us or 0)


def category_of(migration: Migration) -> str:
    """Return the counter of a v2 group summary that a migration belongs to. [C hcx 4.5]"""
    phase = migration.phase
    if phase is Phase.DRAFT:
        return "totalVmsDraft"
    if phase is Phase.COMPLETE:
        return "totalVmsCompleted"
    if phase is Phase.CANCELLED:
        return "totalVmsCancelled"
    if phase in _ENDED_BADLY or phase is Phase.CANCEL_FAILED:
        return "totalVmsError"
    if phase in BEFORE_TRANSFER:
        return "totalVmsQueued"
    if phase in (Phase.SWITCHOVER_WINDOW, Phase.SWITCHOVER_TURN):
        return "totalVmsWaitingSwitchover"
    return "totalVmsInSwitchover" if phase in SWITCHING else "totalVmsInTransfer"
