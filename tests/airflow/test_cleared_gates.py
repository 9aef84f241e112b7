"""An approval counts once: not after its gate was cleared, nor when somebody puts an old one back (T4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hcx_airflow import airflow_private
from hcx_airflow.errors import NotApprovedError, RejectedError
from hcx_sim.hcx.mobility.mobility import mobility_of
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

LONG_AGO = datetime(2026, 2, 1, 20, tzinfo=UTC)


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


@pytest.fixture
def dated(tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch) -> WaveTasks:
    """A run with a logical date, of which Airflow can tell the try of a task."""
    run = tasks.run
    run.logical_date = datetime(2026, 2, 1, 20, tzinfo=UTC)

    def answer(question: Any) -> Any:
        assert question.dag_id == run.dag_id
        assert question.logical_date == run.logical_date + timedelta(microseconds=1)  # type: ignore[operator]
        task_id = question.task_id
        state, number = run.states.get(task_id), run.tries.get(task_id, 0)
        return SimpleNamespace(
            task_instance=SimpleNamespace(run_id=run.run_id, state=state, try_number=number, start_date=LONG_AGO)
        )

    monkeypatch.setattr(airflow_private, "ask_supervisor", answer)
    return tasks


def starts(site_pair: Any) -> list[Any]:
    return [call for call in site_pair.calls() if call["data"]["operation"].endswith(".start")]


def test_an_approval_that_was_taken_back_by_clearing_the_gate(tasks: WaveTasks, site_pair: Any) -> None:
    """Airflow removes XComs when a task starts; a cleared gate that is marked success before still has its old ones."""
    tasks.do("approve_wave")
    tasks.run.clear("approve_wave")
    with pytest.raises(NotApprovedError, match="its task is not started now, so the stored approval is an earlier"):
        tasks.do("start_migrations")
    tasks.run.states["approve_wave"] = "success"
    with pytest.raises(NotApprovedError, match=r"were cleared after it was answered.*Clear approve_wave"):
        tasks.do("start_migrations")
    assert starts(site_pair) == []
    tasks.do("approve_wave", "start_migrations")
    assert len(starts(site_pair)) == 1


def test_a_step_that_is_cleared_alone_goes_on_by_the_approval_it_had(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("approve_wave", "start_migrations")
    tasks.run.clear("start_migrations")
    assert tasks.do("start_migrations")["adopted"] is True
    assert len(starts(site_pair)) == 1


def test_an_old_approval_put_back_after_a_rejection(dated: WaveTasks, site_pair: Any) -> None:
    """Somebody may write XComs and mark tasks: what stands between is the try that only Airflow knows."""
    run, key = dated.run, ("approve_wave", "decision")
    dated.do("approve_wave", "start_migrations")
    kept = run.xcoms[key]
    mark = site_pair.mark()
    run.clear("approve_wave", "start_migrations")
    with pytest.raises(RejectedError):
        run.answer(dated.make("approve_wave"), "Reject")
    run.xcoms[key] = kept
    for state in ("failed", "success"):
        run.states["approve_wave"] = state
        with pytest.raises(NotApprovedError, match="it is from an earlier try of the task: somebody has put it back"):
            dated.do("start_migrations")
    assert site_pair.calls(after=mark) == []


def test_without_a_logical_date_an_unused_approval_put_back_is_void(tasks: WaveTasks, site_pair: Any) -> None:
    key = ("approve_wave", "decision")
    tasks.do("approve_wave")
    kept = tasks.run.xcoms[key]
    tasks.run.clear("approve_wave")
    with pytest.raises(RejectedError):
        tasks.run.answer(tasks.make("approve_wave"), "Reject")
    tasks.run.xcoms[key], tasks.run.states["approve_wave"] = kept, "success"
    with pytest.raises(NotApprovedError, match="it is from an earlier try of the task: somebody has put it back"):
        tasks.do("start_migrations")
    assert starts(site_pair) == []


def test_another_run_of_the_same_date_says_nothing(
    dated: WaveTasks, monkeypatch: pytest.MonkeyPatch, site_pair: Any
) -> None:
    """Its try 9 would void an approval of try 1, as the same answer about this run does."""
    told = SimpleNamespace(run_id="manual__other", state="success", try_number=9, start_date=LONG_AGO)
    asked: list[str] = []

    def answer(question: Any) -> Any:
        asked.append(question.task_id)
        return SimpleNamespace(task_instance=told)

    monkeypatch.setattr(airflow_private, "ask_supervisor", answer)
    dated.do("approve_wave", "start_migrations")
    assert "approve_wave" in asked
    assert len(starts(site_pair)) == 1
    told.run_id = dated.run.run_id
    with pytest.raises(NotApprovedError, match=r"from its try 1, .* since \(try 9\)"):
        dated.do("start_migrations")


@pytest.mark.world(mode="scaled", speed=600.0)
def test_a_clear_elsewhere_does_not_break_an_outage_off(tasks: WaveTasks, site_pair: Any) -> None:
    """Once the gateway is off by an approval, the unextend goes on by it whatever is cleared meanwhile."""
    tasks.run.params = {"poll_interval_seconds": 1}
    tasks.do("approve_wave", "start_migrations", "await_migrations", "evaluate_migrations", "verify_virtual_machines")
    tasks.do("prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    tasks.run.clear("cutover_other.prove_segment_empty")
    tasks.do("unextend_network", "await_unextended", "verify_destination_routed")
    assert site_pair.oracle()["segments"]["seed-net"]["two_gateways"] == []


def test_a_step_that_acts_again_needs_another_approval(tasks: WaveTasks, site_pair: Any) -> None:
    """The approval was used: what was started by it is adopted, and once that is gone nothing is started again."""
    tasks.do("approve_wave", "start_migrations", "cancel_migrations")
    tasks.run.clear("start_migrations")
    assert tasks.do("start_migrations")["adopted"] is True
    site_pair.run(mobility_of(site_pair.world).store.groups.clear)
    with pytest.raises(NotApprovedError, match="start_migrations was cleared after the approval was used"):
        tasks.do("start_migrations")
    assert len(starts(site_pair)) == 1
