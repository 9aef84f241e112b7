"""Snapshots of an inventory of 10,000 VMs: taken, written, read, and made into a twin. ``make bench`` prints it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock
from hcx_sim.scenario import build_world, scenario_from_snapshot
from hcx_sim.scenario.generate import generate
from hcx_snapshot import load_document, load_snapshot, save_snapshot
from hcx_waves.clients.bundle import ClientOptions, open_sites
from hcx_waves.snapshot import take_snapshot
from support.measuring import say, served, timed

pytestmark = pytest.mark.bench
INVENTORY_VMS = 10_000
WAVE_VMS = 500
MOST_MEGABYTES = 20
MOST_SECONDS = 10


@pytest.mark.timeout(900)
def test_a_snapshot_of_10000_vms(tmp_path: Path) -> None:
    scenario = generate(INVENTORY_VMS, 80, 4, 1)
    # Neighbours on four segments: what a wave of 500 VMs has around it.
    wave = [vm.name for vm in scenario.vms if int(vm.name[-5:]) % 80 in range(1, 5)][:WAVE_VMS]
    (tmp_path / "big.json").write_text(scenario.model_dump_json(exclude_defaults=True))
    packed, plain = tmp_path / "whole.json.gz", tmp_path / "whole.json"
    now = datetime(2026, 1, 5, 8, tzinfo=UTC)
    with (
        served(tmp_path / "big.json", tmp_path) as (_, _, endpoints),
        open_sites(endpoints, options=ClientOptions.read_only()) as clients,
    ):
        part_seconds, part = timed(lambda: take_snapshot(clients, wave, now=now))
        whole_seconds, whole = timed(lambda: take_snapshot(clients, wave, now=now, whole_inventory=True))
    save_snapshot(part, tmp_path / "part.json.gz")
    save_seconds, _ = timed(lambda: save_snapshot(whole, packed))
    save_snapshot(whole, plain)
    load_seconds, loaded = timed(lambda: load_snapshot(packed))
    document = load_document(packed)
    scenario_seconds, twin = timed(lambda: scenario_from_snapshot(document))
    clock = VirtualClock(0, ClockMode.STEPPED)
    world_seconds, world = timed(lambda: build_world(twin, "w", "twin", clock))
    megabytes = packed.stat().st_size / 1e6
    say(
        "| snapshot | VMs | seconds |",
        "|---|--:|--:|",
        f"| taken for {len(wave)} VMs and their neighbours | {len(part.source.vms):,} | {part_seconds:.1f} |",
        f"| taken of everything | {len(whole.source.vms):,} | {whole_seconds:.1f} |",
        f"| written, {megabytes:.1f} MB compressed, {plain.stat().st_size / 1e6:.1f} MB plain | | {save_seconds:.1f} |",
        f"| read and checked | {len(loaded.source.vms):,} | {load_seconds:.1f} |",
        f"| read by the simulator, once per snapshot | | {scenario_seconds:.1f} |",
        f"| world built, once per rehearsal | {len(world.vms):,} | {world_seconds:.1f} |",
        f"The wave's snapshot has {(tmp_path / 'part.json.gz').stat().st_size / 1e6:.2f} MB.",
    )
    assert loaded == whole
    assert len(loaded.source.vms) >= INVENTORY_VMS
    assert megabytes < MOST_MEGABYTES
    assert plain.stat().st_size / 1e6 < MOST_MEGABYTES
    assert load_seconds < MOST_SECONDS
    assert scenario_seconds + world_seconds < MOST_SECONDS
