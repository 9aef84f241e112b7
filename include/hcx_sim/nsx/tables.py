"""MAC and ARP tables of a segment: who speaks there, and who answers for the gateway.

The tables follow from the facts: cards of running VMs of the segment, those of the other side while a stretch
carries frames, and every gateway of the subnet whose answer arrives here. Two entries for the gateway's address are
two gateways. The entry of the gateway itself is inferred; its MAC tells the sites apart.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_ms
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import route
from hcx_sim.nsx.inventory import number_on_host, speaks
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.segment_routes import BINDINGS, FAMILIES, segment_of
from hcx_sim.world.model import SiteName, VcNetwork, Vm
from hcx_sim.world.reachability import Domain, domain_of, gateway_up
from hcx_sim.world.world import World

GATEWAY_MACS = {SiteName.SOURCE: "02:50:56:56:44:52", SiteName.DESTINATION: "02:50:56:56:44:53"}
PHYSICAL_GATEWAY_MAC = "00:00:5e:00:01:01"


def _domain(call: Call, request: Request) -> tuple[VcNetwork, Domain]:
    network = call.world.network_of_segment(segment_of(call, request))
    return network, domain_of(call.world, network)


def _networks_in_earshot(network: VcNetwork, domain: Domain) -> list[VcNetwork]:
    """Return the networks whose frames arrive at this one."""
    far = domain.networks.get(network.site.other)
    stretched = domain.bridge is not None and domain.bridge.up and far is not None
    return [network, far] if stretched and far is not None else [network]


def gateway_entries(world: World, networks: list[VcNetwork]) -> list[tuple[str, str]]:
    """Return address and MAC of every gateway that answers."""
    entries = []
    for network in networks:
        if not gateway_up(world, network):
            continue
        segment = world.segment_of_network(network)
        if segment is not None and segment.gateway_cidr is not None:
            entries.append((segment.gateway_cidr.partition("/")[0], GATEWAY_MACS[network.site]))
        elif network.gateway is not None:
            entries.append((network.gateway.address.partition("/")[0], PHYSICAL_GATEWAY_MAC))
    return entries


def _speakers(world: World, networks: list[VcNetwork]) -> list[tuple[Vm, str, list[str]]]:
    return [
        (vm, nic.mac, nic.ip_addresses)
        for network in networks
        for vm in world.vms_on(network)
        for nic in vm.nics
        if nic.network_moref == network.moref and vm.site is network.site and speaks(vm, nic) and not network.blocked
    ]


def mac_table(call: Call, request: Request) -> dict[str, Any]:
    """Return the MACs that the segment has learned; remote ones sit behind the local appliance's host."""
    network, domain = _domain(call, request)
    networks = _networks_in_earshot(network, domain)
    entries = {mac: _vtep(vm, network.site) for vm, mac, _ in _speakers(call.world, networks)}
    for _, mac in gateway_entries(call.world, networks):
        entries[mac] = _GATEWAY_VTEP[network.site]
    body = page(
        call,
        request,
        entries.items(),
        lambda item: (item[0], item[0]),
        lambda item: {"mac_address": item[0], "vtep_ip": item[1], "vtep_group_id": 0},
    )
    return {**body, "last_update_timestamp": to_ms(call.world.now_us)}


_GATEWAY_VTEP = {SiteName.SOURCE: "10.2.32.2", SiteName.DESTINATION: "10.3.32.2"}


def _vtep(vm: Vm, here: SiteName) -> str:
    if vm.site is not here:
        return _GATEWAY_VTEP[here]
    return f"{_GATEWAY_VTEP[here].rpartition('.')[0]}.{10 + int(number_on_host(vm)) % 200}"


def arp_table(call: Call, request: Request) -> dict[str, Any]:
    """Return address and MAC of everybody who answers on the segment, gateways included."""
    network, domain = _domain(call, request)
    networks = _networks_in_earshot(network, domain)
    entries = gateway_entries(call.world, networks)
    if any(entries):
        entries += [(ip, mac) for _, mac, ips in _speakers(call.world, networks) for ip in ips]
        entries += [one for network in networks for one in network.properties.get("devices", {}).items()]
    body = page(
        call, request, sorted(set(entries)), lambda item: item, lambda item: {"ip": item[0], "mac_address": item[1]}
    )
    segment = segment_of(call, request)
    return {
        **body,
        "interface_path": f"{segment.connectivity_path}/segments/{segment.segment_id}",
        "last_update_timestamp": to_ms(call.world.now_us),
    }


def register() -> None:
    """Register the routes."""
    for family, path in FAMILIES:
        one = f"{path}/{{segment}}"
        documented = Confidence.DOCUMENTED
        note = "rows follow from the facts; the gateway's own row is inferred"
        route("GET", f"{one}/mac-table", f"{family}.mac_table", documented, BINDINGS)(mac_table)
        route("GET", f"{one}/arp-table", f"{family}.arp_table", documented, BINDINGS, note)(arp_table)
        name = f"{family}.gateway_interface_arp_table"
        route("GET", f"{one}/gateway-interface-arp-table", name, documented, BINDINGS, note)(arp_table)
