"""Check that an approval is the present one, not one from before the gate was cleared.

A signature says what was approved in which run; it says nothing about whether that still holds, as a user who may write
XComs may put an older document back. Airflow knows two things that no XCom changes: which try the gate is on, and how
often tasks of the run were cleared. The try can be asked for only in runs with a logical date.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from hcx_airflow import names
from hcx_airflow.airflow_private import task_instance_at
from hcx_airflow.errors import NotApprovedError
from hcx_airflow.results import used_approval_slot
from hcx_airflow.signing import used_mark
from hcx_airflow.task import TaskRun
from hcx_waves.run.decisions import Decision

_USERS = (names.CONFIRM_DISCONNECTED, names.DISCONNECT_SOURCE_SEGMENT, names.DELETE_SOURCE_SEGMENT)


def require_current(run: TaskRun, decision: Decision, document: Mapping[str, JsonValue], key: bytes) -> None:
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
            f"{decision.task_id} has no valid approval: tasks of this run were cleared after it was answered, before "
            f"any step had used the approval. Nothing was changed. Clear {decision.task_id} to be asked again"
        )
    run.results.keep(used_approval_slot(_own_task(run)), mark)


def _require_try(run: TaskRun, decision: Decision) -> None:
    state, try_number = _gate_now(run, decision.task_id)
    if state != "success":
        raise NotApprovedError(
            f"{decision.task_id} has no valid approval: its task is {state or 'not started'} now, so the stored "
            "approval is "
            f"an earlier one. Nothing was changed. Answer {decision.task_id}, or clear it to be asked again"
        )
    if try_number is not None and try_number != decision.try_number:
        raise NotApprovedError(
            f"{decision.task_id} has no valid approval: the approval is from its try {decision.try_number}, and it has "
            f"asked again since (try {try_number}). Nothing was changed. Clear {decision.task_id} to answer again"
        )


def _gate_now(run: TaskRun, task_id: str) -> tuple[str | None, int | None]:
    """Return a gate's state, and its try where Airflow can tell."""
    logical_date = getattr(run.dag_run, "logical_date", None)
    if logical_date is not None:
        instance = task_instance_at(run.dag_id, task_id, logical_date)
        if instance is not None and instance.run_id == run.run_id:
            return None if instance.state is None else str(instance.state), int(instance.try_number)
    return run.task_states([task_id]).get(task_id), None


def _was_used(run: TaskRun, mark: str) -> bool:
    """Whether this step, or one before it in the same group, has acted on the very same approval."""
    group = run.task_id.rpartition(".")[0]
    used = (run.results.read_here(used_approval_slot(name), group) for name in _USERS)
    return mark in (run.results.recall(used_approval_slot(_own_task(run))), *used)


def _own_task(run: TaskRun) -> str:
    return run.task_id.rpartition(".")[2]
