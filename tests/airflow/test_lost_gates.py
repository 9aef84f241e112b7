"""A gate that Airflow loses asks the same again; a no that a person gave is a no whatever Airflow loses after it."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import TaskAwaitingInput

from hcx_airflow.errors import AnswerRefusedError, DriftedError, RejectedError, UnansweredError
from hcx_airflow.retries import AT_ONCE
from hcx_waves.clients.errors import ServiceUnavailable
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

GATES = ("approve_wave", "approve_switchover", "approve_cutover", "confirm_disconnected", "approve_cleanup")


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    """The tasks of the seed wave, which is planned."""
    made = WaveTasks(airflow_run)
    made.do("resolve_plan", "run_preflight")
    return made


@pytest.mark.parametrize("name", GATES)
def test_losses_are_tried_again_and_nothing_that_a_gate_raises(tasks: WaveTasks, name: str) -> None:
    gate = tasks.make(name)
    assert gate.retries >= 1, "what the scheduler sees of a lost task asks no policy"
    for error in (RejectedError("no"), UnansweredError("late"), DriftedError("other")):
        assert gate.retry_policy.evaluate(error, 1, gate.retries).action is RetryAction.FAIL
    assert gate.retry_policy.evaluate(ServiceUnavailable("busy"), 1, gate.retries).action is RetryAction.RETRY


@pytest.mark.parametrize("name", GATES)
def test_an_answer_that_does_not_count_ends_no_gate_however_often(tasks: WaveTasks, name: str) -> None:
    gate = tasks.make(name)
    for number in (1, 50, 5000):
        decision = gate.retry_policy.evaluate(AnswerRefusedError("who"), number, gate.retries)
        assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, AT_ONCE)


def test_it_asks_the_same_again_with_the_deadline_that_it_had(tasks: WaveTasks) -> None:
    gate = tasks.make("approve_wave", four_eyes=True)
    with pytest.raises(AnswerRefusedError, match="carol started the run, so another person must approve it"):
        tasks.run.answer(gate, "Approve", "carol")
    assert tasks.run.answer(gate, "Approve", "bob")["user_name"] == "bob"
    first, second = tasks.run.asked
    assert first["body"] == second["body"], "the deadline is a line of it"


def test_a_lost_gate_asks_the_same_again(tasks: WaveTasks, site_pair: Any) -> None:
    run, asked = tasks.run, tasks.run.asked
    for _ in range(2):
        with pytest.raises(TaskAwaitingInput):
            run.execute_once(tasks.make("approve_wave"))
    assert len(asked) == 2
    assert asked[0]["body"] == asked[1]["body"]
    tasks.do("approve_wave", "start_migrations")
    assert len(site_pair.calls("mobility.groups.start")) == 1


@pytest.mark.parametrize("how", ["rejected", "not answered"])
def test_a_no_that_was_recorded_before_the_loss_stays_a_no(tasks: WaveTasks, how: str) -> None:
    run, asked = tasks.run, tasks.run.asked
    gate = tasks.make("approve_wave")
    answer = (
        (lambda: run.answer(gate, "Reject", reason="not tonight"))
        if how == "rejected"
        else (lambda: run.time_out(gate))
    )
    with pytest.raises((RejectedError, UnansweredError)):
        answer()
    questions = len(asked)
    with pytest.raises(RejectedError, match=f"approve_wave was {how} .*Start a new run"):
        run.execute_once(tasks.make("approve_wave"))
    assert len(asked) == questions, "nobody is asked again"

    run.clear("approve_wave")
    tasks.do("approve_wave", "start_migrations")
    assert len(asked) == questions + 1


def test_a_gate_that_would_ask_about_something_else_after_a_loss_fails(tasks: WaveTasks) -> None:
    run = tasks.run
    with pytest.raises(TaskAwaitingInput):
        run.execute_once(tasks.make("approve_wave"))
    run.params = {"vms": ["web01"]}
    with pytest.raises(DriftedError, match="different plan or text"):
        run.execute_once(tasks.make("approve_wave"))
