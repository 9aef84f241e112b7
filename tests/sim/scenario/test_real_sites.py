"""Scenarios that describe real sites by their MoRefs, as snapshots of live ones do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock
from hcx_sim.scenario import Scenario, ScenarioError, build_world, load_scenario, scenario_from_snapshot
from hcx_sim.scenario.export import export_world
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

SAMPLES = Path(__file__).parents[2] / "contract" / "snapshot"


def build(scenario: Scenario) -> World:
    return build_world(scenario, "w", "twin", VirtualClock(0, ClockMode.STEPPED))


def sample(name: str) -> Scenario:
    return scenario_from_snapshot(json.loads((SAMPLES / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", ["seed", "every_field"])
def test_export_of_a_twin_builds_an_equal_world(name: str) -> None:
    first = export_world(build(sample(name)))
    again = export_world(build(load_scenario(json.loads(json.dumps(first["scenario"])))))
    assert again == first
    assert {vm["moref"] for vm in first["scenario"]["vms"]} >= {"vm-1001" if name == "seed" else "vm-101"}


def test_new_things_get_morefs_that_nothing_has() -> None:
    world = build(sample("seed"))
    taken = {vm.moref for vm in world.vms_at(SiteName.SOURCE)}
    assert {"vm-1001", "vm-1002"} <= taken
    fresh = [world.next_moref("vm", SiteName.SOURCE) for _ in range(20)]
    assert not taken & set(fresh)
    assert len(set(fresh)) == 20
    assert world.next_moref("dvportgroup", SiteName.SOURCE) == "dvportgroup-1002"


def test_a_site_of_several_clusters_and_datastores() -> None:
    def place(moref: str, kind: str, name: str, parent: str | None, **properties: Any) -> dict[str, Any]:
        return {"moref": moref, "kind": kind, "name": name, "parent": parent, "properties": properties}

    places = [
        place("group-d1", "Folder", "Datacenters", None),
        place("datacenter-2", "Datacenter", "DC", "group-d1"),
        place("group-v3", "Folder", "vm", "datacenter-2"),
        place("group-h4", "Folder", "host", "datacenter-2"),
    ]
    for number in (1, 2):
        places += [
            place(f"domain-c{number}", "ClusterComputeResource", f"Cluster-{number}", "group-h4"),
            place(f"resgroup-{number}", "ResourcePool", "Resources", f"domain-c{number}"),
            place(f"host-{number}", "HostSystem", f"esx-{number}", f"domain-c{number}"),
        ]
    stores = [
        {"moref": "datastore-1", "name": "one", "capacity_gb": 100, "free_gb": 40},
        {"moref": "datastore-2", "name": "two", "capacity_gb": 100},
    ]
    vms = [
        {"name": "a", "folder": "vm", "resource_pool": "resgroup-2", "disks": [{"size_gb": 10, "datastore": "two"}]},
        {"name": "b", "folder": "vm", "resource_pool": "resgroup-1", "disks": [{"size_gb": 10, "datastore": "one"}]},
        {"name": "c", "folder": "group-v3", "resource_pool": "resgroup-1", "host": "esx-2"},
    ]
    document = {"name": "x", "sites": {"source": {"places": places, "datastores": stores}}, "vms": vms, "meshes": []}
    world = build(load_scenario(document))
    found = {vm.name: (vm.cluster_moref, vm.host_moref, vm.disks[0].datastore_moref) for vm in world.vms.values()}
    assert found == {
        "a": ("domain-c2", "host-2", "datastore-2"),
        "b": ("domain-c1", "host-1", "datastore-1"),
        "c": ("domain-c2", "host-2", "datastore-1"),
    }
    free = {store.name: store.free_bytes for store in world.datastores.values() if store.site is SiteName.SOURCE}
    # What is stated is as it is; the other one has what its VMs leave.
    assert free == {"one": 40 * 1024**3, "two": 94 * 1024**3}


def test_a_site_with_half_of_its_places() -> None:
    places = [{"moref": "group-v3", "kind": "Folder", "name": "vm", "parent": "nowhere"}] * 2
    with pytest.raises(ScenarioError) as error:
        load_scenario({"name": "x", "sites": {"source": {"places": places}}})
    for words in ("two source places are called 'group-v3'", "'nowhere' is not there", "needs a Datacenter"):
        assert words in str(error.value)


def document(name: str = "every_field") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def test_a_segment_that_no_vcenter_network_shows_is_there_all_the_same() -> None:
    world = build(scenario_from_snapshot(document()))
    lab = world.segments["source/lab"]
    assert (lab.connectivity, lab.gateway_cidr, lab.gateway_up) == ("OFF", None, False)
    assert world.network_of_segment(lab).moref.startswith("dvportgroup-")


def test_an_extension_on_appliances_that_nobody_lists() -> None:
    changed = document("seed")
    del changed["hcx"]["meshes"][0]["appliances"]
    for end in ("source", "destination"):
        changed[end]["vms"] = [vm for vm in changed[end]["vms"] if not vm.get("hcx_appliance")]
    world = build(scenario_from_snapshot(changed))
    (bridge,), (mesh,) = world.bridges.values(), world.meshes.values()
    assert bridge.appliance_uids == {"source": "seed-mesh-NE-I1", "destination": "seed-mesh-NE-R1"}
    assert mesh.ne_vm_uids == {"source": ["seed-mesh-NE-I1"], "destination": ["seed-mesh-NE-R1"]}
    appliance = world.vm_by_uid("seed-mesh-NE-I1")
    assert [nic.network_moref for nic in appliance.nics] == ["dvportgroup-10", "dvportgroup-1001"]


def test_a_segment_with_a_port_group_on_each_of_two_switches() -> None:
    changed = document("seed")
    network = next(one for one in changed["source"]["networks"] if one["name"] == "seed-net")
    changed["source"]["networks"].append({**network, "moref": "dvportgroup-77"})
    changed["source"]["vms"][-1]["nics"][0]["network"] = "dvportgroup-77"
    world = build(scenario_from_snapshot(changed))
    shown = {world.networks[f"source/{moref}"].segment_id for moref in ("dvportgroup-1001", "dvportgroup-77")}
    assert shown == {"seed-net"}
    assert len([segment for segment in world.segments.values() if segment.site is SiteName.SOURCE]) == 1


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("segments", "10.0.0.300/24", "10.0.0.300"),
        ("extensions", "255.255.255.7", "255.255.255.7"),
    ],
)
def test_addresses_that_are_none(place: str, value: str, says: str) -> None:
    changed = document("seed")
    if place == "segments":
        changed["source"]["nsx"]["segments"][0]["gateways"] = [value]
    else:
        changed["hcx"]["extensions"][0]["netmask"] = value
    with pytest.raises(ScenarioError, match=says):
        scenario_from_snapshot(changed)
