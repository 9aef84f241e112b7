"""A wave moves on a twin as it does at the site: same draws, same rates, same times."""

from __future__ import annotations

from typing import Any

from hcx_sim.scenario import scenario_from_snapshot
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.migration.start import start_wave
from hcx_waves.resolve.resolver import resolve_plan
from support.site_pair import SitePair, SiteServer
from support.snapshots import document_of, taken
from support.waves import opened, shipped

SEED = 11


def moved_and_cut(pair: SitePair) -> dict[str, Any]:
    """Move the seed's wave, cut its segment over, and say what there is then."""
    wave = shipped("seed-wave")
    with opened(pair) as clients:
        plan = resolve_plan(wave, clients, now=pair.now)
        start_wave(plan, clients)
        pair.run_until_idle()
        migrations = {one.entity_name: one for one in clients.hcx.query_migrations()}
        source = clients.source_nsx
        assert source is not None
        source.set_connectivity(source.segment(str(plan.segments[0].source_segment_path)), Connectivity.OFF)
        pair.advance(5)
        clients.hcx.delete_extension(plan.segments[0].extension_id, connect_to_local_router=True)
        pair.run_until_idle()
    oracle = pair.oracle()
    arrived = {name: pair.vm(name) for name in ("web01", "web02", "app01", "db01")}
    return {
        "ended": {name: one.ended_at for name, one in migrations.items()},
        "states": {name: one.state.name for name, one in migrations.items()},
        "macs": {name: [(nic.mac, nic.ip_addresses) for nic in vm.nics] for name, vm in arrived.items()},
        "sites": {vm.site for vm in arrived.values()},
        "folders": {vm.folder_moref for vm in arrived.values()},
        "outage": oracle["segments"]["seed-net"],
        "proofs": {name: oracle["vms"][name] for name in arrived},
    }


def test_a_wave_moves_alike(site_server: SiteServer) -> None:
    live = site_server.make_world(scenario="seed", seed=SEED)
    rates = {vm.name: vm.change_rate_bytes_per_second for vm in live.world.vms.values()}
    snapshot = taken(live, shipped("seed-wave"), change_rates=rates)
    scenario = scenario_from_snapshot(document_of(snapshot))
    twin = site_server.make_world(scenario=scenario, role="twin", seed=SEED, start=snapshot.taken_at)

    at_site, at_twin = moved_and_cut(live), moved_and_cut(twin)

    assert set(at_site["states"].values()) == {"MIGRATION_COMPLETE"}
    assert at_twin == at_site
    assert at_twin["sites"] == {"destination"}
    for pair in (live, twin):
        pair.assert_no_bugs()
        site_server.drop(pair)


def test_without_change_rates_a_twin_assumes_some(site_server: SiteServer) -> None:
    live = site_server.make_world(scenario="seed")
    document = document_of(taken(live, shipped("seed-wave"), change_rates={"db01": 2_500_000.0}))
    site_server.drop(live)
    rates = {vm.name: vm.change_rate_mbps for vm in scenario_from_snapshot(document).vms}
    assert (rates["db01"], rates["web01"]) == (20.0, 1.0)
    assert {vm.name: vm.change_rate_mbps for vm in scenario_from_snapshot(document, assumed_change_mbps=3).vms}[
        "web01"
    ] == 3
