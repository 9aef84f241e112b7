"""The ways back pressed in a real Airflow: the form by REST, the gate, and what the sites saw of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hcx_demo.runs import await_dags
from hcx_demo.stack import Stack, StackOptions
from hcx_demo.stack.state import read_json
from hcx_waves.model.files import file_name
from hcx_waves.wavefile.loader import load_wave
from support.demo_stack import Person

pytestmark = [pytest.mark.demo, pytest.mark.timeout(3600)]
PROJECT = Path(__file__).parents[3]
WAVE, RECOVER = "seed-wave", "recover__seed-wave"
SEGMENT, GROUP = "seed-net", "cutover_seed-net"
PARAMS = {"poll_interval_seconds": 2, "change_reference": "CHG0000001"}
WAY_BACK = f"{GROUP}.reconnect_source_segment"


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
        await_dags(running.admin, (WAVE, RECOVER), running.check)
        yield running


@pytest.fixture
def person(stack: Stack) -> Person:
    """Somebody with fresh sites."""
    stack.control.reset()
    return Person(stack)


def facts(person: Person) -> Any:
    return person.stack.control.oracle()["segments"][SEGMENT]


def stranded(person: Person, call: str) -> str:
    """Run the wave until a call of HCX has failed in its cutover, and keep it from going back by itself."""
    rule = {"product": "engine", "call": call, "behaviour": "fail", "message": "edge says no", "rule_id": call}
    person.stack.control._call("POST", "/faults", rule)
    run = person.start(WAVE, **PARAMS)
    person.answer(WAVE, run, "approve_wave")
    person.parked(WAVE, run, f"{GROUP}.approve_cutover")
    path = f"/dags/{WAVE}/dagRuns/{run.replace('+', '%2B')}/taskInstances/{WAY_BACK}"
    person.api.call("PATCH", path, {"new_state": "success"})
    person.answer(WAVE, run, f"{GROUP}.approve_cutover")
    assert person.end(WAVE, run) == "failed"
    assert facts(person)["outage"][-1]["to"] is None
    person.stack.control._call("DELETE", f"/faults/{call}")
    return run


def pressed(person: Person, action: str, **form: Any) -> Any:
    """Press an action and approve it; return what it has done."""
    run = person.start(RECOVER, action=action, **form)
    gate = person.parked(RECOVER, run, "approve_recovery")
    assert SEGMENT in str(gate)
    person.answer(RECOVER, run, "approve_recovery")
    assert person.end(RECOVER, run) == "success"
    paths = person.api.xcom(RECOVER, run, "write_report")
    assert Path(paths["markdown"]).is_file()
    return read_json(Path(paths["json"]))


@pytest.mark.parametrize(
    ("call", "action"),
    [("extension.unextend", "reconnect-source"), ("extension.connect", "connect-destination")],
)
def test_an_outage_is_ended_from_the_form(person: Person, call: str, action: str) -> None:
    run = stranded(person, call)
    mark = person.mark()
    report = pressed(person, action)
    assert report["result"]["outcomes"][0]["done"]
    assert report["found"]["run_id"] == run
    assert [one.partition(" ")[0] for one in person.changes(mark)] == ["PATCH"]
    assert (facts(person)["two_gateways"], facts(person)["outage"][-1]["to"] is not None) == ([], True)
    told = read_json(person.stack.state.reports / WAVE / f"{file_name(run)}.json")
    assert any(one["what"].startswith(f"recovery, {action}") for one in told["timeline"])


def test_a_form_that_makes_no_sense_is_refused_and_nothing_is_asked(person: Person) -> None:
    mark = person.mark()
    run = person.start(RECOVER, action="reconnect-source", run="manual__of_another_wave")
    assert person.end(RECOVER, run) == "failed"
    assert "no live run manual__of_another_wave" in person.api.log(RECOVER, run, "resolve_recovery", 1)
    assert person.changes(mark) == []
