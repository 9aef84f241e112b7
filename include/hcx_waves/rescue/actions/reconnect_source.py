"""Reconnect source: the gateway is on at the source again."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.cutover.gateway import GatewayChange, reconnect_source_segment
from hcx_waves.rescue.actions.definition import WayBack, each
from hcx_waves.rescue.actions.segments import NO_RECORD, NOT_CUT, all_fine, basis_of, not_fine, outage_of, refused
from hcx_waves.rescue.base import Choices, Intent, Look, Price, RescueOutcome
from hcx_waves.rescue.ledgers import RECONNECTED
from hcx_waves.rescue.menu import MENU, RescueAction
from hcx_waves.rescue.rescuer import Rescuer
from hcx_waves.rescue.segments import GatewayStanding

_WILL = "switch the source gateway on again, after reading once more that the destination's is off; read it back"
_REASONS = {
    GatewayStanding.AT_DESTINATION: "the destination routes it, and a second gateway is never connected",
    GatewayStanding.NO_GATEWAY: "the extension is gone, so the source gateway no longer reaches the VMs",
    GatewayStanding.SOURCE_DELETED: "a cleanup has deleted the source segment, and the destination routes it",
    GatewayStanding.SOURCE_DELETED_OFF: "a cleanup has deleted the source segment",
    GatewayStanding.UNEXTENDING: "HCX has accepted the unextend, and may connect the destination at any moment",
    GatewayStanding.UNRECORDED: NO_RECORD,
    GatewayStanding.TWO_GATEWAYS: "both gateways are on, or may be",
    GatewayStanding.UNSETTLED: "a change is not in effect yet, or could not be realised",
}
SECONDS = 10.0
"""What switching a gateway and reading it back usually takes."""


def intend(_rescuer: Rescuer, look: Look, name: str, choices: Choices) -> Intent:
    """Return what it comes to for a segment."""
    found = look.segment(name)
    if not found.is_cut:
        return Intent(subject=name, refused=NOT_CUT)
    price = Price(seconds=SECONDS, outage=outage_of(look, found), bytes_to_copy=0)
    if found.state is GatewayStanding.AT_SOURCE:
        return Intent(subject=name, needless="the source gateway is on", basis=basis_of(found))
    if found.state in (GatewayStanding.SOURCE_OFF, GatewayStanding.UNEXTEND_FAILED):
        return Intent(subject=name, will=_WILL, basis=basis_of(found), price=price)
    if found.may_decide and choices.decided_by:
        will = f"{_WILL}. Decided by {choices.decided_by}: {found.unextend or NO_RECORD}"
        return Intent(subject=name, will=will, basis=basis_of(found), price=price)
    return refused(found, _REASONS.get(found.state, f"it is not known how it stands: {found.problem}"))


def perform(rescuer: Rescuer, _look: Look, names: Sequence[str], choices: Choices) -> Sequence[RescueOutcome]:
    """Switch the source gateways on again."""

    def change(name: str) -> GatewayChange:
        planned = rescuer.plan.segment(name)
        record = rescuer.record(planned)
        return reconnect_source_segment(
            rescuer.plan,
            name,
            rescuer.clients,
            rescuer.gateway(planned),
            rescuer.patience,
            snapshot=record.snapshot,
            removal=record.removal,
            decided_by=choices.decided_by,
        )

    return each(names, change, _done)


def _done(change: GatewayChange) -> str:
    return "the source gateway was on already" if change.already else "the source gateway is on again"


WAY_BACK = WayBack(
    item=MENU[RescueAction.RECONNECT_SOURCE],
    concerns=not_fine,
    intend=intend,
    perform=perform,
    is_well=all_fine,
    voids=RECONNECTED,
)
