"""Extensions as the wire shows them. [D+C hcx 5.2], and what 9.x adds [D hcx 5.2]."""

from __future__ import annotations

import zlib
from typing import Any

from hcx_sim.engine.clock import iso
from hcx_sim.hcx.appliances import NETWORK_EXTENSION, appliance_id_of
from hcx_sim.hcx.extension.records import destination_network, ends_of, source_network
from hcx_sim.hcx.inventory.entities import DEFAULT_MAX_MTU, SWITCH_TYPE
from hcx_sim.hcx.networks import network_id, network_type
from hcx_sim.hcx.state import Extension, state_of
from hcx_sim.hcx.versions import is_nine
from hcx_sim.world.model import Bridge, SiteName, VcNetwork
from hcx_sim.world.world import World


def extension_items(world: World) -> list[dict[str, Any]]:
    """Return all extensions; both managers list the same ones [I hcx 5.2] for the destination."""
    records = state_of(world).extensions
    own = [extension_item(world, b, records[b.key]) for b in world.bridges.values() if b.key in records]
    return own + [_elsewhere(world, item, site) for item in own for site in _other_sites(world, item)]


def _other_sites(world: World, item: dict[str, Any]) -> list[str]:
    bridge = world.bridges[item["stretchId"]]
    network = source_network(world, bridge)
    return list(network.properties.get("elsewhere", {})) if network is not None else []


def _elsewhere(world: World, item: dict[str, Any], site: str) -> dict[str, Any]:
    """Return the extension of the same network to one more site: up to three are possible. [I hcx 5.1]"""
    endpoint_id = f"20240101000000000-{world.random.stable_uuid(f'elsewhere/{site}')}"
    far = {"endpointId": endpoint_id, "endpointName": site, "resourceId": world.random.stable_uuid(f"vcenter/{site}")}
    stretch_id = world.random.stable_uuid(f"elsewhere/{item['stretchId']}/{site}")
    return {**item, "stretchId": stretch_id, "destination": {**item["destination"], **far}}


def extension_item(world: World, bridge: Bridge, record: Extension) -> dict[str, Any]:
    """Return one extension; on 9.x with the fields that its newer calls add."""
    near, far = ends_of(bridge)
    item = {
        "stretchId": bridge.key,
        "vcGuid": world.site(near).vcenter_instance_uuid,
        "gateway": record.gateway,
        "netmask": record.netmask,
        "source": _end(world, near),
        "destination": _end(world, far),
        "sourceNetwork": _network(world, near, source_network(world, bridge)),
        "destinationNetwork": {
            **_network(world, far, destination_network(world, bridge)),
            "gatewayId": f"/infra/tier-1s/{world.site(far).tier1_id}",
        },
        "sourceAppliance": _appliance(world, bridge, near),
        "destinationAppliance": _appliance(world, bridge, far),
        "features": {
            "proximityRouting": bridge.mon,
            "egressOptimization": record.egress_optimization,
            "mobilityOptimizedNetworking": bridge.mon,
        },
        "operationStatus": {"state": _state(world, bridge, record)},
        "creationDate": iso(bridge.created_us),
    }
    return {**item, **_newer_fields(world, bridge)} if is_nine(world) else item


def _state(world: World, bridge: Bridge, record: Extension) -> str:
    names = world.settings.hcx.extension_states
    word = "busy" if record.job_id else "up" if bridge.up else "down"
    return names.get(word, word.upper())


def _end(world: World, name: SiteName) -> dict[str, Any]:
    site = world.site(name)
    return {
        "endpointId": site.hcx_endpoint_id,
        "endpointName": site.hcx_endpoint_name,
        "endpointType": site.hcx_type,
        "resourceId": site.vcenter_instance_uuid,
        "resourceName": site.vcenter_name,
        "resourceType": "VC",
    }


def _network(world: World, site: SiteName, network: VcNetwork | None) -> dict[str, Any]:
    if network is None:
        return {"networkId": "", "networkName": "", "networkType": ""}
    named = {
        "networkId": network_id(world, network),
        "networkName": network.name,
        "networkType": network_type(world, network),
        "layer2Id": str(_layer2_id(network)),
    }
    switch = next((p for p in world.placements.values() if p.site is site and p.type_name == SWITCH_TYPE), None)
    if switch is None:
        return named
    mtu = switch.properties.get("max_mtu", DEFAULT_MAX_MTU)
    return {**named, "dvsId": switch.moref, "dvsName": switch.name, "dvsMaxMtu": mtu}


def _layer2_id(network: VcNetwork) -> int:
    """Return the VLAN of a port group, a made-up overlay number of a segment."""
    return network.vlan_id or 65_536 + zlib.crc32(network.key.encode()) % 10_000


def _appliance(world: World, bridge: Bridge, site: SiteName) -> dict[str, Any]:
    uid = bridge.appliance_uids.get(site.value)
    if uid is None:
        return {}
    return {
        "applianceId": appliance_id_of(world, uid),
        "applianceName": uid,
        "applianceType": NETWORK_EXTENSION,
    }


def _newer_fields(world: World, bridge: Bridge) -> dict[str, Any]:
    near, far = ends_of(bridge)
    far_network, near_network = destination_network(world, bridge), source_network(world, bridge)
    uid = bridge.appliance_uids.get(near.value)
    return {
        "edgeId": world.site(far).tier1_id,
        "vlanId": (near_network.vlan_id if near_network is not None else None) or 0,
        "isDeleted": False,
        "cloudNetworkId": network_id(world, far_network) if far_network is not None else "",
        "cloudNetworkName": far_network.name if far_network is not None else "",
        "clusterId": appliance_id_of(world, uid) if uid is not None else "",  # a cluster of one [I hcx 5.6]
    }
