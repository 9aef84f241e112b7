"""Read the answer to each gate of a run, and why a gate has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hcx_airflow.documents import Document
from hcx_airflow.errors import LedgerError, SigningKeyError, UnreadableResultError
from hcx_airflow.gates.table import PlacedGate, gate_tasks
from hcx_airflow.results import Slot, decision_slot
from hcx_airflow.task import TaskRun
from hcx_waves.model.plan import WavePlan
from hcx_waves.run.decisions import NOT_VALID, Choice, Decision, GateAnswer

_WORDS = {Choice.APPROVED: "approve", Choice.REJECTED: "reject", Choice.UNANSWERED: "no answer"}
_LOG = "Airflow's event log (Browse, Audit Log)"
_WITHOUT = {
    "success": f"the task was marked success without an answer, which approves nothing. {_LOG} shows the user: look "
    "for the event patch_task_instance of this task and run",
    "failed": f"no valid answer. The task's log says why; if it was marked failed, {_LOG} shows the user",
}


def read_answers(run: TaskRun, plan: WavePlan) -> Iterator[GateAnswer]:
    """Yield the answer to every gate of a run, also for gates that ended without a decision."""
    gates = list(gate_tasks(plan))
    states = _states(run, [placed.task_id for placed in gates])
    for placed in gates:
        group, _, name = placed.task_id.rpartition(".")
        own = _decision(run.results.read_here, name, group)
        decision = own or _decision(run.results.read, name, group)
        # Rejecting a wave does not reject its cleanup, nor the other way round.
        common: Document = {"segment": placed.segment, "in_this_run": own is not None or not run.is_cleanup}
        if isinstance(decision, Decision):
            yield _answer(placed, decision, common)
        elif decision is not None:
            outage = placed.gate.starts_outage
            yield GateAnswer(gate=placed.task_id, decision=NOT_VALID, note=decision, starts_outage=outage, **common)
        elif states.get(placed.task_id) in _WITHOUT:
            note = _WITHOUT[states[placed.task_id]]
            yield GateAnswer(gate=placed.task_id, decision="no decision", note=note, **common)


def _answer(placed: PlacedGate, decision: Decision, common: Document) -> GateAnswer:
    return GateAnswer(
        gate=placed.task_id,
        decision=_WORDS[decision.choice],
        by=decision.user_name,
        at=decision.at,
        asked_at=decision.asked_at,
        change_reference=decision.change_reference,
        digest=decision.digest,
        note=decision.reason or "",
        choice=decision.choice,
        starts_outage=placed.gate.starts_outage,
        **common,
    )


def _decision(read: Callable[[Slot[Decision], str], Decision | None], gate: str, group: str) -> Decision | str | None:
    """Return the decision, or why the stored value is not a valid one; None if there is none."""
    try:
        return read(decision_slot(gate), group)
    except (UnreadableResultError, SigningKeyError, LedgerError) as error:
        return str(error)


def _states(run: TaskRun, task_ids: list[str]) -> dict[str, str]:
    """Return how the gates have ended, in the wave's own run and in this one."""
    wave_run = run.wave_run()
    of_wave = {} if wave_run is None else run.task_states(task_ids, wave_run)
    return {**of_wave, **run.task_states(task_ids)}
