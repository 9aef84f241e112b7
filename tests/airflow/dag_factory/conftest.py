"""Fixtures of the DAG factory's tests: an Airflow home of their own, and folders of wave files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.airflow_home import make_database, prepare_airflow_home
from support.wave_files import write

prepare_airflow_home()


@pytest.fixture
def waves(tmp_path: Path) -> Callable[..., Path]:
    """Writes wave files into a folder called ``waves`` and returns it."""
    folder = tmp_path / "waves"
    folder.mkdir()

    def put(*texts: str) -> Path:
        write(folder, *texts)
        return folder

    return put


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's tables, empty."""
    make_database()
