"""Measure how long a segment had no gateway, from the instants that the steps of its cutover recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.gateway import DisconnectResult
from hcx_waves.cutover.guards import look_at_destination
from hcx_waves.cutover.outage import OutageBounds, outage_bounds
from hcx_waves.cutover.waiting import Patience
from hcx_waves.model.plan import WavePlan
from hcx_waves.run.results import UnextendWait


@dataclass(frozen=True)
class RoutedInstants:
    """When the segment was last seen without a gateway, and first with one again."""

    not_last: datetime | None
    first: datetime | None


def routed_instants(
    plan: WavePlan, segment: str, clients: SiteClients, awaited: UnextendWait | None, patience: Patience
) -> RoutedInstants:
    """Return the instants of the end of an outage: as the sensor has seen it, else by looking on.

    :param awaited: what ``await_unextended`` has left.
    """
    not_last = None if awaited is None else awaited.routed_not_last
    if awaited is not None and awaited.routed_first is not None:
        return RoutedInstants(not_last, awaited.routed_first)
    planned = plan.segment(segment)
    wait = patience.until(
        lambda: look_at_destination(clients, planned), lambda seen: seen.is_on or seen.failure is not None
    )
    return RoutedInstants(wait.last_not or not_last, wait.first_seen if wait.seen.is_on else None)


def measured_outage(
    ended: RoutedInstants,
    disconnect: DisconnectResult | None,
    acting_since: datetime | None,
    seen_off: datetime | None = None,
) -> OutageBounds | None:
    """Bound the outage; None if its beginning was not seen.

    :param ended: when a gateway was last seen to be missing, and first there again.
    :param disconnect: what ``disconnect_source_segment`` has left.
    :param acting_since: the last instant at which the gateway was certainly on, as kept before it was switched off.
    :param seen_off: an instant at which the gateway was off, for a disconnect that has left nothing.
    """
    connected_last = (None if disconnect is None else disconnect.last_not_at) or acting_since
    disconnected_first = (None if disconnect is None else disconnect.seen_at) or seen_off
    if connected_last is None or disconnected_first is None:
        return None
    return outage_bounds(
        connected_last=connected_last,
        disconnected_first=disconnected_first,
        routed_not_last=ended.not_last,
        routed_first=ended.first,
    )
