"""The fixed furniture of a site: managers' identities, folders, cluster, hosts, pools, switch and datastores."""

from __future__ import annotations

from typing import Any

from hcx_sim.scenario.furniture import Furniture
from hcx_sim.scenario.schema import SiteSpec
from hcx_sim.scenario.schema_sites import DatastoreSpec
from hcx_sim.world.model import Datastore, FirewallRule, NetworkKind, Placement, Site, SiteName, VcNetwork
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
_FIRST_SWITCH = 901
_FIRST_POOL = 101
_FIRST_FOLDER = 201
_GIB = 1024**3


def build_site(world: World, name: SiteName, spec: SiteSpec) -> Furniture:
    """Add a site and its furniture to the world; return where things are in it."""
    world.put(_site(world, name, spec))
    if spec.places:
        _given_places(world, name, spec)
    else:
        _folders(world, name, spec)
        _compute(world, name, spec)
        _put(world, name, SWITCH, "VmwareDistributedVirtualSwitch", "DSwitch-1", NETWORK_FOLDER, uuid_name="switch")
        for number, switch in enumerate(spec.more_switches):
            moref = f"dvs-{_FIRST_SWITCH + number}"
            _put(world, name, moref, "VmwareDistributedVirtualSwitch", switch, NETWORK_FOLDER, uuid_name=moref)
        _management_network(world, name)
    _storage(world, name, spec)
    _firewall(world, name, spec)
    return Furniture.of(world, name)


def _site(world: World, name: SiteName, spec: SiteSpec) -> Site:
    vmc = spec.nsx == "vmc"
    given = spec.identity
    point = given.enforcement_point or ("vmc-enforcementpoint" if vmc else "default")
    zone = "vmc-overlay-tz" if vmc else "overlay-tz"
    zone_path = f"/infra/sites/default/enforcement-points/{point}/transport-zones/{zone}"
    stamp = "20250606141804337" if name is SiteName.SOURCE else "20250522180456277"
    uuid = world.random.stable_uuid
    return Site(
        key=name.value,
        name=name,
        nsx_flavour=spec.nsx,
        tier1_id=spec.tier1_id or ("cgw" if vmc else "t1-workloads"),
        enforcement_point=point,
        transport_zone_path=given.transport_zone_path or zone_path,
        vcenter_name=given.vcenter_name or f"vcenter-{name.value}",
        vcenter_instance_uuid=given.vcenter_instance_uuid or uuid(f"vcenter/{name}"),
        vcenter_version=spec.vcenter_version,
        vcenter_build=spec.vcenter_build,
        hcx_endpoint_id=given.hcx_endpoint_id or f"{stamp}-{uuid(f'endpoint/{name}')}",
        hcx_endpoint_name=given.hcx_endpoint_name or f"hcx-{name.value}",
        hcx_type=given.hcx_type or "VC",
        sddc_id=uuid(f"sddc/{name}"),
        firewall_default_allow=spec.firewall_default_allow,
        more_tier1_ids=list(spec.more_tier1_ids),
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


def _given_places(world: World, site: SiteName, spec: SiteSpec) -> None:
    """Add the places of a real site, and what a simulated one cannot be without."""
    for place in spec.places:
        _put(world, site, place.moref, place.kind, place.name, place.parent, **place.properties)
    if not any(place.kind == "VmwareDistributedVirtualSwitch" for place in spec.places):
        folder = next((p.moref for p in spec.places if p.kind == "Folder" and p.name == "network"), None)
        _put(world, site, SWITCH, "VmwareDistributedVirtualSwitch", "DSwitch-1", folder, uuid_name="switch")


def _folders(world: World, site: SiteName, spec: SiteSpec) -> None:
    _put(world, site, ROOT_FOLDER, "Folder", "Datacenters", None, child_type=["Folder", "Datacenter"])
    _put(world, site, DATACENTER, "Datacenter", spec.datacenter, ROOT_FOLDER)
    _put(world, site, VM_FOLDER, "Folder", "vm", DATACENTER, child_type=["Folder", "VirtualMachine"])
    _put(world, site, HOST_FOLDER, "Folder", "host", DATACENTER, child_type=["Folder", "ComputeResource"])
    _put(world, site, NETWORK_FOLDER, "Folder", "network", DATACENTER, child_type=["Folder", "Network"])
    _put(world, site, DATASTORE_FOLDER, "Folder", "datastore", DATACENTER, child_type=["Folder", "Datastore"])
    for number, folder in enumerate(spec.folders):
        kinds = ["Folder", "VirtualMachine"]
        _put(world, site, f"group-v{_FIRST_FOLDER + number}", "Folder", folder, VM_FOLDER, child_type=kinds)


def _compute(world: World, site: SiteName, spec: SiteSpec) -> None:
    _put(world, site, CLUSTER, "ClusterComputeResource", spec.cluster, HOST_FOLDER)
    _put(world, site, ROOT_POOL, "ResourcePool", "Resources", CLUSTER)
    for number, pool in enumerate(spec.resource_pools):
        _put(world, site, f"resgroup-{_FIRST_POOL + number}", "ResourcePool", pool, ROOT_POOL)
    for number in range(spec.hosts):
        name = f"esx-{number + 1:02d}.{site.value}.example"
        facts: dict[str, Any] = {
            "cpu_cores": 36,
            "cpu_mhz": 2300,
            "memory_bytes": 512 * _GIB,
            "version": spec.vcenter_version,
        }
        _put(world, site, f"host-{_FIRST_HOST + number}", "HostSystem", name, CLUSTER, **facts)


def _management_network(world: World, site: SiteName) -> None:
    world.put(
        VcNetwork(
            key=f"{site}/{MANAGEMENT_NETWORK}",
            site=site,
            moref=MANAGEMENT_NETWORK,
            name="management",
            network_kind=NetworkKind.DVPG,
            portgroup_key=MANAGEMENT_NETWORK,
            vlan_id=10,
            properties={"domain": f"management-{site.value}"},
        )
    )


def _storage(world: World, site: SiteName, spec: SiteSpec) -> None:
    made_up = DatastoreSpec(moref=DATASTORE, name=spec.datastore, capacity_gb=spec.datastore_gb)
    policies = spec.storage_policies or {world.random.stable_uuid(f"policy/{site}"): "Default storage policy"}
    for store in spec.datastores or [made_up]:
        capacity_bytes = int(store.capacity_gb * _GIB)
        free_bytes = capacity_bytes if store.free_gb is None else int(store.free_gb * _GIB)
        world.put(
            Datastore(
                key=f"{site}/{store.moref}",
                site=site,
                moref=store.moref,
                name=store.name,
                type_name=store.kind,
                capacity_bytes=capacity_bytes,
                free_bytes=free_bytes,
                policies=dict(policies),
                properties=dict(store.properties),
            )
        )


def _firewall(world: World, site: SiteName, spec: SiteSpec) -> None:
    for rule in spec.firewall:
        world.put(
            FirewallRule(
                key=f"{site}/{rule.policy_id}/{rule.rule_id}",
                site=site,
                policy_id=rule.policy_id,
                rule_id=rule.rule_id,
                body=dict(rule.body),
                sequence_number=rule.sequence_number,
                action=rule.action,
                cidrs=list(rule.cidrs),
                enabled=rule.enabled,
            )
        )
