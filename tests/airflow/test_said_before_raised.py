"""What a task says before it fails: every line on the screen, one option a line, and no traceback below it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import RunRefusedError
from hcx_waves.clients.error_base import error_classes
from hcx_waves.clients.errors import ValidationFailed
from hcx_waves.cutover import errors as cutover_errors
from hcx_waves.cutover.errors import ReconnectRefusedError
from hcx_waves.cutover.gateway import REFUSED_OPTIONS
from hcx_waves.procedure_errors import ProcedureError
from hcx_waves.resolve.problems import PlanError, PlanProblem
from hcx_waves.run.failures import WIDTH, lines_of
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

AIRFLOW = Path(sys.executable).parent
SCRIPT = """
import sys
from airflow.sdk.log import configure_logging
configure_logging(json_output=True, output=sys.stdout.buffer, sending_to_supervisor=True)
import structlog
log = structlog.get_logger("task")
log.info("before")
from hcx_airflow.airflow_private import log_without_traceback
from hcx_airflow.errors import BlockedError
for error in (BlockedError("one finding blocks"), RuntimeError("a bug")):
    try:
        raise error
    except Exception as raised:
        if isinstance(raised, BlockedError):
            log_without_traceback(raised)
        log.exception("Task failed with exception")
"""


def options() -> list[str]:
    """Every option that an error offers, of whichever class or situation."""
    assert cutover_errors
    kinds = [kind for kind in error_classes() if issubclass(kind, ProcedureError)]
    found = [option for kind in kinds for option in kind.default_options]
    return found + [option for listed in REFUSED_OPTIONS.values() for option in listed]


def said(error: Exception, airflow_run: AirflowRun) -> list[str]:
    from hcx_airflow.task import TaskRun
    from hcx_airflow.tries import failure_of

    task = WaveTasks(airflow_run).make("resolve_plan")
    return lines_of(failure_of(error, TaskRun("seed-wave", False, airflow_run.context(task))))


def test_each_option_fits_on_a_line_with_its_number() -> None:
    found = options()
    assert len(found) > 12
    assert [option for option in found if len(option) > WIDTH - 4] == []


def test_one_option_a_line_and_no_line_off_the_screen(airflow_run: AirflowRun) -> None:
    lines = said(ReconnectRefusedError(f"segment {'x' * 60} was not connected at the source again"), airflow_run)
    assert [line[:3] for line in lines[-4:]] == ["1. ", "2. ", "3. ", "   "]
    assert max(map(len, lines)) <= WIDTH


def test_the_product_s_words_code_and_request_are_said(airflow_run: AirflowRun) -> None:
    error = ValidationFailed(
        "HCX refuses the migrations", system="hcx", status=400, vendor_code="MOB-17", vendor_message="no space left",
        request_id="r-1",
    )  # fmt: skip
    lines = said(error, airflow_run)
    assert lines[:3] == [
        "HCX refuses the migrations", "HCX says: no space left", "HTTP 400, code MOB-17, request r-1",
    ]  # fmt: skip


def test_each_problem_of_a_plan_and_each_step_of_its_repair_has_a_line(airflow_run: AirflowRun) -> None:
    problem = PlanProblem(subject="net", message="no gateway is on", suggestion="Look first. Then switch it on.")
    assert said(PlanError([problem]), airflow_run) == ["net: no gateway is on", "- Look first.", "- Then switch it on."]


@pytest.mark.usefixtures("site_pair")
def test_it_is_logged_before_it_is_raised_and_left_for_the_report(
    airflow_run: AirflowRun, caplog: pytest.LogCaptureFixture
) -> None:
    task = WaveTasks(airflow_run)
    airflow_run.params = {"vms": ["a-vm-of-another-wave", "another-vm-that-is-not-in-the-file"]}
    with caplog.at_level(logging.ERROR), pytest.raises(RunRefusedError) as raised:
        task.do("resolve_plan")
    lines = [record.getMessage() for record in caplog.records if record.name == "hcx_airflow.tries"]
    *said, guide = lines
    assert " ".join(said) == str(raised.value)
    assert len(said) > 1
    assert guide == "guide: RunRefusedError (docs/guide/errors.md#runrefusederror)"
    assert task.left("resolve_plan", "failure")["error"]["type"] == "RunRefusedError"


def test_airflow_logs_a_traceback_of_bugs_alone() -> None:
    """With the logging of a task's process, which is set up in a process of its own here."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)  # noqa: S603
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    ours, bug = [one for one in found if one["event"].startswith("Task failed")]
    assert "exception" not in ours
    assert ours["event"] == "Task failed with exception: BlockedError; the lines above say why"
    assert bug["exception"][0]["exc_type"] == "RuntimeError"


def test_an_error_of_python_itself_is_told_and_not_hidden_by_another(airflow_run: AirflowRun) -> None:
    from hcx_airflow.task import TaskRun
    from hcx_airflow.tries import saying_why

    run = TaskRun("seed-wave", False, airflow_run.context(WaveTasks(airflow_run).make("resolve_plan")))
    with pytest.raises(ImportError, match="no such module"), saying_why(run), saying_why(run):
        raise ImportError("no such module")
    assert WaveTasks(airflow_run).left("resolve_plan", "failure")["error"]["type"] == "ImportError"
