"""Everything of Airflow that is not its public interface. Each version that is known to have it is listed here.

A test fails on any other version: read what has changed in the modules that are imported below, then add it.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakSet

KNOWN_VERSIONS = frozenset({"3.3.2"})
TASK_MODULES = ("airflow.sdk.execution_time.task_runner", "airflow.dag_processing.dagbag")
"""What every task start, and every parse of a DAG file, imports."""
_TICK = timedelta(microseconds=1)
_EVENT, _EXC_INFO, _PROCESSORS = "event", "exc_info", "processors"
"""Names of structlog."""
_KNOWN_ERRORS: WeakSet[BaseException] = WeakSet()
_PARTS_OF_TRACEPARENT = 4


def store_xcom(ti: Any, task_id: str, key: str, value: Any) -> None:
    """Store an XCom of another task of the run, as Airflow would if that task had ended in a worker."""
    from airflow.sdk.bases.xcom import BaseXCom

    BaseXCom.set(key, value, dag_id=ti.dag_id, task_id=task_id, run_id=ti.run_id)


def task_instance_at(dag_id: str, task_id: str, logical_date: datetime) -> Any:
    """Return a task of the run with a logical date, as Airflow's API server knows it now; None if there is none.

    "The last one before the next instant" is the one of that run: a logical date exists once per DAG.
    """
    from airflow.sdk.execution_time.comms import GetPreviousTI

    asked = GetPreviousTI(dag_id=dag_id, task_id=task_id, logical_date=logical_date + _TICK)
    return getattr(ask_supervisor(asked), "task_instance", None)


def generation_of(task_instance: Any) -> str:
    """Return the trace id of a task instance; empty if it has none.

    Airflow draws one when a run is made and a new one when tasks are cleared; those that are not cleared keep theirs.
    Nobody can choose it, and no two runs share one, also if one is made again with the id of the other.
    """
    carrier = getattr(task_instance, "context_carrier", None) or {}
    # W3C trace context: version, trace id, span id, flags.
    parts = str(carrier.get("traceparent", "")).split("-")
    return parts[1] if len(parts) == _PARTS_OF_TRACEPARENT else ""


def ask_supervisor(question: Any) -> Any:
    """Ask the task's supervisor; the SDK has no words of its own for some questions."""
    from airflow.sdk.execution_time import task_runner

    return task_runner.SUPERVISOR_COMMS.send(question)


def task_states_function() -> Any:
    """Return what asks for the states of tasks, for code in the triggerer, whose task instance cannot ask."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    return RuntimeTaskInstance.get_task_states


def auth_manager() -> Any:
    """Return the API server's auth manager."""
    from airflow.api_fastapi.app import get_auth_manager

    return get_auth_manager()


def user_dependency() -> Any:
    """Return the annotation by which a route gets the user who asks."""
    from airflow.api_fastapi.core_api.security import GetUserDep

    return GetUserDep


def require_dag_read(dag_id: str, request: Any, user: Any) -> None:
    """Refuse a user who may not read a DAG.

    :raises HTTPException: 401 without a user, 403 if the user may not.
    """
    from airflow.api_fastapi.core_api.security import requires_access_dag

    requires_access_dag("GET", param_dag_id=dag_id)(request, user)


def log_without_traceback(error: BaseException) -> None:
    """Keep Airflow, in this task's process, from logging the traceback of an error that says all there is to know.

    The task runner logs every error with its traceback; no setting changes that. What it logs passes the processors of
    structlog's configuration, and all its loggers share the list of them.
    """
    import structlog

    processors = structlog.get_config().get(_PROCESSORS, [])
    if _drop_traceback not in processors:
        processors.insert(0, _drop_traceback)
    _KNOWN_ERRORS.add(error)


def _drop_traceback(_logger: Any, _method: str, entry: Any) -> Any:
    info = entry.get(_EXC_INFO)
    raised = info[1] if isinstance(info, tuple) else sys.exc_info()[1] if info is True else info
    if isinstance(raised, BaseException) and raised in _KNOWN_ERRORS:
        said = f"{entry.get(_EVENT)}: {type(raised).__name__}; the lines above say why"
        entry.update({_EXC_INFO: None, _EVENT: said})
    return entry


def stored_result(dag_run: Any, task_id: str, key: str) -> Any:
    """Return what a task of a run has left; for the scheduler, which has the database and not a worker's way to ask."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        return None
    of_task = (XComModel.dag_id == dag_run.dag_id, XComModel.run_id == dag_run.run_id, XComModel.task_id == task_id)
    with session.no_autoflush:
        found = session.scalars(select(XComModel).where(*of_task, XComModel.key == key).limit(1)).first()
    return None if found is None else XComModel.deserialize_value(found)


def failed_tasks(dag_run: Any) -> list[Any]:
    """Return the tasks of a run that have failed, for the scheduler."""
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy.orm import object_session

    # In the run's own session: what is written of a task is stored with the run.
    return list(dag_run.get_task_instances(state=[TaskInstanceState.FAILED], session=object_session(dag_run)))
