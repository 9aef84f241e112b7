"""Read what a gate shows from the results of the run's tasks."""

from __future__ import annotations

from hcx_airflow.due import why_not_due
from hcx_airflow.gates.asking import Asking
from hcx_airflow.gates.body import GateView
from hcx_airflow.results import ASSESSMENTS, FORECAST, NO_FORECAST, PROOF, SEEDED, VERIFIED
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work


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
        not_due={one.name: why_not_due(run, one.name) for one in work.plan.segments},
        asking=asking,
    )
