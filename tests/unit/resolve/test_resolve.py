"""What a wave comes to against a live inventory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hcx_sim.world.model import Disk
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.migration.start import start_wave
from hcx_waves.model.choices import CutoverPolicy, Disconnect, MigrationType
from hcx_waves.model.plan import NetworkRef, ObjectRef, WavePlan
from hcx_waves.resolve import drift_of, resolve_plan
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, nothing_changed, opened, scenario, seed_wave, shipped, wave_of

SEED_NET = "/infra/tier-1s/cgw/segments/seed-net"
HOOK = {"act": ["off"], "check": ["state"], "undo": ["on"]}


def resolved(pair: SitePair, clients: SiteClients, wave: object = None, **options: object) -> WavePlan:
    return resolve_plan(wave or seed_wave(), clients, now=pair.now, **options)  # type: ignore[arg-type]


def test_the_seed_wave_is_resolved_by_reading_alone(site_pair: SitePair, clients: SiteClients) -> None:
    mark = site_pair.mark()
    plan = resolved(site_pair, clients, shipped("seed-wave"))
    assert nothing_changed(site_pair, mark)
    assert [vm.name for vm in plan.vms] == ["web01", "web02", "app01", "db01"]
    vm = plan.vm("db01")
    living = site_pair.vm("db01")
    assert (vm.vm_id, vm.instance_uuid, vm.bios_uuid) == (living.moref, living.instance_uuid, living.bios_uuid)
    assert (vm.powered_on, vm.migration, vm.cpus, vm.memory_mb) == (True, MigrationType.RAV, 4, 16384)
    assert vm.disk_bytes == 100 * 1024**3
    assert vm.resource_pool == ObjectRef(object_id="resgroup-101", name="Compute-ResourcePool")
    assert vm.folder == ObjectRef(object_id="group-v201", name="Workloads")
    assert vm.datastore == ObjectRef(object_id="datastore-15", name="WorkloadDatastore")
    (nic,) = vm.nics
    assert nic.mac_address == living.nics[0].mac
    assert nic.ip_addresses == ("192.168.1.31",)
    assert nic.segment == "seed-net"
    assert nic.source == NetworkRef(network_id=SEED_NET, name="seed-net", network_type="NsxtSegment")


def test_a_start_would_be_noticed(site_pair: SitePair, clients: SiteClients) -> None:
    mark = site_pair.mark()
    start_wave(resolved(site_pair, clients), clients)
    assert not nothing_changed(site_pair, mark)


def test_a_segment_is_resolved_at_both_sites(site_pair: SitePair, clients: SiteClients) -> None:
    segment = resolved(site_pair, clients, shipped("seed-wave")).segment("seed-net")
    (bridge,) = site_pair.world.bridges.values()
    assert segment.extension_id == bridge.key
    assert (segment.source_segment_path, segment.destination_segment_path) == (SEED_NET, SEED_NET)
    assert segment.gateway_addresses == ("192.168.1.1/24",)
    assert (segment.cutover, segment.disconnect) == (CutoverPolicy.NOW, Disconnect.NSX)
    assert (segment.deletes_source, segment.rename_destination) == (True, "seed-net-cloud")


def test_the_sites_are_known_by_their_vcenters(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolved(site_pair, clients)
    sites = site_pair.world.sites
    assert plan.source.endpoint_id == sites["source"].hcx_endpoint_id
    assert plan.destination.compute_resource_id == sites["destination"].vcenter_instance_uuid


def test_hcx_accepts_what_was_resolved(site_pair: SitePair, clients: SiteClients) -> None:
    started = start_wave(resolved(site_pair, clients), clients)
    assert sorted(started.migration_ids) == ["app01", "db01", "web01", "web02"]


def test_the_digest_holds_for_the_same_inventory(site_pair: SitePair, clients: SiteClients) -> None:
    first = resolved(site_pair, clients)
    world, vm = site_pair.world, site_pair.vm("web01")

    def stir() -> None:
        world.update(vm, host_moref="host-18", nics=[replace(vm.nics[0], ip_addresses=["192.168.1.99"])])
        world.update(world.datastores["destination/datastore-15"], free_bytes=10**12)

    site_pair.run(stir)
    site_pair.advance(60)
    later = resolved(site_pair, clients, started_at=first.clock.starts_at)
    assert later.vm("web01").nics[0].ip_addresses == ("192.168.1.99",)
    assert later.resolved_at - first.resolved_at == timedelta(seconds=60)
    assert later.digest() == first.digest()


def test_the_digest_is_another_after_a_change(site_pair: SitePair, clients: SiteClients) -> None:
    first = resolved(site_pair, clients)
    disk = Disk(2001, "Hard disk 2", 5 * 1024**3, 0, "datastore-15")
    vm = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.update(vm, disks=[*vm.disks, disk]))
    site_pair.advance(60)
    assert drift_of(first, seed_wave(), clients, now=site_pair.now) == (
        f"vms web01 disk_bytes: was {20 * 1024**3}, is {25 * 1024**3}",
    )


def test_nothing_has_drifted_in_an_unchanged_inventory(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolved(site_pair, clients)
    site_pair.advance(3600)
    assert drift_of(plan, seed_wave(), clients, now=site_pair.now) == ()
    assert drift_of(plan, seed_wave(description="other"), clients, now=site_pair.now) == ("the wave file has changed",)


def test_what_cannot_be_resolved_any_more_has_drifted(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolved(site_pair, clients)
    site_pair.run(lambda: site_pair.world.remove(site_pair.vm("web01")))
    (reason,) = drift_of(plan, seed_wave(), clients, now=site_pair.now)
    assert reason.startswith("web01: there is no such VM at either site")


@pytest.mark.world(scenario="three-tier")
def test_a_wave_of_many_segments_is_resolved(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolved(site_pair, clients, shipped("three-tier-1"))
    assert plan.vm("app01").segments == ("app", "shared")
    assert {vm.service_mesh_id for vm in plan.vms} == {next(iter(site_pair.world.meshes))}
    batch = plan.vm("batch01")
    assert (batch.migration, batch.powered_on) == (MigrationType.COLD, False)
    assert plan.segment("web").stays == ("edge-router", "golden-image")
    assert plan.segment("shared").cutover is CutoverPolicy.LATER
    assert plan.segment("web").source_segment_path == "/infra/segments/web"
    assert plan.segment("web").destination_segment_path == "/infra/tier-1s/cgw/segments/web"


@pytest.mark.world(scenario=scenario(vms={"web01": {"power": "poweredOff"}}))
def test_a_powered_off_vm_is_moved_cold_without_what_only_others_need(
    site_pair: SitePair, clients: SiteClients
) -> None:
    plan = resolved(site_pair, clients, seed_wave(defaults={"options": {"seed_checkpoint": True}}))
    assert plan.vm("web01").migration is MigrationType.COLD
    assert plan.vm("web01").options.seed_checkpoint is None
    assert plan.vm("web02").options.seed_checkpoint is True


def test_vms_that_an_earlier_run_has_moved_are_adopted(site_pair: SitePair, clients: SiteClients) -> None:
    first = resolved(site_pair, clients)
    start_wave(first, clients, only=["web01"])
    site_pair.run_until_idle()
    again = resolved(site_pair, clients)
    moved = again.vm("web01")
    assert moved.already_there
    assert moved.vm_id == site_pair.vm("web01").moref
    assert moved.instance_uuid == first.vm("web01").instance_uuid
    assert moved.nics[0].segment == "seed-net"
    assert moved.nics[0].source == first.vm("web01").nics[0].source
    assert [vm.name for vm in again.vms if not vm.already_there] == ["web02", "app01", "db01"]


@pytest.mark.world(scenario=scenario(vms={"spare": {"site": "destination", "nics": [{"network": "seed-net"}]}}))
def test_a_vm_of_the_destination_is_adopted_by_its_uuid(site_pair: SitePair, clients: SiteClients) -> None:
    uuid = site_pair.vm("spare").instance_uuid
    wave = wave_of([{"name": "spare", "instance_uuid": uuid.upper()}], segments=[SEED_SEGMENT])
    plan = resolved(site_pair, clients, wave)
    assert plan.vm("spare").already_there


TWINS = scenario(vms={"other": {"nics": [{"network": "seed-net"}], "properties": {"name": "web01"}}})


@pytest.mark.world(scenario=TWINS)
def test_the_uuid_tells_vms_of_one_name_apart(site_pair: SitePair, clients: SiteClients) -> None:
    other = site_pair.vm("other")
    wave = wave_of([{"name": "web01", "instance_uuid": other.instance_uuid}], segments=[SEED_SEGMENT])
    assert resolved(site_pair, clients, wave).vm("web01").vm_id == other.moref


RENAMED = scenario(
    networks=[
        {"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True, "destination_name": "cloud-a"},
        {"name": "seed-net", "subnet": "10.9.0.0/24", "site": "destination"},
    ]
)


@pytest.mark.world(scenario=RENAMED)
def test_the_destination_is_the_extensions_and_not_the_one_of_that_name(
    site_pair: SitePair, clients: SiteClients
) -> None:
    segment = resolved(site_pair, clients).segment("seed-net")
    assert segment.destination.name == "cloud-a"
    assert segment.destination_segment_path == "/infra/tier-1s/cgw/segments/cloud-a"
    checked = seed_wave().model_copy()
    assert checked.segments[0].destination is None


@pytest.mark.world(scenario=RENAMED)
def test_mappings_of_the_wave_come_before_the_extension(site_pair: SitePair, clients: SiteClients) -> None:
    one = {"name": "web01", "nics": [{"adapter": 1, "destination": "seed-net", "connected": False}]}
    plan = resolved(site_pair, clients, wave_of([one, "web02"], segments=[SEED_SEGMENT]))
    assert plan.vm("web01").nics[0].destination.network_id == "/infra/tier-1s/cgw/segments/seed-net"
    assert plan.vm("web01").nics[0].connected is False
    assert plan.vm("web02").nics[0].destination.name == "cloud-a"
    mapped = wave_of(["web01"], segments=[SEED_SEGMENT], defaults={"networks": [
        {"source": "seed-net", "destination": "seed-net"}]})  # fmt: skip
    assert resolved(site_pair, clients, mapped).vm("web01").nics[0].destination.name == "seed-net"


@pytest.mark.world(scenario="physical")
def test_a_vlan_behind_a_router_needs_no_nsx_at_the_source(site_pair: SitePair) -> None:
    segment = {**SEED_SEGMENT, "name": "vlan-120", "disconnect": "hook", "hook": HOOK}
    with opened(site_pair, source_has_nsx=False) as clients:
        plan = resolved(site_pair, clients, wave_of(["erp01", "erp02"], segments=[segment]))
    planned = plan.segment("vlan-120")
    assert planned.source.network_type == "DistributedVirtualPortgroup"
    assert planned.source.network_id.startswith("dvportgroup-")
    assert planned.source_segment_path is None
    assert planned.destination.name == "stretched-120"
    assert planned.gateway_addresses == ("172.20.120.1/24",)


def test_a_segment_that_was_cut_over_before_is_adopted(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolved(site_pair, clients)
    start_wave(plan, clients)
    site_pair.run_until_idle()
    source = clients.source_nsx
    assert source is not None
    source.set_connectivity(source.segment(SEED_NET), Connectivity.OFF)
    site_pair.run_until_idle()
    clients.hcx.delete_extension(plan.segment("seed-net").extension_id, connect_to_local_router=True)
    site_pair.run_until_idle()
    again = resolved(site_pair, clients)
    assert again.segment("seed-net").extension_id == ""
    assert again.segment("seed-net").destination_segment_path == SEED_NET
    assert again.segment("seed-net").gateway_addresses == ("192.168.1.1/24",)
    assert all(vm.already_there for vm in again.vms)


def test_a_storage_policy_is_that_of_the_destination(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolved(site_pair, clients, seed_wave(defaults={"storage_policy": "Default storage policy"}))
    policies = site_pair.world.datastores["destination/datastore-15"].policies
    chosen = plan.vm("web01").storage_policy
    assert chosen is not None
    assert [chosen.object_id] == list(policies)
