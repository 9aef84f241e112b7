"""Check that an approval is valid before a step changes something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from hcx_airflow.errors import NotApprovedError
from hcx_airflow.gates.attestation import require_current
from hcx_airflow.gates.table import Gate
from hcx_airflow.results import decision_slot
from hcx_airflow.signing import read_decision, signing_key
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work
from hcx_waves.run.decisions import Choice, Decision
from hcx_waves.wavefile.gates import GateSettings


@dataclass(frozen=True)
class Requirement:
    """The approval that a step needs.

    :param task_id: the gate's task.
    :param digest: digest of the plan that the step follows.
    :param scope: the part of the plan that the run does.
    :param gate: who may approve, and which change reference is required.
    :param rehearsal: whether this run is one.
    :param started_by: the user who started this run by hand; None if none did.
    """

    dag_id: str
    run_id: str
    task_id: str
    digest: str
    scope: Mapping[str, JsonValue]
    gate: GateSettings
    rehearsal: bool = False
    started_by: str | None = None


def require_approval(run: TaskRun, work: Work, gate: Gate) -> Decision:
    """Return the valid approval of a gate, in the task's own group or outside of any group.

    :raises NotApprovedError: if there is none.
    :raises SigningKeyError: if this worker has no key.
    """
    key = signing_key()
    slot = decision_slot(gate.name)
    group = run.task_id.rpartition(".")[0]
    document = run.results.read_here(slot, group) if group else None
    if document is None:
        group, document = "", run.results.read_here(slot)
    needed = Requirement(
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=f"{group}.{gate.name}" if group else gate.name,
        digest=work.plan.digest(),
        scope=work.scope.meaning(),
        gate=gate.settings(work.wave),
        rehearsal=run.rehearsal,
        started_by=run.started_by,
    )
    decision = verify_decision(document, needed, key)
    if not run.rehearsal and document is not None:
        require_current(run, decision, document, key)
    return decision


def verify_decision(document: Any, needed: Requirement, key: bytes) -> Decision:
    """Return the decision if it approves exactly what is needed.

    :param document: the stored decision, which somebody may have replaced.
    :raises NotApprovedError: if it is not a valid approval; names the gate and the reason.
    """
    try:
        decision = read_decision(document, key)
        _check_place(decision, needed)
        _check_choice(decision, needed)
    except NotApprovedError as error:
        raise NotApprovedError(
            f"{needed.task_id} has no valid approval: {error}. This task changed nothing. Start a new run to be asked "
            "again."
        ) from error
    return decision


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
    if needed.rehearsal:
        return
    if not may_answer(needed.gate, decision.user_name):
        raise NotApprovedError(f"{decision.user_name or 'an unknown user'} is not one of its approvers")
    for starter in {decision.started_by, needed.started_by}:
        if not is_second_person(needed.gate, decision.user_name, starter):
            raise NotApprovedError(f"{starter} started the run, so another person must approve it")
    if not quotes_reference(needed.gate, decision.change_reference):
        raise NotApprovedError(f'"{decision.change_reference or ""}" is not a change reference that the gate accepts')
