"""Held switchovers: nothing moves before the yes, and an order is honoured one VM at a time."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_airflow.errors import IncompleteError, NotApprovedError
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
