"""The clock of a rehearsal: nothing waits by real time, real delays do not show, and retries wait by it too."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.operators.migration import ReleaseSwitchoversOperator
from hcx_waves.clients.errors import ServiceUnavailable
from hcx_waves.clients.transport import RestTransport
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.twin.clock import LOOK_AGAIN_SECONDS
from hcx_waves.twin.names import world_id_of
from support.night_player import NightRun
from support.site_pair import SitePair
from support.untouched import assert_only_read

Rehearse = Callable[..., NightRun]
LOOKS = ("hcx_waves.twin.clock", LOOK_AGAIN_SECONDS)
QUICK: dict[str, Any] = {"reaction_minutes": 4, "forecast": False}


def timeline_of(bundle: Path, run: NightRun) -> bytes:
    return RecordStore(bundle / "reports").timeline(run.wave, date.fromisoformat(run.night or ""))


def twin_of(site_server: Any, run: NightRun) -> SitePair:
    """Return the run's world, while it is there."""
    return SitePair(site_server.server, world_id_of(run.wave, run.run_id))


def seconds_between(run: NightRun, *instants: str) -> float:
    first, second = (datetime.fromisoformat(one) for one in instants)
    return (second - first).total_seconds()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the product has slept by real time, but for the pauses between two looks at Airflow."""
    found: list[str] = []
    real = time.sleep

    def sleep(seconds: float) -> None:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith(("hcx_waves", "hcx_airflow", "tenacity")) and (caller, seconds) != LOOKS:
            found.append(f"{caller} {seconds}")
        else:
            real(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    return found


def with_delays(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Let every call of a client take some real time of its own."""
    chance, exchange = random.Random(seed), RestTransport.__dict__["_exchange"]  # noqa: S311  (delays)
    original = getattr(exchange, "original", exchange)

    def delayed(self: Any, *given: Any, **more: Any) -> Any:
        threading.Event().wait(chance.uniform(0.0, 0.004))
        return original(self, *given, **more)

    delayed.original = original  # type: ignore[attr-defined]
    monkeypatch.setattr(RestTransport, "_exchange", delayed)


@pytest.mark.world(scenario="three-tier", mode="paused")
def test_real_delays_do_not_show_and_nothing_sleeps(
    rehearse: Rehearse, bundle: Path, monkeypatch: pytest.MonkeyPatch, slept: list[str]
) -> None:
    """Two segments are cut over side by side, in threads."""
    timelines = []
    for seed in (1, 2):
        with_delays(monkeypatch, seed)
        run = rehearse("three-tier-1", conf=QUICK, disorder=seed).play()
        assert set(run.states.values()) == {"success"}, run.errors
        timelines.append(timeline_of(bundle, run))
    assert timelines[0] == timelines[1]
    assert len(timelines[0]) > 1000
    assert slept == []


def test_a_try_that_is_due_later_waits_by_the_time_of_the_night(
    rehearse: Rehearse, site_server: Any, slept: list[str]
) -> None:
    """HCX is away for two tries: the client's own pauses and Airflow's delays are the night's."""

    def away(run: NightRun) -> None:
        pair = twin_of(site_server, run)
        if not len(pair.world.faults):
            pair.fault(product="hcx", behaviour="status", status=503, count=8, call="mobility.groups.query")

    began = time.monotonic()
    run = rehearse(conf=QUICK, before={"start_migrations": away}).play()
    assert set(run.states.values()) == {"success"}, run.errors
    assert run.tries["start_migrations"] == 3
    assert isinstance(run.errors["start_migrations"], ServiceUnavailable)
    approved = run.left("approve_wave", "decision")["at"]
    first_seen = run.left("await_migrations")["at"]
    # Twice three pauses of the client, then 5 and 10 s.
    assert seconds_between(run, approved, first_seen) > 15
    assert time.monotonic() - began < 60
    assert slept == []
    again = rehearse(conf=QUICK, before={"start_migrations": away}, disorder=5).play()
    assert again.left("await_migrations")["at"] == first_seen, "also the client's random pauses are the night's"


def test_a_step_that_waits_in_the_triggerer_keeps_its_place(rehearse: Rehearse, bundle: Path) -> None:
    """The release of ordered switchovers defers, and goes on in a worker, under one name."""
    path = bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("segments:\n", "switchover_order: [web02, web01]\n\nsegments:\n"))
    run = rehearse(conf=QUICK).play()
    assert set(run.states.values()) == {"success"}, run.errors
    assert run.left("release_switchovers")["released"][:2] == ["web02", "web01"]
    assert isinstance(run.dag.get_task("release_switchovers"), ReleaseSwitchoversOperator)
    first = timeline_of(bundle, run)
    rehearse(conf=QUICK, disorder=9).play()
    assert timeline_of(bundle, run) == first


def test_a_sensor_without_triggerer_waits_by_the_time_of_the_night(
    rehearse: Rehearse, bundle: Path, slept: list[str]
) -> None:
    run = rehearse(conf=QUICK)
    for task_id in ("await_migrations", "cutover_seed-net.await_unextended"):
        task: Any = run.dag.get_task(task_id)
        task.deferrable = task.start_from_trigger = False
    run.play()
    assert set(run.states.values()) == {"success"}, run.errors
    assert run.left("await_migrations")["ended"] == "terminal"
    in_the_worker = timeline_of(bundle, run)
    rehearse(conf=QUICK).play()
    assert timeline_of(bundle, run) == in_the_worker
    assert slept == []


@pytest.mark.parametrize("means", ["hook", "manual"])
def test_no_command_of_the_wave_is_ever_run(
    rehearse: Rehearse, bundle: Path, means: str, site_pair: Any, tmp_path: Path
) -> None:
    """What commands and people do to a router is done to the twin's, without a process."""
    mark = tmp_path / "ran"
    touch = f'["{sys.executable}", -c, "open({str(mark)!r}, \'w\')", {{}}]'
    lines = {
        "hook": f"    hook:\n      act: {touch.format('act')}\n      check: {touch.format('check')}\n"
        f"      undo: {touch.format('undo')}\n",
        "manual": "    manual:\n      instructions: Shut it.\n      undo_instructions: Open it.\n"
        f"      check: {touch.format('check')}\n",
    }[means]
    path = bundle / "waves" / "seed-wave.yaml"
    text = path.read_text()
    path.write_text(text.replace("    rename_destination:", f"    disconnect: {means}\n{lines}    rename_destination:"))
    run = rehearse(conf=QUICK).play()
    assert set(run.states.values()) == {"success"}, run.errors
    assert not mark.exists()
    outage = run.left("cutover_seed-net.verify_destination_routed")["outage"]
    assert (outage is None) == (means == "manual"), "who switches by hand is not measured"
    assert_only_read(site_pair)


@pytest.mark.world(scenario="physical", mode="paused")
def test_a_router_outside_nsx_is_the_twins(rehearse: Rehearse, bundle: Path, tmp_path: Path) -> None:
    """Of a VLAN port group behind a physical router."""
    (bundle / "waves" / "erp.yaml").write_text(
        """
name: erp
description: Two VMs behind a physical router.
time_zone: UTC
connections:
  source: {hcx: hcx_old, nsx: nsx_old, vcenter: vcenter_old}
  destination: {hcx: hcx_cloud, vmc: vmc_cloud, vcenter: vcenter_cloud}
defaults: {migration: RAV, resource_pool: Compute-ResourcePool, folder: Workloads, datastore: WorkloadDatastore}
vms: [erp01, erp02]
segments:
  - name: vlan-120
    cutover: now
    cutover_window: {opens: +0m, lasts: 12h}
    disconnect: hook
    hook: {act: [/no/such/router, "off"], check: [/no/such/router], undo: [/no/such/router, "on"]}
    delete_source: false
"""
    )
    run = rehearse("erp", conf=QUICK).play()
    assert set(run.states.values()) == {"success"}, run.errors
    assert run.left("cutover_vlan-120.verify_destination_routed")["outage"]["lower_seconds"] > 0
