"""What the wave says of itself: the outage of its report and where that is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hcx_demo.airflow_api import AirflowApi
from hcx_demo.wave.observer import RunStatus
from hcx_demo.wave.outcome import measured_outages, report_paths
from support.scripted_server import Answer, ScriptedServer, running_server

RUN = RunStatus("seed-wave", "r1", "success", (), (), (), (), 0.0, 0.0, 0.0)
XCOM = "/api/v2/dags/seed-wave/dagRuns/r1/taskInstances/write_report/xcomEntries/return_value"


@pytest.fixture
def airflow() -> Iterator[ScriptedServer]:
    """An Airflow that lets everybody in."""
    with running_server() as server:
        server.on("POST", "/auth/token", Answer(201, {"access_token": "jwt"}))
        yield server


def test_the_files_of_the_report_are_those_that_its_task_names(airflow: ScriptedServer) -> None:
    found = {"json": "/r/run.json", "markdown": "/r/run.md", "outcome": "as_planned"}
    airflow.on("GET", XCOM, Answer(200, {"value": found}))
    assert report_paths(AirflowApi(airflow.url, "admin", "secret"), RUN) == ("/r/run.json", "/r/run.md")


def test_a_run_without_a_report_names_none(airflow: ScriptedServer) -> None:
    assert report_paths(AirflowApi(airflow.url, "admin", "secret"), RUN) == ()


def test_an_outage_is_told_in_wall_and_in_virtual_time(tmp_path: Path) -> None:
    report = tmp_path / "run.json"
    segments = [
        {"segment": "seed-net", "outage": {"lower_seconds": 15.05, "upper_seconds": 16.3}},
        {"segment": "down", "outage": {"lower_seconds": 15.05, "upper_seconds": None}},
        {"segment": "never-cut", "outage": None},
    ]
    report.write_text(json.dumps({"segments": segments}), encoding="utf-8")
    assert measured_outages([str(tmp_path / "run.md"), str(report)], speed=20) == {
        "seed-net": "; measured by the wave: between 15.1 s and 16.3 s wall, "
        "which is 5 min 01 s to 5 min 26 s (virtual)"
    }


def test_a_report_that_cannot_be_read_measures_nothing(tmp_path: Path) -> None:
    assert measured_outages([str(tmp_path / "missing.json")], speed=20) == {}
