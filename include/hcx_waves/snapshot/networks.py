"""Converts networks, NSX segments and the gateway firewall to parts of a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hcx_snapshot.model import FirewallRulePart, NetworkPart, NsxPart, SegmentPart
from hcx_waves.clients.errors import NotFound, PermissionDenied
from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment, Vif
from hcx_waves.clients.vsphere import inventory_models as found
from hcx_waves.resolve.network_index import NetworkIndex, segment_id_of, segment_path_of

_CLOUD = "vmc-overlay-tz"
_ANY = ("ANY",)


def networks_of(index: NetworkIndex, segments: Collection[NsxSegment]) -> tuple[NetworkPart, ...]:
    """Return a site's networks, sorted by MoRef; uplink port groups are no networks for VMs."""
    by_name = {one.display_name: one.path for one in segments}
    ordered = sorted(index.networks, key=lambda network: network.moref)
    return tuple(_network(one, index, by_name) for one in ordered)


def _network(one: found.Network, index: NetworkIndex, segments: Mapping[str, str]) -> NetworkPart:
    ref = index.ref(one)
    path = segment_path_of(one)
    common: dict[str, Any] = {
        "moref": one.moref,
        "name": one.name,
        "hcx_id": None if ref.network_id in (one.moref, path) else ref.network_id,
        "hcx_kind": ref.network_type,
    }
    if isinstance(one, found.DistributedVirtualPortgroup):
        key = None if one.key == one.moref else one.key
        binding = None if one.binding == "earlyBinding" else one.binding
        return NetworkPart(kind="distributed", key=key, binding=binding, segment_path=path, **common)
    if isinstance(one, found.OpaqueNetwork):
        # An opaque network names the logical switch, which Policy does not: the display name has to do.
        return NetworkPart(kind="opaque", key=one.opaque_id, segment_path=segments.get(one.name), **common)
    return NetworkPart(kind="standard", **common)


def nsx_of(
    nsx: NsxPolicyClient,
    segments: Collection[NsxSegment],
    closely: Collection[str],
    owners: Mapping[str, str | None],
    known_uuids: Collection[str],
    *,
    firewall: bool,
) -> NsxPart:
    """Return what a snapshot keeps of an NSX manager.

    :param closely: ids of the segments whose realisation and ports are read, one request each.
    :param owners: the VM's instance UUID by the attachment of its port.
    :param known_uuids: instance UUIDs of the VMs of vCenter, in lower case.
    :param firewall: whether to read the gateway firewall.
    :raises ClientError: if the manager cannot be read.
    """
    kept = []
    for one in sorted(segments, key=lambda segment: segment.path):
        if one.segment_id in closely:
            strange = _strange_ports(nsx, one, owners, known_uuids)
            kept.append(_segment(one, nsx.segment_state(one.path).state, strange))
        else:
            kept.append(_segment(one, None, ()))
    zones = sorted({str(one.raw["transport_zone_path"]) for one in segments if one.raw.get("transport_zone_path")})
    is_cloud = any(_CLOUD in zone for zone in zones) or any("/tier-1s/cgw/" in one.path for one in segments)
    return NsxPart(
        flavour="vmc" if is_cloud else "onprem",
        version=_version(nsx),
        transport_zone_path=zones[0] if zones else None,
        segments=tuple(kept),
        firewall=tuple(_rules(nsx, "cgw" if is_cloud else "default")) if firewall else (),
    )


def _version(nsx: NsxPolicyClient) -> str | None:
    try:
        return nsx.product_version()
    except (NotFound, PermissionDenied):
        return None


def owners_of(vifs: Collection[Vif]) -> dict[str, str | None]:
    """Return the VM's instance UUID by the attachment of its port."""
    return {vif.attachment_id: vif.owner_vm_id for vif in vifs if vif.attachment_id}


def _strange_ports(
    nsx: NsxPolicyClient, segment: NsxSegment, owners: Mapping[str, str | None], known_uuids: Collection[str]
) -> tuple[str, ...]:
    return tuple(
        sorted(
            port.display_name
            for port in nsx.ports(segment.path)
            if port.may_be_vm and (owners.get(port.attachment_id or "") or "").lower() not in known_uuids
        )
    )


def _segment(one: NsxSegment, state: str | None, strange: tuple[str, ...]) -> SegmentPart:
    subnets = [subnet for subnet in one.raw.get("subnets") or () if isinstance(subnet, Mapping)]
    configs = [subnet.get("dhcp_config") for subnet in subnets]
    servers = [config.get("server_address") for config in configs if isinstance(config, Mapping)]
    advanced = one.raw.get("advanced_config")
    says_connectivity = isinstance(advanced, Mapping) and advanced.get("connectivity") is not None
    config_path = one.raw.get("dhcp_config_path")
    return SegmentPart(
        segment_id=segment_id_of(one.path),
        name=one.display_name,
        path=one.path,
        kind=one.segment_type,
        connectivity=one.connectivity.value if says_connectivity else None,
        connectivity_path=one.connectivity_path,
        vlan_ids=one.vlan_ids,
        gateways=one.gateway_addresses,
        dhcp_ranges=tuple(str(part) for subnet in subnets for part in subnet.get("dhcp_ranges") or ()),
        dhcp_server=next((str(server) for server in servers if server), None),
        dhcp_config_path=str(config_path) if config_path else None,
        realisation=None if state is None or state.lower() == "success" else state,
        strange_ports=strange,
    )


def _rules(nsx: NsxPolicyClient, domain: str) -> list[FirewallRulePart]:
    """Return the rules in the order in which they take effect: by policy, then by number, the default one last."""
    try:
        policies = sorted(nsx.gateway_policies(domain), key=_order)
    except NotFound:
        return []
    found_rules: list[FirewallRulePart] = []
    for policy in policies:
        body = nsx.gateway_policy(str(policy["id"]), domain)
        rules = sorted(body.get("rules") or (), key=_order)
        found_rules += [_rule(str(policy["id"]), rule) for rule in rules]
    return sorted(found_rules, key=lambda rule: rule.is_default)


def _order(item: Mapping[str, Any]) -> int:
    return int(item.get("sequence_number") or 0)


def _rule(policy_id: str, rule: Mapping[str, Any]) -> FirewallRulePart:
    def groups(name: str) -> tuple[str, ...]:
        listed = tuple(str(one) for one in rule.get(name) or ())
        return () if listed == _ANY else listed

    return FirewallRulePart(
        policy_id=policy_id,
        rule_id=str(rule.get("id")),
        name=str(rule.get("display_name") or rule.get("id")),
        action=str(rule.get("action") or "ALLOW"),
        sequence_number=_order(rule),
        disabled=bool(rule.get("disabled")),
        is_default=bool(rule.get("is_default")),
        source_groups=groups("source_groups"),
        destination_groups=groups("destination_groups"),
        services=groups("services"),
        scope=groups("scope"),
    )
