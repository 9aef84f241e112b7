"""Triggers of rehearsals: whose world, what if there is none, and whose place it is when one is cancelled."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hcx_airflow.triggers.base import OutcomeTrigger
from hcx_airflow.triggers.migration import MigrationStatusTrigger, MigrationWatch
from hcx_airflow.triggers.unextend import connections_of
from hcx_waves.twin.control import TwinControl
from hcx_waves.twin.names import world_id_of
from support.airflow_tasks import sealed_as, set_connections
from support.site_pair import SitePair
from support.twins import twin_control, twin_documents
from support.waiting import HANG_SECONDS, wait_until

RUN_ID, TASK = "backfill__2026-10-24", "await_migrations"
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)


@pytest.fixture
def twin(site_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitePair]:
    set_connections(monkeypatch, twin_documents(site_server))
    pair = site_server.make_world(
        world_id=world_id_of("seed-wave", RUN_ID), mode="stepped", role="twin", guarded=True, start=NOON
    )
    with twin_control(pair) as control:
        control.annotate(pair.world_id, "upstream", {TASK: []})
    yield pair
    site_server.drop(pair)


@pytest.fixture(autouse=True)
def _hcx_may_still_list_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No manager here knows the migration, and waiting for it ends at the second look; these tests are about time."""
    monkeypatch.setattr(MigrationWatch, "_is_stuck", lambda *_: False)
    monkeypatch.setattr(MigrationWatch, "_is_stalled", lambda *_: False)


def started(**changes: Any) -> dict[str, Any]:
    vm = {"name": "web01", "vm_id": "vm-1", "group_id": "g", "migration_id": "00000000-0000-0000-0000-000000000000"}
    return {
        "group_id": "g", "group_name": "g", "vms": [vm], "adopted": False, "earlier_groups": [], "warnings": [],
        "hcx_conn_id": "hcx_source", "poll_seconds": 60, "deadline": (NOON + timedelta(hours=1)).isoformat(), **changes,
    }  # fmt: skip


def at_task(trigger: Any, dag_id: str = "rehearsal__seed-wave", state: str = "deferred") -> Any:
    path, kwargs = trigger.serialize()
    module, _, name = path.rpartition(".")
    again = getattr(__import__(module, fromlist=[name]), name)(**json.loads(json.dumps(kwargs)))
    ids: dict[str, Any] = {"dag_id": dag_id, "run_id": RUN_ID, "try_number": 1}
    ids["context_carrier"] = {"traceparent": f"00-{'ab' * 16}-00f067aa0ba902b7-00"}
    again.task_instance = SimpleNamespace(
        id="ti-1", task_id=TASK, get_task_states=lambda **_one: {RUN_ID: {TASK: state}}, **ids
    )
    if again.ends_task:
        starter = SimpleNamespace(id="ti-2", task_id="start_migrations", **ids)
        again.started = sealed_as(starter, again.started, rehearsal=again.rehearsal)
    return again


async def outcome_of(trigger: OutcomeTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        xcoms = getattr(event, "xcoms", None)
        return dict(xcoms["return_value"] if xcoms else event.payload)
    raise AssertionError("the trigger ended without an event")


def test_it_waits_by_the_worlds_time_until_the_deadline(twin: SitePair) -> None:
    outcome = asyncio.run(outcome_of(at_task(MigrationStatusTrigger(started=started(), rehearsal=True))))
    assert (outcome["ended"], outcome["error"]) == ("deadline", None)
    assert datetime.fromisoformat(outcome["at"]) == NOON + timedelta(hours=1)
    assert outcome["polls"] == 61
    assert twin.now == NOON + timedelta(hours=1)
    assert twin.run(lambda: twin.world.waiters.registered) == []


@pytest.mark.parametrize(
    ("dag_id", "kind", "words"),
    [
        ("rehearsal__other-wave", "NotFound", "Clear the rehearsal from open_twin on"),
        ("seed-wave", "ClientError", "seed-wave is not a rehearsal DAG, so it has no twin"),
    ],
)
def test_a_run_without_a_world_ends_with_the_reason(twin: SitePair, dag_id: str, kind: str, words: str) -> None:
    trigger = at_task(MigrationStatusTrigger(started=started(), rehearsal=True), dag_id)
    outcome = asyncio.run(outcome_of(trigger))
    assert (outcome["ended"], outcome["error"]["type"]) == ("error", kind)
    assert words in outcome["error"]["message"] + str(outcome["error"].get("hint"))
    assert twin.calls() == []


def test_a_world_that_is_no_twin_is_refused(site_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_connections(monkeypatch, twin_documents(site_server))
    site = site_server.make_world(world_id=world_id_of("seed-wave", RUN_ID), mode="paused", role="site")
    outcome = asyncio.run(outcome_of(at_task(MigrationStatusTrigger(started=started(), rehearsal=True))))
    assert "is not a twin for rehearsals: role site, clock paused, not guarded" in outcome["error"]["message"]
    assert site.calls() == []
    site_server.drop(site)


def test_whatever_was_left_only_twins_are_reached(twin: SitePair) -> None:
    left: Any = SimpleNamespace(hcx_conn_id="hcx_source", nsx_conn_id="vmc_destination")
    assert connections_of(left, rehearsal=True) == ("twin_hcx_source", "twin_vmc_destination")
    live = at_task(MigrationStatusTrigger(started=started(hcx_conn_id="twin_hcx_source")), "seed-wave")
    outcome = asyncio.run(outcome_of(live))
    assert "is a twin; live waves never work on twins" in outcome["error"]["message"]
    assert twin.calls() == []


def test_a_rehearsal_needs_none_of_the_threads_that_live_runs_poll_in(twin: SitePair) -> None:
    busy = threading.Event()

    async def main() -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        held = loop.run_in_executor(None, busy.wait, HANG_SECONDS)
        try:
            trigger = at_task(MigrationStatusTrigger(started=started(), rehearsal=True))
            return await asyncio.wait_for(outcome_of(trigger), HANG_SECONDS)
        finally:
            busy.set()
            await held

    assert asyncio.run(main())["ended"] == "deadline"


def test_a_cancelled_trigger_leaves_its_place_to_the_one_that_takes_over(twin: SitePair) -> None:
    """As when the triggerer ends, and another one goes on with the task."""

    async def main() -> dict[str, Any]:
        held = at_task(MigrationStatusTrigger(started=started(), rehearsal=True), state="queued")
        first = asyncio.create_task(outcome_of(held))
        await asyncio.to_thread(wait_until, lambda: twin.run(lambda: twin.world.waiters.registered))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        registered = await asyncio.to_thread(lambda: twin.run(lambda: twin.world.waiters.registered))
        assert registered == [TASK]
        again = at_task(MigrationStatusTrigger(started=started(), rehearsal=True))
        return await outcome_of(again)

    outcome = asyncio.run(main())
    assert (outcome["ended"], outcome["polls"]) == ("deadline", 61)


def test_one_that_is_cancelled_between_two_looks_does_not_fight_for_its_place(
    twin: SitePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time stands, as somebody else of the run does not wait; so the wait would last for long."""
    look, looked = MigrationWatch.look, threading.Event()

    def first_look(self: MigrationWatch) -> Any:
        if not looked.is_set():
            twin.run(lambda: twin.world.waiters.register("somebody else"))
            looked.set()
        return look(self)

    joined: list[str] = []
    register = TwinControl.register

    def joining(self: TwinControl, world_id: str, name: str) -> Any:
        joined.append(name)
        return register(self, world_id, name)

    monkeypatch.setattr(MigrationWatch, "look", first_look)
    monkeypatch.setattr(TwinControl, "register", joining)

    async def main() -> dict[str, Any]:
        first = asyncio.create_task(outcome_of(at_task(MigrationStatusTrigger(started=started(), rehearsal=True))))
        assert await asyncio.to_thread(looked.wait, HANG_SECONDS)
        await asyncio.to_thread(wait_until, lambda: twin.run(lambda: twin.world.waiters.waiting))
        first.cancel()
        second = asyncio.create_task(outcome_of(at_task(MigrationStatusTrigger(started=started(), rehearsal=True))))
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(first, HANG_SECONDS)
        await asyncio.to_thread(lambda: twin.run(lambda: twin.world.waiters.unregister("somebody else")))
        return await second

    outcome = asyncio.run(main())
    assert (outcome["ended"], outcome["error"]) == ("deadline", None)
    assert joined == [TASK, TASK]


def test_a_step_that_goes_on_afterwards_keeps_its_place(twin: SitePair) -> None:
    trigger = MigrationStatusTrigger(started=started(), rehearsal=True, ends_task=False)
    assert asyncio.run(outcome_of(at_task(trigger)))["ended"] == "deadline"
    assert twin.run(lambda: twin.world.waiters.registered) == [TASK]
