"""The time that a worker's task goes by, and the waits that a rehearsal must not take from real time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import RetryAction

from hcx_airflow.common.retries import TransientRetryPolicy
from hcx_airflow.pace.base import Pace, WallPace

if TYPE_CHECKING:
    from hcx_airflow.runs.task import TaskRun

logger = logging.getLogger(__name__)

RETRY_AFTER_KEY = "retry_after_seconds"


def pace_of(task_instance: Any, *, rehearsal: bool) -> Pace:
    """Return the time of a task's run.

    :param task_instance: Airflow's; which world a rehearsal works in follows from its DAG and its run.
    """
    if not rehearsal:
        return WallPace()
    from hcx_airflow.pace.twin import RunningTask, open_pace

    return open_pace(RunningTask.of(task_instance))


@contextmanager
def at_its_pace(run: TaskRun, retry_policy: Any) -> Iterator[None]:
    """Take part in the run's time for as long as a try of a task lasts.

    A rehearsal's task that is to be tried again leaves how long that was to wait for; its next try waits so long by
    the rehearsal's time before it does anything.

    :param retry_policy: the operator's.
    """
    with run.pace.taking_part():
        _wait_for_this_try(run)
        try:
            yield
        except Exception as error:
            if run.rehearsal:
                _leave_delay(run, retry_policy, error)
            raise


def _wait_for_this_try(run: TaskRun) -> None:
    store = run.context.get("task_state_store") if run.rehearsal else None
    name = run.kept_as(RETRY_AFTER_KEY)
    seconds = None if store is None else store.get(name)
    if store is None or seconds is None:
        return
    store.delete(name)
    logger.info("This try begins %g s of the rehearsal's time after the one before", seconds)
    run.pace.sleep(float(seconds))


def _leave_delay(run: TaskRun, retry_policy: Any, error: Exception) -> None:
    store = run.context.get("task_state_store")
    if store is None or not isinstance(retry_policy, TransientRetryPolicy):
        return
    number = int(run.ti.try_number)
    decision = retry_policy.evaluate(error, number, number)
    if decision.action is RetryAction.RETRY:
        store.set(run.kept_as(RETRY_AFTER_KEY), retry_policy.delay_after(number).total_seconds())
