"""Who gets out, through which gateway, from the facts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock, seconds
from hcx_sim.scenario import build_world, load_scenario
from hcx_sim.scenario.networking import find_network
from hcx_sim.world import operations
from hcx_sim.world.model import FirewallRule, Power, Segment, SiteName, Vm
from hcx_sim.world.oracle import Oracle
from hcx_sim.world.world import World


@pytest.fixture
def world() -> World:
    """The seed world on a stepped clock, watched by an oracle."""
    made = build_world(load_scenario("seed"), "w", "site", VirtualClock(0, ClockMode.STEPPED))
    made.products["oracle"] = Oracle(made)
    return made


def pass_time(world: World, duration_seconds: float) -> None:
    """Move a stepped world forward."""
    world.clock.advance_to(world.clock.now_us() + seconds(duration_seconds))
    world.catch_up()


def segment(world: World, site: SiteName) -> Segment:
    """The seed segment at a site."""
    return world.segments[f"{site}/seed-net"]


def move(world: World, name: str) -> Vm:
    """Move a VM to the destination's half of the stretched segment."""
    vm = world.vm_by_uid(name)
    there = world.network_of_segment(segment(world, SiteName.DESTINATION))
    target = operations.Destination(
        site=SiteName.DESTINATION,
        folder_moref="group-v201",
        pool_moref="resgroup-101",
        cluster_moref="domain-c9",
        datacenter_moref="datacenter-2",
        host_moref="host-16",
        datastore_moref="datastore-15",
        networks={nic.mac: there.moref for nic in vm.nics},
    )
    return operations.relocate(world, vm, target)


def report(world: World) -> dict:
    """The oracle's report."""
    return world.products["oracle"].report()


def test_moved_vm_keeps_going_out_through_the_source_while_stretched(world: World) -> None:
    moved = move(world, "web01")
    assert moved.moref != "vm-1005" or moved.site is SiteName.DESTINATION
    vm = report(world)["vms"]["web01"]
    assert vm["gateways"] == {"seed-net": "source"}
    assert vm["outage"] == []
    assert vm["now"]["macs"] == vm["before"]["macs"]
    assert vm["now"]["ips"] == vm["before"]["ips"]
    assert vm["now"]["site"] == "destination"


def test_bridge_down_isolates_those_who_moved_only(world: World) -> None:
    move(world, "web01")
    pass_time(world, 10)
    world.update(next(iter(world.bridges.values())), up=False)
    pass_time(world, 5)
    vms = report(world)["vms"]
    assert vms["web01"]["outage"][0]["detail"] == {"network": "seed-net", "reason": "no_gateway"}
    assert vms["web01"]["outage"][0]["seconds"] == 5
    assert vms["app01"]["outage"] == []


def test_source_off_with_vms_left_behind_is_a_cut(world: World) -> None:
    for name in ("web01", "web02", "app01"):
        move(world, name)
    operations.change_segment(world, segment(world, SiteName.SOURCE), connectivity="OFF")
    pass_time(world, 12)
    found = report(world)["segments"]["seed-net"]
    assert [span["detail"] for span in found["source_cut_running"]] == [["db01"]]
    assert found["source_cut_running"][0]["seconds"] == 10
    assert found["outage"][0]["detail"] == ["app01", "db01", "web01", "web02"]


def test_both_gateways_on_is_seen_with_and_without_the_stretch(world: World) -> None:
    operations.change_segment(world, segment(world, SiteName.DESTINATION), connectivity="ON")
    pass_time(world, 4)
    world.remove(next(iter(world.bridges.values())))
    pass_time(world, 6)
    operations.change_segment(world, segment(world, SiteName.SOURCE), connectivity="OFF")
    pass_time(world, 6)
    spans = report(world)["segments"]["seed-net"]["two_gateways"]
    assert [span["seconds"] for span in spans] == [10]


def test_full_cutover_has_one_outage_and_nothing_else(world: World) -> None:
    for name in ("web01", "web02", "app01", "db01"):
        move(world, name)
    operations.change_segment(world, segment(world, SiteName.SOURCE), connectivity="OFF")
    pass_time(world, 30)
    world.remove(next(iter(world.bridges.values())))
    operations.change_segment(world, segment(world, SiteName.DESTINATION), connectivity="ON")
    pass_time(world, 30)
    found = report(world)["segments"]["seed-net"]
    assert [span["seconds"] for span in found["outage"]] == [30]
    assert found["two_gateways"] == []
    assert found["source_cut"] == []
    assert {vm["gateways"].get("seed-net") for vm in report(world)["vms"].values()} == {"destination", None}


def test_gateway_firewall_decides_by_address(world: World) -> None:
    move(world, "web01")
    operations.change_segment(world, segment(world, SiteName.SOURCE), connectivity="OFF")
    operations.change_segment(world, segment(world, SiteName.DESTINATION), connectivity="ON")
    pass_time(world, 3)
    rule = FirewallRule(
        "destination/default/deny", SiteName.DESTINATION, "default", "deny", {}, 10, "DROP", ["192.168.1.11/32"]
    )
    world.put(rule)
    assert report(world)["vms"]["web01"]["outage"][-1]["detail"]["reason"] == "firewall"
    world.update(rule, enabled=False)
    assert report(world)["vms"]["web01"]["gateways"] == {"seed-net": "destination"}


def test_mobility_optimised_vm_uses_the_destination_while_its_gateway_is_off(world: World) -> None:
    move(world, "web01")
    world.update(next(iter(world.bridges.values())), mon=True, mon_vm_uids=["web01"])
    assert report(world)["vms"]["web01"]["gateways"] == {"seed-net": "destination"}


@pytest.mark.parametrize(("change", "reason"), [("card", "isolated"), ("port group", "blocked")])
def test_card_and_port_group_can_isolate(world: World, change: str, reason: str) -> None:
    vm = world.vm_by_uid("web01")
    if change == "card":
        world.update(vm, nics=[replace(nic, connected=False) for nic in vm.nics])
    else:
        world.update(find_network(world, SiteName.SOURCE, "seed-net"), blocked=True)
    pass_time(world, 1)
    assert report(world)["vms"]["web01"]["outage"][0]["detail"]["reason"] == reason


def test_power_off_is_reported_apart_from_the_network(world: World) -> None:
    vm = world.vm_by_uid("web01")
    world.update(vm, power=Power.OFF)
    pass_time(world, 60)
    world.update(vm, power=Power.ON)
    found = report(world)["vms"]["web01"]
    assert [span["seconds"] for span in found["power_off"]] == [60]
    assert found["outage"] == []


def test_spans_of_no_length_are_dropped(world: World) -> None:
    bridge = next(iter(world.bridges.values()))
    move(world, "web01")
    world.update(bridge, up=False)
    world.update(bridge, up=True)
    pass_time(world, 5)
    assert report(world)["vms"]["web01"]["outage"] == []


def test_physical_gateway_counts_like_a_segment(world: World) -> None:
    physical = build_world(load_scenario("physical"), "p", "site", VirtualClock(0, ClockMode.STEPPED))
    oracle = Oracle(physical)
    network = find_network(physical, SiteName.SOURCE, "vlan-120")
    physical.update(network, gateway_connected=False)
    pass_time(physical, 7)
    found = oracle.report()["segments"]["vlan-120"]
    assert [span["seconds"] for span in found["outage"]] == [7]
    assert [span["detail"] for span in found["source_cut_running"]] == [["erp01", "erp02"]]


def test_reading_the_oracle_changes_nothing(world: World) -> None:
    before = world.audit.canonical_bytes()
    assert report(world) == report(world)
    assert world.audit.canonical_bytes() == before
