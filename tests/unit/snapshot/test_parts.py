"""Parts of a snapshot that need some thought: the tree of places, and how much of a disk is used."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.vsphere.inventory_models import Cluster, Datastore, Folder, Host, ResourcePool
from hcx_waves.clients.vsphere.models import Disk, VirtualMachineDetail
from hcx_waves.snapshot.machines import used_bytes
from hcx_waves.snapshot.places import Furniture, datastores_of, places_of

GIB = 1024**3


def folder(moref: str, path: str, parent: str, *kinds: str) -> Folder:
    return Folder(moref, path.rpartition("/")[2], path, parent, kinds or ("Folder", "VirtualMachine"))


def furniture(*folders: Folder, **parts: Any) -> Furniture:
    given: dict[str, Any] = {"pools": [], "hosts": [], "clusters": [], "datastores": [], **parts}
    return Furniture(folders, **given)


def tree(*folders: Folder) -> dict[str, tuple[str, str, str | None]]:
    places = places_of(furniture(*folders), [])
    return {place.moref: (place.kind, place.name, place.parent) for place in places}


def test_a_datacentre_shows_in_the_paths_of_its_folders() -> None:
    found = tree(
        folder("group-v3", "/DC/vm", "datacenter-2"),
        folder("group-h4", "/DC/host", "datacenter-2", "Folder", "ComputeResource"),
        folder("group-v9", "/DC/vm/Servers", "group-v3"),
    )
    assert found == {
        "group-d1": ("Folder", "Datacenters", None),
        "datacenter-2": ("Datacenter", "DC", "group-d1"),
        "group-v3": ("Folder", "vm", "datacenter-2"),
        "group-h4": ("Folder", "host", "datacenter-2"),
        "group-v9": ("Folder", "Servers", "group-v3"),
    }


def test_datacentres_in_folders_of_a_root_folder_of_another_id() -> None:
    found = tree(
        folder("group-d7", "/Europe", "group-d99", "Folder", "Datacenter"),
        folder("group-v3", "/Europe/DC1/vm", "datacenter-2"),
        folder("group-v5", "/DC2/vm", "datacenter-4"),
    )
    assert found["group-d99"] == ("Folder", "Datacenters", None)
    assert found["group-d7"] == ("Folder", "Europe", "group-d99")
    assert found["datacenter-2"] == ("Datacenter", "DC1", "group-d7")
    assert found["datacenter-4"] == ("Datacenter", "DC2", "group-d99")
    assert "group-d1" not in found


def cluster(**changes: Any) -> Cluster:
    given: dict[str, Any] = {
        "moref": "domain-c1", "name": "C", "parent": "group-h4", "resource_pool": "resgroup-1", "hosts": ("host-1",),
        "datastores": ("datastore-1", "datastore-2"), "networks": ("dvportgroup-1", "dvportgroup-uplink"),
        "effective_cpu_mhz": 1, "effective_memory_mb": 2, "host_count": 1, "effective_host_count": 1,
        "evc_mode": None, "rules": (),
    }  # fmt: skip
    return Cluster(**{**given, **changes})


def store(moref: str, **changes: Any) -> Datastore:
    given: dict[str, Any] = {
        "moref": moref, "name": moref, "kind": "VMFS", "url": "ds:///x/", "accessible": True,
        "maintenance_mode": "normal", "capacity_bytes": 10, "free_bytes": 5,
    }  # fmt: skip
    return Datastore(**{**given, **changes})


def test_a_cluster_lists_what_it_reaches_only_if_that_is_not_everything() -> None:
    stores = [store("datastore-1"), store("datastore-2")]
    (one,) = places_of(furniture(clusters=[cluster()], datastores=stores), ["dvportgroup-1"])[:1]
    assert (one.datastores, one.networks) == (None, None)
    some = furniture(clusters=[cluster(datastores=("datastore-2",))], datastores=stores)
    (one,) = places_of(some, ["dvportgroup-1", "dvportgroup-2"])[:1]
    assert (one.datastores, one.networks) == (("datastore-2",), ("dvportgroup-1",))


def test_a_host_without_cluster_has_a_compute_resource_of_its_own() -> None:
    host = Host("host-7", "lone.example", "domain-s6", "connected", "poweredOn", False, "8.0.3", None, None)
    pool = ResourcePool("resgroup-6", "Resources", "domain-s6", "domain-s6")
    folders = [folder("group-h4", "/DC/host", "datacenter-2", "Folder", "ComputeResource")]
    places = {place.moref: place for place in places_of(furniture(*folders, hosts=[host], pools=[pool]), [])}
    assert (places["domain-s6"].kind, places["domain-s6"].parent) == ("ComputeResource", "group-h4")
    assert places["host-7"].parent == places["resgroup-6"].parent == "domain-s6"
    assert (places["host-7"].connection_state, places["host-7"].power_state) == (None, None)


def test_datastores_without_a_size_have_no_room() -> None:
    lost = store(
        "datastore-2", capacity_bytes=None, free_bytes=None, accessible=False, maintenance_mode="inMaintenance"
    )
    found = datastores_of(furniture(datastores=[lost, store("datastore-1")]))
    assert [(one.moref, one.accessible, one.maintenance_mode, one.free_bytes) for one in found] == [
        ("datastore-1", True, None, 5),
        ("datastore-2", False, "inMaintenance", 0),
    ]


def disk(size: int, *, thin: bool | None = True) -> Disk:
    return Disk(2000, "Hard disk 1", size, None, None, None, None, thin, None, None, None)


def machine(committed: int | None, power: str = "poweredOff", memory_mb: int | None = None) -> VirtualMachineDetail:
    return VirtualMachineDetail(
        moref="vm-1", name="a", instance_uuid=None, bios_uuid=None, power_state=power, networks=(), folder=None,
        is_template=False, resource_pool=None, host=None, committed_bytes=committed, memory_mb=memory_mb,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("committed", "disks", "used"),
    [
        (30, [disk(40), disk(80)], [10, 20]),
        (100, [disk(40, thin=False), disk(80)], [40, 60]),
        (500, [disk(40), disk(80)], [40, 80]),  # snapshots count as well
        (10, [disk(40, thin=False), disk(80)], [40, 0]),
        (None, [disk(100)], [60]),
        (7, [], []),
        (7, [disk(0)], [0]),
        (100, [disk(33), disk(33), disk(34)], [33, 33, 34]),
        (10, [disk(33), disk(33), disk(34)], [3, 3, 4]),
    ],
)
def test_what_is_committed_is_shared_among_the_disks(committed: int | None, disks: list[Disk], used: list[int]) -> None:
    assert used_bytes(machine(committed), disks) == used


def test_the_swap_file_of_a_running_vm_is_not_on_its_disks() -> None:
    vm = machine(3 * GIB, "poweredOn", memory_mb=1024)
    assert used_bytes(vm, [disk(10 * GIB)]) == [2 * GIB]
    assert used_bytes(machine(3 * GIB, memory_mb=1024), [disk(10 * GIB)]) == [3 * GIB]
