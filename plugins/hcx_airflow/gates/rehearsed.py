"""The rehearsal approver: answers each gate after a reaction time drawn for it, or not at all."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from hcx_airflow.errors import RunRefusedError
from hcx_airflow.gates.table import Gate, PlacedGate, gates_of_night
from hcx_airflow.names import OPEN_TWIN
from hcx_airflow.rehearsal.night import APPROVER_ASLEEP, Rehearsal
from hcx_airflow.results import OPENED_TWIN
from hcx_airflow.task import TaskRun
from hcx_waves.model.schedule import TimeWindow

if TYPE_CHECKING:
    from hcx_waves.forecast import ModelParameters

REHEARSAL_APPROVER = "rehearsal-approver"


def draw_reactions(rehearsal: Rehearsal, parameters: ModelParameters) -> dict[str, float | None]:
    """Return for each gate's task how many seconds the rehearsal approver takes; None if it does not answer in time.

    Each is drawn from the night's seed and the task's id alone.
    """
    gates = list(gates_of_night(rehearsal.file))
    asleep = APPROVER_ASLEEP in rehearsal.faults
    # Of a wave that asks nothing after its start, the approver sleeps through the start itself.
    missed = {one.task_id for one in gates if one.gate.in_night} or {one.task_id for one in gates}
    found: dict[str, float | None] = {one.task_id: _reaction(rehearsal, one, parameters) for one in gates}
    return {**found, **dict.fromkeys(missed)} if asleep else found


def seconds_to_answer(run: TaskRun, gate: Gate, window: TimeWindow | None) -> float | None:
    """Return after how many seconds a gate is answered; None if it is not.

    :param window: the window for the step that the gate guards.
    :raises RunRefusedError: if ``open_twin`` stored no reaction time for this gate.
    """
    opened = run.results.read(OPENED_TWIN)
    reactions = {} if opened is None else opened.reactions
    if run.task_id not in reactions:
        raise RunRefusedError(
            f"{OPEN_TWIN} stored no reaction time for {run.task_id}. Clear {OPEN_TWIN} and its downstream tasks"
        )
    drawn = reactions[run.task_id]
    if drawn is None:
        return None
    opens = 0.0
    if window is not None and gate.waits_for_window:
        # The step behind it would be refused before.
        opens = (window.opens - run.now()).total_seconds()
    return max(float(drawn), opens, 0.0)


def _reaction(rehearsal: Rehearsal, placed: PlacedGate, parameters: ModelParameters) -> float:
    import numpy as np

    if rehearsal.params.reaction_minutes is not None:
        return rehearsal.params.reaction_minutes * 60
    stream = np.random.default_rng([rehearsal.seed, *sha256(placed.task_id.encode()).digest()[:8]])
    return round(float(getattr(parameters.gates, placed.gate.name).draw(stream, (1,))[0]), 3)
