"""A mobility group that is archived, or whose records are lost, while the wave waits for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hcx_airflow.triggers.migration import MigrationStatusTrigger
from hcx_sim.hcx.mobility.mobility import mobility_of
from support.airflow_tasks import AirflowRun
from support.airflow_tasks import fire_with_started as fire
from support.mobility import Manager
from support.wave_tasks import WaveTasks

QUERY = "migrations.query"
FOUR = ["web01", "web02", "app01", "db01"]


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    """The tasks of the seed wave."""
    return WaveTasks(airflow_run)


def started_by(tasks: WaveTasks, **changes: Any) -> str:
    """Start the wave; return what its sensors are told."""
    tasks.do("resolve_plan", "approve_wave", "start_migrations")
    return json.dumps({**tasks.left("start_migrations"), "poll_seconds": 0.01, **changes})


def forget(pair: Any) -> None:
    store = mobility_of(pair.world).store
    for migration in list(store.migrations.values()):
        pair.run(lambda one=migration: store.drop(one))


def test_an_archived_group_ends_the_wait(tasks: WaveTasks, site_pair: Any) -> None:
    started = started_by(tasks)
    site_pair.run_until_idle()
    group_id = json.loads(started)["group_id"]
    answer = Manager(site_pair).post("/mobility/groups/archive", {"items": [{"migrationGroupId": group_id}]})
    assert answer.status_code == 200, answer.text
    outcome = fire(MigrationStatusTrigger(started=started))
    assert outcome["ended"] == "terminal"
    assert {vm["phase"] for vm in outcome["status"]["vms"]} == {"done"}


@pytest.mark.parametrize("asked", [{}, {"until_ended": "web01"}, {"until_seeded": True}])
def test_a_wait_for_what_hcx_has_forgotten_ends_with_the_second_look(
    tasks: WaveTasks, site_pair: Any, asked: dict[str, Any]
) -> None:
    started = started_by(tasks)
    site_pair.run_until_idle()
    forget(site_pair)
    outcome = fire(MigrationStatusTrigger(started=started, **asked))
    assert (outcome["ended"], outcome["polls"]) == ("stuck", 2)
    assert "archived or deleted" in outcome["notes"][0]


def test_the_wave_goes_on_by_what_the_vcenters_show(tasks: WaveTasks, site_pair: Any) -> None:
    started_by(tasks)
    site_pair.run_until_idle()
    forget(site_pair)
    tasks.run.params = {"poll_interval_seconds": 1}
    evaluated = tasks.do("await_migrations", "evaluate_migrations")
    assert set(evaluated["outcomes"].values()) == {"migrated"}
    verified = tasks.do("verify_virtual_machines")
    assert [proof["reasons"] for proof in verified["proofs"]] == [[]] * len(FOUR)
    assert not verified["blocked_segments"]
