"""Triggers: a stored wire format, one query a poll, an outcome whatever happens, and a kill that cancels nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_airflow.sensors.migration import AwaitMigrationsSensor
from hcx_airflow.sensors.unextend import AwaitUnextendedSensor
from hcx_airflow.triggers.migration import MigrationStatusTrigger
from hcx_airflow.triggers.polling import GAVE_UP_AFTER, Poller, Watch
from hcx_airflow.triggers.unextend import UnextendTrigger
from hcx_waves.clients.errors import AuthenticationFailed, ConnectionFailed
from hcx_waves.run.results import Ended, WaitResult
from support.airflow_tasks import AirflowRun, set_connections
from support.airflow_tasks import fire_with_started as fire
from support.waiting import wait_until
from support.wave_tasks import WaveTasks

QUERY = "migrations.query"


@pytest.fixture
def started(airflow_run: AirflowRun) -> dict[str, Any]:
    """What ``start_migrations`` has left."""
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan", "approve_wave")
    return dict(tasks.do("start_migrations"))


def test_the_wire_format_is_what_deferred_tasks_have_stored() -> None:
    migration = MigrationStatusTrigger(started={"vms": []}, rehearsal=True, until_ended="web01", ends_task=False)
    assert migration.serialize() == (
        "hcx_airflow.triggers.migration.MigrationStatusTrigger",
        {
            "started": {"vms": []},
            "rehearsal": True,
            "until_seeded": False,
            "until_ended": "web01",
            "ends_task": False,
        },
    )
    assert UnextendTrigger(started="{}").serialize() == (
        "hcx_airflow.triggers.unextend.UnextendTrigger",
        {"started": "{}", "rehearsal": False, "ends_task": True},
    )
    assert [ended.value for ended in Ended] == ["terminal", "stuck", "deadline", "error", "nothing", "stalled"]


@pytest.mark.parametrize(("sensor", "kwargs"), [(AwaitMigrationsSensor, {}), (AwaitUnextendedSensor, {"segment": "a"})])
def test_sensors_go_straight_to_the_triggerer(sensor: Any, kwargs: dict[str, Any]) -> None:
    task = sensor(task_id="cutover_a.await", wave_id="seed-wave", **kwargs)
    assert task.start_from_trigger is True
    arguments = task.start_trigger_args
    assert arguments.next_method == "execute_complete"
    assert arguments.timeout is not None
    template = arguments.trigger_kwargs["started"]
    # T10: without map_indexes the triggerer cannot read it and the task waits for ever.
    assert template.startswith("{{ ti.xcom_pull(task_ids='cutover_a.")
    assert "map_indexes=-1) | tojson }}" in template
    assert "started" in task.template_fields
    module, _, name = arguments.trigger_cls.rpartition(".")
    trigger = getattr(__import__(module, fromlist=[name]), name)(**arguments.trigger_kwargs)
    assert trigger.started == template
    assert trigger.ends_task is True


def test_it_ends_the_task_with_an_outcome(started: dict[str, Any], site_pair: Any) -> None:
    site_pair.run_until_idle()
    mark = site_pair.mark()
    # As the triggerer renders it: JSON text.
    outcome = fire(MigrationStatusTrigger(started=json.dumps(started)))
    assert (outcome["ended"], outcome["polls"], outcome["error"], outcome["notes"]) == ("terminal", 1, None, [])
    assert {vm["name"]: vm["phase"] for vm in outcome["status"]["vms"]} == dict.fromkeys(
        ["web01", "web02", "app01", "db01"], "done"
    )
    assert len(site_pair.calls(QUERY, after=mark)) == 1


def test_each_poll_is_one_query(started: dict[str, Any], site_pair: Any, in_thread: Any) -> None:
    started["poll_seconds"] = 0.01
    mark = site_pair.mark()
    ended = in_thread(fire, MigrationStatusTrigger(started=started))
    wait_until(lambda: len(site_pair.calls(QUERY, after=mark)) >= 3)
    site_pair.run_until_idle()
    outcome = ended()
    assert outcome["ended"] == "terminal"
    assert outcome["polls"] >= 3
    assert len(site_pair.calls(QUERY, after=mark)) == outcome["polls"]


def test_nothing_started_is_nothing_to_wait_for(site_pair: Any) -> None:
    mark = site_pair.mark()
    nothing = {"group_id": "", "group_name": "", "vms": [], "deadline": "2026-02-01T20:00:00Z"}
    for value in ("null", None, nothing):
        assert fire(MigrationStatusTrigger(started=value))["ended"] == "nothing"
    assert fire(UnextendTrigger(started="null"))["ended"] == "nothing"
    assert site_pair.calls(after=mark) == []


def test_a_wrong_password_is_an_outcome_that_names_the_connection(
    started: dict[str, Any], connections: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connections(monkeypatch, {"hcx_source": {**connections["hcx_source"], "password": "wrong-0815"}})
    outcome = fire(MigrationStatusTrigger(started=started))
    assert outcome["ended"] == "error"
    assert outcome["error"]["type"] == "AuthenticationFailed"
    assert 'connection "hcx_source": ' in outcome["error"]["message"]
    assert "wrong-0815" not in json.dumps(outcome)


def test_a_missing_connection_is_an_outcome(started: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    started["hcx_conn_id"] = "hcx_nowhere"
    outcome = fire(MigrationStatusTrigger(started=started))
    assert outcome["ended"] == "error"
    assert "hcx_nowhere" in outcome["error"]["message"]


def test_arguments_hold_no_secrets(started: dict[str, Any], connections: Any) -> None:
    stored = json.dumps(MigrationStatusTrigger(started=started).serialize())
    assert not [one for one in connections.values() if one["password"] in stored]


def test_a_kill_cancels_nothing(started: dict[str, Any], site_pair: Any) -> None:
    """A clear kills the old trigger after the new try has begun (T: on_kill)."""
    mark = site_pair.mark()
    asyncio.run(MigrationStatusTrigger(started=started).on_kill())
    asyncio.run(MigrationStatusTrigger(started=started).cleanup())
    assert site_pair.calls(after=mark) == []


class Scripted(Watch):
    """Raises or returns what it is told, look by look."""

    def __init__(self, *looks: Any) -> None:
        super().__init__(conn_ids={"hcx": "hcx_source"})
        self.looks = list(looks)

    def look(self) -> Ended | None:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look

    def result(self, **why: Any) -> WaitResult:
        return WaitResult(**why)


LATER = datetime.now(UTC) + timedelta(hours=1)


def poll(*looks: Any, deadline: datetime = LATER) -> dict[str, Any]:
    poller = Poller(Scripted(*looks), deadline, 0.0)
    while True:
        found = poller.step()
        if found is not None:
            return found.model_dump(mode="json")


def test_what_may_pass_is_sat_out() -> None:
    down = ConnectionFailed("down", system="hcx")
    outcome = poll(down, down, None, down, Ended.TERMINAL)
    assert (outcome["ended"], outcome["polls"]) == ("terminal", 5)
    assert len(outcome["notes"]) == 1
    assert 'connection "hcx_source": down' in outcome["notes"][0]


def test_a_note_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = Scripted(Ended.TERMINAL)
    for _ in range(3):
        watch.say('HCX reports "FLOATING" of web01, which is not known', "another")
    said = [record.getMessage() for record in caplog.records if "FLOATING" in record.getMessage()]
    assert said == ['HCX reports "FLOATING" of web01, which is not known']


def test_what_lasts_is_an_error() -> None:
    outcome = poll(ConnectionFailed("down", system="hcx"))
    assert (outcome["ended"], outcome["polls"]) == ("error", GAVE_UP_AFTER)
    assert outcome["error"]["type"] == "ConnectionFailed"


def test_what_does_not_pass_is_an_error_at_once() -> None:
    outcome = poll(AuthenticationFailed("no", system="hcx"))
    assert (outcome["ended"], outcome["polls"]) == ("error", 1)


def test_a_deadline_in_the_past_still_looks_once() -> None:
    assert poll(None, deadline=datetime(2000, 1, 1, tzinfo=UTC))["ended"] == "deadline"
    assert poll(Ended.TERMINAL, deadline=datetime(2000, 1, 1, tzinfo=UTC))["ended"] == "terminal"


@pytest.mark.world(mode="scaled", speed=600.0)
def test_the_sensor_also_pokes(airflow_run: AirflowRun, site_pair: Any) -> None:
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan", "approve_wave", "start_migrations")
    sensor = tasks.make("await_migrations", deferrable=False, poke_interval=0.3, mode="poke")
    assert sensor.start_from_trigger is False
    outcome = airflow_run.execute(sensor)
    assert outcome["ended"] == "terminal"
    assert outcome["polls"] > 1
    assert airflow_run.xcoms["await_migrations", "return_value"]["ended"] == "terminal"
