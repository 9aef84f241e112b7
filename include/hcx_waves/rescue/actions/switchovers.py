"""Release and hold switchovers: VMs of this wave that have not begun to switch over get another window in HCX."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import ClientError
from hcx_waves.migration.retry import started_of
from hcx_waves.migration.start import StartedWave
from hcx_waves.migration.status import VmPhase
from hcx_waves.migration.switchover import WITHOUT_WINDOW, hold, release_switchovers
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.formatting import instant
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.preflight.repeat import repeat_checks
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.rescue.actions.definition import WayBack, why
from hcx_waves.rescue.base import Choices, Intent, Look, Price, RescueOutcome
from hcx_waves.rescue.menu import MENU, RescueAction
from hcx_waves.rescue.rescuer import Rescuer

_LATE = VmPhase.SWITCHOVER.value
_RUNS_ON = Price(outage="the VM keeps running where it is", bytes_to_copy=0)


def release_window(rescuer: Rescuer, look: Look) -> TimeWindow | None:
    """Return the window that a release gives: the wave's, from now on if it is open; None if it has closed."""
    planned, now = rescuer.plan.clock.switchover, look.at.replace(microsecond=0)
    if planned is None:
        return TimeWindow(opens=now, closes=now + WITHOUT_WINDOW)
    return None if planned.closes <= look.at else TimeWindow(opens=max(planned.opens, now), closes=planned.closes)


def intend_to_release(rescuer: Rescuer, look: Look, name: str, _choices: Choices) -> Intent:
    """Return what a release comes to for a VM."""
    window = release_window(rescuer, look)
    left = _left_alone(rescuer, look, name)
    if left is not None:
        return left
    if window is None:
        return Intent(
            subject=name,
            refused="the switchover window of the wave has closed. Set a new one in the wave file, then start a new "
            "run, which adopts the migration",
        )
    zone = rescuer.plan.clock.time_zone
    opens = "as soon as it is its turn" if window.opens <= look.at else f"from {instant(window.opens, zone)}"
    return Intent(
        subject=name,
        will=f"let it switch over {opens}, until {instant(window.closes, zone)} (migration "
        f"{look.vm(name).migration_id}), after the checks that protect a switchover",
        # Without a window of the wave, what a release gives begins with the look.
        basis=look.vm(name).migration_id,
        price=Price(outage="the VM stands still for a moment in its switchover; no gateway moves"),
    )


def intend_to_hold(rescuer: Rescuer, look: Look, name: str, _choices: Choices) -> Intent:
    """Return what a hold comes to for a VM."""
    found = look.vm(name)
    left = _left_alone(rescuer, look, name)
    if left is not None:
        return left
    return Intent(
        subject=name,
        will=f"keep it from switching over until it is released (migration {found.migration_id}); it goes on "
        "replicating",
        basis=found.migration_id,
        price=_RUNS_ON,
    )


def _left_alone(rescuer: Rescuer, look: Look, name: str) -> Intent | None:
    """Return that nothing can be done about a VM's window; None if something can."""
    found = look.vm(name)
    if not found.in_flight:
        return Intent(subject=name, needless=found.state or "HCX lists no migration of it that is under way")
    if not found.is_own:
        return Intent(
            subject=name,
            refused=f"its migration {found.migration_id} is not of a mobility group of this wave. Whoever started it "
            "schedules it, in HCX",
        )
    if found.phase == _LATE:
        return Intent(subject=name, refused="it is switching over, which HCX does not stop or schedule any more")
    if rescuer.plan.vm(name).migration is MigrationType.VMOTION:
        return Intent(subject=name, refused="HCX does not schedule a vMotion")
    return None


def release(rescuer: Rescuer, look: Look, names: Sequence[str], _choices: Choices) -> Sequence[RescueOutcome]:
    """Give VMs their window, unless their switchover would fail; read it back."""
    window, patience = release_window(rescuer, look), rescuer.patience
    if window is None:
        return [RescueOutcome(subject=name, done=False, text="the switchover window has closed") for name in names]
    try:
        stops = repeat_checks(
            rescuer.plan, rescuer.wave, rescuer.clients, WaveStep.SWITCHOVER,
            now=patience.now(), before=None, only=names,
        ).stops  # fmt: skip
    except ClientError as error:
        return [RescueOutcome(subject=name, done=False, text=why(error)) for name in names]
    general = "; ".join(reason for subject, reason in stops.items() if subject not in names)
    stopped = {name: general or stops[name] for name in names if general or name in stops}
    free = [name for name in names if name not in stopped]
    text = f"released until {instant(window.closes, rescuer.plan.clock.time_zone)}"
    given = _given(rescuer, look, free, window, text)
    return [
        given[name]
        if name in given
        else RescueOutcome(
            subject=name, done=False, text=f"not released, as its switchover would fail: {stopped[name]}"
        )
        for name in names
    ]


def keep_held(rescuer: Rescuer, look: Look, names: Sequence[str], _choices: Choices) -> Sequence[RescueOutcome]:
    """Give VMs a window that is far away; read it back."""
    far = hold(rescuer.patience.now().replace(microsecond=0))
    if far.start is None or far.expiry is None:
        return ()
    window = TimeWindow(opens=far.start, closes=far.expiry)
    return list(_given(rescuer, look, names, window, "held; release-switchovers lets it go").values())


def _given(
    rescuer: Rescuer, look: Look, names: Sequence[str], window: TimeWindow, text: str
) -> dict[str, RescueOutcome]:
    """Give VMs a window, each by itself: what HCX refuses of one must not keep the others back."""
    done = {}
    for name in names:
        try:
            result = release_switchovers(
                rescuer.clients.hcx, _started(rescuer, look, name), [name], window, rescuer.patience.now()
            )
        except ClientError as error:
            done[name] = RescueOutcome(subject=name, done=False, text=why(error))
        else:
            late = name in result.already
            said = "it had that window, or is switching over by now" if late else text
            done[name] = RescueOutcome(subject=name, done=True, text=said)
    return done


def _started(rescuer: Rescuer, look: Look, name: str) -> StartedWave:
    found = rescuer.clients.hcx.query_migrations(migration_ids=[look.vm(name).migration_id])
    return started_of(rescuer.plan, dict.fromkeys([name], found[0]) if found else {})


def waiting(look: Look) -> Sequence[str]:
    """Return the VMs that are under way, whatever window they have."""
    return [vm.name for vm in look.vms if vm.in_flight and vm.is_own]


def is_well(look: Look, names: Sequence[str]) -> bool:
    """Whether none of them has failed or was cancelled."""
    return not any(vm.phase in (VmPhase.FAILED, VmPhase.CANCELLED) for vm in look.vms if vm.name in names)


RELEASE = WayBack(
    item=MENU[RescueAction.RELEASE_SWITCHOVERS],
    concerns=waiting,
    intend=intend_to_release,
    perform=release,
    is_well=is_well,
)
HOLD = WayBack(
    item=MENU[RescueAction.HOLD_SWITCHOVERS],
    concerns=waiting,
    intend=intend_to_hold,
    perform=keep_held,
    is_well=is_well,
)
