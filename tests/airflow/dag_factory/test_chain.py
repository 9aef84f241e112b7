"""What a wave starts when it has ended: once, at the right time, and only if it is the last one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

from hcx_airflow.dag_factory.chain import ScheduleCleanupOperator, StartWaveOperator, follow_up_id
from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.errors import IncompleteError
from hcx_airflow.operators.report import ConfirmOutcomeOperator
from hcx_waves.wavefile.loader import read_wave
from support.airflow_tasks import sealed_as
from support.wave_files import minimal

CUT = "segments:\n  - {name: a, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n"


class Ti:
    """What the operators ask of their task instance."""

    def __init__(
        self,
        states: dict[str, dict[str, str]] | None = None,
        paused: bool = False,
        segments: Any = None,
        left: Any = None,
    ) -> None:
        self.id, self.task_id, self.try_number = "ti-1", "schedule_cleanup", 1
        self.dag_id, self.run_id = "first", "manual__1"
        self.context_carrier = {"traceparent": f"00-{'ab' * 16}-00f067aa0ba902b7-00"}
        self.states, self.paused = states or {}, paused
        self.asked: list[tuple[str, list[str]]] = []
        cut = {"a": "cut_over"} if segments is None else segments
        ending = {"wave": "first", "outcome": "incomplete", "segments": cut}
        self.left: dict[tuple[str, str], Any] = left or {("conclude_wave", "return_value"): ending}

    def xcom_pull(self, task_ids: str, key: str = "return_value", map_indexes: int | None = None) -> Any:
        assert map_indexes == -1
        left = self.left.get((task_ids, key))
        writer = SimpleNamespace(**{**vars(self), "id": f"ti-of-{task_ids}", "task_id": task_ids})
        return None if left is None else sealed_as(writer, left, key)

    def get_dag(self, dag_id: str) -> Any:
        return SimpleNamespace(dag_id=dag_id, is_paused=self.paused)

    def get_task_states(
        self, dag_id: str, task_ids: list[str], run_ids: list[str] | None = None
    ) -> dict[str, dict[str, str]]:
        self.asked.append((dag_id, task_ids))
        found = self.states.get(dag_id, {})
        return {run: {task_ids[0]: state} for run, state in found.items() if run_ids is None or run in run_ids}

    def xcom_push(self, key: str, value: Any) -> None:
        """Take the link."""


def context(ti: Ti, run_id: str = "manual__1", dag_id: str = "first", **params: Any) -> Any:
    return {"ti": ti, "run_id": run_id, "params": params, "dag_run": SimpleNamespace(dag_id=dag_id, run_id=run_id)}


def start_next(predecessors: list[str], wave: str = "first") -> StartWaveOperator:
    return StartWaveOperator(task_id="start_wave__next", wave_id=wave, next_wave="next", predecessors=predecessors)


def triggered(operator: Any, given: Any) -> DagRunTriggerException:
    with pytest.raises(DagRunTriggerException) as caught:
        operator.execute(given)
    return caught.value


def test_the_cleanup_is_started_for_the_end_of_the_hold() -> None:
    operator = ScheduleCleanupOperator(task_id="schedule_cleanup", wave_id="first", hold_seconds=7 * 86400)
    before = datetime.now(UTC)
    asked = triggered(operator, context(Ti()))
    assert asked.trigger_dag_id == "cleanup__first"
    assert before <= asked.run_after - timedelta(days=7) <= datetime.now(UTC)
    assert asked.logical_date is None, "two cleanups may fall on one instant"
    names = {"wave_dag_id": "{{ dag_run.dag_id }}", "wave_run_id": "{{ run_id }}"}
    assert asked.conf == {**names, "wave_segments": ["a"]}, "the names are rendered by the worker"
    assert "conf" in operator.template_fields


def test_a_second_try_starts_no_second_cleanup() -> None:
    tries = [
        triggered(ScheduleCleanupOperator(task_id="s", wave_id="first", hold_seconds=1), context(Ti()))
        for _ in range(2)
    ]
    assert tries[0].dag_run_id == tries[1].dag_run_id
    assert all(one.skip_when_already_exists and not one.reset_dag_run for one in tries)
    other = ScheduleCleanupOperator(task_id="s", wave_id="first", hold_seconds=1)
    assert triggered(other, context(Ti(), run_id="manual__2")).dag_run_id != tries[0].dag_run_id


def test_what_the_same_run_cuts_over_later_has_a_hold_of_its_own() -> None:
    first, later = (
        triggered(
            ScheduleCleanupOperator(task_id="s", wave_id="first", hold_seconds=1),
            context(Ti(segments={"a": "cut_over", "b": b})),
        )
        for b in ("blocked", "cut_over")
    )
    assert first.dag_run_id != later.dag_run_id
    assert [one.conf["wave_segments"] for one in (first, later)] == [["a"], ["a", "b"]]


def test_a_run_that_cut_nothing_over_schedules_no_cleanup() -> None:
    operator = ScheduleCleanupOperator(task_id="s", wave_id="first", hold_seconds=1)
    with pytest.raises(AirflowSkipException, match="nothing to clean up"):
        operator.execute(context(Ti(), stop_before_cutover=True))


@pytest.mark.parametrize("segments", [{}, {"a": "rejected", "b": "stretched"}, {"a": "uncertain"}], ids=str)
def test_a_run_whose_segments_were_all_left_schedules_no_cleanup(segments: dict[str, str]) -> None:
    operator = ScheduleCleanupOperator(task_id="s", wave_id="first", hold_seconds=1)
    with pytest.raises(AirflowSkipException, match="cut no segment over, so there is nothing to clean up"):
        operator.execute(context(Ti(segments=segments)))
    with pytest.raises(AirflowSkipException, match="this run cut no segment over"):
        operator.execute(context(Ti(left={("x", "y"): "a run without a plan leaves no ending"})))


def test_what_was_cut_over_is_cleaned_up_though_something_else_was_left() -> None:
    operator: Any = build_live_dag(read_wave(minimal(more=CUT))).get_task("schedule_cleanup")
    assert operator.trigger_rule == "all_done"
    asked = triggered(operator, context(Ti(segments={"a": "cut_over", "b": "blocked"})))
    assert asked.trigger_dag_id == "cleanup__small"


def test_the_only_predecessor_starts_the_next_wave() -> None:
    asked = triggered(start_next(["first"]), context(Ti({"first": {"manual__1": "running"}})))
    assert (asked.trigger_dag_id, asked.skip_when_already_exists) == ("next", True)
    assert asked.dag_run_id.startswith("after__")


@pytest.mark.parametrize("state", ["skipped", "upstream_failed", "scheduled", "queued", "None"])
def test_a_wave_waits_for_all_that_it_comes_after(state: str) -> None:
    ti = Ti({"first": {"manual__1": "running"}, "second": {"scheduled__x": state}})
    with pytest.raises(AirflowSkipException, match="next still waits for second"):
        start_next(["first", "second"]).execute(context(ti))
    assert ("second", ["start_wave__next"]) in ti.asked


def test_two_waves_that_end_together_start_the_same_run() -> None:
    states = {"first": {"manual__1": "running"}, "second": {"manual__9": "running"}}
    by_first = triggered(start_next(["first", "second"]), context(Ti(states)))
    by_second = triggered(start_next(["first", "second"], "second"), context(Ti(states), "manual__9", "second"))
    assert by_first.dag_run_id == by_second.dag_run_id


@pytest.mark.parametrize("params", [{"vms": ["a"]}, {"stop_before_cutover": True}], ids=str)
def test_a_run_that_did_a_part_of_its_wave_starts_nothing(params: dict[str, Any]) -> None:
    with pytest.raises(AirflowSkipException, match=r"this run (moved only some|stopped before)"):
        start_next(["first"]).execute(context(Ti(), **params))


def test_ids_of_runs_that_follow_do_not_depend_on_order() -> None:
    assert follow_up_id({"a": ["2", "1"], "b": ["3"]}) == follow_up_id({"b": ["3"], "a": ["1", "2", "2"]})
    assert follow_up_id({"a": ["1"]}) != follow_up_id({"b": ["1"]})


def test_the_next_wave_knows_all_that_it_comes_after() -> None:
    following = read_wave(minimal("next", vms="[z]", more="after: [small, other]\n"))
    task: Any = build_live_dag(read_wave(minimal()), next_waves=[following]).get_task("start_wave__next")
    assert (task.trigger_dag_id, task.predecessors) == ("next", ("small", "other"))


@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed"])
def test_a_run_whose_conclusion_is_missing_is_not_confirmed(state: str) -> None:
    operator = ConfirmOutcomeOperator(task_id="confirm_outcome", required=["conclude_wave"])
    with pytest.raises(IncompleteError, match=rf"conclude_wave \({state}\)"):
        operator.execute(context(Ti({"first": {"manual__1": state, "manual__0": "success"}})))
    with pytest.raises(IncompleteError, match=r"conclude_wave \(not run\)"):
        operator.execute(context(Ti()))


@pytest.mark.parametrize(
    ("state", "left", "green"),
    [
        ("skipped", {("prove", "not_due"): "not cut over"}, True),
        ("skipped", {("prove", "return_value"): {}}, False),
        ("failed", {("prove", "not_due"): "not cut over"}, False),
    ],
)
def test_a_skip_is_excused_by_a_reason_alone(state: str, left: Any, green: bool) -> None:
    operator = ConfirmOutcomeOperator(task_id="confirm_outcome", required=["delete"], excuses={"delete": "prove"})
    given = context(Ti({"first": {"manual__1": state}}, left=left))
    if green:
        operator.execute(given)
    else:
        with pytest.raises(IncompleteError, match=rf"delete \({state}\)"):
            operator.execute(given)


def test_a_run_that_was_concluded_is_confirmed() -> None:
    operator = ConfirmOutcomeOperator(task_id="confirm_outcome", required=["conclude_wave"])
    operator.execute(context(Ti({"first": {"manual__1": "success"}})))
