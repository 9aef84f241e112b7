"""Check that an approval is the present one, and that nobody has used it up.

A seal says what was approved in which run; it says nothing about whether that still holds. Airflow and the run's ledger
know more: which try the gate is on, how often tasks of the run were cleared, and which step has used the approval.
"""

from __future__ import annotations

from datetime import timedelta

from hcx_airflow import names
from hcx_airflow.airflow_private import task_instance_at
from hcx_airflow.cutover_steps import went_back
from hcx_airflow.errors import NotApprovedError
from hcx_airflow.ledger import Entries
from hcx_airflow.seal import Sealed
from hcx_airflow.task import TaskRun
from hcx_waves.run.decisions import Decision

_USERS = (names.CONFIRM_DISCONNECTED, names.DISCONNECT_SOURCE_SEGMENT, names.DELETE_SOURCE_SEGMENT)
_CLOCKS_DIFFER_BY = timedelta(seconds=5)


def require_current(run: TaskRun, found: Sealed[Decision], *, again: bool, adopts: bool) -> None:
    """Refuse an approval that was taken back, used up, or is of a run that was deleted; records that it is used now.

    An approval that no step has used yet is void once anything in the run has been cleared: that may have been the
    gate, to take the approval back. A step that was cleared after the approval may only complete or take up what was
    begun by it; to act once more, it needs another approval.

    :param again: whether an earlier step of the group has acted on the approval, and this one completes it.
    :param adopts: whether the step only takes up what it has started before.
    :raises NotApprovedError: saying what has happened since.
    """
    decision, ledger = found.value, run.results.ledger
    _require_try(run, decision)
    entries = ledger.read()
    if again:
        _require_begun(run, decision, entries)
    was_used = not entries.used.get(found.seal.code, set()).isdisjoint(_users(run))
    cleared = decision.clear_number is not None and decision.clear_number != run.clear_number
    if cleared and not was_used:
        raise NotApprovedError(
            f"{decision.task_id} has no valid approval: tasks of this run were cleared after it was answered, before "
            f"any step had used the approval. Nothing was changed. Clear {decision.task_id} to be asked again"
        )
    if not again and not adopts and not entries.knew(run.results.writer.generation, found.seal):
        raise NotApprovedError(
            f"{decision.task_id} has no valid approval: {run.task_id} was cleared after the approval was used. Nothing "
            f"was changed. Clear {decision.task_id} together with {run.task_id} to be asked again"
        )
    ledger.use(run.results.writer, found.seal)


def _require_try(run: TaskRun, decision: Decision) -> None:
    state, try_number = _gate_now(run, decision)
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


def _gate_now(run: TaskRun, decision: Decision) -> tuple[str | None, int | None]:
    """Return a gate's state, and its try where Airflow can tell.

    :raises NotApprovedError: if the gate's task began after its decision: then it is another one of the same id.
    """
    logical_date = getattr(run.dag_run, "logical_date", None)
    if logical_date is not None:
        instance = task_instance_at(run.dag_id, decision.task_id, logical_date)
        if instance is not None and instance.run_id == run.run_id:
            if instance.start_date is None or instance.start_date > decision.at + _CLOCKS_DIFFER_BY:
                raise NotApprovedError(
                    f"{decision.task_id} has no valid approval: the approval is older than this task. Nothing was "
                    "changed. Start a new run"
                )
            return None if instance.state is None else str(instance.state), int(instance.try_number)
    return run.task_states([decision.task_id]).get(decision.task_id), None


def _require_begun(run: TaskRun, decision: Decision, entries: Entries) -> None:
    """Refuse to complete what no step of this run has begun by itself, or what was taken back since.

    :raises NotApprovedError: saying which.
    """
    before = run.sibling(names.DISCONNECT_SOURCE_SEGMENT) if "." in run.task_id else _first_step(run)
    if not entries.has_left(before, names.RETURN_VALUE):
        raise NotApprovedError(
            f"{decision.task_id} has no valid approval for this step: {before} has not succeeded by itself. Nothing "
            "was changed. Start a new run"
        )
    if went_back(run):
        raise NotApprovedError(
            f"{decision.task_id} has no valid approval any more: the source gateway was connected again since. Nothing "
            "was changed. Start a new run to be asked again"
        )


def _users(run: TaskRun) -> set[str]:
    """Return this step, and those before it in the same group, that act on the same approval."""
    group = run.task_id.rpartition(".")[0]
    return {run.task_id, *(f"{group}.{name}" for name in _USERS)} if group else {run.task_id, _first_step(run)}


def _first_step(run: TaskRun) -> str:
    """Return the step outside of any group that acts first on an approval."""
    return names.RETURN_NETWORKS if run.is_rollback else names.START_MIGRATIONS
