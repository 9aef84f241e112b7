"""What the steps of a cutover share: the segment's gateway, how long a step may wait, and whether it may begin."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hcx_airflow.common.errors import BlockedError, RunRefusedError
from hcx_airflow.runs.task import TaskRun

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.cutover.extension import Removal
    from hcx_waves.cutover.source import SourceGateway
    from hcx_waves.twin.routers import TwinRouter

APPROVE_CUTOVER = "approve_cutover"
SNAPSHOT_KEY = "snapshot"
REMOVAL_KEY = "removal"


def gateway_of(run: TaskRun, segment: str, clients: SiteClients) -> SourceGateway:
    """Return the segment's gateway at the source, by the means that the wave file chooses.

    In a rehearsal a router of the twin takes the place of the wave's commands: none of them is run.
    """
    from hcx_waves.cutover.physical import source_gateway

    chosen, planned = run.wave.segment(segment), run.plan.segment(segment)
    return source_gateway(chosen, planned, clients.source_nsx, twin_router(run, segment, clients))


def twin_router(run: TaskRun, segment: str, clients: SiteClients) -> TwinRouter | None:
    """Return the twin's router of a segment, None in a live run.

    :raises RunRefusedError: in a rehearsal without a world of its own.
    """
    if not run.rehearsal:
        return None
    from hcx_airflow.pace.twin import TwinPace
    from hcx_waves.twin.routers import TwinRouter

    pace = run.pace
    if not isinstance(pace, TwinPace):
        raise RunRefusedError("this rehearsal has no world of its own, so no router may be touched")
    chosen, planned = run.wave.segment(segment), run.plan.segment(segment)
    return TwinRouter.of(pace.control, pace.twin.world_id, chosen, planned, clients.source_nsx)


def require_unblocked(run: TaskRun, segment: str) -> None:
    """Refuse a segment of which a VM was left behind.

    :raises BlockedError: naming the VMs.
    """
    for task in ("evaluate_migrations", "verify_virtual_machines"):
        reason = ((run.xcom(task) or {}).get("blocked_segments") or {}).get(segment)
        if reason:
            raise BlockedError(f"segment {segment} keeps its gateway at the source: {reason}")


def require_open_window(run: TaskRun, segment: str, now: datetime) -> None:
    """Refuse to move a gateway outside its window.

    :raises BlockedError: saying when it is open.
    """
    window = run.plan.clock.cutover(segment)
    if window.contains(now):
        return
    opens, closes = run.plan.clock.local(window.opens), run.plan.clock.local(window.closes)
    raise BlockedError(
        f"the cutover window of segment {segment} is {opens:%Y-%m-%d %H:%M} to {closes:%Y-%m-%d %H:%M} "
        f"{run.plan.clock.time_zone}, and it is {run.plan.clock.local(now):%Y-%m-%d %H:%M}"
    )


def removal_of(run: TaskRun) -> Removal | None:
    """Return what ``unextend_network`` of the same segment has left, or None."""
    from hcx_waves.cutover.extension import Removal

    document: dict[str, Any] | None = run.xcom(run.sibling("unextend_network"), REMOVAL_KEY)
    return None if document is None else Removal.model_validate(document)
