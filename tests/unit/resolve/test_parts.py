"""The parts of resolving where a whole site would be too much: identity, ambiguity, older inventories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_sim.world.model import NetworkKind
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.hcx import InventoryNetwork, NetworkExtension, ResourceContainer
from hcx_waves.clients.vsphere.inventory_models import About, DistributedVirtualPortgroup, Network
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.migration.start import start_wave
from hcx_waves.preflight import run_preflight
from hcx_waves.resolve import PlanError, resolve_plan
from hcx_waves.resolve.machines import Locator
from hcx_waves.resolve.network_index import NetworkIndex, same_network, segment_id_of
from hcx_waves.resolve.problems import Problems
from hcx_waves.resolve.sites import planned_sites
from hcx_waves.wavefile.settings import VmRequest
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, opened, scenario, seed_wave, shipped, wave_of

FIXED = "/infra/tier-1s/cgw/segments/app"
FLEXIBLE = "/infra/segments/app"


def texts(problems: Problems) -> list[str]:
    return [f"{one.subject}: {one.message}" for one in problems.found]


# networks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (FIXED, FLEXIBLE, True),
        (FIXED, "/infra/tier-1s/cgw/segments/app2", False),
        ("dvportgroup-1", "dvportgroup-1", True),
        ("app", FIXED, False),
        (None, None, False),
        ("", "", False),
    ],
)
def test_ids_of_one_network(one: str | None, other: str | None, same: bool) -> None:
    assert same_network(one, other) is same
    assert segment_id_of(FIXED) == "app"


def port_group(moref: str, name: str, **fields: Any) -> DistributedVirtualPortgroup:
    return DistributedVirtualPortgroup(moref=moref, name=name, key=moref, **fields)


def test_networks_are_named_as_hcx_names_them() -> None:
    group = port_group("dvportgroup-1", "app", backing_type="nsx", segment_id=FIXED)
    listed = InventoryNetwork(entity_id=FLEXIBLE, name="app", network_type="NsxtSegment")
    assert NetworkIndex([group], [listed]).ref(group).network_id == FLEXIBLE
    assert NetworkIndex([group], []).ref(group).network_id == FIXED
    plain = Network(moref="network-3", name="old")
    twice = [InventoryNetwork(entity_id=one, name="old", network_type="X") for one in ("a", "b")]
    ref = NetworkIndex([plain], twice).ref(plain)
    assert (ref.network_id, ref.network_type) == ("network-3", "Network")


def test_uplinks_are_no_networks() -> None:
    assert NetworkIndex([port_group("dvportgroup-9", "uplinks", is_uplink=True)], []).networks == ()


def test_an_extension_belongs_to_a_network_by_id_and_only_without_one_by_name() -> None:
    group = port_group("dvportgroup-1", "app", segment_id=FIXED)
    index = NetworkIndex([group], [])

    def extension(**network: Any) -> NetworkExtension:
        return NetworkExtension.model_validate(
            {"stretchId": "s", "sourceNetwork": network, "features": {"mobilityOptimizedNetworking": False}}
        )

    other_id_same_name = extension(networkId="dvportgroup-2", networkName="app")
    by_path, by_name = extension(networkId=FLEXIBLE, networkName="x"), extension(networkName="app")
    assert index.extension_of(group, [other_id_same_name, by_path, by_name]) == (by_path, by_name)


OPAQUE = scenario(settings={"vcenter": {"opaque_networks": True}})


@pytest.mark.world(scenario=OPAQUE)
def test_opaque_networks_of_older_sddcs_are_resolved(site_pair: SitePair, clients: SiteClients) -> None:
    assert {one.network_kind for one in site_pair.world.networks.values() if one.segment_id} == {NetworkKind.OPAQUE}
    plan = resolve_plan(seed_wave(), clients, now=site_pair.now)
    segment = plan.segment("seed-net")
    assert segment.source.network_type == "OpaqueNetwork"
    assert segment.source_segment_path == "/infra/tier-1s/cgw/segments/seed-net"
    assert segment.destination_segment_path == "/infra/tier-1s/cgw/segments/seed-net"
    assert {nic.segment for vm in plan.vms for nic in vm.nics} == {"seed-net"}
    assert run_preflight(plan, seed_wave(), clients, now=site_pair.now).blocking == ()
    assert len(start_wave(plan, clients).vms) == 4


def test_a_nic_in_no_network_is_told(site_pair: SitePair, clients: SiteClients) -> None:
    vm = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.update(vm, nics=[replace(vm.nics[0], network_moref="dvportgroup-404")]))
    with pytest.raises(PlanError, match="web01: Network adapter 1 is in no network"):
        resolve_plan(seed_wave(), clients, now=site_pair.now)


TWO_TARGETS = scenario(
    networks=[
        {"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True},
        {"name": "side", "subnet": "192.168.7.0/24"},
        {"name": "target", "subnet": "10.8.0.0/24", "site": "destination"},
    ],
    vms={"web01": {"nics": [{"network": "side", "ips": ["192.168.7.5"]}]}},
)


@pytest.mark.world(scenario=TWO_TARGETS)
def test_a_vm_that_has_arrived_in_a_mapped_network_is_adopted(site_pair: SitePair, clients: SiteClients) -> None:
    vm = {"name": "web01", "networks": [{"source": "side", "destination": "target"}]}
    wave = wave_of([vm])
    first = resolve_plan(wave, clients, now=site_pair.now)
    start_wave(first, clients)
    site_pair.run_until_idle()
    nic = resolve_plan(wave, clients, now=site_pair.now).vm("web01").nics[0]
    assert nic.source == first.vm("web01").nics[0].source
    assert (nic.destination.name, nic.segment) == ("target", None)
    forgotten = resolve_plan(wave_of(["web01"]), clients, now=site_pair.now).vm("web01").nics[0]
    assert forgotten.source == forgotten.destination


@pytest.mark.world(scenario=TWO_TARGETS)
def test_a_network_of_the_same_name_is_offered_and_not_taken(site_pair: SitePair, clients: SiteClients) -> None:
    network = next(one for one in site_pair.world.networks.values() if one.name == "target")
    site_pair.run(lambda: site_pair.world.update(network, name="side"))
    with pytest.raises(PlanError) as refused:
        resolve_plan(wave_of(["web01"]), clients, now=site_pair.now)
    assert refused.value.problems[0].suggestion.endswith("The destination has a network of the same name.")


@pytest.mark.world(scenario=TWO_TARGETS)
def test_two_networks_of_one_name_are_refused(site_pair: SitePair, clients: SiteClients) -> None:
    world = site_pair.world
    here = next(one for one in world.networks.values() if one.name == "side")
    there = next(one for one in world.networks.values() if one.name == "target")
    site_pair.run(lambda: (world.update(here, name="seed-net"), world.update(there, name="seed-net")))
    wave = wave_of([{"name": "web01", "nics": [{"adapter": 1, "destination": "seed-net"}]}], segments=[SEED_SEGMENT])
    with pytest.raises(PlanError) as refused:
        resolve_plan(wave, clients, now=site_pair.now)
    first, second = refused.value.problems
    assert first.message.startswith("the source vCenter has 2 networks of this name: dvportgroup-")
    assert first.suggestion == "Write the segment_id of the one that is intended."
    assert 'Network adapter 1 is mapped to "seed-net", and the destination has 2' in second.message
    named = wave_of(["web02"], segments=[{**SEED_SEGMENT, "segment_id": "seed-net"}])
    assert resolve_plan(named, clients, now=site_pair.now).segment("seed-net").extension_id


def test_a_segment_id_that_does_not_exist(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(["web01"], segments=[{**SEED_SEGMENT, "segment_id": "other"}])
    with pytest.raises(PlanError, match="seed-net: the source vCenter has no network with NSX id other"):
        resolve_plan(wave, clients, now=site_pair.now)


def test_a_destination_segment_that_nsx_does_not_have(site_pair: SitePair, clients: SiteClients) -> None:
    world = site_pair.world
    site_pair.run(lambda: world.remove(world.segments["destination/seed-net"]))
    with pytest.raises(PlanError, match="which NSX at the destination does not have"):
        resolve_plan(seed_wave(), clients, now=site_pair.now)


# machines -------------------------------------------------------------------------------------------------


def summary(name: str, uuid: str | None) -> VirtualMachineSummary:
    return VirtualMachineSummary(
        moref="vm-1", name=name, instance_uuid=uuid, bios_uuid=None, power_state=None, networks=(), folder=None,
        is_template=False, resource_pool=None, host=None,
    )  # fmt: skip


def test_an_orphaned_vm_is_refused() -> None:
    problems = Problems()
    locator = Locator([summary("web01", None)], [], problems, lambda names: names)
    assert locator.locate([VmRequest(name="web01")]) == []
    assert texts(problems) == ["web01: vCenter cannot read its configuration"]


def test_hcx_is_only_asked_about_vms_that_are_missing() -> None:
    asked: list[set[str]] = []

    def arrived(names: Any) -> Any:
        asked.append(set(names))
        return names

    here, there = [summary("a", "u-1")], [summary("b", "u-2"), summary("c", "u-3")]
    requests = [VmRequest(name="a"), VmRequest(name="b"), VmRequest(name="c", instance_uuid="0" * 8)]
    requests[2] = requests[2].model_copy(update={"instance_uuid": "U-3"})
    located = Locator(here, there, Problems(), arrived).locate(requests)
    assert [(one.vm.name, one.already_there) for one in located] == [("a", False), ("b", True), ("c", True)]
    assert asked == [{"b"}]


# sites, places, times -------------------------------------------------------------------------------------


def about(uuid: str | None) -> About:
    return About("vCenter", "vCenter", "8.0.3", "1", "VirtualCenter", "8.0.3.0", uuid)


def container(uuid: str, *, local: bool, endpoint: str) -> ResourceContainer:
    return ResourceContainer(endpoint_id=endpoint, resource_id=uuid, resource_name=f"vc-{uuid}", is_local=local)


def test_one_vcenter_cannot_be_both_sites() -> None:
    problems = Problems()
    both = [container("u-1", local=True, endpoint="e-1"), container("u-1", local=False, endpoint="e-1")]
    assert planned_sites(both, about("u-1"), about("U-1"), problems) is None
    assert texts(problems) == ["destination site: is the same vCenter as the source (vc-u-1)"]


def test_a_vcenter_that_is_listed_twice_is_refused() -> None:
    problems = Problems()
    listed = [container("u-1", local=True, endpoint="e-1")]
    listed += [container("u-2", local=False, endpoint=endpoint) for endpoint in ("e-2", "e-3")]
    assert planned_sites(listed, about("u-1"), about("u-2"), problems) is None
    assert texts(problems) == ["destination site: HCX lists its vCenter u-2 2 times"]


def test_a_pool_is_looked_for_in_its_cluster(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolve_plan(seed_wave(defaults={"cluster": "Cluster-1"}), clients, now=site_pair.now)
    cluster, pool = plan.vm("web01").cluster, plan.vm("web01").resource_pool
    assert cluster is not None
    assert pool is not None
    assert (cluster.object_id, pool.object_id) == ("domain-c9", "resgroup-101")
    wave = seed_wave(defaults={"cluster": "Cluster-1", "resource_pool": "Resource"})
    with pytest.raises(PlanError, match="there is no such resource pool of cluster Cluster-1 at the destination"):
        resolve_plan(wave, clients, now=site_pair.now)
    without = seed_wave(defaults={"cluster": "Cluster-1", "resource_pool": None, "datastore": None,
                                  "storage_policy": "Default storage policy"})  # fmt: skip
    planned = resolve_plan(without, clients, now=site_pair.now).vm("web01")
    assert (planned.resource_pool, planned.datastore) == (None, None)


@pytest.mark.world(scenario=scenario(sites={"destination": {"resource_pools": ["Compute-ResourcePool", "Two"]}}))
def test_two_pools_of_one_name_are_refused(site_pair: SitePair, clients: SiteClients) -> None:
    world = site_pair.world
    pool = next(one for one in world.placements.values() if one.name == "Two")
    site_pair.run(lambda: world.update(pool, name="Compute-ResourcePool"))
    with pytest.raises(PlanError) as refused:
        resolve_plan(seed_wave(), clients, now=site_pair.now)
    (problem,) = refused.value.problems
    assert problem.message.endswith("has 2 of this name as resource pool: resgroup-101, resgroup-102")
    assert problem.suggestion == "Name the cluster as well."


def test_times_that_do_not_come_out_are_problems_of_the_wave(site_pair: SitePair, clients: SiteClients) -> None:
    wave = seed_wave(switchover_window={"opens": "22:00", "closes": "23:00"}, time_zone="Europe/Berlin")
    # At that start the segment's window opens before the switchover window does.
    with pytest.raises(PlanError) as refused:
        resolve_plan(wave, clients, now=datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
    (problem, *_) = refused.value.problems
    assert (problem.subject, problem.suggestion) == ("test-wave", "Correct the wave's times.")
    assert "is before the switchover window opens" in problem.message


@pytest.mark.world(scenario="three-tier")
def test_the_plan_of_the_shipped_waves_does_not_depend_on_the_order_of_the_inventory(site_server: Any) -> None:
    digests = set()
    for seed in (23, 23):
        pair = site_server.make_world(scenario="three-tier", seed=seed)
        try:
            with opened(pair) as clients:
                digests.add(resolve_plan(shipped("three-tier-2"), clients, now=pair.now).digest())
        finally:
            site_server.drop(pair)
    assert len(digests) == 1
