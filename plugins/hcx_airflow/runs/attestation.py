"""Whether an approval is the gate's present one, or one from before somebody cleared the gate.

A signature says what was approved in which run; it says nothing about whether that still holds, as whoever may write
XComs may put an older document back. Airflow knows two things that no XCom changes: which try the gate is on, and how
often tasks of the run were cleared. The try can be asked for only in runs with a logical date.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from hcx_airflow.common.errors import NotApprovedError
from hcx_airflow.common.signing import Decision, used_mark

USED_KEY = "used_approval"
_USERS = ("confirm_disconnected", "disconnect_source_segment", "delete_source_segment")
_TICK = timedelta(microseconds=1)


class StepRun(Protocol):
    """What is asked of the run of a step, which is a :class:`~hcx_airflow.runs.task.TaskRun`."""

    context: Any

    @property
    def ti(self) -> Any:
        """The task instance."""

    @property
    def clear_number(self) -> int:
        """How often tasks of the run have been cleared."""

    def remember(self, key: str, value: Any) -> None:
        """Keep something for later tries and other tasks."""

    def recall(self, key: str) -> Any:
        """Return what an earlier try has kept."""

    def xcom(self, task_id: str, key: str) -> Any:
        """Return what a task left."""

    def sibling(self, name: str) -> str:
        """Return the id of a task in the same group."""


def require_current(run: StepRun, decision: Decision, document: Mapping[str, Any], key: bytes) -> None:
    """Refuse an approval of an earlier try of its gate; keeps what was accepted for a step that is cleared alone.

    An approval that no step has used yet is void once anything in the run has been cleared: that may have been the
    gate, to take the approval back. One that was used holds for the same step again, which then adopts what it finds.

    :param document: the signed decision as the gate left it.
    :raises NotApprovedError: saying what has happened since.
    """
    _require_try(run, decision)
    mark = used_mark(document, key)
    cleared = decision.clear_number is not None and decision.clear_number != run.clear_number
    if cleared and not _was_used(run, mark):
        raise NotApprovedError(
            f"{decision.task_id} has not approved this: tasks of this run have been cleared since it was answered, and "
            f"nothing had been done by then. Nothing was changed; clear {decision.task_id} to be asked again"
        )
    run.remember(USED_KEY, mark)


def ask_airflow(question: Any) -> Any:
    """Ask Airflow's supervisor, as the running task may; the SDK has no words of its own for this question."""
    from airflow.sdk.execution_time import task_runner

    return task_runner.SUPERVISOR_COMMS.send(question)


def _require_try(run: StepRun, decision: Decision) -> None:
    state, try_number = _gate_now(run, decision.task_id)
    if state != "success":
        raise NotApprovedError(
            f"{decision.task_id} has not approved this: it is {state or 'not asked yet'} now, so the approval that is "
            f"there is an earlier one. Nothing was changed; answer {decision.task_id}, or clear it to be asked again"
        )
    if try_number is not None and try_number != decision.try_number:
        raise NotApprovedError(
            f"{decision.task_id} has not approved this: the approval is of its try {decision.try_number}, and it has "
            f"been asked again since (try {try_number}). Nothing was changed; clear {decision.task_id} to answer again"
        )


def _gate_now(run: StepRun, task_id: str) -> tuple[str | None, int | None]:
    """Return a gate's state, and its try where Airflow can tell."""
    dag_id, run_id = str(run.ti.dag_id), str(run.ti.run_id)
    logical_date = getattr(run.context["dag_run"], "logical_date", None)
    if logical_date is not None:
        from airflow.sdk.execution_time.comms import GetPreviousTI

        # "The last before the next instant" is the one of this run: a logical date exists once per DAG.
        found = ask_airflow(GetPreviousTI(dag_id=dag_id, task_id=task_id, logical_date=logical_date + _TICK))
        instance = getattr(found, "task_instance", None)
        if instance is not None and instance.run_id == run_id:
            return None if instance.state is None else str(instance.state), int(instance.try_number)
    states: Mapping[str, Mapping[str, Any]] = run.ti.get_task_states(
        dag_id=dag_id, task_ids=[task_id], run_ids=[run_id]
    )
    state = states.get(run_id, {}).get(task_id)
    return None if state is None else str(state), None


def _was_used(run: StepRun, mark: str) -> bool:
    """Whether this step, or one before it in the same group, has acted on the very same approval."""
    return mark in (run.recall(USED_KEY), *(run.xcom(run.sibling(name), USED_KEY) for name in _USERS))
