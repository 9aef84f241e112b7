"""Connect destination: the gateway is on at the destination after an unextend that left it off."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.cutover.gateway import GatewayChange, connect_destination
from hcx_waves.rescue.actions.definition import WayBack, each
from hcx_waves.rescue.actions.reconnect_source import SECONDS
from hcx_waves.rescue.actions.segments import NOT_CUT, all_fine, basis_of, not_fine, outage_of, refused
from hcx_waves.rescue.base import Choices, Intent, Look, Price, RescueOutcome
from hcx_waves.rescue.menu import MENU, RescueAction
from hcx_waves.rescue.rescuer import Rescuer
from hcx_waves.rescue.segments import OFF, GatewayStanding

_WILL = "switch the destination gateway on, after reading once more that the source's is off; read it back"
_EXTENSION_GONE = (GatewayStanding.NO_GATEWAY, GatewayStanding.SOURCE_DELETED_OFF)
_REASONS = {
    GatewayStanding.AT_SOURCE: "the source gateway is on, and a second gateway is never connected",
    GatewayStanding.TWO_GATEWAYS: "both gateways are on, or may be",
    GatewayStanding.UNSETTLED: "a change is not in effect yet, or could not be realised",
}


def intend(_rescuer: Rescuer, look: Look, name: str, choices: Choices) -> Intent:
    """Return what it comes to for a segment."""
    found = look.segment(name)
    if not found.is_cut:
        return Intent(subject=name, refused=NOT_CUT)
    price = Price(seconds=SECONDS, outage=outage_of(look, found), bytes_to_copy=0)
    if found.state in (GatewayStanding.AT_DESTINATION, GatewayStanding.SOURCE_DELETED):
        return Intent(subject=name, needless="the destination gateway is on", basis=basis_of(found))
    if found.state in _EXTENSION_GONE:
        return Intent(subject=name, will=_WILL, basis=basis_of(found), price=price)
    if found.state in OFF and choices.while_extended:
        will = f"{_WILL}, although the extension is {found.extension}"
        return Intent(subject=name, will=will, basis=basis_of(found), price=price)
    if found.state is GatewayStanding.UNKNOWN:
        return refused(found, f"it is not known how it stands: {found.problem}")
    return refused(found, _REASONS.get(found.state, f"the network is still extended ({found.extension})"))


def perform(rescuer: Rescuer, look: Look, names: Sequence[str], choices: Choices) -> Sequence[RescueOutcome]:
    """Switch the destination gateways on."""

    def change(name: str) -> GatewayChange:
        planned, deleted = rescuer.plan.segment(name), look.segment(name).source.absent
        gateway = rescuer.absent_gateway(planned) if deleted else rescuer.gateway(planned)
        return connect_destination(
            rescuer.plan, name, rescuer.clients, gateway, rescuer.patience, while_extended=choices.while_extended
        )

    return each(names, change, _done)


def _done(change: GatewayChange) -> str:
    return "the destination gateway was on already" if change.already else "the destination gateway is on"


WAY_BACK = WayBack(
    item=MENU[RescueAction.CONNECT_DESTINATION],
    concerns=not_fine,
    intend=intend,
    perform=perform,
    is_well=all_fine,
)
