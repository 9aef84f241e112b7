"""The body of a segment as clients send it: the fields that exist, their types and limits. [D nsx-vsphere 2.2]"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, ip_address, ip_interface, ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hcx_sim.nsx.models import Body, Name, Tag, parse

_VLANS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_MAX_VLAN = 4094


def _gateway(value: str) -> str:
    if "/" not in value:
        raise ValueError("must be an address in CIDR form, such as 10.1.1.1/24")
    interface = ip_interface(value)
    small = isinstance(interface.ip, IPv4Address) and interface.network.prefixlen <= 30
    if small and interface.ip in (interface.network.network_address, interface.network.broadcast_address):
        raise ValueError(f"{interface.ip} is not a host address of {interface.network}")
    return value


def _dhcp_range(value: str) -> str:
    if "-" in value:
        low, high = (ip_address(end.strip()) for end in value.split("-", 1))
        if low.version != high.version or int(low) > int(high):
            raise ValueError(f"{value} is not a range of addresses")
    else:
        ip_network(value, strict=False)
    return value


def _vlan(value: str) -> str:
    match = _VLANS.fullmatch(value)
    if match is None or any(int(end) > _MAX_VLAN for end in match.groups() if end is not None):
        raise ValueError(f"{value} is neither a VLAN id nor a range of them")
    return value


class DhcpConfig(BaseModel):
    """DHCP of a subnet; ``resource_type`` discriminates IPv4 and IPv6."""

    model_config = ConfigDict(extra="allow")
    resource_type: Literal["SegmentDhcpV4Config", "SegmentDhcpV6Config"]
    server_address: str | None = None
    dns_servers: list[str] | None = None
    lease_time: int | None = Field(default=None, ge=60)


class Subnet(Body):
    """A subnet; ``network`` is read-only and ignored."""

    gateway_address: Annotated[str, AfterValidator(_gateway)] | None = None
    dhcp_ranges: list[Annotated[str, AfterValidator(_dhcp_range)]] | None = None
    dhcp_config: DhcpConfig | None = None


def _one_of_a_family(subnets: list[Subnet]) -> list[Subnet]:
    families = [ip_interface(each.gateway_address).version for each in subnets if each.gateway_address]
    if len(families) > len(set(families)):
        raise ValueError("a segment has at most one subnet with a gateway of IPv4 and one of IPv6")
    return subnets


class AdvancedConfig(Body):
    """Advanced configuration; ``connectivity`` is the switch between routed and disconnected."""

    connectivity: Literal["ON", "OFF"] | None = None
    address_pool_paths: list[str] | None = None
    hybrid: bool | None = None
    inter_router: bool | None = None
    local_egress: bool | None = None
    local_egress_routing_policies: list[dict[str, Any]] | None = None
    multicast: bool | None = None
    ndra_profile_path: str | None = None
    node_local_switch: bool | None = None
    origin_id: str | None = None
    origin_type: Literal["VCENTER"] | None = None
    uplink_teaming_policy_name: str | None = None
    urpf_mode: Literal["NONE", "STRICT"] | None = None


class L2Extension(Body):
    """NSX L2VPN, which has nothing to do with HCX."""

    l2vpn_paths: list[str] | None = None
    l2vpn_path: str | None = None
    tunnel_id: int | None = Field(default=None, ge=1, le=4093)
    local_egress: dict[str, Any] | None = None


class SegmentBody(Body):
    """A segment, or the part of it that a PATCH carries."""

    resource_type: Literal["Segment"] | None = None
    id: str | None = None
    display_name: Name | None = None
    description: str | None = Field(default=None, max_length=1024)
    tags: list[Tag] | None = Field(default=None, max_length=30)
    type: str | None = None
    advanced_config: AdvancedConfig | None = None
    connectivity_path: str | None = None
    subnets: Annotated[list[Subnet], AfterValidator(_one_of_a_family)] | None = Field(default=None, max_length=2)
    dhcp_config_path: str | None = None
    domain_name: str | None = None
    l2_extension: L2Extension | None = None
    transport_zone_path: str | None = None
    vlan_ids: list[Annotated[str, AfterValidator(_vlan)]] | None = None
    overlay_id: int | None = None
    replication_mode: Literal["MTEP", "SOURCE"] | None = None
    admin_state: Literal["UP", "DOWN"] | None = None
    bridge_profiles: list[dict[str, Any]] | None = None
    evpn_segment: bool | None = None
    evpn_tenant_config_path: str | None = None
    extra_configs: list[dict[str, Any]] | None = None
    federation_config: dict[str, Any] | None = None
    mac_pool_id: str | None = None
    metadata_proxy_paths: list[str] | None = None
    address_bindings: list[dict[str, Any]] | None = None
    marked_for_delete: bool | None = None
    revision: int | None = Field(default=None, alias="_revision")


def parse_segment(body: Any) -> SegmentBody:
    """Return the parsed body; raises 400/255 with one related error per wrong field."""
    return parse(SegmentBody, body)


def network_of(gateway_address: str) -> str:
    """Return the subnet of a gateway address in CIDR form."""
    return str(ip_interface(gateway_address).network)


def outside(dhcp_range: str, gateway_address: str) -> bool:
    """Tell whether a DHCP range leaves the gateway's subnet."""
    network = ip_interface(gateway_address).network
    if "-" in dhcp_range:
        ends = [ip_address(end.strip()) for end in dhcp_range.split("-", 1)]
    else:
        pool = ip_network(dhcp_range, strict=False)
        ends = [pool.network_address, pool.broadcast_address]
    return any(end not in network for end in ends)


def overlaps(first: str, second: str) -> bool:
    """Tell whether two gateway addresses in CIDR form have subnets that overlap."""
    one, other = ip_interface(first).network, ip_interface(second).network
    return one.version == other.version and one.overlaps(other)
