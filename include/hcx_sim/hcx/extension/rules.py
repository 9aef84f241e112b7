"""What may be extended, over which appliance, onto which segment. [D+C hcx 7]"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

from hcx_sim.hcx.appliances import NETWORK_EXTENSION, Appliance, appliances, extension_count
from hcx_sim.hcx.body import as_bool, as_text, section
from hcx_sim.hcx.networks import find_network
from hcx_sim.hcx.state import state_of
from hcx_sim.hcx.wire import HcxError
from hcx_sim.world.model import NetworkKind, Segment, SiteName, VcNetwork
from hcx_sim.world.world import World

SERVICE = "NETWORK_EXTENSION"


@dataclass(frozen=True, slots=True)
class Wish:
    """A valid request to extend a network of ``network.site`` to the other site."""

    network: VcNetwork
    interface: IPv4Interface
    appliance: Appliance
    mon: bool
    egress_optimization: bool


def wish_of(world: World, site: SiteName, body: Mapping[str, Any]) -> Wish:
    """Read and check a request in the order: objects exist, arguments valid, state allows.

    Raises :class:`HcxError` 400 with the reason.
    """
    wanted = as_text(section(body, "sourceNetwork").get("networkId"))
    network = find_network(world, site, wanted) if wanted else None
    if network is None:
        raise _refusal("NETWORK_NOT_FOUND", f"Source network {wanted or '(none)'} was not found at this site.")
    appliance = _appliance(world, site, as_text(section(body, "sourceAppliance").get("applianceId")))
    _check_destination(world, site, body)
    interface = _interface(as_text(body.get("gateway")), as_text(body.get("netmask")))
    _check_extendable(world, network)
    _check_slot(world, appliance)
    features = section(body, "features")
    mon = features.get("mobilityOptimizedNetworking", features.get("proximityRouting"))
    return Wish(network, interface, appliance, as_bool(mon), as_bool(features.get("egressOptimization")))


def _refusal(code: str, message: str) -> HcxError:
    return HcxError(400, message, code=code)


def _appliance(world: World, site: SiteName, appliance_id: str) -> Appliance:
    candidates = [each for each in appliances(world, site) if each.kind == NETWORK_EXTENSION]
    if appliance_id:
        candidates = [each for each in candidates if each.appliance_id == appliance_id]
        if not candidates:
            raise _refusal("APPLIANCE_NOT_FOUND", f"Network extension appliance {appliance_id} was not found.")
    candidates = [each for each in candidates if SERVICE in each.mesh.services and each.peer_uid is not None]
    if not candidates:
        raise _refusal("NO_APPLIANCE", "No service mesh with a network extension appliance is available.")
    return min(candidates, key=lambda each: extension_count(world, each.uid))


def _check_destination(world: World, site: SiteName, body: Mapping[str, Any]) -> None:
    far = world.site(site.other)
    endpoint = as_text(section(body, "destination").get("endpointId"))
    if endpoint not in ("", far.hcx_endpoint_id) or not state_of(world).paired:
        raise _refusal("ENDPOINT_NOT_FOUND", f"Destination endpoint {endpoint} is not paired with this site.")
    resource = as_text(section(body, "destination").get("resourceId"))
    if resource not in ("", far.vcenter_instance_uuid):
        raise _refusal("RESOURCE_NOT_FOUND", f"Destination resource {resource} was not found.")
    gateway_id = as_text(section(body, "destinationNetwork").get("gatewayId"))
    if gateway_id not in (far.tier1_id, f"/infra/tier-1s/{far.tier1_id}"):
        raise _refusal("GATEWAY_NOT_FOUND", f"Destination gateway {gateway_id or '(none)'} was not found.")


def _interface(gateway: str, netmask: str) -> IPv4Interface:
    try:
        return IPv4Interface(f"{gateway}/{netmask}") if gateway and netmask else _no_gateway()
    except ValueError as error:
        raise _refusal("INVALID_GATEWAY", f"Gateway {gateway!r} with netmask {netmask!r} is not valid.") from error


def _no_gateway() -> IPv4Interface:
    raise ValueError("gateway and netmask are required")


def _check_extendable(world: World, network: VcNetwork) -> None:
    state = state_of(world)
    ends = {key for b in world.bridges.values() for key in (b.source_network_key, b.destination_network_key)}
    if network.key in ends:
        raise _refusal("ALREADY_EXTENDED", f"Network {network.name} is already extended.")
    if network.key in state.extending:
        raise _refusal("ALREADY_EXTENDED", f"Network {network.name} is already being extended.")
    reason = obstacle(world, network)
    if reason:
        raise _refusal("NOT_EXTENDABLE", f"Network {network.name} cannot be extended: {reason}.")


def obstacle(world: World, network: VcNetwork) -> str:
    """Return why a network's kind cannot be extended, an empty string when it can. [D hcx 7]"""
    untagged = network.segment_id is None and not network.vlan_id
    checks = (
        (network.network_kind is NetworkKind.STANDARD, "it belongs to a standard switch"),
        (network.port_binding == "ephemeral", "its port group uses ephemeral binding"),
        (bool(network.properties.get("vmkernel")), "it is used by a vmkernel adapter"),
        (_used_by_profile(world, network), "it is used by an HCX network profile"),
        (bool(network.properties.get("pvlan")), "it is a private VLAN"),
        (untagged, "it is not tagged with a VLAN"),
    )
    return next((reason for holds, reason in checks if holds), "")


def _used_by_profile(world: World, network: VcNetwork) -> bool:
    """Tell whether the appliances have their first card in the network, as they have in a profile's."""
    uids = {appliance.uid for appliance in appliances(world, network.site)}
    on_it = [vm for vm in world.vms_on(network) if vm.uid in uids]
    return any(vm.nics[0].network_moref == network.moref for vm in on_it)


def _check_slot(world: World, appliance: Appliance) -> None:
    most = world.settings.hcx.extensions_per_appliance
    if extension_count(world, appliance.uid) >= most:
        message = f"Appliance {appliance.uid} already carries the maximum of {most} network extensions."
        raise _refusal("APPLIANCE_FULL", message)
    if not appliance.mesh.tunnel_up:
        raise _refusal("TUNNEL_DOWN", f"The tunnel of appliance {appliance.uid} is down.")


def segment_for(world: World, site: SiteName, subnet: IPv4Network) -> Segment | None:
    """Return the segment of exactly this subnet that an extension reuses, None when a new one is to be made.

    Raises :class:`ValueError` when the subnet overlaps another without being equal, or when the segment of the
    subnet is a destination already. [C hcx 7]
    """
    for segment in world.segments.values():
        if segment.site is not site or segment.gateway_cidr is None:
            continue
        present = IPv4Interface(segment.gateway_cidr).network
        if present == subnet:
            if any(bridge.destination_segment_key == segment.key for bridge in world.bridges.values()):
                raise ValueError(f"segment {segment.display_name} with subnet {subnet} is extended already")
            return segment
        if present.overlaps(subnet):
            raise ValueError(f"subnet {subnet} overlaps {present} of segment {segment.display_name} on the gateway")
    return None


def new_segment_name(network_name: str, stretch_id: str) -> str:
    """Return the name that HCX gives a segment it makes; the pattern is a guess [? hcx 5.3]."""
    return f"L2E_{re.sub(r'[^A-Za-z0-9._-]', '_', network_name)}_{stretch_id[:8]}"
