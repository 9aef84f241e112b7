"""Has no DAG: reports every invalid wave file as one import error, without affecting the valid waves."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from hcx_airflow.dag_factory.loader import check_waves

if get_parsing_context().dag_id is None:
    check_waves(Path(__file__).parent / "waves")
