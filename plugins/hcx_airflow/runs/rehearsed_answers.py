"""How the rehearsal approver answers: after the reaction time that was drawn for the gate, or not at all."""

from __future__ import annotations

from hcx_airflow.common.errors import RunRefusedError
from hcx_airflow.runs.gates import CONFIRM_DISCONNECTED
from hcx_airflow.runs.task import OPEN_TWIN, TaskRun
from hcx_waves.model.schedule import TimeWindow

REHEARSAL_APPROVER = "rehearsal-approver"
_AT_THE_WINDOW = ("approve_cutover", CONFIRM_DISCONNECTED)


def seconds_to_answer(run: TaskRun, window: TimeWindow | None, gate: str) -> float | None:
    """Return after how many seconds a gate is answered, None if nobody answers.

    A cutover is approved no earlier than its window opens, as the step behind it would be refused before.

    :raises RunRefusedError: if ``open_twin`` has left no reaction time for this gate.
    """
    reactions = (run.xcom(OPEN_TWIN) or {}).get("reactions") or {}
    if run.task_id not in reactions:
        raise RunRefusedError(f"{OPEN_TWIN} has left no reaction time for {run.task_id}; clear the run from there on")
    drawn = reactions[run.task_id]
    if drawn is None:
        return None
    opens = 0.0
    if window is not None and gate in _AT_THE_WINDOW:
        opens = (window.opens - run.now()).total_seconds()
    return max(float(drawn), opens, 0.0)
