"""Check that an approval is valid before a step changes something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from hcx_airflow import names
from hcx_airflow.errors import NotApprovedError, UnreadableResultError
from hcx_airflow.gates.attestation import require_current
from hcx_airflow.gates.table import Gate
from hcx_airflow.results import decision_slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work
from hcx_waves.model.plan import WavePlan
from hcx_waves.run.decisions import Choice, Decision
from hcx_waves.wavefile.gates import GateSettings

CLEARED_UNDER_FOUR_EYES = (
    "tasks of this run were cleared before it was answered, and Airflow does not say by whom, so nobody can tell who "
    "the second person is (four-eyes rule)"
)


@dataclass(frozen=True)
class Requirement:
    """The approval that a step needs.

    :param task_id: the gate's task.
    :param digest: digest of the plan that the step follows.
    :param scope: the part of the plan that the run does.
    :param gate: who may approve, and which change reference is required.
    :param rehearsal: whether this run is one.
    :param started_by: the user who started this run by hand; None if none did.
    :param evidence: codes of what was shown beside the plan, by task; None if that does not matter any more.
    :param proven: how the tasks begin without whose evidence the step must not act; None if there are none.
    """

    dag_id: str
    run_id: str
    task_id: str
    digest: str
    scope: Mapping[str, JsonValue]
    gate: GateSettings
    rehearsal: bool = False
    started_by: str | None = None
    evidence: Mapping[str, str] | None = None
    proven: str | None = None


def require_approval(run: TaskRun, work: Work, gate: Gate, *, again: bool = False, adopts: bool = False) -> Decision:
    """Return the valid approval of a gate, in the task's own group or outside of any group.

    :param again: whether an earlier step of the group has acted on the approval, and this one completes it.
    :param adopts: whether the step only takes up what it has started before.
    :raises NotApprovedError: if there is none.
    :raises SigningKeyError: if this worker has no key.
    :raises LedgerError: if the run's ledger cannot be used.
    """
    slot = decision_slot(gate.name)
    group = run.task_id.rpartition(".")[0]
    task_id = f"{group}.{gate.name}" if group else gate.name
    try:
        found = run.results.sealed_here(slot, group)
        if found is None and group:
            task_id, found = gate.name, run.results.sealed_here(slot)
    except UnreadableResultError as error:
        raise _not_approved(task_id, error.__cause__ or error) from error
    needed = Requirement(
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=task_id,
        digest=work.plan.digest(),
        scope=work.scope.meaning(),
        gate=gate.settings_of(work),
        rehearsal=run.rehearsal,
        started_by=run.started_by,
        evidence=None if again else codes_of_evidence(run, gate, work.plan),
        proven=f"{group}." if gate.evidence_of_segments else None,
    )
    decision = verify_decision(None if found is None else found.value, needed)
    if not run.rehearsal and found is not None:
        require_current(run, found, again=again, adopts=adopts)
    return decision


def codes_of_evidence(run: TaskRun, gate: Gate, plan: WavePlan) -> dict[str, str]:
    """Return the codes of what a gate shows beside the plan, by task; empty for what no task has left.

    A step in the group of a segment gets those of its own segment alone.

    :raises UnreadableResultError: if one of them is not what its task has left.
    """
    found = {slot.task: run.results.sealed_beside(slot) for slot in gate.evidence}
    group = run.task_id.rpartition(".")[0]
    groups = [group] if group else [names.cleanup_group(segment) for segment in plan.segments]
    for slot in gate.evidence_of_segments:
        found.update({f"{one}.{slot.task}": run.results.sealed_here(slot, one) for one in groups})
    return {task: "" if one is None else one.seal.code for task, one in found.items()}


def verify_decision(decision: Decision | None, needed: Requirement) -> Decision:
    """Return the decision if it approves exactly what is needed.

    :param decision: as the gate has left it.
    :raises NotApprovedError: if it is not a valid approval; names the gate and the reason.
    """
    try:
        if decision is None:
            raise NotApprovedError("there is no decision")
        _check_place(decision, needed)
        _check_choice(decision, needed)
    except NotApprovedError as error:
        raise _not_approved(needed.task_id, error) from error
    return decision


def _not_approved(task_id: str, why: BaseException) -> NotApprovedError:
    return NotApprovedError(
        f"{task_id} has no valid approval: {str(why).rstrip('.')}. This task changed nothing. Start a new run to be "
        "asked again"
    )


def may_answer(gate: GateSettings, user_name: str | None) -> bool:
    """Whether a user may answer a gate: anyone, unless the wave names approvers."""
    return bool(user_name) and (gate.approvers is None or user_name in gate.approvers)


def is_second_person(gate: GateSettings, user_name: str | None, started_by: str | None) -> bool:
    """Whether a user passes the four-eyes rule: if it is set, the user who started the run does not."""
    return not gate.four_eyes or started_by is None or user_name != started_by


def quotes_reference(gate: GateSettings, reference: str | None) -> bool:
    """Whether a change reference matches the pattern that the wave requires."""
    pattern = gate.change_reference_pattern
    return pattern is None or re.fullmatch(pattern, reference or "") is not None


def _check_place(decision: Decision, needed: Requirement) -> None:
    for name, place in (("dag_id", "DAG"), ("run_id", "run"), ("task_id", "task")):
        if getattr(decision, name) != getattr(needed, name):
            raise NotApprovedError(f"the decision is from another {place}")
    if decision.rehearsal != needed.rehearsal:
        raise NotApprovedError(
            "the decision is from a rehearsal" if decision.rehearsal else "the decision is from a live run"
        )


def _check_choice(decision: Decision, needed: Requirement) -> None:
    if decision.choice is not Choice.APPROVED:
        raise NotApprovedError(decision.spoken)
    if decision.digest != needed.digest:
        raise NotApprovedError("the plan has changed since it was approved (the digests differ)")
    if decision.scope != dict(needed.scope):
        raise NotApprovedError("the approval is for another part of the plan (the run's params differ)")
    for task, code in (needed.evidence or {}).items():
        if decision.evidence.get(task, "") != code:
            raise NotApprovedError(f"{task} has another result than the one that was shown")
        if not code and needed.proven is not None and task.startswith(needed.proven):
            raise NotApprovedError(f"{task} has left no result, so it did not succeed by itself")
    if not needed.rehearsal:
        _check_person(decision, needed)


def _check_person(decision: Decision, needed: Requirement) -> None:
    if needed.gate.four_eyes and decision.clear_number:
        raise NotApprovedError(CLEARED_UNDER_FOUR_EYES)
    if not may_answer(needed.gate, decision.user_name):
        raise NotApprovedError(f"{decision.user_name or 'an unknown user'} is not one of its approvers")
    for starter in {decision.started_by, needed.started_by}:
        if not is_second_person(needed.gate, decision.user_name, starter):
            raise NotApprovedError(f"{starter} started the run, so another person must approve it")
    if not quotes_reference(needed.gate, decision.change_reference):
        raise NotApprovedError(f'"{decision.change_reference or ""}" is not a change reference that the gate accepts')
