"""The fixed furniture of a site: managers' identities, folders, cluster, hosts, pools, switch and datastore."""

from __future__ import annotations

from typing import Any

from hcx_sim.scenario.schema import SiteSpec
from hcx_sim.world.model import Datastore, NetworkKind, Placement, Site, SiteName, VcNetwork
from hcx_sim.world.world import World

ROOT_FOLDER = "group-d1"
DATACENTER = "datacenter-2"
VM_FOLDER = "group-v3"
HOST_FOLDER = "group-h4"
NETWORK_FOLDER = "group-n5"
DATASTORE_FOLDER = "group-s6"
ROOT_POOL = "resgroup-8"
CLUSTER = "domain-c9"
SWITCH = "dvs-11"
DATASTORE = "datastore-15"
MANAGEMENT_NETWORK = "dvportgroup-10"
_FIRST_HOST = 16
_FIRST_POOL = 101
_FIRST_FOLDER = 201
_GIB = 1024**3


def build_site(world: World, name: SiteName, spec: SiteSpec) -> None:
    """Add a site and its furniture to the world."""
    world.put(_site(world, name, spec))
    _folders(world, name, spec)
    _compute(world, name, spec)
    _storage(world, name, spec)
    _put(world, name, SWITCH, "VmwareDistributedVirtualSwitch", "DSwitch-1", NETWORK_FOLDER, uuid_name="switch")
    world.put(
        VcNetwork(
            key=f"{name}/{MANAGEMENT_NETWORK}",
            site=name,
            moref=MANAGEMENT_NETWORK,
            name="management",
            network_kind=NetworkKind.DVPG,
            portgroup_key=MANAGEMENT_NETWORK,
            vlan_id=10,
            properties={"domain": f"management-{name.value}"},
        )
    )


def folder_moref(spec: SiteSpec, folder: str) -> str:
    """Return the moref of a workload folder."""
    return f"group-v{_FIRST_FOLDER + spec.folders.index(folder)}"


def pool_moref(spec: SiteSpec, pool: str) -> str:
    """Return the moref of a resource pool."""
    return f"resgroup-{_FIRST_POOL + spec.resource_pools.index(pool)}"


def host_moref(spec: SiteSpec, number: int) -> str:
    """Return the moref of the host on which the VM of that number runs."""
    return f"host-{_FIRST_HOST + number % spec.hosts}"


def _site(world: World, name: SiteName, spec: SiteSpec) -> Site:
    vmc = spec.nsx == "vmc"
    point = "vmc-enforcementpoint" if vmc else "default"
    zone = "vmc-overlay-tz" if vmc else "overlay-tz"
    stamp = "20250606141804337" if name is SiteName.SOURCE else "20250522180456277"
    return Site(
        key=name.value,
        name=name,
        nsx_flavour=spec.nsx,
        tier1_id=spec.tier1_id or ("cgw" if vmc else "t1-workloads"),
        enforcement_point=point,
        transport_zone_path=f"/infra/sites/default/enforcement-points/{point}/transport-zones/{zone}",
        vcenter_name=f"vcenter-{name.value}",
        vcenter_instance_uuid=world.random.stable_uuid(f"vcenter/{name}"),
        vcenter_version=spec.vcenter_version,
        vcenter_build=spec.vcenter_build,
        hcx_endpoint_id=f"{stamp}-{world.random.stable_uuid(f'endpoint/{name}')}",
        hcx_endpoint_name=f"hcx-{name.value}",
        hcx_type="VC",
        sddc_id=world.random.stable_uuid(f"sddc/{name}"),
        firewall_default_allow=spec.firewall_default_allow,
    )


def _put(
    world: World,
    site: SiteName,
    moref: str,
    type_name: str,
    name: str,
    parent: str | None,
    uuid_name: str | None = None,
    **properties: Any,
) -> None:
    if uuid_name is not None:
        properties["uuid"] = world.random.stable_uuid(f"{uuid_name}/{site}")
    world.put(Placement(f"{site}/{moref}", site, moref, type_name, name, parent, properties))


def _folders(world: World, site: SiteName, spec: SiteSpec) -> None:
    _put(world, site, ROOT_FOLDER, "Folder", "Datacenters", None, child_type=["Folder", "Datacenter"])
    _put(world, site, DATACENTER, "Datacenter", spec.datacenter, ROOT_FOLDER)
    _put(world, site, VM_FOLDER, "Folder", "vm", DATACENTER, child_type=["Folder", "VirtualMachine"])
    _put(world, site, HOST_FOLDER, "Folder", "host", DATACENTER, child_type=["Folder", "ComputeResource"])
    _put(world, site, NETWORK_FOLDER, "Folder", "network", DATACENTER, child_type=["Folder", "Network"])
    _put(world, site, DATASTORE_FOLDER, "Folder", "datastore", DATACENTER, child_type=["Folder", "Datastore"])
    for folder in spec.folders:
        kinds = ["Folder", "VirtualMachine"]
        _put(world, site, folder_moref(spec, folder), "Folder", folder, VM_FOLDER, child_type=kinds)


def _compute(world: World, site: SiteName, spec: SiteSpec) -> None:
    _put(world, site, CLUSTER, "ClusterComputeResource", spec.cluster, HOST_FOLDER)
    _put(world, site, ROOT_POOL, "ResourcePool", "Resources", CLUSTER)
    for pool in spec.resource_pools:
        _put(world, site, pool_moref(spec, pool), "ResourcePool", pool, ROOT_POOL)
    for number in range(spec.hosts):
        name = f"esx-{number + 1:02d}.{site.value}.example"
        facts: dict[str, Any] = {
            "cpu_cores": 36,
            "cpu_mhz": 2300,
            "memory_bytes": 512 * _GIB,
            "version": spec.vcenter_version,
        }
        _put(world, site, host_moref(spec, number), "HostSystem", name, CLUSTER, **facts)


def _storage(world: World, site: SiteName, spec: SiteSpec) -> None:
    capacity_bytes = int(spec.datastore_gb * _GIB)
    policy_id = world.random.stable_uuid(f"policy/{site}")
    world.put(
        Datastore(
            key=f"{site}/{DATASTORE}",
            site=site,
            moref=DATASTORE,
            name=spec.datastore,
            type_name="vsan",
            capacity_bytes=capacity_bytes,
            free_bytes=capacity_bytes,
            policies={policy_id: "Default storage policy"},
        )
    )
