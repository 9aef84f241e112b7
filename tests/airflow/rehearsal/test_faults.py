"""Faults strike what the wave moves, while it matters; and the twin takes every one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hcx_airflow.rehearsal.faults import faults_of, in_force
from hcx_airflow.rehearsal.night import TWIN_FAULTS, Rehearsal
from hcx_sim.faults.catalogue import FAULT_SCENARIOS
from hcx_waves.twin.models import NewWorld
from hcx_waves.wavefile.loader import load_wave, read_wave
from hcx_waves.wavefile.wave import Wave
from support.airflow_home import DAGS
from support.wave_files import minimal

CLOCK = {"mode": "stepped", "start": "2026-10-24T12:00:00+00:00"}
TIERS = load_wave(DAGS / "waves" / "three-tier-1.yaml")


def rehearsal(wave: Wave, *names: str) -> Rehearsal:
    run = SimpleNamespace(run_type="manual", logical_date=None, run_after=datetime.now(UTC), start_date=None)
    context = {"params": {"faults": names, "night": "2026-10-24"}, "dag_run": run, "ti": SimpleNamespace(run_id="1")}
    return Rehearsal.of(wave, context)


def faults(wave: Wave, *names: str) -> list[dict[str, Any]]:
    return list(faults_of(rehearsal(wave, *names)))


def test_every_scenario_of_the_twin_can_be_rehearsed_and_there_are_no_others() -> None:
    assert set(TWIN_FAULTS) == set(FAULT_SCENARIOS)


def test_switchovers_fail_of_the_waves_own_vms() -> None:
    for name in ("stuck-switchover", "failing-switchover"):
        assert faults(TIERS, name) == [{"scenario": name, "objects": [vm.name for vm in TIERS.vms]}]


def test_unextends_fail_of_segments_that_are_cut() -> None:
    assert faults(TIERS, "unextend-fails") == [{"scenario": "unextend-fails", "objects": ["web", "app"]}]
    assert faults(read_wave(minimal()), "unextend-fails", "slow-link") == [{"scenario": "slow-link"}]


@pytest.mark.parametrize(
    ("wave", "name", "first", "last"),
    [
        (TIERS, "tunnel-down", "2026-10-24T20:00:00+00:00", "2026-10-24T21:00:00+00:00"),
        (TIERS, "vcenter-flaps", "2026-10-25T03:00:00+00:00", "2026-10-25T03:10:00+00:00"),
        (read_wave(minimal()), "tunnel-down", "2026-10-24T20:00:00+00:00", "2026-10-24T21:00:00+00:00"),
        (read_wave(minimal()), "vcenter-flaps", "2026-10-24T20:00:00+00:00", "2026-10-24T21:00:00+00:00"),
    ],
)
def test_what_passes_happens_while_it_matters(wave: Wave, name: str, first: str, last: str) -> None:
    assert faults(wave, name) == [{"scenario": name, "at": [first, last]}]


def test_the_record_names_those_that_are_in_force() -> None:
    assert in_force(rehearsal(read_wave(minimal()), "unextend-fails", "slow-link", "approver-asleep")) == [
        "slow-link",
        "approver-asleep",
    ]


def test_the_sleeping_approver_is_no_matter_of_the_twin() -> None:
    assert faults(TIERS, "approver-asleep") == []


@pytest.mark.parametrize("name", sorted(TWIN_FAULTS))
def test_the_twin_takes_them_all(site_server: Any, name: str) -> None:
    from hcx_waves.clients.tls import TlsSettings
    from hcx_waves.twin.control import TwinControl

    found = site_server.default()
    facts = found.endpoints["control"]
    control = TwinControl(facts["url"], facts["token"], tls=TlsSettings(ca_file=found.ca_file))
    new = NewWorld(
        world_id=f"rh-faults-{name}", scenario="three-tier", seed=1, clock=CLOCK, faults=tuple(faults(TIERS, name))
    )
    try:
        control.create_world(new)
        world = site_server.server.world(new.world_id)
        assert {strike.scenario for strike in world.products["fault_scenarios"]} == {name}
    finally:
        control.delete_world(new.world_id)
        control.close()
