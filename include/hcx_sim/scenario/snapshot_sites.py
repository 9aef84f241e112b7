"""Converts the sites of a snapshot to those of a scenario: places, datastores, networks, segments, gateway firewall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Interface, ip_interface, ip_network
from typing import Any

from hcx_sim.scenario.schema import NetworkSpec, SiteSpec
from hcx_sim.scenario.schema_sites import DatastoreSpec, FirewallRuleSpec, IdentitySpec, PlaceSpec
from hcx_sim.world.model import SiteName
from hcx_snapshot.model import (
    ClusterRulePart,
    DatastorePart,
    FirewallRulePart,
    NetworkPart,
    NsxPart,
    PlacePart,
    SegmentPart,
    SitePart,
    Snapshot,
)

_GIB = 1024**3
_TIER1S = "/infra/tier-1s/"
_SEGMENTS = "/segments/"
_LAST = 2_147_483_647
_STEP = 10
_NOWHERE = "0.0.0.0/32"  # a rule about groups that the snapshot does not resolve concerns nobody
_NETWORK_TYPES = {"distributed": "DistributedVirtualPortgroup", "opaque": "OpaqueNetwork", "standard": "Network"}
_BINDINGS = ("earlyBinding", "lateBinding", "ephemeral")
_REALISED = {"success": "success", "failed": "failed", "error": "failed", "in_progress": "in_progress"}
Ends = Mapping[tuple[SiteName, str], str]


def site_of(name: SiteName, site: SitePart, snapshot: Snapshot) -> SiteSpec:
    """Return a site's description."""
    tier1s = _tier1_ids(site.nsx)
    rules = site.nsx.firewall if site.nsx is not None else ()
    default = next((rule for rule in rules if rule.is_default), None)
    return SiteSpec(
        nsx=site.nsx.flavour if site.nsx is not None else "onprem",
        tier1_id=tier1s[0] if tier1s else None,
        more_tier1_ids=tier1s[1:],
        vcenter_version=site.vcenter.version,
        vcenter_build=site.vcenter.build,
        firewall_default_allow=default is None or default.action == "ALLOW",
        firewall=[_rule(rule, position) for position, rule in enumerate(rules, start=1)],
        identity=_identity(site),
        places=[_place(place, site.networks) for place in site.places],
        datastores=[_datastore(store) for store in site.datastores],
        storage_policies={
            one.policy_id: one.name
            for one in snapshot.hcx.storage_policies
            if one.site == name.value or (one.site is None and name is SiteName.DESTINATION)
        },
    )


def _identity(site: SitePart) -> IdentitySpec:
    zone = site.nsx.transport_zone_path if site.nsx is not None else None
    parts = (zone or "").split("/")
    point = parts[parts.index("enforcement-points") + 1] if "enforcement-points" in parts[:-1] else None
    return IdentitySpec(
        vcenter_name=site.vcenter.name,
        vcenter_instance_uuid=site.vcenter.instance_uuid,
        hcx_endpoint_id=site.endpoint.endpoint_id,
        hcx_endpoint_name=site.endpoint.name,
        hcx_type=site.endpoint.kind,
        enforcement_point=point,
        transport_zone_path=zone,
    )


def _tier1_ids(nsx: NsxPart | None) -> list[str]:
    """Return the gateways of the segments: the parent of fixed ones first, then the most used."""
    segments = nsx.segments if nsx is not None else ()
    fixed = [one.path for one in segments if one.path.startswith(_TIER1S)]
    paths = fixed or [one.connectivity_path or "" for one in segments]
    others = [one.connectivity_path or "" for one in segments]
    ids = [path.removeprefix(_TIER1S).partition("/")[0] for path in (*paths, *others) if path.startswith(_TIER1S)]
    first = Counter(ids[: len(paths)]).most_common()
    return list(dict.fromkeys([*(name for name, _ in first), *ids]))


def _place(place: PlacePart, networks: Iterable[NetworkPart]) -> PlaceSpec:
    given = {
        "version": place.version,
        "max_evc_mode": place.max_evc_mode,
        "evc_mode": place.evc_mode,
        "child_type": list(place.child_types) or None,
        "runtime.connectionState": place.connection_state,
        "runtime.powerState": place.power_state,
        "runtime.inMaintenanceMode": place.in_maintenance_mode or None,
        "summary.effectiveCpu": place.effective_cpu_mhz,
        "summary.effectiveMemory": place.effective_memory_mb,
        "summary.numEffectiveHosts": place.effective_hosts,
        "configuration.rule": [_cluster_rule(rule) for rule in place.rules] or None,
    }
    properties: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if place.datastores is not None:
        properties["datastore"] = [f"Datastore:{moref}" for moref in place.datastores]
    if place.networks is not None:
        types = {network.moref: _NETWORK_TYPES[network.kind] for network in networks}
        properties["network"] = [f"{types[moref]}:{moref}" for moref in place.networks if moref in types]
    return PlaceSpec(moref=place.moref, kind=place.kind, name=place.name, parent=place.parent, properties=properties)


def _cluster_rule(rule: ClusterRulePart) -> dict[str, Any]:
    body: dict[str, Any] = {"_type": f"Cluster{rule.kind}", "name": rule.name}
    body |= {name: value for name in ("enabled", "mandatory") if (value := getattr(rule, name)) is not None}
    if rule.vms:
        body["vm"] = [f"VirtualMachine:{moref}" for moref in rule.vms]
    return body


def _datastore(store: DatastorePart) -> DatastoreSpec:
    properties: dict[str, Any] = {}
    if not store.accessible:
        properties["summary.accessible"] = False
    if store.maintenance_mode is not None:
        properties["summary.maintenanceMode"] = store.maintenance_mode
    return DatastoreSpec(
        moref=store.moref,
        name=store.name,
        kind=store.kind or "VMFS",
        capacity_gb=store.capacity_bytes / _GIB,
        free_gb=store.free_bytes / _GIB,
        properties=properties,
    )


def _rule(rule: FirewallRulePart, position: int) -> FirewallRuleSpec:
    """Return a rule; their order across policies becomes one of numbers within the default policy."""
    groups = [*rule.source_groups, *rule.destination_groups]
    body = {
        name: list(value)
        for name, value in (
            ("source_groups", rule.source_groups),
            ("destination_groups", rule.destination_groups),
            ("services", rule.services),
            ("scope", rule.scope),
        )
        if value
    }
    return FirewallRuleSpec.model_validate(
        {
            "rule_id": "default_rule" if rule.is_default else f"{rule.policy_id}.{rule.rule_id}",
            "action": rule.action,
            "sequence_number": _LAST if rule.is_default else position * _STEP,
            "enabled": not rule.disabled,
            "cidrs": _cidrs(groups),
            "body": {**body, "display_name": rule.name},
        }
    )


def _cidrs(groups: Iterable[str]) -> list[str]:
    cidrs = []
    for group in groups:
        if group == "ANY":
            continue
        try:
            cidrs.append(str(ip_network(group, strict=False)))
        except ValueError:
            cidrs.append(_NOWHERE)
    return cidrs


def domains_of(snapshot: Snapshot) -> dict[tuple[SiteName, str], str]:
    """Return to which layer 2 domain each network belongs: one name for both ends of a subnet.

    A domain has the source network's name (two of one name are told apart by their MoRefs). A network at the
    destination is in it if it is the end of an extension, or routes the same gateway address.
    """
    found: dict[tuple[SiteName, str], str] = {}
    names = Counter(network.name for network in snapshot.source.networks)
    for network in snapshot.source.networks:
        unique = names[network.name] == 1
        found[SiteName.SOURCE, network.moref] = network.name if unique else f"{network.name} ({network.moref})"
    ends = {one.destination: one.source for one in snapshot.hcx.extensions if one.destination and one.source}
    by_gateway = {
        gateway: found[SiteName.SOURCE, network.moref]
        for network, segment in _with_segments(snapshot.source)
        for gateway in segment.gateways
    }
    segments = {network.moref: segment for network, segment in _with_segments(snapshot.destination)}
    for network in snapshot.destination.networks:
        joined = found.get((SiteName.SOURCE, ends.get(network.moref) or ""))
        segment = segments.get(network.moref)
        for gateway in segment.gateways if segment is not None else ():
            joined = joined or by_gateway.get(gateway)
        found[SiteName.DESTINATION, network.moref] = joined or f"{network.name} at the destination"
    return found


def _with_segments(site: SitePart) -> list[tuple[NetworkPart, SegmentPart]]:
    segments = {_id(one.path): one for one in site.nsx.segments} if site.nsx is not None else {}
    found = ((network, segments.get(_id(network.segment_path or ""))) for network in site.networks)
    return [(network, segment) for network, segment in found if segment is not None]


def _id(path: str) -> str:
    return path.rpartition(_SEGMENTS)[2]


def networks_of(name: SiteName, site: SitePart, snapshot: Snapshot, domains: Ends) -> list[NetworkSpec]:
    """Return the networks of a site."""
    segments = {network.moref: segment for network, segment in _with_segments(site)}
    gateways = _extended_gateways(name, snapshot)
    created = {one.destination for one in snapshot.hcx.extensions} if name is SiteName.DESTINATION else set()
    shown = {segment.path for segment in segments.values()}
    unseen = [one for one in (site.nsx.segments if site.nsx is not None else ()) if one.path not in shown]
    return [_unseen(name, segment) for segment in unseen] + [
        _network(
            name,
            network,
            segments.get(network.moref),
            domains[name, network.moref],
            gateways.get(network.moref),
            network.moref in created,
        )
        for network in site.networks
    ]


def _extended_gateways(name: SiteName, snapshot: Snapshot) -> dict[str, str]:
    """Return the gateways that extensions know of, in CIDR form, by the MoRef of the network at this end."""
    found = {}
    for one in snapshot.hcx.extensions:
        moref = one.source if name is SiteName.SOURCE else one.destination
        if moref and one.gateway and one.netmask:
            found[moref] = str(ip_interface(f"{one.gateway}/{one.netmask}"))
    return found


def _network(
    site: SiteName, network: NetworkPart, segment: SegmentPart | None, domain: str, extended: str | None, created: bool
) -> NetworkSpec:
    gateways = segment.gateways if segment is not None else ()
    common: dict[str, Any] = {
        "name": network.name,
        "moref": network.moref,
        "site": site,
        **_addresses((*gateways, extended)),
        "domain": domain,
        "opaque": network.kind == "opaque",
    }
    if network.segment_path is None:
        common["kind"] = "standard" if network.kind == "standard" else "vlan"
        common["port_binding"] = network.binding if network.binding in _BINDINGS else "earlyBinding"
        return NetworkSpec.model_validate(common)
    path = segment.path if segment is not None else network.segment_path
    common |= {"kind": "fixed" if path.startswith(_TIER1S) else "flexible", "segment_id": _id(path)}
    common |= _segment(segment) if segment is not None else {}
    return NetworkSpec.model_validate({**common, "hcx_created": created})


def _unseen(site: SiteName, segment: SegmentPart) -> NetworkSpec:
    """Return a segment that no network of vCenter shows; a simulated vCenter shows it under a MoRef of its own."""
    common: dict[str, Any] = {
        "name": segment.name,
        "site": site,
        "domain": f"{segment.segment_id} of {site}",
        "kind": "fixed" if segment.path.startswith(_TIER1S) else "flexible",
        "segment_id": _id(segment.path),
    }
    return NetworkSpec.model_validate({**common, **_addresses(segment.gateways), **_segment(segment)})


def _addresses(gateways: Iterable[str | None]) -> dict[str, Any]:
    """Return subnet and gateway: of the first IPv4 gateway address, none without one."""
    own = next((one for one in gateways if one and ip_interface(one).version == 4), None)
    interface = IPv4Interface(own) if own else None
    return {"subnet": interface.network if interface else None, "gateway": interface.ip if interface else None}


def _segment(segment: SegmentPart) -> dict[str, Any]:
    body: dict[str, Any] = {"vlan_ids": list(segment.vlan_ids)} if segment.vlan_ids else {}
    if segment.dhcp_config_path is not None:
        body["dhcp_config_path"] = segment.dhcp_config_path
    if segment.dhcp_server is not None:
        config = {"resource_type": "SegmentDhcpV4Config", "server_address": segment.dhcp_server}
        body["subnet"] = {"dhcp_config": config}
    return {
        "connectivity": segment.connectivity or "ON",
        "connectivity_path": segment.connectivity_path,
        "dhcp_ranges": list(segment.dhcp_ranges),
        "realisation": _REALISED.get((segment.realisation or "success").lower(), "pending"),
        "segment_body": body,
        "display_name": segment.name,
        "strange_ports": list(segment.strange_ports),
    }
