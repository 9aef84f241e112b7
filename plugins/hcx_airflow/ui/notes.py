"""Make the outcome of a run its note, so that rejected, failed and unreachable are not all the same red.

A task cannot write a note: Airflow's API for tasks offers none. So the last task leaves the sentence as an XCom, and
the process that ends the run, which has the run's row at hand, writes it into the note; and with it, into the notes of
the tasks that have failed, why they did.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

from hcx_airflow.airflow_private import failed_tasks, stored_result
from hcx_airflow.names import FAILURE, HEADLINE, WRITE_REPORT

log = logging.getLogger(__name__)

_CONTENT = "value"
"""Where a sealed text is."""
MARK = "Outcome: "
"""What our line of a note begins with: users may write lines of their own."""
LONGEST = 1000
"""Characters that Airflow keeps of a note."""


@hookimpl
def on_dag_run_success(dag_run: Any) -> None:
    """Note how a run has ended."""
    write_notes(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: Any) -> None:
    """Note how a run has ended."""
    write_notes(dag_run)


def write_notes(dag_run: Any) -> None:
    """Write the notes of a run that has ended; nothing for a DAG that leaves no sentence. Never raises."""
    from hcx_waves.run.failures import StepFailure

    try:
        left = stored_result(dag_run, WRITE_REPORT, HEADLINE)
        if left is None:
            return
        # The seal is not checked: the scheduler may have no key, and a user may write a note without us.
        dag_run.note = with_line(dag_run.note, str(left.get(_CONTENT) if isinstance(left, dict) else left))
        for ti in failed_tasks(dag_run):
            failure = stored_result(dag_run, ti.task_id, FAILURE)
            if failure is not None:
                ti.note = with_line(ti.note, StepFailure.model_validate(failure).sentence)
    except Exception:
        # A note is a convenience: the scheduler goes on without it.
        log.exception("Cannot write the note of run %s", getattr(dag_run, "run_id", "?"))


def with_line(note: str | None, sentence: str) -> str:
    """Return a note with our line, in place of one that an earlier end of the run has left."""
    kept = [line for line in (note or "").splitlines() if line and not line.startswith(MARK)]
    return "\n".join([f"{MARK}{' '.join(sentence.split())}", *kept])[:LONGEST]
