"""``recover__<wave>`` for VMs: retry, release and hold, and what the simulator saw of it."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from hcx_airflow.errors import AnswerRefusedError, IncompleteError
from hcx_sim.world.model import Snapshot
from support.airflow_tasks import AirflowRun
from support.recovering import Recovering
from support.wave_tasks import UNTIL_VERIFIED, WaveTasks

WAVE = ("app01", "db01", "web01", "web02")
HELD = "\nswitchover_order: [db01, web02]\ngates: {approve_switchover: {approvers: [alice]}}\n"

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    return WaveTasks(airflow_run)


def starts(pair: Any, mark: int) -> list[Any]:
    return list(pair.calls("mobility.migrations.start", after=mark))


def arrived(pair: Any) -> list[str]:
    vms = pair.oracle()["vms"]
    return [name for name in WAVE if vms[name]["sites"][-1]["site"] == "destination"]


def fail_once(pair: Any, *names: str) -> None:
    for name in names:
        pair.fault(product="engine", call="migration.switchover", object=name, behaviour="fail", count=1)


@pytest.fixture
def failed(tasks: WaveTasks, site_pair: Any) -> WaveTasks:
    """Two VMs failed in their switchover; what one of them has left at the sites was not rolled back."""
    fail_once(site_pair, "web01", "app01")
    site_pair.fault(product="engine", call="migration.cleanup", object="web01", behaviour="fail", count=1)
    tasks.do(*UNTIL_VERIFIED[:5])
    assert arrived(site_pair) == ["db01", "web02"]
    return tasks


def test_failed_vms_are_started_again_and_the_waiting_run_follows_them(failed: WaveTasks, site_pair: Any) -> None:
    mark = site_pair.mark()
    recovery = Recovering(failed.run, action="retry")
    found = recovery.resolve()
    assert [one["subject"] for one in found["intents"]] == ["web01", "app01"]
    before = {vm["name"]: vm["migration_id"] for vm in failed.left("await_migrations")["status"]["vms"]}
    assert "start it again in mobility group" in recovery.approve()
    done = recovery.recover()
    assert [one["done"] for one in done["outcomes"]] == [True, True], done
    assert "left-overs of the old one were cleared by force first" in done["outcomes"][0]["text"]
    assert "cleared" not in done["outcomes"][1]["text"]
    assert [
        len(starts(site_pair, mark)),
        len(list(site_pair.calls("mobility.migrations.force_cancel", after=mark))),
    ] == [
        1,
        1,
    ]
    # The run that waits follows the new migrations, in the group that it has started.
    failed.run.clear("await_migrations")
    status = failed.do("await_migrations")["status"]
    assert {vm["phase"] for vm in status["vms"]} == {"done"}
    assert {vm["name"] for vm in status["vms"] if vm["migration_id"] != before[vm["name"]]} == {"web01", "app01"}
    assert arrived(site_pair) == ["app01", "db01", "web01", "web02"]
    assert failed.do("evaluate_migrations")["blocked_segments"] == {}


def test_what_has_arrived_or_is_under_way_is_not_started_again(failed: WaveTasks, site_pair: Any) -> None:
    Recovering(failed.run, action="retry", objects=["app01"]).all()
    mark = site_pair.mark()
    again = Recovering(failed.run, run_id="r2", action="retry", objects=["db01", "app01", "web01"])
    found = {one["subject"]: one for one in again.resolve()["intents"]}
    assert found["db01"]["needless"] == "it is at the destination"
    assert found["app01"]["needless"]
    assert found["web01"]["will"]
    assert starts(site_pair, mark) == []


def test_what_hcx_still_refuses_is_named_and_the_others_are_started(failed: WaveTasks, site_pair: Any) -> None:
    world, vm = site_pair.world, site_pair.vm("app01")
    taken = Snapshot("snapshot-9001", "nightly", "", world.now_us)
    recovery = Recovering(failed.run, action="retry")
    recovery.resolve()
    recovery.approve()
    site_pair.run(lambda: world.update(vm, snapshots=[taken]))
    with pytest.raises(IncompleteError, match=r"app01: has 1 snapshot"):
        recovery.recover()
    outcomes = {one["subject"]: one["done"] for one in recovery.left("recover")["outcomes"]}
    assert outcomes == {"web01": True, "app01": False}


@pytest.fixture
def seeded(tasks: WaveTasks) -> WaveTasks:
    """Every VM waits for its release."""
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text() + HELD)
    tasks.do("resolve_plan", "approve_wave", "start_migrations")
    tasks.run.execute(tasks.make("await_migrations", task_id="await_seeded", until_seeded=True))
    return tasks


def test_one_vm_is_released_ahead_of_the_order_by_those_who_may(seeded: WaveTasks, site_pair: Any) -> None:
    recovery = Recovering(seeded.run, action="release-switchovers", objects=["web01"])
    recovery.resolve()
    with pytest.raises(AnswerRefusedError, match="dave is not one of the approvers"):
        recovery.approve("dave")
    recovery.approve("alice")
    assert arrived(site_pair) == []
    assert recovery.recover()["outcomes"][0]["done"]
    site_pair.advance(7200)
    assert arrived(site_pair) == ["web01"]


def test_a_vm_whose_switchover_would_fail_is_not_released(seeded: WaveTasks, site_pair: Any) -> None:
    world, vm = site_pair.world, site_pair.vm("web01")
    taken = Snapshot("snapshot-9001", "nightly", "", world.now_us)
    site_pair.run(lambda: world.update(vm, snapshots=[taken]))
    with pytest.raises(IncompleteError, match=r"web01: not released, as its switchover would fail: has 1 snapshot"):
        Recovering(seeded.run, action="release-switchovers", objects=["web01", "web02"]).all()
    site_pair.advance(7200)
    assert arrived(site_pair) == ["web02"]


@pytest.mark.world(mode="scaled", speed=20.0)
def test_a_vm_is_held_until_it_is_released(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*UNTIL_VERIFIED[:4])
    assert Recovering(tasks.run, action="hold-switchovers", objects=["web01"]).all()["outcomes"][0]["done"]
    site_pair.advance(14400)
    assert arrived(site_pair) == ["app01", "db01", "web02"]
    Recovering(tasks.run, run_id="r2", action="release-switchovers", objects=["web01"]).all()
    site_pair.advance(7200)
    assert arrived(site_pair) == ["app01", "db01", "web01", "web02"]


@pytest.mark.parametrize("action", ["retry", "hold-switchovers", "release-switchovers"])
def test_nothing_is_done_to_what_is_through(tasks: WaveTasks, site_pair: Any, action: str) -> None:
    tasks.do(*UNTIL_VERIFIED[:5])
    mark = site_pair.mark()
    with pytest.raises(AirflowSkipException, match="there is nothing that it would be for"):
        Recovering(tasks.run, action=action).resolve()
    with pytest.raises(AirflowSkipException, match="web01: nothing to do"):
        Recovering(tasks.run, run_id="r2", action=action, objects=["web01"]).resolve()
    assert starts(site_pair, mark) == []
