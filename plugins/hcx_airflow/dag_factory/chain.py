"""Start what follows a wave: its cleanup after the hold and, if it ended as planned, the next waves.

Both are runs of other DAGs, each with a run id that follows from what it is for; so that neither a second try nor a
cleared task starts anything twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowSkipException
from typing_extensions import override

from hcx_airflow import names
from hcx_airflow.documents import Arguments
from hcx_airflow.errors import UnreadableResultError
from hcx_airflow.results import ENDING, Results
from hcx_airflow.task import TaskRun
from hcx_waves.model.formatting import instant
from hcx_waves.model.states import SegmentOutcome

if TYPE_CHECKING:
    from hcx_waves.run.results import RunEnding

_RETRIES: Arguments = {"retries": 5, "retry_delay": timedelta(seconds=5)}
_BEGUN = frozenset({"running", "success", "failed", "up_for_retry", "restarting"})


class ScheduleCleanupOperator(TriggerDagRunOperator):
    """Start a wave's cleanup DAG for the end of the hold, for the segments that the run has cut over.

    Also after a run that has left something behind: what it has cut over is cut over. Skipped if that is none. What the
    same run cuts over later, after some of its tasks were cleared, has a hold and a cleanup of its own.

    :param wave_id: the wave.
    :param hold_seconds: how long everything is kept as it is.
    """

    template_fields: Sequence[str] = ("conf",)

    def __init__(self, *, wave_id: str, hold_seconds: float, **kwargs: Any) -> None:
        super().__init__(
            **_RETRIES,
            trigger_rule="all_done",
            trigger_dag_id=names.cleanup_dag_id(wave_id),
            conf={names.WAVE_DAG_ID_CONF: "{{ dag_run.dag_id }}", names.WAVE_RUN_ID_CONF: "{{ run_id }}"},
            skip_when_already_exists=True,
            openlineage_inject_parent_info=False,
            deferrable=False,
            **kwargs,
        )
        self.wave_id = wave_id
        self.hold_seconds = hold_seconds

    @override
    def execute(self, context: Context) -> None:
        if context["params"].get("stop_before_cutover"):
            raise AirflowSkipException("this run stopped before the cutover, so there is nothing to clean up")
        ending = TaskRun(self.wave_id, False, context).results.read(ENDING)
        segments = {} if ending is None else ending.segments
        cut = sorted(name for name, outcome in segments.items() if outcome is SegmentOutcome.CUT_OVER)
        if not cut:
            raise AirflowSkipException("this run cut no segment over, so there is nothing to clean up")
        self.run_after = datetime.now(UTC) + timedelta(seconds=self.hold_seconds)
        self.conf = {**(self.conf or {}), names.SEGMENTS_CONF: cut}
        # No wave's name has an underscore, so this is never the id of its DAG.
        origin = {str(context["dag_run"].dag_id): [str(context["run_id"])], names.SEGMENTS_CONF: cut}
        self.trigger_run_id = follow_up_id(origin)
        _say_if_paused(self, context)
        self.log.info("%s is scheduled for %s", self.trigger_dag_id, instant(self.run_after))
        super().execute(context)


class StartWaveOperator(TriggerDagRunOperator):
    """Start the next wave, if this was the last of those that it comes after.

    Skipped if another of them has not ended as planned yet, and if this run did only a part of its wave.

    :param wave_id: the wave that has ended.
    :param next_wave: the wave to start.
    :param predecessors: all waves that it comes after.
    """

    template_fields: Sequence[str] = ("conf",)

    def __init__(self, *, wave_id: str, next_wave: str, predecessors: Sequence[str], **kwargs: Any) -> None:
        super().__init__(
            **_RETRIES,
            trigger_dag_id=next_wave,
            conf={"notes": "Started by wave {{ dag_run.dag_id }}, run {{ run_id }}."},
            skip_when_already_exists=True,
            openlineage_inject_parent_info=False,
            deferrable=False,
            **kwargs,
        )
        self.wave_id = wave_id
        self.next_wave = next_wave
        self.predecessors = tuple(predecessors)

    @override
    def execute(self, context: Context) -> None:
        refuse_partial_run(context["params"])
        results = TaskRun(self.wave_id, False, context).results
        if not _is_as_planned(results.read_here(ENDING)):
            raise AirflowSkipException(
                f"{names.CONCLUDE_WAVE} of this run has not found by itself that the wave ended as planned. If "
                f"{self.next_wave} is to start all the same, start it by hand"
            )
        ended = {wave: self._ended_runs(wave, context, results) for wave in self.predecessors}
        ended.setdefault(self.wave_id, []).append(str(context["run_id"]))
        waiting = [wave for wave, runs in ended.items() if not runs]
        if waiting:
            raise AirflowSkipException(
                f"{self.next_wave} still waits for {', '.join(waiting)}: the last wave to end as planned starts it"
            )
        self.trigger_run_id = follow_up_id(ended)
        _say_if_paused(self, context)
        super().execute(context)

    def _ended_runs(self, wave: str, context: Context, results: Results) -> list[str]:
        """Return the runs of a wave that have come to this very step, and ended as planned: not by a mark alone.

        Each wave is seen here before it looks, so of two that end together at least one sees the other; and as both
        would start the same run, it is started once.
        """
        task_id = names.start_wave_task(self.next_wave)
        states: Mapping[str, Mapping[str, Any]] = context["ti"].get_task_states(dag_id=wave, task_ids=[task_id])
        begun = [run_id for run_id, tasks in states.items() if str(tasks.get(task_id)) in _BEGUN]
        return [run_id for run_id in begun if self._ended_as_planned(wave, run_id, results)]

    def _ended_as_planned(self, wave: str, run_id: str, results: Results) -> bool:
        try:
            return _is_as_planned(results.read_in(ENDING, wave, run_id))
        except UnreadableResultError as error:
            self.log.warning("Run %s of %s does not count: %s", run_id, wave, error)
            return False


def _is_as_planned(ending: RunEnding | None) -> bool:
    return ending is not None and ending.outcome.is_green


def refuse_partial_run(params: Mapping[str, Any]) -> None:
    """Skip after a run that did only a part of its wave.

    :raises AirflowSkipException: saying which.
    """
    if params.get("vms"):
        raise AirflowSkipException(
            "this run moved only some of the wave's VMs; the run that moves the rest starts the next wave"
        )
    if params.get("stop_before_cutover"):
        raise AirflowSkipException("this run stopped before the cutover; the run that cuts over starts the next wave")


def follow_up_id(runs: Mapping[str, Iterable[str]]) -> str:
    """Return the id of the run that follows from others, whoever starts it and how often.

    :param runs: run ids by DAG id, and whatever else tells one occasion from another.
    """
    origin = "\n".join(f"{dag_id}\t{run_id}" for dag_id in sorted(runs) for run_id in sorted(set(runs[dag_id])))
    return f"after__{sha256(origin.encode()).hexdigest()[:16]}"


def _say_if_paused(operator: TriggerDagRunOperator, context: Context) -> None:
    try:
        paused = context["ti"].get_dag(operator.trigger_dag_id).is_paused
    except AirflowRuntimeError as error:
        operator.log.warning("Cannot find out whether %s is paused: %s", operator.trigger_dag_id, error)
        return
    if paused:
        operator.log.warning("DAG %s is paused. Unpause it, or its run will wait", operator.trigger_dag_id)
