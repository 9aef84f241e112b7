"""Cancel: migrations that this wave has started, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import ClientError
from hcx_waves.migration.cancel import CancelAnswer, cancel_migrations
from hcx_waves.rescue.actions.definition import WayBack, why
from hcx_waves.rescue.base import Choices, Intent, Look, Price, RescueOutcome
from hcx_waves.rescue.machines import MachineLook, Whereabouts
from hcx_waves.rescue.menu import MENU, RescueAction
from hcx_waves.rescue.rescuer import Rescuer

_GOOD = (CancelAnswer.ASKED, CancelAnswer.FORCED, CancelAnswer.ENDED)
_PAST_IT = "switchover"


def intend(_rescuer: Rescuer, look: Look, name: str, choices: Choices) -> Intent:
    """Return what it comes to for a VM."""
    found = look.vm(name)
    if not found.in_flight:
        return Intent(subject=name, needless=found.state or "HCX lists no migration of it that is under way")
    if not found.is_own:
        group = found.group or "of no known name"
        return Intent(
            subject=name,
            refused=f"its migration {found.migration_id} is in mobility group {group}, which is not this wave's. "
            "Whoever started it cancels it, in HCX",
        )
    late = ". It is switching over: HCX may refuse, or finish first" if found.phase == _PAST_IT else ""
    forced = "by force, at both sites" if choices.force else "gracefully"
    will = f"cancel migration {found.migration_id} ({found.state}) {forced}; the VM stays at the {_stays(found)}{late}"
    outage = "the VM keeps running where it is" if found.phase != _PAST_IT else ""
    basis = f"{found.migration_id}|{found.phase == _PAST_IT}"
    return Intent(subject=name, will=will, basis=basis, price=Price(outage=outage, bytes_to_copy=0))


def perform(rescuer: Rescuer, look: Look, names: Sequence[str], choices: Choices) -> Sequence[RescueOutcome]:
    """Cancel the migrations, and wait for a while until they have ended."""
    vms = [look.vm(name) for name in names]
    wanted = [vm.migration_id for vm in vms]
    hcx = rescuer.clients.hcx
    try:
        report = cancel_migrations(hcx, wanted, force=choices.force)
        if report.acted:
            rescuer.patience.until(
                lambda: hcx.query_migrations(migration_ids=sorted(wanted)),
                lambda found: all(one.state.is_terminal for one in found),
            )
    except ClientError as error:
        return [RescueOutcome(subject=name, done=False, text=why(error)) for name in names]
    return [
        RescueOutcome(
            subject=vm.name,
            done=item.answer in _GOOD,
            text=f"{item.answer.value}{f' ({item.message})' if item.message else ''}"
            + (". Press: cancel --force" if item.may_need_force else ""),
        )
        for vm, item in zip(vms, report.items, strict=True)
    ]


def in_flight(look: Look) -> Sequence[str]:
    """Return the VMs that are in flight, whoever has started them."""
    return [vm.name for vm in look.vms if vm.in_flight]


def is_well(look: Look, names: Sequence[str]) -> bool:
    """Whether none of the migrations that this wave has started is under way any more."""
    asked = set(names) or {vm.name for vm in look.vms}
    return not any(vm.in_flight and vm.is_own for vm in look.vms if vm.name in asked)


def _stays(found: MachineLook) -> str:
    return "source" if found.site is Whereabouts.SOURCE else f"site where it is ({found.site.value})"


WAY_BACK = WayBack(
    item=MENU[RescueAction.CANCEL],
    concerns=in_flight,
    intend=intend,
    perform=perform,
    is_well=is_well,
)
