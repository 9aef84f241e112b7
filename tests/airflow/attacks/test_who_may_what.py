"""The table of ADR 13, as far as the threat model rests on it: what Airflow lets which user do by REST."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from hcx_demo.airflow_api import AirflowApiError
from support.attack_stack import CLERK, OUTSIDER, STARTER, VIEWER, AuthManager
from support.attackers import AttackedRun
from support.siege import Siege

pytestmark = [pytest.mark.attacks, pytest.mark.timeout(1800)]
WAVE, GATE = "moved-wave", "approve_wave"


@pytest.fixture
def run(siege: Siege) -> AttackedRun:
    """A run that waits at its first gate."""
    started = siege.start_as(siege.user(STARTER), WAVE)
    siege.parked(WAVE, started.run_id, GATE)
    return started


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        (VIEWER, {"xcom", "state store", "mark", "clear", "end", "delete", "make again"}),
        (CLERK, set()),
        (OUTSIDER, set()),
    ],
)
def test_what_a_user_may_do_to_the_run_of_another(siege: Siege, run: AttackedRun, name: str, refused: set[str]) -> None:
    user = siege.user(name)
    mine = user.run(run.dag_id, run.run_id)
    mine.write_xcom("resolve_plan", {"forged": True})
    mine.write_xcom("start_migrations", {"forged": True}, "started")
    mine.write_state(GATE, "shown", {"forged": True})
    mine.mark("write_report", "success")
    mine.clear("write_report")
    mine.make_again()
    if name == CLERK and siege.stack.auth_manager is AuthManager.FAB:
        refused = {"xcom"}
    assert {what for what, status in user.statuses if status == 403} == refused
    assert {status for what, status in user.statuses if what in refused} <= {403}
    assert {status for what, status in user.statuses if what not in refused} <= {200, 409}


@pytest.mark.parametrize("path", ["/execution/variables/x", "/execution/connections/hcx_source"])
def test_the_token_of_a_user_is_none_of_a_task(siege: Siege, path: str) -> None:
    api = siege.user(OUTSIDER).api
    api.accepts_login()
    reply = api._send("GET", f"{api.base_url}{path}", None, {"Authorization": f"Bearer {api._bearer()}"})
    assert reply.status_code == 403


def test_an_answer_of_somebody_else_ends_no_gate(siege: Siege, run: AttackedRun) -> None:
    """With FAB Airflow takes the answer of any user; the gate then asks again."""
    outsider = siege.stack.client(OUTSIDER)
    refused_by_airflow = siege.stack.auth_manager is AuthManager.SIMPLE
    for _ in range(2):
        gate = siege.parked(WAVE, run.run_id, GATE)
        with pytest.raises(AirflowApiError, match="403") if refused_by_airflow else nullcontext():
            outsider.answer(gate, "Approve", {"change_reference": "CHG0000001"})
    siege.approve(run, GATE)
    assert siege.ended(run, "start_migrations") == "success"
