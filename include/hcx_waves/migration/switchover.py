"""Hold the switchovers of replicated VMs, and release them into their window, all at once or one after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from hcx_waves.clients.errors import ValidationFailed
from hcx_waves.clients.hcx import GroupSchedule, HcxClient, Migration, Schedule
from hcx_waves.migration.errors import ScheduleRefusedError
from hcx_waves.migration.groups import latest_by_entity
from hcx_waves.migration.start import StartedWave
from hcx_waves.migration.status import VmPhase, WaveStatus, read_status
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.procedure_errors import NotSettledError

HOLD = timedelta(days=180)
_HOLD_LASTS = timedelta(days=1)
WITHOUT_WINDOW = timedelta(days=30)
"""How long a release may be used where the plan has no window."""
_BEFORE_SWITCHOVER = frozenset(
    {
        VmPhase.QUEUED,
        VmPhase.BASE_SYNC,
        VmPhase.DELTA_SYNC,
        VmPhase.WAITING_FOR_WINDOW,
        VmPhase.WAITING_FOR_TURN,
        VmPhase.RUNNING,
    }
)


class Release(DomainModel):
    """What a release did."""

    released: tuple[str, ...] = ()
    """VMs that were given the window now."""
    already: tuple[str, ...] = ()
    """VMs that had that window, are switching over, or are through."""
    opens: AwareDatetime
    closes: AwareDatetime


class NextRelease(DomainModel):
    """What to do about an order of switchovers next."""

    names: tuple[str, ...] = ()
    """VMs to release now."""
    waiting_for: str | None = None
    """The released VM that has to be through first."""
    stopped_by: str | None = None
    """The VM that failed, after which the rest of the order stays held."""
    held_back: tuple[str, ...] = ()
    """VMs that would be due and stay held for what was found about them; of an order, the first one."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to release."""
        return not self.names and self.waiting_for is None


def hold(now: datetime) -> Schedule:
    """Return a window so far away that nothing switches over before it is released."""
    return Schedule(now + HOLD, now + HOLD + _HOLD_LASTS)


def is_held(window_opens: datetime | None, now: datetime) -> bool:
    """Whether a switchover window is a hold."""
    return window_opens is not None and window_opens - now > HOLD / 2


def release_switchovers(
    hcx: HcxClient, started: StartedWave, names: Sequence[str], window: TimeWindow, now: datetime
) -> Release:
    """Give VMs their switchover window, and read it back. What has the window already is left alone.

    :param window: if it is open already the switchover may begin at once.
    :raises ScheduleRefusedError: if the window has closed, HCX does not take it, or lists no migration; it names the
        VMs.
    :raises NotSettledError: if HCX accepted and does not show the window.
    """
    if window.closes <= now:
        raise ScheduleRefusedError(f"the window closed at {window.closes:%Y-%m-%d %H:%M} UTC", names=list(names))
    schedule = Schedule(window.opens, window.closes)
    current = _by_name(hcx, started)
    unknown = [name for name in names if name not in current]
    if unknown:
        raise ScheduleRefusedError(f"HCX does not list the migrations of {', '.join(unknown)}", names=unknown)
    due = [name for name in names if _needs(current[name], schedule)]
    for group_id in dict.fromkeys(started.vm(name).group_id for name in due):
        members = [name for name in due if started.vm(name).group_id == group_id]
        _reschedule(hcx, group_id, {name: current[name].migration_id for name in members}, schedule)
    if due:
        after = _by_name(hcx, started)
        unchanged = [name for name in due if name not in after or _needs(after[name], schedule)]
        if unchanged:
            raise NotSettledError(f"HCX accepted a new window but does not show it for {', '.join(unchanged)}")
    already = tuple(name for name in names if name not in due)
    return Release(released=tuple(due), already=already, opens=window.opens, closes=window.closes)


def next_release(
    status: WaveStatus,
    order: Sequence[str],
    released: Collection[str],
    *,
    stop_on_failure: bool = True,
    held_back: Collection[str] = (),
) -> NextRelease:
    """Decide which held VMs to release next: those of the order one at a time, then all others together.

    Pure; call it with each new status.

    :param order: names of the VMs that go one after the other, before all others.
    :param released: names of the VMs that have been released.
    :param held_back: names of VMs that must not be released now.
    :param stop_on_failure: whether a VM of the order that fails keeps all after it where they are; one that HCX does
        not list counts as failed, as nobody knows when it is through.
    """
    listed = {vm.name: vm for vm in status.vms}
    for name in (name for name in order if name in listed):
        vm = listed[name]
        if vm.phase is VmPhase.DONE:
            continue
        if vm.is_terminal or vm.phase is VmPhase.NOT_LISTED:
            if stop_on_failure:
                return NextRelease(stopped_by=name)
            continue
        if name in released or vm.phase is VmPhase.SWITCHOVER:
            return NextRelease(waiting_for=name)
        return NextRelease(held_back=(name,)) if name in held_back else NextRelease(names=(name,))
    rest = tuple(
        vm.name
        for vm in status.vms
        if not vm.is_terminal and vm.phase is not VmPhase.NOT_LISTED and vm.name not in (*released, *order)
    )
    kept = tuple(name for name in rest if name in held_back)
    return NextRelease(names=tuple(name for name in rest if name not in kept), held_back=kept)


def release_due(
    hcx: HcxClient,
    plan: WavePlan,
    started: StartedWave,
    released: Collection[str],
    now: datetime,
    *,
    held_back: Collection[str] = (),
) -> NextRelease:
    """Release the held VMs that are due, within the plan's window; in the plan's order, one after the other.

    :param released: names of the VMs that were released before.
    :param held_back: names of VMs that must not be released now.
    :returns: what was released now, and the VM to wait for before the next; or the VM of the order that failed, after
        which nothing more is released.
    :raises ScheduleRefusedError, NotSettledError: see :func:`release_switchovers`.
    """
    step = next_release(read_status(hcx, started, now), plan.switchover_order, released, held_back=held_back)
    if step.stopped_by is not None or not step.names:
        return step
    window = plan.clock.switchover or TimeWindow(opens=now, closes=now + WITHOUT_WINDOW)
    release_switchovers(hcx, started, step.names, window, now)
    in_order = step.names[0] in plan.switchover_order
    return step.model_copy(update={"waiting_for": step.names[0] if in_order else None})


def seeded(status: WaveStatus) -> tuple[str, ...]:
    """Return the VMs that wait for nothing but their window: those that an approver may let go."""
    return tuple(vm.name for vm in status.vms if vm.phase is VmPhase.WAITING_FOR_WINDOW)


def _by_name(hcx: HcxClient, started: StartedWave) -> dict[str, Migration]:
    # A VM that is through may have been archived since.
    latest = latest_by_entity(hcx.query_migrations(group_ids=started.group_ids, include_archived=True))
    return {vm.name: latest[vm.vm_id] for vm in started.vms if vm.vm_id in latest}


def _needs(migration: Migration, schedule: Schedule) -> bool:
    state = migration.state
    if state.is_terminal or VmPhase(state.phase.value) not in _BEFORE_SWITCHOVER:
        return False
    return (migration.window_start, migration.window_expiry) != (_whole(schedule.start), _whole(schedule.expiry))


def _whole(moment: datetime | None) -> datetime | None:
    """Cut a time to the milliseconds that HCX keeps."""
    if moment is None:
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _reschedule(hcx: HcxClient, group_id: str, migration_ids: Mapping[str, str], schedule: Schedule) -> None:
    wanted = {migration_id: GroupSchedule(switchover=schedule) for migration_id in migration_ids.values()}
    try:
        result = hcx.schedule_group(group_id, migrations=wanted)
    except ValidationFailed as error:
        said = "; ".join(error.messages) or error.vendor_message or error.message
        names = list(migration_ids)
        raise ScheduleRefusedError(
            f"HCX did not accept the new window for {', '.join(names)}: {said}", names=names
        ) from error
    refused = set(result.refused_migration_ids)
    left = [name for name, migration_id in migration_ids.items() if migration_id in refused]
    if left:
        raise ScheduleRefusedError(f"HCX did not accept the new window for {', '.join(left)}", names=left)
