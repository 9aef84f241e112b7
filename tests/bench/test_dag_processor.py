"""Two hundred wave files through Airflow's DAG processor. ``make bench`` prints the table."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.airflow_home import prepare_airflow_home
from support.many_waves import write_dags_folder

prepare_airflow_home()
pytestmark = pytest.mark.bench
WAVES = 200
LIMIT_SECONDS = 25.0


def airflow(environment: dict[str, str], *arguments: str) -> float:
    """Run an Airflow command; return its wall seconds."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "airflow", *arguments]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)  # noqa: S603  (our own)
    return time.perf_counter() - began


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def test_two_hundred_waves_pass_the_dag_processor(tmp_path: Path) -> None:
    from hcx_airflow.dag_factory.loader import wave_dags

    names = write_dags_folder(tmp_path / "dags", WAVES)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
    }
    airflow(environment, "db", "migrate")
    seconds = airflow(environment, "dag-processor", "--num-runs", "1")
    with sqlite3.connect(tmp_path / "airflow.db") as database:
        (stored,) = database.execute("select count(*) from serialized_dag").fetchone()
        errors = database.execute("select filename, stacktrace from import_error").fetchall()
    start, _ = timed(lambda: wave_dags(tmp_path / "dags" / "waves", only=names[100]))
    whole, _ = timed(lambda: wave_dags(tmp_path / "dags" / "waves"))
    rows = [
        f"{WAVES} wave files through Airflow's DAG processor: {seconds:.1f} s (limit {LIMIT_SECONDS:.0f} s)",
        f"parse of all of them in one process: {whole:.2f} s; of one for a task start: {start:.3f} s",
    ]
    sys.__stdout__.write("\n".join(("", *rows, "")))
    assert errors == []
    assert stored == 3 * WAVES + 1, "a live, a cleanup and a rehearsal DAG each, and the watchdog"
    assert seconds < LIMIT_SECONDS
