"""Retry: VMs of this wave whose migration failed or was cancelled are started again, many at once."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import ClientError
from hcx_waves.migration.groups import is_from
from hcx_waves.migration.retry import Retried, retry_after_clean_up
from hcx_waves.migration.status import VmPhase
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.formatting import instant
from hcx_waves.preflight.repeat import repeat_checks
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.rescue.actions.definition import WayBack, why
from hcx_waves.rescue.base import Choices, Intent, Look, Price, RescueOutcome
from hcx_waves.rescue.machines import MachineLook, Whereabouts
from hcx_waves.rescue.menu import MENU, RescueAction
from hcx_waves.rescue.rescuer import Rescuer

_BADLY = (VmPhase.FAILED.value, VmPhase.CANCELLED.value)


def intend(rescuer: Rescuer, look: Look, name: str, _choices: Choices) -> Intent:
    """Return what it comes to for a VM."""
    found, window = look.vm(name), rescuer.plan.clock.switchover
    if found.in_flight:
        return Intent(subject=name, needless=f"its migration {found.migration_id} is under way ({found.state})")
    if found.site is Whereabouts.DESTINATION:
        return Intent(subject=name, needless="it is at the destination")
    refusal = _refusal(found)
    if not refusal and window is not None and window.closes <= look.at:
        closed = instant(window.closes, rescuer.plan.clock.time_zone)
        refusal = f"the switchover window closed at {closed}. Set a new one in the wave file, then start a new run"
    if refusal:
        return Intent(subject=name, refused=refusal)
    planned = rescuer.plan.vm(name)
    moves = planned.disk_bytes if planned.migration is not MigrationType.VMOTION else None
    return Intent(
        subject=name,
        will=f"start it again in mobility group {found.group} with a new migration; if HCX refuses it for left-overs "
        f"of migration {found.migration_id} ({found.state}), clear these by force at both sites first",
        basis=f"{found.migration_id}|{found.state}",
        price=Price(
            outage="the VM keeps running at the source until it switches over",
            bytes_to_copy=moves,
        ),
    )


def _refusal(found: MachineLook) -> str:
    """Return why a VM that is not under way must not be started again; empty if it may."""
    if found.site is not Whereabouts.SOURCE:
        return f"it is not known to be at the source alone (site: {found.site.value}). Look for it in both vCenters"
    if not found.migration_id:
        return "HCX lists no migration of it. Start a new run, which moves it"
    if not found.is_own or not found.group:
        return f"its last migration {found.migration_id} is not of a mobility group of this wave. Start a new run"
    if found.phase not in _BADLY:
        return f"its last migration ended as {found.state}, and it is at the source. Look at it in HCX"
    return ""


def perform(rescuer: Rescuer, look: Look, names: Sequence[str], _choices: Choices) -> Sequence[RescueOutcome]:
    """Start them again, and read the new migrations back."""
    hcx, patience, plan = rescuer.clients.hcx, rescuer.patience, rescuer.plan
    ids = {look.vm(name).migration_id: name for name in names}
    try:
        stops = repeat_checks(
            plan, rescuer.wave, rescuer.clients, WaveStep.START, now=patience.now(), before=None, only=names
        ).stops
        general = "; ".join(reason for subject, reason in stops.items() if subject not in names)
        stopped = {name: general or stops[name] for name in names if general or name in stops}
        last = {
            ids[one.migration_id]: one
            for one in hcx.query_migrations(migration_ids=list(ids))
            if is_from(one, plan.source.endpoint_id) and ids[one.migration_id] not in stopped
        }
        done = retry_after_clean_up(
            plan, last, rescuer.clients, patience.now(), lambda seen, good: patience.until(seen, good).seen
        )
    except ClientError as error:
        return [RescueOutcome(subject=name, done=False, text=why(error)) for name in names]
    made = {one.name: _outcome(one) for one in done}
    return [
        made.get(name)
        or RescueOutcome(subject=name, done=False, text=stopped.get(name, "HCX lists its last migration no more"))
        for name in names
    ]


def _outcome(one: Retried) -> RescueOutcome:
    cleared = "; left-overs of the old one were cleared by force first" if one.cleared else ""
    if one.problem:
        return RescueOutcome(subject=one.name, done=False, text=f"not started again: {one.problem}{cleared}")
    text = f"started again as migration {one.migration_id}{cleared}"
    return RescueOutcome(subject=one.name, done=True, text=text, kept={"migration_id": one.migration_id})


def ended_badly(look: Look) -> Sequence[str]:
    """Return the VMs of this wave whose last migration failed or was cancelled."""
    return [vm.name for vm in look.vms if vm.is_own and not vm.in_flight and vm.phase in _BADLY]


def is_well(look: Look, names: Sequence[str]) -> bool:
    """Whether all of them are under way, or have arrived."""
    return all(vm.in_flight or vm.site is Whereabouts.DESTINATION for vm in look.vms if vm.name in names)


WAY_BACK = WayBack(
    item=MENU[RescueAction.RETRY],
    concerns=ended_badly,
    intend=intend,
    perform=perform,
    is_well=is_well,
)
