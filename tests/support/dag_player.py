"""Plays a DAG run by Airflow's own rules without running anything: each task ends as it is told to.

Trigger rules, teardowns and the colour of the run are decided by Airflow's scheduler code on a real database; what is
made up is only how a task ends. Needs Airflow's tables (:func:`support.airflow_home.make_database`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import DAG
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

BUNDLE = "tests"
_RUNS = count(1)


class PlayedRun:
    """One run of a DAG."""

    def __init__(self, run: DagRun, dag: Any, session: Any) -> None:
        self._run, self._dag, self._session = run, dag, session

    @property
    def state(self) -> str:
        """The colour of the run."""
        return str(self._run.state)

    @property
    def tasks(self) -> dict[str, str | None]:
        """How each task has ended."""
        return {ti.task_id: None if ti.state is None else str(ti.state) for ti in self._run.task_instances}

    def ended(self, state: str) -> set[str]:
        """Return the tasks that ended in a state."""
        return {task_id for task_id, ended in self.tasks.items() if ended == state}

    def play(self, endings: Mapping[str, str] | None = None, until: str | None = None) -> PlayedRun:
        """Let every task that Airflow would run end at once: as told, else in success.

        :param endings: states by task id.
        :param until: leave off when this task would run; it is left running.
        """
        before: object = None
        while (seen := (self.state, self.tasks)) != before:
            before = seen
            ready, _ = self._run.update_state(session=self._session, execute_callbacks=False)
            for ti in ready:
                now = datetime.now(UTC)
                ti.start_date = ti.start_date or now
                if ti.task_id == until:
                    ti.state = "running"
                    self._session.flush()
                    return self
                ti.state, ti.end_date = (endings or {}).get(ti.task_id, "success"), now
            self._session.flush()
            self._session.expire_all()
        return self

    def report_late(self, task_id: str) -> None:
        """Let the executor report the success of a worker that parked a task only when the next worker runs it."""
        from airflow.executors.base_executor import BaseExecutor
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.models.dagbag import DBDagBag

        ti = next(ti for ti in self._run.task_instances if ti.task_id == task_id)
        assert str(ti.state) == "running"
        ti.try_number = max(1, ti.try_number)
        self._session.flush()
        executor = BaseExecutor()
        executor.event_buffer[ti.key] = ("success", None)
        SchedulerJobRunner.process_executor_events(executor, ti.queued_by_job_id, DBDagBag(), self._session)
        self._session.flush()
        self._session.expire_all()

    def mark_failed(self) -> None:
        """Do what a person does who marks the run failed."""
        from airflow.api.common.mark_tasks import set_dag_run_state_to_failed

        set_dag_run_state_to_failed(dag=self._dag, run_id=self._run.run_id, commit=True, session=self._session)
        self._session.flush()
        self._session.expire_all()


@contextmanager
def new_run(dag: DAG) -> Iterator[PlayedRun]:
    """Store a DAG as the DAG processor does and start a manual run of it."""
    bag = DagBag(dag_folder="/dev/null", bundle_name=BUNDLE)
    dag.fileloc, dag.relative_fileloc = f"/nowhere/{dag.dag_id}.py", f"{dag.dag_id}.py"
    bag.bag_dag(dag)
    with create_session() as session:
        if session.scalar(select(DagBundleModel).where(DagBundleModel.name == BUNDLE)) is None:
            session.add(DagBundleModel(name=BUNDLE))
            session.flush()
        sync_bag_to_db(bag, BUNDLE, None, session=session)
        stored: Any = SerializedDagModel.get_dag(dag.dag_id, session=session)
        run = stored.create_dagrun(
            run_id=f"manual__{next(_RUNS)}",
            run_after=datetime.now(UTC),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        run.dag = stored
        run.start_date = datetime.now(UTC)
        yield PlayedRun(run, stored, session)
