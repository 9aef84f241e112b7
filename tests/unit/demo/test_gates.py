"""Answers to gates: held back until the gate has been parked for 3 s, sent once, refusals told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hcx_demo.airflow_api import AirflowApi, AirflowApiError, PendingGate
from hcx_demo.wave.gates import APPROVE, REJECT, GateKeeper
from support.scripted_server import Answer, ScriptedServer, running_server

GATE = PendingGate("seed-wave", "run 1", "approve_wave", -1, "Approve?", "| VM |", (APPROVE, REJECT), {}, ("carol",))
PATH = "/api/v2/dags/seed-wave/dagRuns/run%201/taskInstances/approve_wave/-1/hitlDetails"


@dataclass
class Clock:
    """Monotonic seconds that a test moves."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def airflow() -> Iterator[ScriptedServer]:
    """An Airflow that lets everybody in and accepts every answer."""
    with running_server() as server:
        server.on("POST", "/auth/token", Answer(201, {"access_token": "jwt"}))
        server.on("PATCH", PATH, Answer(200, {}))
        yield server


@pytest.fixture
def clock() -> Clock:
    """The keeper's clock."""
    return Clock()


def keeper_of(airflow: ScriptedServer, clock: Clock, *, automatic: bool) -> GateKeeper:
    """A gate keeper of the demo approver."""
    api = AirflowApi(airflow.url, "demo-approver", "secret")
    return GateKeeper(api, "CHG1", automatic=automatic, clock=clock)


def test_an_automatic_answer_waits_until_the_gate_has_been_parked_for_three_seconds(
    airflow: ScriptedServer, clock: Clock
) -> None:
    keeper = keeper_of(airflow, clock, automatic=True)
    assert keeper.tend([GATE]) == ()
    clock.seconds += 2.9
    assert keeper.tend([GATE]) == ()
    assert airflow.asked("PATCH") == []
    clock.seconds += 0.1
    assert keeper.tend([GATE]) == ("Approve?: approved by demo-approver",)
    [sent] = airflow.asked("PATCH")
    assert sent.path == PATH
    assert sent.body == {"chosen_options": ["Approve"], "params_input": {"change_reference": "CHG1"}}
    assert sent.headers["authorization"] == "Bearer jwt"


def test_an_answer_is_sent_once(airflow: ScriptedServer, clock: Clock) -> None:
    keeper = keeper_of(airflow, clock, automatic=True)
    keeper.tend([GATE])
    clock.seconds += 3
    keeper.tend([GATE])
    # Airflow may list the gate once more before it has booked the answer.
    assert keeper.tend([GATE]) == ()
    assert len(airflow.asked("PATCH")) == 1


def test_without_automation_nothing_is_answered_until_somebody_chooses(airflow: ScriptedServer, clock: Clock) -> None:
    keeper = keeper_of(airflow, clock, automatic=False)
    keeper.tend([GATE])
    clock.seconds += 60
    assert keeper.tend([GATE]) == ()
    assert keeper.open_gates([GATE]) == (GATE,)
    keeper.choose(GATE, REJECT)
    assert keeper.open_gates([GATE]) == ()
    assert keeper.tend([GATE]) == ("Approve?: rejected by demo-approver",)
    assert airflow.asked("PATCH")[0].body["chosen_options"] == ["Reject"]
    assert airflow.asked("PATCH")[0].body["params_input"]["reason"] == "rejected at the terminal of the demo"


def test_the_first_key_counts(airflow: ScriptedServer, clock: Clock) -> None:
    keeper = keeper_of(airflow, clock, automatic=False)
    keeper.tend([GATE])
    keeper.choose(GATE, REJECT)
    keeper.choose(GATE, APPROVE)
    clock.seconds += 3
    keeper.tend([GATE])
    assert airflow.asked("PATCH")[0].body["chosen_options"] == ["Reject"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (409, "Approve?: another user has answered already"),
        (403, "Approve?: demo-approver is not allowed to answer, carol is; answer it in the UI"),
    ],
)
def test_a_usual_refusal_is_told_and_not_repeated(
    airflow: ScriptedServer, clock: Clock, status: int, told: str
) -> None:
    airflow.on("PATCH", PATH, Answer(status, {"detail": "no"}))
    keeper = keeper_of(airflow, clock, automatic=True)
    keeper.tend([GATE])
    clock.seconds += 3
    assert keeper.tend([GATE]) == (told,)
    assert keeper.tend([GATE]) == ()


def test_any_other_refusal_is_an_error(airflow: ScriptedServer, clock: Clock) -> None:
    airflow.on("PATCH", PATH, Answer(400, {"detail": "no such option"}))
    keeper = keeper_of(airflow, clock, automatic=True)
    keeper.tend([GATE])
    clock.seconds += 3
    with pytest.raises(AirflowApiError, match=r"answered PATCH /dags/seed-wave/.* with 400: no such option"):
        keeper.tend([GATE])
