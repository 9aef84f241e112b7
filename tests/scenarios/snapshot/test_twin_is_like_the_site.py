"""A wave comes to the same plan and the same findings at a site pair and at the twin that its snapshot makes."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_snapshot import digest_of, to_document
from support.site_pair import SitePair, SiteServer
from support.snapshots import judged, taken, twin_of
from support.waves import SEED_SEGMENT, shipped, wave_of


@pytest.mark.parametrize(
    ("scenario", "wave_name"), [("seed", "seed-wave"), ("three-tier", "three-tier-1"), ("three-tier", "three-tier-2")]
)
def test_plan_and_findings_are_the_same(site_server: SiteServer, scenario: str, wave_name: str) -> None:
    wave = shipped(wave_name)
    live = site_server.make_world(scenario=scenario)
    snapshot = taken(live, wave)
    twin = twin_of(site_server, snapshot)

    at_site, at_twin = judged(live, wave), judged(twin, wave)

    assert at_twin.plan.differences(at_site.plan) == ()
    assert at_twin.plan.digest() == at_site.plan.digest()
    assert at_twin.findings == at_site.findings
    for pair in (live, twin):
        pair.assert_no_bugs()
        site_server.drop(pair)


def test_what_identifies_things_is_kept(site_server: SiteServer) -> None:
    wave = shipped("three-tier-1")
    live = site_server.make_world(scenario="three-tier")
    twin = twin_of(site_server, taken(live, wave))

    kept, known = _identities(twin), _identities(live)
    assert kept == {name: known[name] for name in kept}
    assert {"web01", "golden-image", "batch01", "edge-router", "mesh-1-NE-I1", "mesh-1-NE-R1"} <= kept.keys()
    assert twin.world.bridges.keys() == live.world.bridges.keys()
    assert twin.world.meshes.keys() == live.world.meshes.keys()
    assert twin.world.segments.keys() == live.world.segments.keys()
    assert [site.vcenter_instance_uuid for site in twin.world.sites.values()] == [
        site.vcenter_instance_uuid for site in live.world.sites.values()
    ]
    for pair in (live, twin):
        site_server.drop(pair)


def _identities(pair: SitePair) -> dict[str, tuple[Any, ...]]:
    return {
        vm.name: (
            *(vm.site, vm.moref, vm.instance_uuid, vm.bios_uuid, vm.folder_moref, vm.pool_moref, vm.host_moref),
            [(nic.key, nic.label, nic.mac, nic.network_moref, nic.external_id) for nic in vm.nics],
            # A guest without running Tools reports no address, so nobody knows it.
            [nic.ip_addresses for nic in vm.nics if vm.tools_running],
            [(disk.key, disk.label, disk.capacity_bytes, disk.datastore_moref) for disk in vm.disks],
        )
        for vm in pair.world.vms.values()
    }


def test_a_twins_own_snapshot_is_the_same_but_for_appliance_ids(site_server: SiteServer) -> None:
    wave = shipped("three-tier-1")
    live = site_server.make_world(scenario="three-tier")
    first = taken(live, wave)
    twin = twin_of(site_server, first)
    again = taken(twin, wave)

    documents = [to_document(first), to_document(again)]
    for document in documents:
        for appliance in document["hcx"]["meshes"][0]["appliances"]:
            del appliance["appliance_id"]
    assert documents[0] == documents[1]
    for pair in (live, twin):
        site_server.drop(pair)


def test_the_same_inventory_makes_the_same_digest(site_server: SiteServer) -> None:
    wave = shipped("seed-wave")
    live = site_server.make_world(scenario="seed")
    first = taken(live, wave)
    live.advance(3600)
    later = taken(live, wave)
    assert later.taken_at > first.taken_at
    assert digest_of(later) == digest_of(first)

    live.run(lambda: live.world.update(live.vm("web01"), name="web01-renamed"))
    assert digest_of(taken(live, wave)) != digest_of(first)
    site_server.drop(live)


@pytest.mark.parametrize("source_has_nsx", [True, False])
def test_a_vlan_behind_a_physical_router(site_server: SiteServer, source_has_nsx: bool) -> None:
    hook = {"act": ["off"], "check": ["state"], "undo": ["on"]}
    segment = {**SEED_SEGMENT, "name": "vlan-120", "disconnect": "hook", "hook": hook}
    wave = wave_of(["erp01"], segments=[segment])
    live = site_server.make_world(scenario="physical")
    snapshot = taken(live, wave, source_has_nsx=source_has_nsx)
    twin = twin_of(site_server, snapshot)

    at_site = judged(live, wave, source_has_nsx=source_has_nsx)
    at_twin = judged(twin, wave, source_has_nsx=source_has_nsx)

    assert "segment-vms-left-behind" in at_site.finding_ids
    assert at_twin.findings == at_site.findings
    assert at_twin.plan.digest() == at_site.plan.digest()
    ends = [
        [world.networks[bridge.source_network_key].gateway for bridge in world.bridges.values()]
        for world in (live.world, twin.world)
    ]
    assert ends[0] == ends[1] != [None]
    for pair in (live, twin):
        pair.assert_no_bugs()
        site_server.drop(pair)


def test_without_nsx_a_segment_at_the_source_keeps_its_path(site_server: SiteServer) -> None:
    wave = wave_of(["web01"], segments=[{"name": "web", "cutover": "never"}])
    live = site_server.make_world(scenario="three-tier")
    snapshot = taken(live, wave, source_has_nsx=False)
    assert snapshot.source.nsx is None
    twin = twin_of(site_server, snapshot)
    at_site, at_twin = (judged(pair, wave, source_has_nsx=False) for pair in (live, twin))
    assert at_twin.plan.digest() == at_site.plan.digest()
    assert at_twin.findings == at_site.findings
    for pair in (live, twin):
        site_server.drop(pair)
