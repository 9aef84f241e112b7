"""Run one try of a task by its run's clock; in a rehearsal, retries wait by the twin's clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hcx_airflow.names import RETRY_AFTER
from hcx_airflow.retries import TransientRetryPolicy
from hcx_airflow.task import TaskRun

logger = logging.getLogger(__name__)


@contextmanager
def on_its_clock(run: TaskRun, retry_policy: Any) -> Iterator[None]:
    """Take part in the run's time for as long as a try of a task lasts.

    A rehearsal's task that is to be tried again leaves how long that was to wait for; its next try waits so long by
    the rehearsal's clock before it does anything.

    :param retry_policy: the operator's.
    """
    with run.clock.taking_part():
        _wait_for_this_try(run)
        try:
            yield
        except Exception as error:
            if run.rehearsal:
                _leave_delay(run, retry_policy, error)
            raise


def _wait_for_this_try(run: TaskRun) -> None:
    seconds = run.results.noted(RETRY_AFTER) if run.rehearsal else None
    if seconds is None:
        return
    run.results.note(RETRY_AFTER, None)
    logger.info("Waiting %g s before this try, by the rehearsal's clock", seconds)
    run.clock.sleep(float(seconds))


def _leave_delay(run: TaskRun, retry_policy: Any, error: Exception) -> None:
    if isinstance(retry_policy, TransientRetryPolicy) and retry_policy.may_pass(error):
        run.results.note(RETRY_AFTER, retry_policy.delay_after(int(run.ti.try_number)).total_seconds())
