"""Held switchovers: nothing moves before the yes, and an order is honoured one VM at a time."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_airflow.errors import BlockedError, IncompleteError, NotApprovedError
from hcx_sim.world.model import Snapshot
from hcx_waves.clients.errors import ClientError
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    path = airflow_run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text() + "\nswitchover_order: [db01, web02]\ngates: {approve_switchover: {}}\n")
    airflow_run.params = {"poll_interval_seconds": 1}
    made = WaveTasks(airflow_run)
    made.do("resolve_plan", "approve_wave", "start_migrations")
    seeded = airflow_run.execute(made.make("await_migrations", task_id="await_seeded", until_seeded=True))
    assert {vm["phase"] for vm in seeded["status"]["vms"]} == {"waiting_for_window"}
    return made


def ended(site_pair: Any) -> list[str]:
    """Return the VMs in the order in which they came to the destination."""
    sites = {name: vm["sites"] for name, vm in site_pair.oracle()["vms"].items()}
    arrived = {name: spans[-1]["since"] for name, spans in sites.items() if len(spans) > 1}
    return sorted(arrived, key=lambda name: arrived[name])


def test_without_a_yes_nothing_switches_over(tasks: WaveTasks, site_pair: Any) -> None:
    with pytest.raises(NotApprovedError, match="approve_switchover has no valid approval"):
        tasks.do("release_switchovers")
    assert ended(site_pair) == []


def test_an_order_is_honoured(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("approve_switchover")
    body = tasks.run.asked[-1]["body"]
    assert "These VMs switch over first, one after the other: db01, web02." in body
    assert "phase **Waiting for window**" in body
    assert "| web01 |" in body
    released = tasks.do("release_switchovers")["released"]
    assert released[:2] == ["db01", "web02"]
    assert sorted(released) == ["app01", "db01", "web01", "web02"]
    tasks.do("await_migrations", "evaluate_migrations")
    assert ended(site_pair)[:2] == ["db01", "web02"]
    # Run again, it changes nothing.
    assert sorted(tasks.do("release_switchovers")["released"]) == sorted(released)


def test_a_vm_of_the_order_that_fails_keeps_the_rest_held(tasks: WaveTasks, site_pair: Any) -> None:
    site_pair.fault(product="engine", call="migration.switchover", object="db01", behaviour="fail")
    tasks.do("approve_switchover")
    with pytest.raises(IncompleteError, match="db01 did not succeed, so the VMs after it in the order stay held"):
        tasks.do("release_switchovers")
    assert ended(site_pair) == []


def backup(site_pair: Any, *names: str) -> None:
    """A backup job takes a snapshot of each of these VMs."""
    world = site_pair.world
    for name in names:
        vm = site_pair.vm(name)
        taken = Snapshot("snapshot-9001", "nightly", "", world.now_us)
        site_pair.run(lambda vm=vm, taken=taken: world.update(vm, snapshots=[taken]))


def clean(site_pair: Any, name: str) -> None:
    site_pair.run(lambda: site_pair.world.update(site_pair.vm(name), snapshots=[]))


def test_the_gate_shows_what_has_changed_since_the_approval(tasks: WaveTasks, site_pair: Any) -> None:
    backup(site_pair, "web01")
    mark = site_pair.mark()
    tasks.do("approve_switchover")
    body = tasks.run.asked[-1]["body"]
    assert "### Changes since the approval of the wave" in body
    assert "| Blocking | web01 | has 1 snapshot\\(s\\)" in body or "| Blocking | web01 | has 1 snapshot(s)" in body
    assert "It is not released until this is resolved." in body
    reads = list(site_pair.calls("RetrievePropertiesEx", after=mark))
    assert len(reads) == 1


def test_a_gate_without_changes_says_so(tasks: WaveTasks) -> None:
    tasks.do("approve_switchover")
    assert "Nothing. The checks that protect this step were made again." in tasks.run.asked[-1]["body"]


def test_a_snapshot_after_the_approval_keeps_that_vm_held(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("approve_switchover")
    backup(site_pair, "web01")
    with pytest.raises(IncompleteError, match=r"not released, .*web01 has 1 snapshot\(s\)"):
        tasks.do("release_switchovers")
    site_pair.advance(7200)
    assert sorted(ended(site_pair)) == ["app01", "db01", "web02"]
    clean(site_pair, "web01")
    assert sorted(tasks.do("release_switchovers")["released"]) == ["app01", "db01", "web01", "web02"]
    tasks.do("await_migrations")
    assert "web01" in ended(site_pair)


def test_a_snapshot_of_a_vm_of_the_order_keeps_those_after_it_held(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("approve_switchover")
    backup(site_pair, "db01")
    with pytest.raises(IncompleteError, match=r"not released, .*db01 has 1 snapshot"):
        tasks.do("release_switchovers")
    site_pair.advance(7200)
    assert ended(site_pair) == []


def test_a_check_that_cannot_be_made_releases_nothing(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("approve_switchover")
    site_pair.fault(
        product="vcenter", site="source", call="RetrievePropertiesEx", behaviour="vendor_error", status=500,
        message="no database",
    )  # fmt: skip
    with pytest.raises((IncompleteError, ClientError)):
        tasks.do("release_switchovers")
    site_pair.advance(7200)
    assert ended(site_pair) == []


def test_a_snapshot_between_approval_and_start_stops_the_start(airflow_run: AirflowRun, site_pair: Any) -> None:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan", "run_preflight", "approve_wave")
    backup(site_pair, "web01")
    with pytest.raises(BlockedError, match=r"Nothing was started.*web01 has 1 snapshot"):
        made.do("start_migrations")
    assert site_pair.calls("mobility.groups.create") == []
    clean(site_pair, "web01")
    assert made.do("start_migrations")["group_name"]
