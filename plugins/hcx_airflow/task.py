"""A task's view of its run: Airflow's context, the params, the clock and the results of other tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from hcx_airflow import names
from hcx_airflow.clock.base import RunClock
from hcx_airflow.clock.open import open_clock
from hcx_airflow.documents import Arguments
from hcx_airflow.results import Results
from hcx_airflow.retries import TRIES_BEGUN


@dataclass
class TaskRun:
    """One task of one run of a wave.

    :param wave_id: the wave.
    :param rehearsal: whether the run works on a twin, and on nothing else.
    :param context: Airflow's task context.
    """

    wave_id: str
    rehearsal: bool
    context: Any

    @property
    def ti(self) -> Any:
        """The task instance."""
        return self.context["ti"]

    @property
    def dag_run(self) -> Any:
        """Airflow's run."""
        return self.context["dag_run"]

    @property
    def dag_id(self) -> str:
        """The DAG of the run."""
        return str(self.ti.dag_id)

    @property
    def run_id(self) -> str:
        """The run."""
        return str(self.ti.run_id)

    @property
    def task_id(self) -> str:
        """The running task."""
        return str(self.ti.task_id)

    @property
    def params(self) -> Arguments:
        """The run's params."""
        return dict(self.context.get("params") or {})

    @property
    def conf(self) -> Arguments:
        """What the run was triggered with."""
        return dict(getattr(self.dag_run, "conf", None) or {})

    @property
    def run_type(self) -> str:
        """How the run came about: ``scheduled``, ``manual``, ``backfill``, ..."""
        kind = self.dag_run.run_type
        return str(getattr(kind, "value", kind))

    @property
    def run_after(self) -> datetime:
        """When the run was due (UTC); the same for every try."""
        instant: datetime = self.dag_run.run_after or self.dag_run.start_date
        return instant.astimezone(UTC)

    @property
    def bundle(self) -> Path | None:
        """The folder of the task's DAG bundle; None if Airflow does not say."""
        return bundle_path(self.ti)

    @property
    def clear_number(self) -> int:
        """How often tasks of the run have been cleared."""
        return int(getattr(self.dag_run, "clear_number", None) or 0)

    @property
    def started_by(self) -> str | None:
        """The user who started the run by hand; None if Airflow names none."""
        name = getattr(self.dag_run, "triggering_user_name", None)
        return None if name is None else str(name)

    @cached_property
    def clock(self) -> RunClock:
        """The run's clock: the system's, or that of the world which a rehearsal alone works in.

        :raises RunRefusedError: if a rehearsal is in no rehearsal DAG.
        """
        return open_clock(self.ti, rehearsal=self.rehearsal)

    def now(self) -> datetime:
        """Return the present instant by the run's clock (UTC)."""
        return self.clock.now()

    @cached_property
    def results(self) -> Results:
        """What tasks of the run leave for each other."""
        return Results(self.context, self._origin, rehearsal=self.rehearsal)

    def begin(self) -> None:
        """Record in the ledger of a live run that this task has begun, before it does anything.

        How often it has begun is left in the context, for its retry policy.

        :raises LedgerError: if the ledger cannot be used.
        :raises RunRefusedError: if another run had this run's id before.
        """
        if not self.rehearsal:
            self.context[TRIES_BEGUN] = self.results.ledger.read().tries[self.task_id][1]

    @property
    def tries_begun(self) -> int:
        """How often a task of a live run has begun since it was last cleared; Airflow may have counted more tries."""
        return int(self.context.get(TRIES_BEGUN) or self.ti.try_number)

    @property
    def is_cleanup(self) -> bool:
        """Whether this is a run of the wave's cleanup DAG."""
        return self._origin is not None

    @property
    def is_recovery(self) -> bool:
        """Whether this is a run of the wave's recovery DAG."""
        return not self.rehearsal and self.dag_id.startswith(names.RECOVERY_PREFIX)

    @property
    def _origin(self) -> dict[str, str | bool] | None:
        """Where the wave's own run is, for a cleanup; None in that run itself, and in rehearsals."""
        # By the DAG's id and not by conf, which any user may write.
        if self.rehearsal or not self.dag_id.startswith(names.CLEANUP_PREFIX):
            return None
        dag_id = str(self.conf.get(names.WAVE_DAG_ID_CONF) or self.wave_id)
        if dag_id == self.dag_id:
            return None
        run_id = self.conf.get(names.WAVE_RUN_ID_CONF)
        return {"dag_id": dag_id, **({"run_id": str(run_id)} if run_id else {"include_prior_dates": True})}

    def wave_run(self) -> tuple[str, str] | None:
        """Return DAG and run of the wave that a cleanup names; None if it names none, or this is no cleanup."""
        origin = self._origin or {}
        return (str(origin["dag_id"]), str(origin["run_id"])) if "run_id" in origin else None

    def task_states(self, task_ids: list[str], run: tuple[str, str] | None = None) -> dict[str, str]:
        """Return Airflow's states of tasks, by id, as far as they have one.

        :param run: DAG and run; this one unless given.
        """
        dag_id, run_id = run or (self.dag_id, self.run_id)
        found: Mapping[str, Mapping[str, JsonValue]] = self.ti.get_task_states(
            dag_id=dag_id, task_ids=task_ids, run_ids=[run_id]
        )
        return {task_id: str(state) for task_id, state in found.get(run_id, {}).items() if state is not None}

    def sibling(self, task: str) -> str:
        """Return the id of a task in the same task group."""
        group, _, _ = self.task_id.rpartition(".")
        return f"{group}.{task}" if group else task


def bundle_path(task_instance: Any) -> Path | None:
    """Return the folder of a task's DAG bundle; None if Airflow does not say."""
    bundle = getattr(task_instance, "bundle_instance", None)
    return None if bundle is None else Path(bundle.path)
