"""Read what a gate shows from the results of the run's tasks."""

from __future__ import annotations

from hcx_airflow import names
from hcx_airflow.gates.asking import Asking
from hcx_airflow.gates.body import GateView
from hcx_airflow.results import ASSESSMENTS, FORECAST, NO_FORECAST, NOT_DUE, PROOF, RECOVERY, SEEDED, VERIFIED
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work
from hcx_waves.model.plan import PlannedSegment


def read_view(run: TaskRun, work: Work, segment: str | None, asking: Asking | None = None) -> GateView:
    """Return what a gate of a run shows.

    :param segment: the segment that it is about; None for a gate of the whole run.
    :param asking: who may answer and until when.
    """
    seeded, verified = run.results.beside(SEEDED), run.results.beside(VERIFIED)
    return GateView(
        plan=work.plan,
        wave=work.wave,
        scope=work.scope,
        segment=segment,
        assessments=run.results.beside(ASSESSMENTS),
        forecast=run.results.read_if_possible(FORECAST),
        no_forecast=run.results.read_if_possible(NO_FORECAST) or "",
        seeded=None if seeded is None else seeded.status,
        proofs=() if verified is None else verified.proofs,
        emptiness=None if segment is None else run.results.beside(PROOF),
        not_due={one.name: _why_left_alone(run, one) for one in work.plan.segments} if run.is_cleanup else {},
        asking=asking,
        recovery=run.results.read_here(RECOVERY) if run.is_recovery else None,
    )


def _why_left_alone(run: TaskRun, segment: PlannedSegment) -> str | None:
    """Return why a cleanup leaves a segment alone, as the task has found that its steps go by; None if it does not."""
    group = names.cleanup_group(segment)
    not_due = run.results.read_here(NOT_DUE, group)
    if not_due is not None or not (segment.deletes_source or segment.rename_destination):
        return not_due
    return None if run.results.read_here(PROOF, group) is not None else "it was not proven empty"
