"""Items of the inventory queries. Both the older ``id`` and the newer ``entity_id`` are given. [C hcx 3.2]"""

from __future__ import annotations

from typing import Any

from hcx_sim.hcx.addresses import vcenter_url
from hcx_sim.hcx.networks import network_id, network_type
from hcx_sim.world.model import Datastore, Nic, Placement, Site, SiteName, VcNetwork, Vm
from hcx_sim.world.operations import total_disk_bytes
from hcx_sim.world.world import World

_MIB = 1024 * 1024
CONTAINER_TYPES = {
    "Folder": "folder",
    "ResourcePool": "resourcePool",
    "Datacenter": "datacenter",
    "ClusterComputeResource": "cluster",
    "HostSystem": "host",
}
SWITCH_TYPE = "VmwareDistributedVirtualSwitch"
DEFAULT_MAX_MTU = 9000


def identity(moref: str, name: str, entity_type: str) -> dict[str, Any]:
    """Return the fields by which every entity is known."""
    return {"entity_id": moref, "id": moref, "name": name, "entityType": entity_type}


def origin(site: Site) -> dict[str, Any]:
    """Return where an entity comes from."""
    return {
        "endpointId": site.hcx_endpoint_id,
        "endpointName": site.hcx_endpoint_name,
        "resourceId": site.vcenter_instance_uuid,
    }


def virtual_machine_item(world: World, vm: Vm) -> dict[str, Any]:
    """Return a VM; ``memorySizeMB`` in MiB, ``memorySize`` and ``diskSize`` in bytes."""
    return {
        **identity(vm.moref, vm.name, "VirtualMachine"),
        "summary": {
            "guestFullName": vm.guest_name,
            "guestId": vm.guest_id,
            "memorySizeMB": vm.memory_mb,
            "numCpu": vm.num_cpu,
            "diskSize": sum(disk.capacity_bytes for disk in vm.disks),
            "memorySize": vm.memory_mb * _MIB,
            "usedDiskSize": total_disk_bytes(vm.disks),
            "powerState": vm.power.value,
        },
        "network": [_network_of(world, vm.site, nic) for nic in vm.nics],
        "networkDevices": [_network_device(nic) for nic in vm.nics],
        "_origin": origin(world.site(vm.site)),
    }


def _network_of(world: World, site: SiteName, nic: Nic) -> dict[str, Any]:
    network = world.networks.get(f"{site}/{nic.network_moref}")
    if network is None:
        moref = nic.network_moref
        return {"type": "Network", "value": moref, "id": moref, "name": moref, "displayName": moref}
    own_id = network_id(world, network)
    return {
        "type": network_type(world, network),
        "value": own_id,
        "id": own_id,
        "name": network.name,
        "displayName": network.name,
    }


def _network_device(nic: Nic) -> dict[str, Any]:
    """Return a card; what the product sends here was not seen, the MAC address is certain to be in it [I hcx 3.2]."""
    return {
        "key": nic.key,
        "label": nic.label,
        "macAddress": nic.mac,
        "connected": nic.connected,
        "networkId": nic.network_moref,
        "ipAddress": list(nic.ip_addresses),
    }


def network_item(world: World, network: VcNetwork) -> dict[str, Any]:
    """Return a network; ``href`` repeats the id."""
    own_id, kind = network_id(world, network), network_type(world, network)
    return {
        **identity(own_id, network.name, kind),
        "type": kind,
        "href": own_id,
        "displayName": network.name,
        "vcenterNetworkId": network.moref,
        "_origin": origin(world.site(network.site)),
    }


def datastore_item(world: World, datastore: Datastore) -> dict[str, Any]:
    """Return a datastore; sizes in bytes."""
    return {
        **identity(datastore.moref, datastore.name, "Datastore"),
        "type": datastore.type_name,
        "capacity": datastore.capacity_bytes,
        "freeSpace": datastore.free_bytes,
        "_origin": origin(world.site(datastore.site)),
    }


def container_item(world: World, placement: Placement) -> dict[str, Any]:
    """Return a folder, resource pool, datacentre, cluster or host."""
    kind = CONTAINER_TYPES[placement.type_name]
    return {
        **identity(placement.moref, placement.name, kind),
        "parent": placement.parent_moref,
        "_origin": origin(world.site(placement.site)),
    }


def is_container(placement: Placement) -> bool:
    """Tell whether a placement can hold a VM; folders for networks and datastores cannot."""
    if placement.type_name == "Folder":
        return "VirtualMachine" in placement.properties.get("child_type", ["VirtualMachine"])
    return placement.type_name in CONTAINER_TYPES


def storage_profiles_at(world: World, site: SiteName) -> list[dict[str, Any]]:
    """Return the storage policies of a site; values of ``type`` and ``entityType`` are guesses."""
    policies: dict[str, str] = {}
    for datastore in world.datastores.values():
        if datastore.site is site:
            policies.update(datastore.policies)
    place = origin(world.site(site))
    return [
        {**identity(policy_id, name, "storageProfile"), "type": "REQUIREMENT", "_origin": place}
        for policy_id, name in policies.items()
    ]


def resource_container_item(world: World, site_name: SiteName, *, local: bool) -> dict[str, Any]:
    """Return a vCenter as a resource container: the union of what several releases' clients read."""
    site = world.site(site_name)
    return {
        "endpointId": site.hcx_endpoint_id,
        "endpointName": site.hcx_endpoint_name,
        "endpointType": site.hcx_type,
        "resourceId": site.vcenter_instance_uuid,
        "resourceName": site.vcenter_name,
        "resourceType": "VC",
        "isLocal": local,
        "url": vcenter_url(world, site_name),
        "vcuuid": site.vcenter_instance_uuid,
        "version": site.vcenter_version,
        "buildNumber": site.vcenter_build,
        "osType": "linux-x64",
        "name": site.vcenter_name,
        "vimId": site.vcenter_instance_uuid,
        "vimServerUuid": site.vcenter_instance_uuid,
        "endpoint": {
            "endpointId": site.hcx_endpoint_id,
            "name": site.hcx_endpoint_name,
            "cloudType": site.hcx_type,
        },
    }
