"""Open the clock of a run."""

from __future__ import annotations

from typing import Any

from hcx_airflow.clock.base import RunClock, SystemClock


def open_clock(task_instance: Any, *, rehearsal: bool) -> RunClock:
    """Return the clock of a task's run.

    :param task_instance: Airflow's; which world a rehearsal works in follows from its DAG and its run.
    :raises RunRefusedError: if a rehearsal is in no rehearsal DAG.
    """
    if not rehearsal:
        return SystemClock()
    from hcx_airflow.clock.twin import RunningTask, open_twin_clock

    return open_twin_clock(RunningTask.of(task_instance))
