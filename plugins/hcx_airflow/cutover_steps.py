"""Shared by the steps of a cutover: the segment's gateway, and the checks before a step begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from hcx_airflow import names
from hcx_airflow.errors import BlockedError, RunRefusedError
from hcx_airflow.folders import state_folder
from hcx_airflow.results import DISCONNECTED, EVALUATED, VERIFIED, WENT_BACK
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.formatting import instant, period

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.cutover.source import SourceGateway
    from hcx_waves.model.plan import PlannedSegment
    from hcx_waves.twin.routers import TwinRouter


def source_gateway(run: TaskRun, work: Work, segment: str, clients: SiteClients) -> SourceGateway:
    """Return the segment's gateway at the source, as the wave file says how to switch it.

    In a rehearsal a router of the twin takes the place of the wave's commands: none of them is run.
    """
    from hcx_waves.cutover import physical

    chosen, planned = work.wave.segment(segment), work.plan.segment(segment)
    return physical.source_gateway(chosen, planned, clients.source_nsx, twin_router(run, work, segment, clients))


def twin_router(run: TaskRun, work: Work, segment: str, clients: SiteClients) -> TwinRouter | None:
    """Return the twin's router of a segment, None in a live run.

    :raises RunRefusedError: in a rehearsal without a world of its own.
    """
    if not run.rehearsal:
        return None
    from hcx_airflow.clock.twin import TwinClock
    from hcx_waves.twin.routers import TwinRouter

    clock = run.clock
    if not isinstance(clock, TwinClock):
        raise RunRefusedError(
            "this rehearsal has no twin, so no router was switched. Clear open_twin and its downstream tasks"
        )
    chosen, planned = work.wave.segment(segment), work.plan.segment(segment)
    return TwinRouter.of(clock.control, clock.twin.world_id, chosen, planned, clients.source_nsx)


def is_switched_by_hand(work: Work, segment: str) -> bool:
    """Whether a person switches the segment's source gateway, so that this run's results do not show its state."""
    return work.plan.segment(segment).disconnect is Disconnect.MANUAL


def require_unblocked(run: TaskRun, segment: str) -> None:
    """Refuse a segment if one of its VMs was left behind.

    :raises BlockedError: naming the VMs.
    """
    evaluated, verified = run.results.read_here(EVALUATED), run.results.read_here(VERIFIED)
    for blocked in (one.blocked_segments for one in (evaluated, verified) if one is not None):
        if blocked.get(segment):
            raise BlockedError(
                f"segment {segment} keeps its gateway at the source: {blocked[segment]}. Correct this, then start a "
                "new run"
            )


def require_open_window(work: Work, segment: str, now: datetime) -> None:
    """Refuse to move a gateway outside its window.

    :raises BlockedError: saying when it is open.
    """
    clock = work.plan.clock
    window = clock.cutover(segment)
    if window.contains(now):
        return
    later = f"Clear {names.APPROVE_CUTOVER} together with this task when the window is open"
    missed = "Set a new window in the wave file, then start a new run"
    raise BlockedError(
        f"the cutover window of segment {segment} is {period(window.opens, window.closes, clock.time_zone)}, and it is "
        f"{instant(now, clock.time_zone)}. {later if now < window.opens else missed}"
    )


def went_back(run: TaskRun) -> bool:
    """Whether this segment's source gateway was connected again since a step of its group has used an approval.

    :raises LedgerError: if the run's ledger cannot be used.
    """
    if run.rehearsal:
        return False
    from hcx_waves.rescue.ledgers import RECONNECTED

    reconnect, disconnect = run.sibling(WENT_BACK.task), run.sibling(DISCONNECTED.task)
    group, entries = run.task_id.rpartition(".")[0], run.results.ledger.read()
    return entries.is_newer(reconnect, WENT_BACK.key, than_use_by=disconnect) or entries.is_recovered(
        group, RECONNECTED, since_use_by=disconnect
    )


@contextmanager
def my_turn(run: TaskRun, segment: PlannedSegment) -> Iterator[None]:
    """Hold the turn at a segment, so that no way back acts on it at the same time; a rehearsal has its twin alone.

    :raises TurnTakenError: if a way back is at work on it.
    """
    if run.rehearsal:
        yield
        return
    from hcx_waves.cutover.turns import taking_turn

    with taking_turn(state_folder(), run.wave_id, segment.key, f"{run.task_id} of run {run.run_id}"):
        yield
