"""Run one try of a task by its run's clock, and say why it failed; in a rehearsal, retries wait by the twin's clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput, TaskDeferred

from hcx_airflow.airflow_private import log_without_traceback
from hcx_airflow.clock.base import utc_now
from hcx_airflow.documents import Document
from hcx_airflow.errors import WaveTaskError
from hcx_airflow.names import RETRY_AFTER
from hcx_airflow.results import failure_slot
from hcx_airflow.retries import TransientRetryPolicy
from hcx_airflow.task import TaskRun
from hcx_waves.clients.errors import ClientError
from hcx_waves.guide.entries import has_entry, url_of
from hcx_waves.model.outside import shown_lines
from hcx_waves.run.failures import lines_of
from hcx_waves.wavefile.problems import WaveFileError

if TYPE_CHECKING:
    from hcx_waves.run.failures import StepFailure

logger = logging.getLogger(__name__)

_SAID = "_hcx_said"
"""Marks an error that was told. Errors of Python itself cannot be referred to weakly, but they take an attribute."""


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


@contextmanager
def saying_why(run: TaskRun) -> Iterator[None]:
    """Log the error of a try before it is raised, and leave it for the report and the run's note.

    An error that is ours says all there is to know, so Airflow is kept from logging where in the source it was raised:
    the sentence that matters would be off the screen.
    """
    try:
        yield
    except (AirflowSkipException, TaskDeferred, TaskAwaitingInput):
        raise
    except Exception as error:
        if hasattr(error, _SAID):
            raise
        setattr(error, _SAID, True)
        failure = failure_of(error, run)
        for line in lines_of(failure):
            logger.error("%s", line)
        if has_entry(failure.kind):
            logger.error("guide: %s (%s)", failure.kind, url_of(failure.kind))
        _leave(run, failure)
        if is_expected(error):
            log_without_traceback(error)
        raise


def says_why(step: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of an operator, which is given Airflow's context, say why it fails; see :func:`saying_why`."""

    @wraps(step)
    def said(self: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        with saying_why(TaskRun(self.wave_id, self.rehearsal, context)):
            return step(self, context, *args, **kwargs)

    return said


def failure_of(error: Exception, run: TaskRun) -> StepFailure:
    """Return an error of a task as the report keeps it."""
    from hcx_waves.resolve.problems import PlanError
    from hcx_waves.run.failures import StepFailure

    document: Document = {"type": type(error).__name__, "message": shown_lines(str(error))}
    if isinstance(error, ClientError):
        document = error.to_dict()
    if isinstance(error, PlanError):
        document.update(error.to_dict())
    options = getattr(error, "options", ())
    return StepFailure(task_id=run.task_id, at=_now(run), error=document, options=tuple(options))


def is_expected(error: BaseException) -> bool:
    """Whether an error is one that we raise on purpose, and that says what is wrong and what to do."""
    from hcx_waves.resolve.problems import PlanError

    return isinstance(error, (WaveTaskError, ClientError, PlanError, WaveFileError))


def _leave(run: TaskRun, failure: StepFailure) -> None:
    try:
        run.results.leave(failure_slot(run.task_id.rpartition(".")[2]), failure)
    except Exception:
        # The task fails for its own reason, not for this one.
        logger.warning("Cannot keep the error for the report", exc_info=True)


def _now(run: TaskRun) -> datetime:
    try:
        return run.now()
    except Exception:
        # Without its twin a rehearsal has no time of its own.
        logger.warning("Cannot tell the run's time", exc_info=True)
        return utc_now()


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
