"""Airflow for tests, before anything imports it, and runs of the seed wave in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.airflow_home import prepare_airflow_home

if TYPE_CHECKING:
    from support.airflow_tasks import AirflowRun

prepare_airflow_home()

WAVES = Path(__file__).parents[2] / "dags" / "waves"
SIGNING_KEY = "a-key-for-tests-that-is-long-enough-for-anybody"


@pytest.fixture
def waves() -> Path:
    """The folder of the project's wave files."""
    return WAVES


@pytest.fixture(autouse=True)
def signing_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The workers' signing key, and a folder of the test's own for the ledgers of its runs."""
    monkeypatch.setenv("HCX_WAVES_SIGNING_KEY", SIGNING_KEY)
    monkeypatch.setenv("HCX_WAVES_STATE_FOLDER", str(tmp_path / "state"))
    return SIGNING_KEY


@pytest.fixture(autouse=True)
def _time_moves_by_waits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a scaled world of these tests time moves when the product waits, and not by itself.

    A wait of a second takes ``speed`` seconds of the world's time and none of the machine's. By the machine's clock a
    slow machine would let windows pass between two tasks.
    """
    marker = request.node.get_closest_marker("world")
    if marker is None or marker.kwargs.get("mode") != "scaled":
        return
    from support.moved_by_waits import move_by_waits

    move_by_waits(request.getfixturevalue("site_pair"), marker.kwargs["speed"], monkeypatch)


@pytest.fixture
def connections(site_pair: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The wave's connections, in the environment, as JSON documents by id."""
    from support.airflow_tasks import connection_documents, set_connections

    documents = connection_documents(site_pair.endpoints)
    set_connections(monkeypatch, documents)
    return documents


@pytest.fixture
def airflow_run(connections: Any, signing_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AirflowRun:
    """A run of the seed wave, with the wave files in a folder of the test's own."""
    from support.airflow_tasks import AirflowRun

    waves = tmp_path / "waves"
    waves.mkdir()
    for path in WAVES.glob("*.yaml"):
        (waves / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(tmp_path / "reports"))
    run = AirflowRun(tmp_path)
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **detail: run.asked.append(detail)
    )
    return run
