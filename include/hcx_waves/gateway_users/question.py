"""Answers who else needs a segment's gateway, from what the products said. Pure: whoever asks has read the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import Any

from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.hcx.extensions import ExtensionNetwork
from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.gateway_users.machines import Identities, classify_vm
from hcx_waves.gateway_users.model import Found, FoundKind, GatewayUsers
from hcx_waves.model.plan import PlannedSegment, WavePlan

_SEGMENTS = "/segments/"


@dataclass(frozen=True)
class Tenant:
    """A VM's NIC in a segment, and the addresses that its guest has there."""

    name: str
    vm_id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class GatewayFacts:
    """What the products said.

    :param extensions: all that HCX lists.
    :param machines: the VMs on the segment at the source, without those that the run is about to move.
    :param known: what tells these VMs apart.
    :param others: what else was found on it: ports that are no VM's of this vCenter, migrations in flight.
    :param network_ids: ids by which the source network is known besides those of the plan, such as its MoRefs.
    :param source_segment: the segment in the source's NSX; None if there is none.
    :param tenants: the NICs in the segment.
    :param neighbours: MACs by address, as the gateway's ARP table has them; None where no table tells.
    :param known_macs: those of every VM that NSX knows, of both sites.
    """

    extensions: Sequence[NetworkExtension]
    machines: Sequence[VirtualMachineDetail] = ()
    known: Identities = field(default_factory=Identities)
    others: Sequence[Found] = ()
    network_ids: Sequence[str] = ()
    source_segment: NsxSegment | None = None
    tenants: Sequence[Tenant] = ()
    neighbours: Mapping[str, str] | None = None
    known_macs: frozenset[str] = frozenset()


def who_needs(plan: WavePlan, segment: PlannedSegment, facts: GatewayFacts) -> GatewayUsers:
    """Return all that is on a source segment or behind its gateway, and what cannot be known.

    The kind of each says whether it needs the gateway, and whether it blocks the cutover or a person decides.
    """
    found = [
        *(classify_vm(vm, segment, facts.known) for vm in facts.machines),
        *facts.others,
        *_other_extensions(plan, segment, facts),
        *_l2vpns(facts.source_segment),
        *_outside(segment, facts.tenants),
        *_strangers(segment, facts),
        *_mon(segment, facts.extensions),
        *_services(facts.source_segment),
    ]
    return GatewayUsers(found=tuple(found), unknown=tuple(_unknown(facts)))


def _other_extensions(plan: WavePlan, segment: PlannedSegment, facts: GatewayFacts) -> Iterator[Found]:
    ids = {_key(one) for one in (segment.source.network_id, segment.source_segment_path, *facts.network_ids) if one}
    here = plan.source.endpoint_id

    def is_it(network: ExtensionNetwork) -> bool:
        return _key(network.network_id) in ids if network.network_id else network.network_name == segment.source.name

    for one in facts.extensions:
        if one.extension_id == segment.extension_id:
            continue
        # A record without a source end is of this site. Both sites may use one path, so the far end must say its site.
        leaves = one.source.endpoint_id in (None, here) and is_it(one.source_network)
        arrives = one.destination.endpoint_id == here and is_it(one.destination_network)
        if leaves or arrives:
            other = one.destination if leaves else one.source
            site = other.endpoint_name or other.endpoint_id or "another site"
            yield Found(
                kind=FoundKind.OTHER_EXTENSION,
                name=site,
                object_id=one.extension_id,
                reason=f"HCX extends the network to {site} as well, so the VMs there use this gateway",
            )


def _mon(segment: PlannedSegment, extensions: Sequence[NetworkExtension]) -> Iterator[Found]:
    for one in extensions:
        if one.extension_id == segment.extension_id and one.features.mobility_optimized_networking:
            yield Found(
                kind=FoundKind.MON,
                name="Mobility Optimized Networking",
                object_id=one.extension_id,
                reason="it is on, so the destination may route the segment already",
            )


def _l2vpns(source: NsxSegment | None) -> Iterator[Found]:
    extension = source.raw.get("l2_extension") if source is not None else None
    if not isinstance(extension, Mapping):
        return
    listed = extension.get("l2vpn_paths")
    paths = [str(one) for one in listed] if isinstance(listed, list) else []
    for path in paths or [str(extension.get("l2vpn_path") or "")]:
        yield Found(
            kind=FoundKind.L2VPN,
            name=path or f"tunnel {extension.get('tunnel_id')}",
            object_id=path,
            reason="an NSX L2 VPN stretches the segment, so whoever is at its other end uses this gateway",
        )


def _services(source: NsxSegment | None) -> Iterator[Found]:
    served = [] if source is None else dhcp_served_by(source.raw)
    if source is not None and served:
        yield Found(
            kind=FoundKind.DHCP,
            name="DHCP",
            object_id=source.path,
            reason=f"is served with the source's gateway ({', '.join(served)}); the destination has to serve it then",
        )


def dhcp_served_by(segment: Mapping[str, Any]) -> list[str]:
    """Return what makes a segment's body serve DHCP: ranges, a server, or a relay. [D nsx-vsphere 2.2]"""
    found = [str(segment["dhcp_config_path"])] if segment.get("dhcp_config_path") else []
    for subnet in segment.get("subnets") or []:
        found += [str(one) for one in subnet.get("dhcp_ranges") or []]
        server = (subnet.get("dhcp_config") or {}).get("server_address")
        found += [str(server)] if server else []
    return found


def _outside(segment: PlannedSegment, tenants: Sequence[Tenant]) -> Iterator[Found]:
    subnets = [ip_interface(one).network for one in segment.gateway_addresses]
    if not subnets:
        return
    for tenant in tenants:
        found = [ip_address(one.partition("%")[0]) for one in tenant.addresses]
        lost = [one for one in found if not one.is_link_local and not any(one in subnet for subnet in subnets)]
        if lost:
            routed = ", ".join(str(subnet) for subnet in subnets)
            yield Found(
                kind=FoundKind.OUTSIDE_ADDRESS,
                name=tenant.name,
                object_id=tenant.vm_id,
                reason=f"has {', '.join(map(str, lost))}; the destination will route {routed} alone",
            )


def _strangers(segment: PlannedSegment, facts: GatewayFacts) -> Iterator[Found]:
    own = {one.partition("/")[0] for one in segment.gateway_addresses}
    for address, mac in sorted((facts.neighbours or {}).items()):
        if address not in own and mac.lower() not in facts.known_macs:
            yield Found(
                kind=FoundKind.NEIGHBOUR,
                name=f"{address} ({mac})",
                object_id=mac,
                reason="answers the gateway, and no VM that NSX knows has this MAC",
            )


def _unknown(facts: GatewayFacts) -> Iterator[str]:
    """Yield what no interface tells, as things for a person to look at."""
    ends = {one.extension_id: one.source_network for one in facts.extensions}
    nameless = [name for name, end in ends.items() if not (end.network_id or end.network_name)]
    if nameless:
        yield f"which network the extensions {', '.join(nameless)} extend: HCX does not say"
    if facts.neighbours is None:
        yield "physical devices that use this gateway: no ARP table was read"
    source = facts.source_segment
    if source is not None and source.raw.get("bridge_profiles"):
        yield "devices and VMs on the VLANs that an NSX edge bridge joins to this segment"
    if source is None:
        yield "VMs of other vCenters and switches that carry the same VLAN"
        yield "what the router serves besides routing, such as DHCP and DNS"
    elif source.vlan_ids:
        yield f"devices and VMs outside this NSX on VLAN {', '.join(source.vlan_ids)}"
    else:
        yield "load balancers, service interfaces and DNS forwarders of the gateway that use an address of this segment"


def _key(network_id: str | None) -> str:
    """Return what all ids of one network have in common: of a segment's path the part after ``/segments/``."""
    text = network_id or ""
    return text.rpartition(_SEGMENTS)[2] if _SEGMENTS in text else text
