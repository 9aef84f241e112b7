"""How long a segment had no gateway, from what the tasks of its cutover saw and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.cutover.outage import OutageBounds
    from hcx_waves.cutover.waiting import Patience
    from hcx_waves.domain.plan import WavePlan


@dataclass(frozen=True)
class RoutedInstants:
    """When the destination was last seen without its gateway, and first with it."""

    not_last: datetime | None
    first: datetime | None


def routed_instants(
    plan: WavePlan, segment: str, clients: SiteClients, awaited: Mapping[str, Any], patience: Patience
) -> RoutedInstants:
    """Return the instants of the end of an outage: as the sensor has seen it, else by looking on.

    :param awaited: the outcome of ``await_unextended``.
    """
    from hcx_waves.cutover.guards import look_at_destination

    not_last, first = (_instant(awaited.get(name)) for name in ("routed_not_last", "routed_first"))
    if first is not None:
        return RoutedInstants(not_last, first)
    planned = plan.segment(segment)
    wait = patience.until(
        lambda: look_at_destination(clients, planned), lambda seen: seen.is_on or seen.failure is not None
    )
    return RoutedInstants(wait.last_not or not_last, wait.first_seen if wait.seen.is_on else None)


def measured_outage(disconnected: Mapping[str, Any] | None, routed: RoutedInstants) -> OutageBounds | None:
    """Bound the outage; None if this run did not see it begin.

    :param disconnected: what ``disconnect_source_segment`` has left.
    """
    from hcx_waves.cutover.outage import outage_bounds

    begun = disconnected or {}
    connected_last, disconnected_first = (_instant(begun.get(name)) for name in ("last_not_at", "seen_at"))
    if connected_last is None or disconnected_first is None:
        return None
    return outage_bounds(
        connected_last=connected_last,
        disconnected_first=disconnected_first,
        routed_not_last=routed.not_last,
        routed_first=routed.first,
    )


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
