"""The client of Airflow's REST API, against a scripted server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hcx_demo.airflow_api import AirflowApi, AirflowApiError
from hcx_demo.errors import DemoError
from hcx_demo.stack.airflow_server import StartReport
from support.scripted_server import RESET, Answer, ScriptedServer, running_server

RUN = "/api/v2/dags/seed-wave/dagRuns/manual__2026-11-23T04%3A42%3A42%2B00%3A00"
RUN_ID = "manual__2026-11-23T04:42:42+00:00"
HEALTHY = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")}


@pytest.fixture
def airflow() -> Iterator[ScriptedServer]:
    """An Airflow that lets everybody in."""
    with running_server() as server:
        server.on("POST", "/auth/token", Answer(201, {"access_token": "jwt-1"}))
        yield server


@pytest.fixture
def api(airflow: ScriptedServer) -> Iterator[AirflowApi]:
    """A client of it."""
    client = AirflowApi(airflow.url, "admin", "hunter2")
    yield client
    client.close()


def test_one_token_serves_many_calls(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("PATCH", "/api/v2/dags/seed-wave", Answer(200, {}))
    api.unpause("seed-wave")
    api.unpause("seed-wave")
    assert [one.body for one in airflow.asked("POST")] == [{"username": "admin", "password": "hunter2"}]
    assert [one.body for one in airflow.asked("PATCH")] == [{"is_paused": False}] * 2


def test_a_refused_token_is_renewed_once(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("POST", "/auth/token", Answer(201, {"access_token": "old"}), Answer(201, {"access_token": "new"}))
    airflow.on("GET", RUN, Answer(401, {"detail": "expired"}), Answer(200, {"state": "running"}))
    assert api.run("seed-wave", RUN_ID)["state"] == "running"
    assert [one.headers["authorization"] for one in airflow.asked("GET")] == ["Bearer old", "Bearer new"]


def test_a_wrong_password_is_an_error_without_the_password(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("POST", "/auth/token", Answer(401, {"detail": "Invalid credentials"}))
    with pytest.raises(AirflowApiError) as caught:
        api.runs("seed-wave")
    assert str(caught.value) == "Airflow answered POST /auth/token with 401: Invalid credentials"
    assert "hunter2" not in repr(api)


def test_a_run_is_triggered_without_a_logical_date(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("POST", "/api/v2/dags/seed-wave/dagRuns", Answer(200, {"dag_run_id": RUN_ID}))
    assert api.trigger("seed-wave", {"notes": "x"}, "by the demo") == RUN_ID
    sent = airflow.asked("POST", "/api/v2/dags/seed-wave/dagRuns")[0].body
    assert sent == {"logical_date": None, "conf": {"notes": "x"}, "note": "by the demo"}


def test_a_run_is_ended_before_it_is_forgotten(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("PATCH", RUN, Answer(200, {}))
    airflow.on("DELETE", RUN, Answer(204))
    api.discard("seed-wave", RUN_ID)
    assert [(one.method, one.text) for one in airflow.received[1:]] == [
        ("PATCH", '{"state": "failed"}'),
        ("DELETE", ""),
    ]


def test_teardowns_do_not_keep_a_run_from_being_forgotten(
    airflow: ScriptedServer, api: AirflowApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hcx_demo.airflow_api._PAUSE_SECONDS", 0.0)
    airflow.on("PATCH", RUN, Answer(200, {}), Answer(200, {}))
    airflow.on("DELETE", RUN, Answer(409, {"detail": "cannot be deleted in running state"}), Answer(204))
    api.discard("seed-wave", RUN_ID)
    assert [one.method for one in airflow.received[1:]] == ["PATCH", "DELETE", "PATCH", "DELETE"]


def test_tasks_carry_state_and_instants(airflow: ScriptedServer, api: AirflowApi) -> None:
    items = [
        {"task_id": "resolve_plan", "map_index": -1, "state": "success", "try_number": 1,
         "start_date": "2026-11-23T04:42:43Z", "end_date": "2026-11-23T04:42:48Z"},
        {"task_id": "write_report", "map_index": -1, "state": None, "try_number": 0,
         "start_date": None, "end_date": None},
    ]  # fmt: skip
    airflow.on("GET", f"{RUN}/taskInstances", Answer(200, {"task_instances": items}))
    done, ahead = api.tasks("seed-wave", RUN_ID)
    assert (done.state, done.began_at) == ("success", datetime(2026, 11, 23, 4, 42, 43, tzinfo=UTC))
    assert (ahead.state, ahead.began_at, ahead.ended_at) == (None, None, None)


def test_pending_gates_are_those_of_the_run(airflow: ScriptedServer, api: AirflowApi) -> None:
    item = {
        "task_instance": {"dag_id": "seed-wave", "dag_run_id": RUN_ID, "task_id": "approve_wave", "map_index": -1},
        "subject": "Approve?",
        "body": "| VM |",
        "options": ["Approve", "Reject"],
        "params": {"change_reference": {"value": ""}},
        "assigned_users": [{"id": "7", "name": "carol"}],
    }
    airflow.on("GET", f"{RUN}/hitlDetails", Answer(200, {"hitl_details": [item]}))
    [gate] = api.pending_gates("seed-wave", RUN_ID)
    assert (gate.task_id, gate.options, gate.assigned_users) == ("approve_wave", ("Approve", "Reject"), ("carol",))
    assert airflow.asked("GET")[0].query["response_received"] == "false"


def test_a_missing_xcom_is_none(airflow: ScriptedServer, api: AirflowApi) -> None:
    assert api.xcom("seed-wave", RUN_ID, "write_report") is None
    path = f"{RUN}/taskInstances/write_report/xcomEntries/return_value"
    airflow.on("GET", path, Answer(200, {"value": {"json": "/r.json"}}))
    assert api.xcom("seed-wave", RUN_ID, "write_report") == {"json": "/r.json"}


def test_a_log_is_text(airflow: ScriptedServer, api: AirflowApi) -> None:
    path = f"{RUN}/taskInstances/resolve_plan/logs/1"
    airflow.on("GET", path, Answer(200, {"content": [{"event": "one"}, {"event": "two"}]}))
    assert api.log("seed-wave", RUN_ID, "resolve_plan", 1) == "one\ntwo"


@pytest.mark.parametrize("sick", ["metadatabase", "scheduler", "triggerer", "dag_processor"])
def test_airflow_is_healthy_when_every_component_is(airflow: ScriptedServer, api: AirflowApi, sick: str) -> None:
    airflow.on("GET", "/api/v2/monitor/health", Answer(200, {**HEALTHY, sick: {"status": None}}), Answer(200, HEALTHY))
    assert api.is_healthy() is False
    assert api.is_healthy() is True


def test_a_dead_airflow_is_not_healthy_and_says_so(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("GET", "/api/v2/monitor/health", RESET)
    assert api.is_healthy() is False
    airflow.on("POST", "/auth/token", RESET)
    with pytest.raises(DemoError, match=r"^Airflow does not answer POST http://.*/auth/token: ConnectionError$"):
        api.import_errors()


def test_a_dag_is_known_unless_missing_or_stale(airflow: ScriptedServer, api: AirflowApi) -> None:
    assert api.has_dag("seed-wave") is False
    stale, fresh = Answer(200, {"is_stale": True}), Answer(200, {"is_stale": False})
    airflow.on("GET", "/api/v2/dags/seed-wave", stale, fresh, Answer(500, {"detail": "broken"}))
    assert api.has_dag("seed-wave") is False
    assert api.has_dag("seed-wave") is True
    with pytest.raises(AirflowApiError, match="500: broken"):
        api.has_dag("seed-wave")


def test_somebody_elses_airflow_does_not_know_us(airflow: ScriptedServer, api: AirflowApi) -> None:
    refusal, grant = Answer(401, {"detail": "Invalid credentials"}), Answer(201, {"access_token": "jwt"})
    airflow.on("POST", "/auth/token", refusal, grant)
    assert api.accepts_login() is False
    assert api.accepts_login() is True


def test_an_airflow_in_trouble_is_not_taken_for_somebody_elses(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("POST", "/auth/token", Answer(500, {"detail": "broken"}))
    with pytest.raises(AirflowApiError, match="answered POST /auth/token with 500: broken"):
        api.accepts_login()


def test_connections_are_stored_and_replace_older_ones(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("PATCH", "/api/v2/connections", Answer(200, {"create": {"success": ["hcx_source"], "errors": []}}))
    api.put_connections({"hcx_source": {"conn_type": "hcx", "host": "https://h", "extra": {"simulated": True}}})
    (asked,) = airflow.asked("PATCH", "/api/v2/connections")
    (action,) = asked.body["actions"]
    assert (action["action"], action["action_on_existence"]) == ("create", "overwrite")
    assert action["entities"] == [
        {"connection_id": "hcx_source", "conn_type": "hcx", "host": "https://h", "extra": '{"simulated": true}'}
    ]


def test_a_connection_that_was_not_stored_is_named(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("PATCH", "/api/v2/connections", Answer(200, {"create": {"success": [], "errors": [{"error": "no"}]}}))
    with pytest.raises(DemoError, match=r"Airflow has not stored the connections hcx_source.*no"):
        api.put_connections({"hcx_source": {"conn_type": "hcx", "password": "hunter2"}})


def test_what_is_not_ready_is_named(airflow: ScriptedServer, api: AirflowApi) -> None:
    airflow.on("GET", "/api/v2/monitor/health", Answer(503, {}), Answer(200, {**HEALTHY, "dag_processor": {}}))
    assert api.not_ready() == ("API server",)
    assert api.not_ready() == ("dag processor",)


def test_a_start_says_now_and_then_what_it_waits_for() -> None:
    said: list[str] = []
    seconds = iter([0.0, 0.2, 5.0, 12.0, 20.0])
    missing = iter([("API server",), ("API server",), ("scheduler", "triggerer"), ()])
    report = StartReport(lambda: next(missing), said.append, clock=lambda: next(seconds))
    assert [report.is_ready() for _ in range(4)] == [False, False, False, True]
    assert said == [
        "starting Airflow (usually one to three minutes): 0 s, waiting for API server",
        "starting Airflow: 12 s, waiting for scheduler, triggerer",
    ]
