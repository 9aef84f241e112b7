"""From a world back to a scenario document: what a snapshot holds."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any

from hcx_sim.engine.clock import to_datetime
from hcx_sim.scenario import infrastructure as places
from hcx_sim.scenario.export_real import (
    is_real,
    real_extensions,
    real_meshes,
    real_networks,
    real_site,
    real_vm,
)
from hcx_sim.scenario.schema import MeshSpec, NetworkSpec, Scenario, SiteSpec
from hcx_sim.world.model import Bridge, Disk, NetworkKind, Segment, SiteName, VcNetwork, Vm, VmRole
from hcx_sim.world.world import World

_GIB = 1024**3
_BITS = 8


def export_world(world: World) -> dict[str, Any]:
    """Return ``{"scenario": document, "not_carried": [...]}`` of a world as it stands.

    The document builds an equal inventory: sites, meshes, networks, stretches and VMs. Work in flight (engine
    events), sessions and faults are not carried; events in flight are counted in ``not_carried``.
    """
    real = is_real(world)
    scenario = Scenario(
        name=f"snapshot-of-{world.world_id}",
        seed=world.random.seed,
        start=to_datetime(world.now_us),
        settings=world.settings,
        sites={} if real else {site: _site(world, site) for site in SiteName},
        meshes=[] if real else _meshes(world),
        networks=[] if real else _networks(world),
    )
    document = scenario.model_dump(mode="json", exclude_defaults=True)
    if real:
        document["sites"] = {site.value: real_site(world, site) for site in SiteName}
        document |= {"meshes": real_meshes(world), "networks": real_networks(world)}
        document["extensions"] = real_extensions(world)
        document["vms"] = [real_vm(vm, _vm(world, vm)) for vm in world.vms.values()]
    else:
        document["vms"] = [_vm(world, vm) for vm in world.vms.values() if vm.role is not VmRole.HCX_APPLIANCE]
    pending = world.engine.pending()
    return {"scenario": document, "not_carried": [f"{pending} events in flight"] if pending else []}


def _children(world: World, site: SiteName, parent: str, type_name: str) -> list[str]:
    return [
        p.name
        for p in world.placements.values()
        if p.site is site and p.parent_moref == parent and p.type_name == type_name
    ]


def _site(world: World, site: SiteName) -> SiteSpec:
    facts = world.site(site)
    datastore = world.datastores[f"{site}/{places.DATASTORE}"]
    return SiteSpec(
        nsx="vmc" if facts.nsx_flavour == "vmc" else "onprem",
        datacenter=world.placements[f"{site}/{places.DATACENTER}"].name,
        cluster=world.placements[f"{site}/{places.CLUSTER}"].name,
        hosts=len(_children(world, site, places.CLUSTER, "HostSystem")),
        tier1_id=facts.tier1_id,
        resource_pools=_children(world, site, places.ROOT_POOL, "ResourcePool"),
        folders=_children(world, site, places.VM_FOLDER, "Folder"),
        datastore=datastore.name,
        datastore_gb=datastore.capacity_bytes / _GIB,
        vcenter_version=facts.vcenter_version,
        vcenter_build=facts.vcenter_build,
        firewall_default_allow=facts.firewall_default_allow,
    )


def _meshes(world: World) -> list[MeshSpec]:
    return [
        MeshSpec(
            name=mesh.name,
            link_mbps=mesh.link_bits_per_second / 1e6,
            services=mesh.services,
            network_extension_appliances=len(mesh.ne_vm_uids[SiteName.SOURCE.value]),
            round_trip_ms=mesh.round_trip_ms,
            loss_percent=mesh.loss_percent,
        )
        for mesh in world.meshes.values()
    ]


def _networks(world: World) -> list[NetworkSpec]:
    bridges = {bridge.source_network_key: bridge for bridge in world.bridges.values()}
    stretched_ends = {bridge.destination_network_key for bridge in world.bridges.values()}
    return [
        _network(world, network, bridges.get(network.key))
        for network in world.networks.values()
        if network.name != "management" and network.key not in stretched_ends
    ]


def _network(world: World, network: VcNetwork, bridge: Bridge | None) -> NetworkSpec:
    segment = world.segment_of_network(network)
    gateway = network.gateway.address if network.gateway else segment.gateway_cidr if segment else None
    interface = ip_interface(gateway) if gateway else None
    subnet = str(interface.network) if interface else network.subnet or "0.0.0.0/32"
    destination = world.networks[bridge.destination_network_key].name if bridge else None
    return NetworkSpec.model_validate(
        {
            "name": network.name,
            "subnet": subnet,
            "gateway": str(interface.ip) if interface else None,
            "no_gateway": interface is None,
            "site": network.site,
            "kind": _kind(network, segment),
            "vlan_id": network.vlan_id,
            "connectivity": _connectivity(network, segment),
            "dhcp_ranges": segment.dhcp_ranges if segment else [],
            "stretched": bridge is not None,
            "mesh": world.meshes[bridge.mesh_key].name if bridge and bridge.mesh_key in world.meshes else None,
            "destination_name": destination,
            "mon": bridge.mon if bridge else False,
            "port_binding": network.port_binding,
            "segment_body": {"vlan_ids": segment.extra["vlan_ids"]} if segment and "vlan_ids" in segment.extra else {},
        }
    )


def _kind(network: VcNetwork, segment: Segment | None) -> str:
    if segment is not None:
        return "fixed" if segment.fixed else "flexible"
    return "standard" if network.network_kind is NetworkKind.STANDARD else "vlan"


def _connectivity(network: VcNetwork, segment: Segment | None) -> str:
    up = segment.connectivity != "OFF" if segment is not None else network.gateway_connected
    return "ON" if up else "OFF"


def _vm(world: World, vm: Vm) -> dict[str, Any]:
    names = {network.key: network.name for network in world.networks.values()}
    pool = world.placements.get(f"{vm.site}/{vm.pool_moref}")
    document: dict[str, Any] = {
        "name": vm.name,
        "site": vm.site.value,
        "uid": vm.uid,
        "instance_uuid": vm.instance_uuid,
        "bios_uuid": vm.bios_uuid,
        "power": vm.power.value,
        "template": vm.template,
        "role": vm.role.value,
        "cpus": vm.num_cpu,
        "memory_gb": vm.memory_mb / 1024,
        "guest_id": vm.guest_id,
        "guest_name": vm.guest_name,
        "hardware_version": vm.hardware_version,
        "tools_running": vm.tools_running,
        "tools_version_status": vm.tools_version_status,
        "change_rate_mbps": vm.change_rate_bytes_per_second * _BITS / 1e6,
        "snapshots": [snapshot.name for snapshot in vm.snapshots],
        "iso": vm.iso_path,
        "folder": world.placements[f"{vm.site}/{vm.folder_moref}"].name,
        "resource_pool": pool.name if pool else _first_pool(world, vm.site),
        "tags": vm.tags,
        "custom_attributes": vm.custom_attributes,
        "properties": vm.properties,
        "retired": vm.retired,
        "nics": [
            {
                "network": names.get(f"{vm.site}/{nic.network_moref}"),
                "ips": nic.ip_addresses,
                **({"origins": nic.origins} if nic.origins else {}),
                "mac": nic.mac,
                "connected": nic.connected,
            }
            for nic in vm.nics
        ],
        "disks": [_disk(disk) for disk in vm.disks],
    }
    return document


def _first_pool(world: World, site: SiteName) -> str:
    pools = (each for each in world.placements.values() if each.site is site and each.type_name == "ResourcePool")
    return next((each.name for each in pools if each.moref != places.ROOT_POOL), "")


def _disk(disk: Disk) -> dict[str, Any]:
    return {
        "size_gb": disk.capacity_bytes / _GIB,
        "used_gb": disk.used_bytes / _GIB,
        "mode": disk.mode,
        "sharing": disk.sharing,
        "backing": disk.backing,
    }
