"""Segments are realised after a while, VMs arrive with new morefs, and everything is audited."""

from __future__ import annotations

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock, seconds
from hcx_sim.faults.rules import FaultRule
from hcx_sim.scenario import build_world, load_scenario
from hcx_sim.world import operations
from hcx_sim.world.model import Power, SiteName
from hcx_sim.world.world import World


@pytest.fixture
def world() -> World:
    """The three-tier world on a stepped clock."""
    return build_world(load_scenario("three-tier"), "w", "site", VirtualClock(0, ClockMode.STEPPED))


def pass_time(world: World, duration_seconds: float) -> None:
    """Move a stepped world forward."""
    world.clock.advance_to(world.clock.now_us() + seconds(duration_seconds))
    world.catch_up()


def target(world: World, name: str) -> operations.Destination:
    """A place at the destination, every card on the stretched twin of its network."""
    vm = world.vm_by_uid(name)
    networks = {}
    for nic in vm.nics:
        here = world.networks[f"source/{nic.network_moref}"]
        networks[nic.mac] = world.segments[f"destination/{here.segment_id}"].network_moref
    return operations.Destination(
        SiteName.DESTINATION, "group-v201", "resgroup-101", "domain-c9", "datacenter-2", "host-16", "datastore-15",
        networks,
    )  # fmt: skip


def test_connectivity_follows_after_realisation(world: World) -> None:
    segment = world.segments["source/web"]
    assert operations.change_segment(world, segment, connectivity="OFF") is True
    assert (segment.revision, segment.realisation, segment.gateway_up) == (1, "pending", True)
    pass_time(world, 1)
    assert (segment.realisation, segment.gateway_up) == ("in_progress", True)
    pass_time(world, 1)
    assert (segment.realisation, segment.gateway_up) == ("success", False)
    assert operations.change_segment(world, segment, connectivity="OFF") is False


def test_later_change_overtakes_an_earlier_one(world: World) -> None:
    segment = world.segments["source/web"]
    operations.change_segment(world, segment, connectivity="OFF")
    pass_time(world, 1)
    operations.change_segment(world, segment, connectivity="ON")
    pass_time(world, 5)
    assert segment.gateway_up is True
    assert not [e for e in world.audit.entries("change", subject="segment:source/web") if e.data.get("after") == {
        "gateway_up": False}]  # fmt: skip


def test_rename_reaches_vcenter_after_realisation(world: World) -> None:
    segment = world.segments["destination/web"]
    operations.change_segment(world, segment, display_name="web-cloud")
    assert world.network_of_segment(segment).name == "web"
    pass_time(world, 2)
    assert world.network_of_segment(segment).name == "web-cloud"


def test_engine_fault_fails_the_realisation(world: World) -> None:
    world.faults.add(FaultRule(rule_id="r", product="engine", call="segment.realise", object="web", behaviour="fail"))
    segment = world.segments["source/web"]
    operations.change_segment(world, segment, connectivity="OFF")
    pass_time(world, 60)
    assert (segment.realisation, segment.gateway_up) == ("failed", True)


def test_relocate_keeps_identity_and_moves_space(world: World) -> None:
    vm = world.vm_by_uid("app01")
    used = operations.total_disk_bytes(vm.disks)
    free = {site: world.datastores[f"{site}/datastore-15"].free_bytes for site in SiteName}
    moved = operations.relocate(world, vm, target(world, "app01"))
    assert (moved.uid, moved.name, moved.instance_uuid, moved.power) == ("app01", "app01", vm.instance_uuid, Power.ON)
    assert [n.mac for n in moved.nics] == [n.mac for n in vm.nics]
    assert vm.key not in world.vms
    assert world.vm_by_uid("app01") is moved
    assert world.datastores["source/datastore-15"].free_bytes == free[SiteName.SOURCE] + used
    assert world.datastores["destination/datastore-15"].free_bytes == free[SiteName.DESTINATION] - used


def test_bulk_leaves_one_retired_copy(world: World) -> None:
    vm = world.vm_by_uid("web01")
    arrived = operations.copy_arrival(
        world, vm, target(world, "web01"), retired_name="web01-1700000000", retired_folder_moref="group-v202",
        power=Power.ON,
    )  # fmt: skip
    copies = [each for each in world.vms.values() if each.uid == "web01"]
    assert [(c.retired, c.site, c.power) for c in copies] == [
        (True, SiteName.SOURCE, Power.OFF),
        (False, SiteName.DESTINATION, Power.ON),
    ]
    assert world.vm_by_uid("web01") is arrived


def test_relocate_without_a_network_changes_nothing(world: World) -> None:
    vm = world.vm_by_uid("app01")
    where = target(world, "app01")
    incomplete = operations.Destination(**{**_fields(where), "networks": {}})
    before = world.audit.canonical_bytes()
    with pytest.raises(KeyError):
        operations.relocate(world, vm, incomplete)
    assert world.vm_by_uid("app01") is vm
    assert world.audit.canonical_bytes() == before


def _fields(where: operations.Destination) -> dict:
    return {name: getattr(where, name) for name in where.__slots__}


def test_deleted_segment_takes_its_vcenter_network_along(world: World) -> None:
    segment = operations.create_segment(
        world, SiteName.DESTINATION, "new", "new", fixed=True, gateway_cidr="10.99.0.1/24"
    )
    network = world.network_of_segment(segment)
    assert operations.segment_path(world, segment) == "/infra/tier-1s/cgw/segments/new"
    operations.delete_segment(world, segment)
    assert network.key not in world.networks
    with pytest.raises(ValueError, match="exists already"):
        operations.create_segment(world, SiteName.DESTINATION, "web", "web", fixed=True, gateway_cidr=None)


def test_changes_name_their_cause(world: World) -> None:
    operations.change_segment(world, world.segments["source/web"], connectivity="OFF")
    pass_time(world, 2)
    causes = {entry.cause for entry in world.audit.entries("change", subject="segment:source/web")}
    assert "event:segment.realise:source/web/1.0" in causes
