"""Airflow for tests: a home of its own in a temporary folder, before anything imports Airflow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_HOME = tempfile.TemporaryDirectory(prefix="hcx-waves-airflow-")
_ROOT = Path(__file__).parents[2]

os.environ.update(
    {
        "AIRFLOW_HOME": _HOME.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(_ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(_ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME.name}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{_HOME.name}/logs",
    }
)

SIGNING_KEY = "a-key-for-tests-that-is-long-enough-for-anybody"


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """A fresh metadata database."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def signing_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The workers' signing key."""
    monkeypatch.setenv("HCX_WAVES_SIGNING_KEY", SIGNING_KEY)
    return SIGNING_KEY


@pytest.fixture
def connections(site_pair: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The wave's connections, in the environment."""
    from support.airflow_tasks import connection_documents, set_connections

    documents = connection_documents(site_pair.endpoints)
    set_connections(monkeypatch, documents)
    return documents


@pytest.fixture
def airflow_run(
    site_pair: Any, connections: Any, signing_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A run of the seed wave, with the wave files in a folder of the test's own."""
    from support.airflow_tasks import AirflowRun

    waves = tmp_path / "waves"
    waves.mkdir()
    for path in (_ROOT / "dags" / "waves").glob("*.yaml"):
        (waves / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(tmp_path / "reports"))
    run = AirflowRun(tmp_path)
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **detail: run.asked.append(detail)
    )
    yield run
