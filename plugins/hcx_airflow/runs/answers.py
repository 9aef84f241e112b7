"""What the gates of a run were answered, and what became of those that left no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hcx_airflow.common.errors import NotApprovedError
from hcx_airflow.common.signing import DECISION_KEY, Choice, Decision, read_decision, signing_key
from hcx_airflow.runs.gates import CONFIRM_DISCONNECTED
from hcx_airflow.runs.task import TaskRun
from hcx_waves.model.plan import WavePlan
from hcx_waves.report.model import Approval

WAVE_GATES = ("approve_wave", "approve_switchover", "approve_cleanup")
SEGMENT_GATES = ("approve_cutover", CONFIRM_DISCONNECTED)
_WORDS = {Choice.APPROVED: "approve", Choice.REJECTED: "reject", Choice.UNANSWERED: "no answer"}
_NONE = "no decision"
_WITHOUT = {
    "success": "no decision by the gate itself; its task was marked success. Airflow's event log (Browse, Audit Log) "
    "says by whom: look for patch_task_instance of this task and run",
    "failed": "no answer that counts; the task's log says why, or Airflow's event log (Browse, Audit Log) who marked "
    "it failed",
}


def approvals_of(run: TaskRun) -> Iterator[Approval]:
    """Yield what every gate of the run has left, and those that have ended and left nothing."""
    gates = gate_tasks(run.plan)
    states = _states(run, gates)
    for task_id in gates:
        decision = _decision(run.wave_xcom(task_id, DECISION_KEY))
        if isinstance(decision, Decision):
            yield _approval(task_id, decision)
        elif decision:
            yield Approval(gate=task_id, decision="not valid", note=decision)
        elif states.get(task_id) in _WITHOUT:
            yield Approval(gate=task_id, decision=_NONE, note=_WITHOUT[str(states[task_id])])


def gate_tasks(plan: WavePlan) -> list[str]:
    """Return the task ids that a wave's gates have, of those that there are; in the live and in the cleanup DAG."""
    groups = [f"cutover_{segment.key}" for segment in plan.segments]
    return [*WAVE_GATES, *(f"{group}.{gate}" for group in groups for gate in SEGMENT_GATES)]


def _approval(task_id: str, decision: Decision) -> Approval:
    return Approval(
        gate=task_id,
        decision=_WORDS[decision.choice],
        by=decision.user_name,
        at=decision.at,
        asked_at=decision.asked_at,
        change_reference=decision.change_reference,
        digest=decision.digest,
        note=decision.reason or "",
    )


def _decision(document: Any) -> Decision | str | None:
    """Return a decision, or why what is in its place is none."""
    if document is None:
        return None
    try:
        return read_decision(document, signing_key())
    except NotApprovedError as error:
        return str(error)


def _states(run: TaskRun, task_ids: list[str]) -> dict[str, str]:
    """Return how the gates have ended, in the wave's own run and in this one."""
    places = [] if run.origin is None or "run_id" not in run.origin else [run.origin]
    places.append({"dag_id": str(run.ti.dag_id), "run_id": str(run.ti.run_id)})
    found: dict[str, str] = {}
    for place in places:
        states: Mapping[str, Mapping[str, Any]] = run.ti.get_task_states(
            dag_id=place["dag_id"], task_ids=task_ids, run_ids=[place["run_id"]]
        )
        ended = states.get(place["run_id"], {})
        found.update({task_id: str(state) for task_id, state in ended.items() if state is not None})
    return found
