"""What must hold on a real Airflow: gates that cannot be got around, components that die, secrets that stay secret."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hcx_demo.runs import await_dags
from hcx_demo.stack import Stack, StackOptions
from hcx_demo.stack.state import read_json
from hcx_waves.wavefile.loader import load_wave
from support.demo_stack import Person

pytestmark = [pytest.mark.demo, pytest.mark.timeout(3600)]
PROJECT = Path(__file__).parents[3]
WAVE, CLEANUP = "seed-wave", "cleanup__seed-wave"
CUTOVER = "cutover_seed-net.approve_cutover"
PARAMS = {"poll_interval_seconds": 2, "change_reference": "CHG0000001"}
START = "POST /hybridity/api/mobility/groups/start"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests."""
    folder = tmp_path_factory.mktemp("stack")
    shutil.copytree(PROJECT / "dags", folder / "dags")
    wave = load_wave(folder / "dags" / "waves" / "seed-wave.yaml")
    options = StackOptions(
        project=PROJECT, state=folder / "state", connections=wave.connections, dags=folder / "dags", speed=60.0
    )
    with Stack(options, lambda text: None) as running:
        await_dags(running.admin, (WAVE, CLEANUP), running.check)
        yield running


@pytest.fixture
def person(stack: Stack) -> Person:
    """Somebody with fresh sites."""
    stack.control.reset()
    return Person(stack)


def report_of(person: Person, dag_id: str, run_id: str) -> dict[str, object]:
    """Read the report that a run has written."""
    return read_json(Path(person.api.xcom(dag_id, run_id, "write_report")["json"]))


def test_a_rejected_wave_touches_nothing(person: Person) -> None:
    mark = person.mark()
    run = person.start(WAVE, **PARAMS)
    person.answer(WAVE, run, "approve_wave", "Reject", reason="change freeze")
    assert person.end(WAVE, run) == "failed"
    assert person.changes(mark) == []
    report = report_of(person, WAVE, run)
    assert report["outcome"] == "rejected"
    assert "demo-approver" in json.dumps(report["approvals"])
    assert "change freeze" in json.dumps(report["approvals"])


def test_marking_a_gate_success_lets_nothing_through(person: Person) -> None:
    mark = person.mark()
    run = person.start(WAVE, **PARAMS)
    person.mark_success(WAVE, run, "approve_wave")
    assert person.end(WAVE, run) == "failed"
    assert person.changes(mark) == []
    assert person.tasks(WAVE, run)["start_migrations"].state == "failed"
    log = person.api.log(WAVE, run, "start_migrations", 1)
    assert "approve_wave has no valid approval: there is no signed decision" in log


@pytest.mark.parametrize("component", ["triggerer", "scheduler"])
def test_the_wave_outlives_a_killed_component(person: Person, component: str) -> None:
    mark = person.mark()
    run = person.start(WAVE, **PARAMS)
    person.answer(WAVE, run, "approve_wave")
    person.wait("deferral", lambda: person.tasks(WAVE, run)["await_migrations"].state == "deferred")
    person.kill(component)
    person.restart(component)
    person.answer(WAVE, run, CUTOVER)
    assert person.end(WAVE, run) == "success"
    assert person.changes(mark).count(START) == 1
    # The cleanup's gate, rejected: what the wave has done stays as it is.
    mark = person.mark()
    cleanup = person.start(CLEANUP, wave_dag_id=WAVE, wave_run_id=run)
    person.answer(CLEANUP, cleanup, "approve_cleanup", "Reject", reason="not this week")
    assert person.end(CLEANUP, cleanup) == "failed"
    assert person.changes(mark) == []


def test_no_secret_in_files_or_database(person: Person) -> None:
    stack = person.stack
    sites = read_json(stack.state.simulator / "secrets.json")
    secrets = {*stack.secrets.values(), *texts_of(sites)}
    rows = person.database_rows()
    assert {"xcom", "rendered_task_instance_fields", "hitl_detail"} <= {table for table, _ in rows}
    assert [table for table, row in rows if any(secret in row for secret in secrets)] == []
    folders = (stack.state.logs, stack.state.airflow_home, stack.state.reports)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [path for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)] == []


def texts_of(value: object, key: str = "") -> Iterator[str]:
    """Yield what is secret in the sites' secrets file."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts_of(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one, key)
    elif isinstance(value, str) and any(word in key for word in ("password", "token", "secret")):
        yield value
