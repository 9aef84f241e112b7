"""The environment of the demo's Airflow: tuned, on loopback, and free of what the user's shell holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from hcx_demo.rehearsal.series import SUMMARY_PAGE
from hcx_demo.stack.airflow_server import AirflowServer
from hcx_demo.stack.airflow_settings import PARAMETERS_VARIABLE, AirflowPlan, airflow_environment, clean_environment
from hcx_demo.stack.processes import MARKER
from hcx_demo.stack.state import Secrets, StateFolder

ROOT = Path(__file__).parents[3]
PACE = ("AIRFLOW__SCHEDULER__", "AIRFLOW__WORKERS__")
PLAN = AirflowPlan(dags=Path("/p/dags"), plugins=Path("/p/plugins"), port=8081, database_url="postgresql+psycopg2://x")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The whole environment."""
    return airflow_environment(PLAN, StateFolder(tmp_path), Secrets.generate())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME", "0.1"),
        ("WORKERS__MIN_HEARTBEAT_INTERVAL", "1"),
        ("WORKERS__MAX_FAILED_HEARTBEATS", "20"),
        ("SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "30"),
        ("SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL", "5"),
        ("SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL", "30"),
        ("CORE__EXECUTOR", "LocalExecutor"),
        ("CORE__PARALLELISM", "4"),
        ("CORE__LOAD_EXAMPLES", "False"),
        ("CORE__TEST_CONNECTION", "Enabled"),
        ("CORE__SIMPLE_AUTH_MANAGER_USERS", "admin:admin,demo-approver:user"),
        ("API__HOST", "127.0.0.1"),
        ("API__PORT", "8081"),
        ("API__BASE_URL", "http://127.0.0.1:8081"),
        ("CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:8081/execution/"),
        ("CORE__DAGS_FOLDER", "/p/dags"),
        ("DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://x"),
    ],
)
def test_a_setting_is_as_it_must_be(environment: dict[str, str], name: str, value: str) -> None:
    assert environment[f"AIRFLOW__{name}"] == value


def test_tasks_get_a_signing_key_and_a_folder_for_reports(environment: dict[str, str], tmp_path: Path) -> None:
    assert len(environment["HCX_WAVES_SIGNING_KEY"]) >= 32
    assert environment["HCX_WAVES_REPORTS_FOLDER"] == str(tmp_path / "reports")


def test_every_variable_of_the_project_is_one_that_the_airflow_layer_reads(environment: dict[str, str]) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "plugins").rglob("*.py"))
    own = {name for name in environment if name.startswith("HCX_WAVES_")} | {PARAMETERS_VARIABLE}

    assert len(own) >= 4
    assert [name for name in sorted(own - {MARKER}) if f'"{name}"' not in sources] == []
    assert f'"{SUMMARY_PAGE}"' in sources


def test_production_has_the_same_pace(environment: dict[str, str]) -> None:
    production = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["x-airflow-environment"]
    pace = {name: value for name, value in environment.items() if name.startswith(PACE)}

    assert len(pace) >= 5
    assert {name: production.get(name) for name in pace} == pace


def test_what_the_shell_holds_of_another_airflow_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIRFLOW__CORE__EXECUTOR", "AIRFLOW_CONN_HCX_SOURCE", "HCX_WAVES_SIGNING_KEY", "PYTHONPATH"):
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("LANG", "C.UTF-8")
    found = clean_environment("m1")
    assert "foreign" not in found.values()
    assert (found[MARKER], found["LANG"]) == ("m1", "C.UTF-8")
    assert found["NO_PROXY"] == found["no_proxy"] == "intranet,127.0.0.1,localhost"


def test_scheduler_and_triggerer_serve_no_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFolder(tmp_path / "my state")
    state.open()
    python = tmp_path / "a python"
    python.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    python.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(python))
    server = AirflowServer(state, Secrets.generate(), {"PATH": "/usr/bin:/bin"})
    server.begin()
    server.stop()
    wrapper = str(state.commands / "airflow")

    def started(component: str) -> str:
        return subprocess.run([wrapper, component, "-x"], capture_output=True, text=True, check=True).stdout  # noqa: S603

    assert started("scheduler") == "-m airflow scheduler -x --skip-serve-logs\n"
    assert started("triggerer") == "-m airflow triggerer -x --skip-serve-logs\n"
    assert started("api-server") == "-m airflow api-server -x\n"
    assert (state.root / "passwords.json").stat().st_mode & 0o777 == 0o600
    state.close()


def test_a_person_s_shell_gets_the_stack_s_settings_and_not_its_marker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFolder(tmp_path / "its state")
    state.open()
    monkeypatch.setattr("sys.executable", "/usr/bin/env")
    settings = {
        "AIRFLOW_HOME": "/a b",
        "AIRFLOW_CONN_X": "it's",
        "HCX_WAVES_SIGNING_KEY": "k",
        MARKER: "m",
        "LANG": "C",
    }
    server = AirflowServer(state, Secrets.generate(), {"PATH": "/usr/bin:/bin", **settings})
    server.begin()
    kept = state.root / "airflow.env"
    assert kept.stat().st_mode & 0o777 == 0o600
    shell = [
        "/bin/sh",
        "-c",
        f'. "{kept}"; echo "$AIRFLOW_HOME|$AIRFLOW_CONN_X|$HCX_WAVES_SIGNING_KEY|${MARKER}|$LANG"',
    ]
    said = subprocess.run(shell, capture_output=True, text=True, check=True, env={}).stdout  # noqa: S603
    assert said == "/a b|it's|k||\n"
    assert f". '{kept}'" in (state.commands / "airflow").read_text(encoding="utf-8")
    server.stop()
    assert not kept.exists()
    state.close()
