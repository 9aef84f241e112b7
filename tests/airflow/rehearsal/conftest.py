"""Airflow's tables for tests of rehearsal DAGs."""

from __future__ import annotations

import pytest

from support.airflow_home import make_database, prepare_airflow_home

prepare_airflow_home()


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's tables, empty."""
    make_database()
