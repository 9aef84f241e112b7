"""Runs of a wave's DAGs: waiting for the DAGs, starting a run, removing those that an earlier demo left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from hcx_demo.airflow_api import AirflowApi, AirflowApiError
from hcx_demo.errors import DemoError

_UNFINISHED = frozenset({"queued", "running"})
_PARSE_SECONDS = 90.0
# Airflow may show an error of an earlier start until it has parsed the files again.
_ERROR_SECONDS = 30.0
_PAUSE_SECONDS = 0.25


def await_dags(api: AirflowApi, dag_ids: tuple[str, ...], check: Callable[[], None]) -> None:
    """Wait until Airflow has parsed the DAGs.

    :param check: raises if Airflow has ended meanwhile.
    :raises DemoError: with Airflow's import errors, if the DAGs do not appear.
    """
    began = time.monotonic()
    while missing := [dag_id for dag_id in dag_ids if not api.has_dag(dag_id)]:
        check()
        waited = time.monotonic() - began
        errors = api.import_errors() if waited > _ERROR_SECONDS else ()
        if errors or waited > _PARSE_SECONDS:
            reason = "\n".join(errors) or f"not parsed within {_PARSE_SECONDS:.0f} s, without an import error"
            raise DemoError(f"Airflow has no DAG {', '.join(missing)}: {reason}")
        time.sleep(_PAUSE_SECONDS)


def clear_unfinished(api: AirflowApi, dag_id: str) -> int:
    """Remove runs that never ended: their sites no longer exist, and a new run would wait for them.

    :returns: the number of removed runs.
    """
    unfinished = [run for run in api.runs(dag_id) if run.get("state") in _UNFINISHED]
    for run in unfinished:
        api.discard(dag_id, str(run["dag_run_id"]))
    return len(unfinished)


def start_run(api: AirflowApi, dag_id: str, params: Mapping[str, Any], conf: Mapping[str, Any]) -> str:
    """Unpause a DAG and start a run by hand.

    :param params: values for the DAG's params; those that it does not have are left out.
    :param conf: more members of the run's conf.
    :raises AirflowApiError: if Airflow refuses.
    """
    known = api.parameters(dag_id)
    given = {name: value for name, value in params.items() if name in known}
    api.unpause(dag_id)
    return api.trigger(dag_id, {**given, **conf}, "started by the demo")


def log_of_failures(api: AirflowApi, dag_id: str, run_id: str, lines: int = 12) -> tuple[str, ...]:
    """Return the last lines of each failed task's log."""
    texts = []
    for task in api.tasks(dag_id, run_id):
        if task.state != "failed":
            continue
        try:
            log = api.log(dag_id, run_id, task.task_id, max(1, task.try_number), task.map_index)
        except AirflowApiError as error:
            log = str(error)
        tail = "\n".join(f"    {line}" for line in log.splitlines()[-lines:])
        texts.append(f"{dag_id} {task.task_id} failed:\n{tail}")
    return tuple(texts)
