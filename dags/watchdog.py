"""The watchdog DAG: fails while waves are due but paused, missed or broken."""

from __future__ import annotations

from hcx_airflow.dag_factory.watchdog import build_watchdog_dag

dag = build_watchdog_dag()
