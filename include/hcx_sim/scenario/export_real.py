"""Worlds that were made of real sites as scenario documents: everything by its MoRef."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import Any

from hcx_sim.scenario.infrastructure import MANAGEMENT_NETWORK
from hcx_sim.world.model import Mesh, NetworkKind, SiteName, VcNetwork, Vm
from hcx_sim.world.world import World

_GIB = 1024**3
_SEGMENT_FIELDS = ("dhcp_config_path", "subnet", "advanced_config", "vlan_ids")


def is_real(world: World) -> bool:
    """Tell whether a site has furniture of its own instead of the usual one."""
    made_up = (world.networks.get(f"{site}/{MANAGEMENT_NETWORK}") for site in SiteName)
    marks = zip(SiteName, made_up, strict=True)
    return not all(net is not None and net.properties.get("domain") == f"management-{site}" for site, net in marks)


def real_site(world: World, site: SiteName) -> dict[str, Any]:
    """Return a site's description."""
    facts = world.site(site)
    stores = [store for store in world.datastores.values() if store.site is site]
    return {
        "nsx": facts.nsx_flavour,
        "tier1_id": facts.tier1_id,
        "more_tier1_ids": facts.more_tier1_ids,
        "vcenter_version": facts.vcenter_version,
        "vcenter_build": facts.vcenter_build,
        "firewall_default_allow": facts.firewall_default_allow,
        "identity": {
            "vcenter_name": facts.vcenter_name,
            "vcenter_instance_uuid": facts.vcenter_instance_uuid,
            "hcx_endpoint_id": facts.hcx_endpoint_id,
            "hcx_endpoint_name": facts.hcx_endpoint_name,
            "hcx_type": facts.hcx_type,
            "enforcement_point": facts.enforcement_point,
            "transport_zone_path": facts.transport_zone_path,
        },
        "places": [
            {
                "moref": place.moref,
                "kind": place.type_name,
                "name": place.name,
                "parent": place.parent_moref,
                "properties": place.properties,
            }
            for place in world.placements.values()
            if place.site is site
        ],
        "datastores": [
            {
                "moref": store.moref,
                "name": store.name,
                "kind": store.type_name,
                "capacity_gb": store.capacity_bytes / _GIB,
                "free_gb": store.free_bytes / _GIB,
                "properties": store.properties,
            }
            for store in stores
        ],
        "storage_policies": {policy_id: name for store in stores for policy_id, name in store.policies.items()},
        "firewall": [
            {
                "policy_id": rule.policy_id,
                "rule_id": rule.rule_id,
                "action": rule.action,
                "sequence_number": rule.sequence_number,
                "enabled": rule.enabled,
                "cidrs": rule.cidrs,
                "body": {name: value for name, value in rule.body.items() if not name.startswith("_")},
            }
            for rule in world.firewall_rules.values()
            if rule.site is site
        ],
    }


def real_networks(world: World) -> list[dict[str, Any]]:
    """Return the networks of both sites; a segment's first port group before its others."""
    shown = [world.network_of_segment(segment).key for segment in world.segments.values()]
    ordered = sorted(world.networks.values(), key=lambda network: network.key not in shown)
    return [_network(world, network) for network in ordered if not network.removed]


def _network(world: World, network: VcNetwork) -> dict[str, Any]:
    segment = world.segment_of_network(network)
    gateway = network.gateway.address if network.gateway else segment.gateway_cidr if segment else None
    interface = IPv4Interface(gateway) if gateway else None
    document: dict[str, Any] = {
        "name": network.name,
        "moref": network.moref,
        "site": network.site.value,
        "domain": network.properties.get("domain"),
        "subnet": str(interface.network) if interface else network.subnet,
        "gateway": str(interface.ip) if interface else None,
        "no_gateway": interface is None,
        "opaque": network.network_kind is NetworkKind.OPAQUE,
    }
    if segment is None:
        standard = network.network_kind is NetworkKind.STANDARD
        up = "ON" if network.gateway_connected else "OFF"
        own = {"kind": "standard" if standard else "vlan", "vlan_id": network.vlan_id, "connectivity": up}
        return {**document, **own, "port_binding": network.port_binding}
    prefix = f"{segment.key}/"
    strange = [port for key, port in world.ports.items() if key.startswith(prefix) and port.port_class == "unknown"]
    return {
        **document,
        "kind": "fixed" if segment.fixed else "flexible",
        "segment_id": segment.segment_id,
        "display_name": segment.display_name,
        "connectivity": segment.connectivity or "ON",
        "connectivity_path": segment.connectivity_path,
        "dhcp_ranges": segment.dhcp_ranges,
        "realisation": segment.realisation,
        "hcx_created": segment.hcx_created,
        "segment_body": {name: segment.extra[name] for name in _SEGMENT_FIELDS if name in segment.extra},
        "strange_ports": [port.display_name for port in strange],
    }


def real_meshes(world: World) -> list[dict[str, Any]]:
    """Return the meshes with their appliances by name."""
    return [
        {
            "name": mesh.name,
            "mesh_id": mesh.key,
            "state": mesh.state,
            "tunnel_up": mesh.tunnel_up,
            "link_mbps": mesh.link_bits_per_second / 1e6,
            "services": mesh.services,
            "network_extension_appliances": 0,
            "round_trip_ms": mesh.round_trip_ms,
            "loss_percent": mesh.loss_percent,
            "appliances": _appliances(mesh),
        }
        for mesh in world.meshes.values()
    ]


def _appliances(mesh: Mesh) -> list[dict[str, str]]:
    here, there = SiteName.SOURCE.value, SiteName.DESTINATION.value
    pairs = [("IX", mesh.ix_vm_uids[here], mesh.ix_vm_uids[there])] if mesh.ix_vm_uids else []
    pairs += [("NE", *pair) for pair in zip(mesh.ne_vm_uids[here], mesh.ne_vm_uids[there], strict=True)]
    return [{"kind": kind, "source": near, "destination": far} for kind, near, far in pairs]


def real_extensions(world: World) -> list[dict[str, Any]]:
    """Return the extensions between networks that are still there."""
    meshes = {mesh.key: mesh.name for mesh in world.meshes.values()}
    return [
        {
            "extension_id": bridge.key,
            "source": bridge.source_network_key.partition("/")[2],
            "destination": bridge.destination_network_key.partition("/")[2],
            "mesh": meshes.get(bridge.mesh_key),
            "source_appliance": bridge.appliance_uids.get(SiteName.SOURCE.value),
            "destination_appliance": bridge.appliance_uids.get(SiteName.DESTINATION.value),
            "up": bridge.up,
            "mon": bridge.mon,
            "mon_vms": bridge.mon_vm_uids,
        }
        for bridge in world.bridges.values()
        if {bridge.source_network_key, bridge.destination_network_key} <= world.networks.keys()
    ]


def real_vm(vm: Vm, document: dict[str, Any]) -> dict[str, Any]:
    """Return a VM's document with MoRefs in the place of names."""
    return {
        **document,
        "moref": vm.moref,
        "host": vm.host_moref,
        "host_name": vm.host_name,
        "folder": vm.folder_moref,
        "resource_pool": vm.pool_moref or document["resource_pool"],
        "iso_connected": vm.iso_connected,
        "snapshots": [
            {"moref": one.moref, "name": one.name, "parent": one.parent_moref, "created_ms": one.created_us // 1000}
            for one in vm.snapshots
        ],
        "nics": [
            {
                "network": nic.network_moref or None,
                "ips": nic.ip_addresses,
                **({"origins": nic.origins} if nic.origins else {}),
                "mac": nic.mac,
                "connected": nic.connected,
                "key": nic.key,
                "label": nic.label,
                "adapter": nic.adapter,
                "address_type": nic.address_type,
                "external_id": nic.external_id,
            }
            for nic in vm.nics
        ],
        "disks": [
            {**one, "datastore": disk.datastore_moref, "key": disk.key, "label": disk.label}
            for one, disk in zip(document["disks"], vm.disks, strict=True)
        ],
    }
