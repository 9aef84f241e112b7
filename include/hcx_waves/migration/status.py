"""The status of a wave's migrations: a pure mapping of one query's answer, whatever words HCX uses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from hcx_waves.clients.hcx import HcxClient, Migration
from hcx_waves.clients.hcx.state import Phase
from hcx_waves.clients.json_values import as_mapping
from hcx_waves.migration.groups import latest_by_entity
from hcx_waves.migration.start import StartedVm, StartedWave
from hcx_waves.model.base import DomainModel
from hcx_waves.model.formatting import listed
from hcx_waves.model.states import VmOutcome

STALL_AFTER = timedelta(minutes=10)
_MISSED_GRACE = timedelta(seconds=60)


class VmPhase(StrEnum):
    """Where a VM's migration is. Stored in runs: add, never rename."""

    NOT_LISTED = "not_listed"
    REFUSED = "refused"
    DRAFT = "draft"
    QUEUED = "queued"
    BASE_SYNC = "base_sync"
    DELTA_SYNC = "delta_sync"
    WAITING_FOR_WINDOW = "waiting_for_window"
    WAITING_FOR_TURN = "waiting_for_turn"
    """Its window is open and another switchover of its service mesh goes first."""
    SWITCHOVER = "switchover"
    RUNNING = "running"
    """HCX works on it in a way that it does not say, or says in unknown words."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_ENDED = {
    VmPhase.DONE: VmOutcome.MIGRATED,
    VmPhase.FAILED: VmOutcome.FAILED,
    VmPhase.REFUSED: VmOutcome.FAILED,
    VmPhase.CANCELLED: VmOutcome.CANCELLED,
}


class VmStatus(DomainModel):
    """How one VM stands."""

    name: str
    vm_id: str
    migration_id: str
    group_id: str
    phase: VmPhase
    state_name: str = ""
    """HCX's own word."""
    is_known: bool = True
    """False when neither the word nor any flag was understood; then it counts as running."""
    percent: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    message: str = ""
    service_mesh_id: str | None = None
    window_opens: AwareDatetime | None = None
    window_closes: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    missed_window: bool = False
    """Its window has closed and it still waits: it will not move unless it is rescheduled."""
    stalled: bool = False
    """Its window is open, nothing moves on its mesh: HCX may have lost its switchover [D hcx 7]."""

    @property
    def outcome(self) -> VmOutcome:
        """What has become of it, as far as HCX says."""
        return _ENDED.get(self.phase, VmOutcome.MIGRATING)

    @property
    def is_terminal(self) -> bool:
        """Whether HCX does nothing more about it."""
        return self.phase in _ENDED

    @property
    def is_stuck(self) -> bool:
        """Whether it waits for something that does not come by itself."""
        return self.missed_window or self.stalled or self.phase is VmPhase.NOT_LISTED


class WaveStatus(DomainModel):
    """How all VMs of a wave stand at one moment."""

    at: AwareDatetime
    vms: tuple[VmStatus, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many VMs are in each phase."""
        return dict(Counter(vm.phase.value for vm in self.vms))

    @property
    def is_terminal(self) -> bool:
        """Whether HCX is through with every VM."""
        return all(vm.is_terminal for vm in self.vms)

    @property
    def is_stuck(self) -> bool:
        """Whether nothing moves any more although not every VM has ended: a person has to act."""
        waiting = [vm for vm in self.vms if not vm.is_terminal]
        return bool(waiting) and all(vm.is_stuck for vm in waiting)

    @property
    def migrated(self) -> tuple[str, ...]:
        """Names of the VMs that HCX says have moved."""
        return tuple(vm.name for vm in self.vms if vm.phase is VmPhase.DONE)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Names of the VMs that have not moved, whatever the reason."""
        return tuple(vm.name for vm in self.vms if vm.phase is not VmPhase.DONE)

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Names of the VMs whose migration HCX does not list."""
        return tuple(vm.name for vm in self.vms if vm.phase is VmPhase.NOT_LISTED)

    @property
    def percent(self) -> float:
        """Mean progress; what does not tell counts as 0, what has moved as 100."""
        shares = [100.0 if vm.phase is VmPhase.DONE else vm.percent or 0.0 for vm in self.vms]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def summary(self) -> str:
        """How far the wave is, in words: who has moved and who has not, and of what a percentage is."""
        parts = [f"{len(self.migrated)} of {len(self.vms)} moved"]
        for phase, words in _PHASE_WORDS.items():
            named = [vm for vm in self.vms if vm.phase is phase]
            if not named:
                continue
            shown = f" ({listed([vm.name for vm in named], 3)})" if phase in _NAMED_PHASES else ""
            done = _share_of_bytes(named) if phase is VmPhase.BASE_SYNC else None
            progress = "" if done is None else f" ({done:.0f} % of their data)"
            parts.append(f"{len(named)} {words}{shown}{progress}")
        return ", ".join(parts)

    def vm(self, name: str) -> VmStatus:
        """Return a VM's status by name.

        :raises KeyError: if there is none.
        """
        for vm in self.vms:
            if vm.name == name:
                return vm
        raise KeyError(f'no status of "{name}"')

    def notes(self, said: Collection[str] = ()) -> tuple[str, ...]:
        """Return what deserves to be said and has not been: unknown states, missed windows, stalls.

        :param said: notes that were said before; each is the same text for as long as it holds.
        """
        return tuple(note for note in dict.fromkeys(_notes(self.vms)) if note not in said)


_PHASE_WORDS = {
    VmPhase.FAILED: "failed",
    VmPhase.REFUSED: "refused by HCX",
    VmPhase.CANCELLED: "cancelled",
    VmPhase.NOT_LISTED: "not listed by HCX",
    VmPhase.SWITCHOVER: "in switchover",
    VmPhase.WAITING_FOR_TURN: "waiting for their turn",
    VmPhase.WAITING_FOR_WINDOW: "waiting for the switchover window",
    VmPhase.DELTA_SYNC: "replicated",
    VmPhase.BASE_SYNC: "replicating",
    VmPhase.QUEUED: "queued",
    VmPhase.DRAFT: "not started by HCX",
    VmPhase.RUNNING: "in a state that HCX does not explain",
}
_NAMED_PHASES = frozenset(
    {VmPhase.FAILED, VmPhase.REFUSED, VmPhase.CANCELLED, VmPhase.NOT_LISTED, VmPhase.SWITCHOVER, VmPhase.RUNNING}
)


def _share_of_bytes(vms: Sequence[VmStatus]) -> float | None:
    """Return how much of the data of some VMs is sent, in per cent; None unless HCX says it of all of them."""
    done, whole = [vm.bytes_done for vm in vms], [vm.bytes_total for vm in vms]
    if None in done or None in whole:
        return None
    total = sum(one or 0 for one in whole)
    return 100 * sum(one or 0 for one in done) / total if total else None


def read_status(
    hcx: HcxClient, started: StartedWave, now: datetime, stall_after: timedelta = STALL_AFTER
) -> WaveStatus:
    """Ask HCX once for all VMs of a wave and map the answer; once more if it does not list all of them.

    A group can be archived as soon as its migrations have ended, by anybody; the second query includes those.
    """
    seen = wave_status(hcx.query_migrations(group_ids=started.group_ids), started, now, stall_after)
    if not seen.unlisted:
        return seen
    found = hcx.query_migrations(group_ids=started.group_ids, include_archived=True)
    return wave_status(found, started, now, stall_after)


def wave_status(
    migrations: Iterable[Migration], started: StartedWave, now: datetime, stall_after: timedelta = STALL_AFTER
) -> WaveStatus:
    """Map the answer of one query to the status of a wave; reads nothing else.

    An attempt newer than the one that was started counts in its place. A VM that HCX does not list has not ended;
    only the vCenters still know where it is.

    :param now: the moment of the answer.
    :param stall_after: how long nothing may move although a window is open.
    """
    listed = list(migrations)
    latest = latest_by_entity(listed)
    # An answer of the first generation names no entities [C hcx 4.5].
    by_id = {one.migration_id: one for one in listed}
    vms = [_vm_status(vm, latest.get(vm.vm_id) or by_id.get(vm.migration_id), now) for vm in started.vms]
    return WaveStatus(at=now, vms=tuple(_with_stalls(vms, now, stall_after)))


def _vm_status(vm: StartedVm, migration: Migration | None, now: datetime) -> VmStatus:
    ids = {"name": vm.name, "vm_id": vm.vm_id, "migration_id": vm.migration_id, "group_id": vm.group_id}
    if migration is None:
        return VmStatus(**ids, phase=VmPhase.NOT_LISTED, message="HCX does not list its migration")
    state = migration.state
    phase = _phase(vm, migration)
    done, total = _bytes(migration.raw)
    mesh = migration.raw.get("servicemeshId")
    closes = migration.window_expiry
    return VmStatus(
        **{**ids, "migration_id": migration.migration_id},
        phase=phase,
        state_name=state.name,
        is_known=state.is_known,
        percent=state.percent,
        bytes_done=done,
        bytes_total=total,
        message="; ".join(vm.refused) if phase is VmPhase.REFUSED else state.message,
        service_mesh_id=None if mesh is None else str(mesh),
        window_opens=migration.window_start,
        window_closes=closes,
        started_at=migration.started_at,
        ended_at=migration.ended_at,
        updated_at=migration.updated_at,
        missed_window=phase is VmPhase.WAITING_FOR_WINDOW and closes is not None and now > closes + _MISSED_GRACE,
    )


def _phase(vm: StartedVm, migration: Migration) -> VmPhase:
    phase = migration.state.phase
    if phase is Phase.DRAFT and vm.refused:
        return VmPhase.REFUSED
    if phase is Phase.WAITING_FOR_WINDOW and _flag(migration.raw, "isSwitchoverParked"):
        return VmPhase.WAITING_FOR_TURN
    return VmPhase(phase.value)


@dataclass
class _Lane:
    """What is seen of the switchovers of one service mesh, which go one after the other [C hcx 4.8]."""

    is_moving: bool = False
    last_end: datetime | None = None

    def see(self, vm: VmStatus) -> None:
        """Take one VM into account."""
        self.is_moving = self.is_moving or vm.phase in (VmPhase.SWITCHOVER, VmPhase.WAITING_FOR_TURN)
        if vm.ended_at is not None and (self.last_end is None or vm.ended_at > self.last_end):
            self.last_end = vm.ended_at


def _with_stalls(vms: list[VmStatus], now: datetime, stall_after: timedelta) -> Iterator[VmStatus]:
    """Mark the VMs whose window is open while nothing on their mesh has moved for long enough."""
    lanes: defaultdict[str | None, _Lane] = defaultdict(_Lane)
    for vm in vms:
        lanes[vm.service_mesh_id].see(vm)
    for vm in vms:
        stalled = _is_stalled(vm, lanes[vm.service_mesh_id], now, stall_after)
        yield vm.model_copy(update={"stalled": True}) if stalled else vm


def _is_stalled(vm: VmStatus, lane: _Lane, now: datetime, stall_after: timedelta) -> bool:
    if vm.phase is not VmPhase.WAITING_FOR_WINDOW or vm.missed_window or vm.window_opens is None or lane.is_moving:
        return False
    return now - max(vm.window_opens, lane.last_end or vm.window_opens) >= stall_after


def _notes(vms: Iterable[VmStatus]) -> Iterable[str]:
    for vm in vms:
        if not vm.is_known:
            yield f'HCX reports "{vm.state_name}" for {vm.name}, which is unknown; it is treated as running'
        if vm.phase is VmPhase.NOT_LISTED:
            yield f"HCX does not list the migration of {vm.name}, which may have been archived or deleted"
        if vm.missed_window:
            yield f"{vm.name} missed its switchover window and waits for a new one: reschedule it in HCX"
        if vm.stalled:
            yield (
                f"{vm.name} should be switching over and nothing moves: HCX may have lost the job (KB 321654); "
                "reschedule it, or restart the HCX services"
            )


def _bytes(raw: Mapping[str, Any]) -> tuple[int | None, int | None]:
    total = as_mapping(as_mapping(raw.get("progress")).get("total"))
    done, whole = total.get("bytesTransferred"), total.get("value")
    return (done if isinstance(done, int) else None), (whole if isinstance(whole, int) and whole > 0 else None)


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    return bool(as_mapping(as_mapping(raw.get("progress")).get("state")).get(name))
