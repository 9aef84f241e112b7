"""Why a run has not ended as planned, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hcx_airflow.common.errors import DRIFT_KEY
from hcx_airflow.common.signing import DECISION_KEY, Choice
from hcx_airflow.runs.answers import gate_tasks
from hcx_airflow.runs.task import TaskRun
from hcx_waves.model.findings import Assessments
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome

OF_THE_WHOLE_RUN = ("approve_wave", "approve_switchover", "approve_cleanup")


def said_no(decision: Any) -> bool:
    """Whether what a gate has left is a rejection, or that nobody answered."""
    return isinstance(decision, dict) and decision.get("choice") in (Choice.REJECTED, Choice.UNANSWERED)


def refusals(run: TaskRun) -> dict[str, str]:
    """Return who refused what, by gate; a cleanup has gates of its own besides those of its wave."""
    found = {}
    for task_id in gate_tasks(run.plan):
        own = task_id in OF_THE_WHOLE_RUN
        decision = run.xcom(task_id, DECISION_KEY) if own else run.wave_xcom(task_id, DECISION_KEY)
        if said_no(decision):
            found[task_id] = _refusal(task_id, decision)
    return found


def blocking_findings(run: TaskRun) -> tuple[str, ...]:
    """Return what preflight found against the wave, if that kept it from starting."""
    document = run.wave_xcom("run_preflight")
    if document is None or run.wave_xcom("start_migrations") is not None:
        return ()
    return tuple(f"{one.subject}: {one.message}" for one in Assessments.model_validate(document).blocking)


def drift_of_run(run: TaskRun) -> str | None:
    """Return what has changed since the approval; None if nothing is known of any change."""
    drift = run.wave_xcom("start_migrations", DRIFT_KEY)
    if drift is not None:
        return str(drift)
    if run.origin is None and run.wave.wave_hash != run.plan.wave_hash:
        return "the wave file has changed since the run was planned"
    return None


def sentence_of(wave_id: str, ending: Mapping[str, Any]) -> str:
    """Return the verdict about a run, as one sentence.

    :param ending: as :func:`~hcx_airflow.runs.ending.ending_of` returns it.
    """
    outcome = WaveOutcome(ending["outcome"])
    if outcome.is_green:
        return f"wave {wave_id} has ended as planned"
    parts = [*ending["causes"], *_left(ending), *ending["open_steps"].values()]
    return f"wave {wave_id} has not ended as planned but {outcome}: {'; '.join(parts)}"


def _left(ending: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not as planned; what was not begun only if nothing else says why."""
    outcomes: list[tuple[str, VmOutcome | SegmentOutcome]] = []
    outcomes += [(name, VmOutcome(one)) for name, one in ending["vms"].items()]
    outcomes += [(name, SegmentOutcome(one)) for name, one in ending["segments"].items()]
    for name, outcome in outcomes:
        begun = outcome not in (VmOutcome.PLANNED, SegmentOutcome.PLANNED)
        if not outcome.is_as_planned and (begun or not ending["causes"]):
            yield f"{name}: {outcome}"


def _refusal(task_id: str, decision: Mapping[str, Any]) -> str:
    why = f" ({decision['reason']})" if decision.get("reason") else ""
    if decision["choice"] == Choice.UNANSWERED:
        return f"nobody answered {task_id} in time, which counts as no{why}"
    return f"{decision.get('user_name') or 'somebody'} said no to {task_id}{why}"
