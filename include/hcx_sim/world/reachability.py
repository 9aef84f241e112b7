"""Reachability from facts: which gateways serve a layer 2 domain, and through which a VM gets out.

A domain is one subnet: a network at the source, the segment it is stretched to, or either alone. A VM gets out
through the connected gateway of its own site, else through the other site's gateway while the stretch carries
frames, provided the gateway firewall of that site lets its addresses pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from hcx_sim.world.model import Bridge, SiteName, VcNetwork, Vm
from hcx_sim.world.world import World

TIER_0S = "/infra/tier-0s"


@dataclass(frozen=True, slots=True)
class Domain:
    """One subnet across the two sites, as it stands now."""

    name: str
    networks: dict[SiteName, VcNetwork]
    bridge: Bridge | None
    gateways: dict[SiteName, bool]
    source_had_gateway: bool
    at_source: list[Vm]
    vms: list[Vm]

    @property
    def source_gateway_up(self) -> bool:
        """Whether the source routes the subnet."""
        return self.gateways.get(SiteName.SOURCE, False)

    @property
    def two_gateways(self) -> bool:
        """Whether both sites route the subnet, stretched or not."""
        return self.gateways.get(SiteName.SOURCE, False) and self.gateways.get(SiteName.DESTINATION, False)


def domain_of(world: World, network: VcNetwork) -> Domain:
    """Return the domain that a network belongs to.

    Two networks of one subnet belong together while a stretch joins them and also after it was removed: the
    pairing is remembered by the subnet, as both may still announce it.
    """
    networks = {network.site: network}
    bridge = _bridge_of(world, network)
    partner = _partner(world, network, bridge)
    if partner is not None:
        networks[partner.site] = partner
    source = networks.get(SiteName.SOURCE)
    at_source = world.vms_on(source) if source is not None else []
    destination = networks.get(SiteName.DESTINATION)
    vms = at_source + (world.vms_on(destination) if destination is not None else [])
    name = source.properties.get("domain", source.name) if source else network.properties.get("domain", network.name)
    return Domain(
        name=name,
        networks=networks,
        bridge=bridge,
        gateways={site: gateway_up(world, each) for site, each in networks.items()},
        source_had_gateway=source is not None and _has_gateway(world, source),
        at_source=at_source,
        vms=vms,
    )


def gateway_up(world: World, network: VcNetwork) -> bool:
    """Return whether the network's own gateway forwards at this moment."""
    if network.removed:
        return False
    if network.gateway is not None:
        return network.gateway_connected
    segment = world.segment_of_network(network)
    return segment is not None and segment.gateway_up and segment.gateway_cidr is not None


def _has_gateway(world: World, network: VcNetwork) -> bool:
    segment = world.segment_of_network(network)
    return network.gateway is not None or (segment is not None and segment.gateway_cidr is not None)


def _bridge_of(world: World, network: VcNetwork) -> Bridge | None:
    for bridge in world.bridges.values():
        if network.key in (bridge.source_network_key, bridge.destination_network_key):
            return bridge
    return None


def _partner(world: World, network: VcNetwork, bridge: Bridge | None) -> VcNetwork | None:
    if bridge is not None:
        is_source = network.key == bridge.source_network_key
        other = bridge.destination_network_key if is_source else bridge.source_network_key
        return world.networks.get(other)
    mark = network.properties.get("domain")
    if mark is None:
        return None
    for other_network in world.networks.values():
        if other_network.site is not network.site and other_network.properties.get("domain") == mark:
            return other_network
    return None


def reach(world: World, domain: Domain, vm: Vm) -> tuple[str | None, str]:
    """Return ``(gateway site, "")`` for a VM that reaches the outside, else ``(None, reason)``.

    Reasons: ``isolated`` (no connected card in the domain), ``blocked`` (port group), ``no_gateway``,
    ``firewall``.
    """
    here = domain.networks[vm.site]
    nics = [nic for nic in vm.nics if nic.network_moref == here.moref]
    if not any(nic.connected for nic in nics):
        return None, "isolated"
    if here.blocked:
        return None, "blocked"
    gateway = _gateway_site(domain, vm)
    addresses = [ip for nic in nics for ip in nic.ip_addresses]
    if gateway is None or (gateway is SiteName.DESTINATION and _needs_source(domain, addresses)):
        return None, "no_gateway"
    if not firewall_open(world, gateway, addresses, _gateway_path(world, domain.networks.get(gateway))):
        return None, "firewall"
    return gateway.value, ""


def _gateway_site(domain: Domain, vm: Vm) -> SiteName | None:
    bridge = domain.bridge
    if domain.gateways.get(vm.site, False):
        return vm.site
    if bridge is not None and vm.site is SiteName.DESTINATION and vm.uid in bridge.mon_vm_uids:
        return SiteName.DESTINATION
    if bridge is not None and bridge.up and domain.gateways.get(vm.site.other, False):
        return vm.site.other
    return None


def _needs_source(domain: Domain, addresses: list[str]) -> bool:
    """Tell whether an address is in a subnet that only the source's router knows."""
    source = domain.networks.get(SiteName.SOURCE)
    further = source.properties.get("secondary", []) if source is not None else []
    return any(_inside(address, cidr) for address in addresses for cidr in further)


def _gateway_path(world: World, network: VcNetwork | None) -> str | None:
    segment = None if network is None else world.segment_of_network(network)
    return None if segment is None else segment.connectivity_path


def firewall_open(world: World, site: SiteName, addresses: list[str], gateway: str | None = None) -> bool:
    """Return whether the gateway firewall of ``site`` passes the addresses.

    At the segment's own gateway and at any tier-0 above it the first rule decides that matches and is in force there:
    ``scope`` names gateways, none means all. [D nsx-vsphere 2.1] The default is the own gateway's
    [I nsx-vsphere 2.1].
    """
    default = world.site(site).firewall_default_allow
    own = _passes(world, site, addresses, gateway, default=default)
    return own and _passes(world, site, addresses, TIER_0S, default=True)


def _passes(world: World, site: SiteName, addresses: list[str], gateway: str | None, *, default: bool) -> bool:
    rules = sorted(
        (rule for rule in world.firewall_rules.values() if rule.site is site and rule.enabled),
        key=lambda rule: (rule.sequence_number, rule.key),
    )
    for rule in rules:
        scope = [each for each in rule.body.get("scope") or [] if each != "ANY"]
        if scope and gateway is not None and not any(f"{each}/".startswith(f"{gateway}/") for each in scope):
            continue
        if gateway == TIER_0S and not scope and rule.rule_id == "default_rule":
            continue
        if not rule.cidrs or any(_inside(address, cidr) for address in addresses for cidr in rule.cidrs):
            return rule.action == "ALLOW"
    return default


def _inside(address: str, cidr: str) -> bool:
    return ip_address(address) in ip_network(cidr, strict=False)
