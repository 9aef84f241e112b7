"""What goes on beside the looks at a wave: an estimate in the log, each VM's course in the outcome and the report."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.clock.base import SystemClock
from hcx_airflow.triggers.following import Following
from hcx_airflow.triggers.migration import MigrationWatch
from hcx_waves.migration.eta import EtaKeeper
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.run.results import Ended, StartedMigrations
from support.airflow_tasks import AirflowRun
from support.procedures import sites_of
from support.wave_tasks import WaveTasks

ZERO = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
EXPECTED = [
    {"name": name, "switchover_seconds": 120.0, "bytes_per_second": 1e8, "bytes_total": 10**10} for name in ("a", "b")
]


def a_status(minutes: float, phase: VmPhase) -> WaveStatus:
    vms = tuple(
        VmStatus(name=name, vm_id=name, migration_id=name, group_id="g", phase=phase, service_mesh_id="m")
        for name in ("a", "b")
    )
    return WaveStatus(at=ZERO + timedelta(minutes=minutes), vms=vms)


def started(**left: Any) -> StartedMigrations:
    facts = {"group_id": "g", "group_name": "g", "vms": [], "deadline": ZERO.isoformat()}
    return StartedMigrations.model_validate({**facts, **left})


def test_an_estimate_is_said_once_until_it_is_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    following = Following.of(started(expected_vms=EXPECTED), until_seeded=False, estimates=True)
    for minutes in (0, 1, 2):
        following.see(a_status(minutes, VmPhase.WAITING_FOR_TURN))
    following.see(a_status(20, VmPhase.WAITING_FOR_TURN))
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "Estimate: done by 2026-03-01 22:04 UTC with 2 switchovers to come",
        "Estimate: done by 2026-03-01 22:24 UTC with 2 switchovers to come",
    ]


def test_no_wait_ends_for_want_of_a_course(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TypeError("x")

    following = Following.of(started(expected_vms=EXPECTED), until_seeded=False, estimates=True)
    monkeypatch.setattr(following.courses, "see", fail)
    caplog.set_level(logging.INFO)
    following.see(a_status(0, VmPhase.WAITING_FOR_TURN))
    assert [record.getMessage()[:30] for record in caplog.records] == [
        "Cannot record the phases of th", "Estimate: done by 2026-03-01 2"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("left", "estimates"), [({}, True), ({"expected_vms": EXPECTED}, False), ({"expected_vms": [{"x": 1}]}, True)]
)
def test_without_a_forecast_or_a_time_of_its_own_there_is_no_estimate(left: dict[str, Any], estimates: bool) -> None:
    following = Following.of(started(**left), until_seeded=False, estimates=estimates)
    following.see(a_status(0, VmPhase.WAITING_FOR_TURN))
    assert following.eta is None
    assert list(following.courses.courses) == ["a", "b"]


def test_an_estimate_that_fails_is_told_once_and_the_looks_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(EtaKeeper, "news", fail)
    following = Following.of(started(expected_vms=EXPECTED), until_seeded=False, estimates=True)
    for minutes in range(3):
        following.see(a_status(minutes, VmPhase.SWITCHOVER))
    assert caplog.text.count("Cannot estimate when") == 1
    assert following.courses.looked_at == ZERO + timedelta(minutes=2)


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan", "run_preflight", "approve_wave", "start_migrations")
    return made


@contextmanager
def watch_of(tasks: WaveTasks, pair: Any) -> Iterator[MigrationWatch]:
    """Look at the started wave by the simulated sites' own time."""
    found = StartedMigrations.model_validate(tasks.left("start_migrations"))
    clock = SystemClock()
    clock.now = lambda: pair.now  # type: ignore[method-assign]
    with sites_of(pair) as clients:
        yield MigrationWatch(
            clock=clock, client=clients.hcx, started=found,
            following=Following.of(found, until_seeded=False, estimates=True),
        )  # fmt: skip


def test_looks_at_a_wave_leave_courses_and_estimates_that_come_true(
    tasks: WaveTasks, site_pair: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="hcx_airflow.triggers.following")
    with watch_of(tasks, site_pair) as watch:
        while watch.look() is None:
            site_pair.advance(30)
        outcome = watch.result(ended=Ended.TERMINAL, at=site_pair.now).model_dump(mode="json")
        assert watch.following is not None
        eta = watch.following.eta
    courses = {one["name"]: one for one in json.loads(json.dumps(outcome["courses"]))}
    assert sorted(courses) == ["app01", "db01", "web01", "web02"]
    for course in courses.values():
        phases = [one["phase"] for one in course["phases"]]
        assert phases[-1] == "done"
        assert "base_sync" in phases
        assert course["base_bytes"] > 0
    said = [one.getMessage() for one in caplog.records if one.name == "hcx_airflow.triggers.following"]
    assert 1 <= len(said) <= 8, "an estimate is news now and then, not with each look"
    assert said[0].startswith("Estimate: replicated by ")
    assert eta is not None
    assert eta.said is not None
    ended = max(vm.ended_at for vm in watch.status.vms if vm.ended_at)  # type: ignore[union-attr]
    assert abs(eta.said.ends_at - ended) < timedelta(minutes=10)
    tasks.run.leave("await_migrations", outcome)
    report = tasks.make("write_report").execute(tasks.run.context(tasks.make("write_report")))
    written = json.loads(Path(report["json"]).read_text())
    row = written["vms"][0]
    assert row["course"]["base_bytes"] == courses[row["name"]]["base_bytes"]
    assert row["service_mesh_id"]
    assert written["forecast"]["nights"] == 500
    assert written["comparisons"] == [], "the sites' instants are not the run's"
    asked = written["approvals"][0]
    assert asked["asked_at"] <= asked["at"]
