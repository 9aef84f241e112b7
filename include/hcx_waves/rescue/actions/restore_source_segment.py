"""Restore source segment: a segment that a cleanup has deleted is there again."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import ClientError
from hcx_waves.cutover.gateway import GatewayChange
from hcx_waves.cutover.restore import others_with_its_subnet, restore_source_segment, who_routes
from hcx_waves.model.choices import Disconnect
from hcx_waves.rescue.actions.definition import WayBack, each
from hcx_waves.rescue.actions.segments import basis_of, refused
from hcx_waves.rescue.base import Choices, Intent, Look, Price, RescueOutcome
from hcx_waves.rescue.menu import MENU, RescueAction
from hcx_waves.rescue.rescuer import Rescuer
from hcx_waves.rescue.segments import GatewayStanding

_DELETED = (GatewayStanding.SOURCE_DELETED, GatewayStanding.SOURCE_DELETED_OFF)
_SECONDS = 20.0


def intend(rescuer: Rescuer, look: Look, name: str, _choices: Choices) -> Intent:
    """Return what it comes to for a segment."""
    found, planned = look.segment(name), rescuer.plan.segment(name)
    if not planned.deletes_source:
        return Intent(subject=name, needless="this wave deletes no source segment of it", basis=basis_of(found))
    if found.state not in _DELETED:
        if planned.disconnect is Disconnect.NSX and found.source.evidence and found.state is GatewayStanding.UNKNOWN:
            return refused(found, f"it is not known how it stands: {found.problem}")
        return Intent(subject=name, needless="the source segment is there", basis=basis_of(found))
    definition = rescuer.record(planned).definition
    if definition is None:
        return refused(found, "no definition of it is kept on this machine: neither a cleanup's ledger nor a run's")
    try:
        others, routers = others_with_its_subnet(rescuer.clients, planned), who_routes(rescuer.clients, planned)
    except ClientError as error:
        return refused(found, f"it is not known who has its subnet: {error.message}")
    if others:
        return refused(found, f"another segment at the source has its subnet ({', '.join(others)})")
    gateway = f"with its gateway off, as {', '.join(routers)} routes it" if routers else "with its gateway on"
    will = f"make {planned.source_segment_path} again by the definition that was kept, {gateway}; read it back"
    price = Price(seconds=_SECONDS, outage="no network is switched off", bytes_to_copy=0)
    return Intent(subject=name, will=will, basis=f"{basis_of(found)}|{','.join(routers)}", price=price)


def perform(rescuer: Rescuer, _look: Look, names: Sequence[str], _choices: Choices) -> Sequence[RescueOutcome]:
    """Make the segments again."""

    def change(name: str) -> GatewayChange:
        definition = rescuer.record(rescuer.plan.segment(name)).definition or {}
        return restore_source_segment(rescuer.plan, name, rescuer.clients, definition, rescuer.patience)

    return each(names, change, _done)


def _done(change: GatewayChange) -> str:
    return "the source segment was there already" if change.already else f"restored: {change.evidence}"


def deleted(look: Look) -> Sequence[str]:
    """Return the segments whose source segment is gone."""
    return [one.name for one in look.segments if one.state in _DELETED]


def is_well(look: Look, names: Sequence[str]) -> bool:
    """Whether the source segments are there."""
    return not set(deleted(look)) & set(names)


WAY_BACK = WayBack(
    item=MENU[RescueAction.RESTORE_SOURCE_SEGMENT],
    concerns=deleted,
    intend=intend,
    perform=perform,
    is_well=is_well,
)
