"""How long a segment had no gateway, from what the tasks of its cutover saw and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hcx_airflow.runs.task import TaskRun

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.cutover.outage import OutageBounds
    from hcx_waves.cutover.waiting import Patience
    from hcx_waves.model.plan import WavePlan


ACTING_KEY = "acting_since"


@dataclass(frozen=True)
class RoutedInstants:
    """When the segment was last seen without a gateway, and first with one again."""

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


class Beginning:
    """When a gateway that is switched off was certainly on; kept before, so that it outlives a worker that dies then.

    :param run: of ``disconnect_source_segment``.
    """

    def __init__(self, run: TaskRun) -> None:
        self._run = run
        self._earlier = run.recall(ACTING_KEY)
        self._acted = False

    def keep(self, at: datetime) -> None:
        """Keep the last instant before the gateway is switched off."""
        self._acted = True
        self._run.remember(ACTING_KEY, at.isoformat())

    def complete(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return what the step leaves; if an earlier try has switched the gateway off, with wider bounds than its own.

        :param result: of this try, which has found the gateway off, or about to be.
        """
        if self._acted or self._earlier is None:
            return result
        return {**result, "last_not_at": self._earlier, "seen_at": result["seen_at"] or self._run.now().isoformat()}


def measured_outage(run: TaskRun, ended: RoutedInstants, seen_off: datetime | None = None) -> OutageBounds | None:
    """Bound the outage; None if this run did not see it begin.

    :param run: of a step after ``disconnect_source_segment`` in the same group.
    :param ended: when a gateway was last seen to be missing, and first there again.
    :param seen_off: an instant at which the gateway was off, for a disconnect that never told.
    """
    from hcx_waves.cutover.outage import outage_bounds

    disconnect = run.sibling("disconnect_source_segment")
    begun = run.xcom(disconnect) or {}
    connected_last, disconnected_first = (_instant(begun.get(name)) for name in ("last_not_at", "seen_at"))
    connected_last = connected_last or _instant(run.xcom(disconnect, ACTING_KEY))
    disconnected_first = disconnected_first or seen_off
    if connected_last is None or disconnected_first is None:
        return None
    return outage_bounds(
        connected_last=connected_last,
        disconnected_first=disconnected_first,
        routed_not_last=ended.not_last,
        routed_first=ended.first,
    )


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
