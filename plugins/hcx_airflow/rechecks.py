"""The checks that are made again right before a step, with what the wave's approval knew."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from hcx_airflow.errors import BlockedError
from hcx_airflow.results import ASSESSMENTS
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.cutover.emptiness import EmptyProof
    from hcx_waves.preflight.repeat import Recheck
    from hcx_waves.preflight.steps import WaveStep


def recheck(run: TaskRun, work: Work, clients: SiteClients, step: WaveStep, only: Collection[str]) -> Recheck:
    """Make the checks again that protect a step, for the VMs that it is about."""
    from hcx_waves.preflight.repeat import repeat_checks

    known = run.results.beside(ASSESSMENTS)
    return repeat_checks(work.plan, work.wave, clients, step, now=run.now(), before=known, only=only)


def recheck_cutover(
    run: TaskRun, work: Work, clients: SiteClients, segment: str, proof: EmptyProof | None = None
) -> Recheck:
    """Make the checks again that protect a segment's cutover.

    :param proof: what has been seen on the segment, to say what has changed on it.
    """
    from hcx_waves.model.findings import SegmentSeen
    from hcx_waves.preflight.repeat import repeat_checks
    from hcx_waves.preflight.seen import ON_IT
    from hcx_waves.preflight.steps import WaveStep

    on_it = () if proof is None else tuple(sorted(one.name for one in proof.excluded if one.kind in ON_IT))
    return repeat_checks(
        work.plan,
        work.wave,
        clients,
        WaveStep.CUTOVER,
        now=run.now(),
        before=run.results.read_here(ASSESSMENTS),
        only=work.scope.moves(work.plan),
        seen=SegmentSeen(segment=segment, vms=on_it, unknown=() if proof is None else proof.unknown),
    )


def require_no_stop(found: Recheck, segment: str, gate: str) -> None:
    """Refuse the cutover of a segment if a check that was made again blocks it.

    :raises BlockedError: saying what was found, and what to press.
    """
    if not found.stops:
        return
    reasons = "; ".join(found.stops.values())
    raise BlockedError(
        f"segment {segment} keeps its gateway at the source: {reasons}. Resolve or waive it, then "
        f"clear {gate} together with this task"
    )


def held_back(found: Recheck, names: Collection[str]) -> dict[str, str]:
    """Return which of these VMs must stay held, and why; all of them if a check could not be made."""
    unknown = [reason for subject, reason in found.stops.items() if subject not in names]
    return {
        name: "; ".join([*unknown, *([found.stops[name]] if name in found.stops else [])])
        for name in names
        if unknown or name in found.stops
    }
