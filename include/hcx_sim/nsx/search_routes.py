"""Search over the objects of a manager, at both of its addresses. nsx-vsphere 2.1.

The answer honours ``included_fields``, which no other list does. [D nsx-vsphere 2.1]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import invalid
from hcx_sim.nsx.firewall import rule_body, rules_of
from hcx_sim.nsx.firewall_routes import policies_of
from hcx_sim.nsx.groups import groups_of
from hcx_sim.nsx.inventory import port_body, vif_body, vm_body
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.records import records_of
from hcx_sim.nsx.search_index import indexed_segments
from hcx_sim.nsx.search_query import parse_query
from hcx_sim.nsx.segment_body import segment_body
from hcx_sim.nsx.topology import (
    domains,
    edge_clusters,
    enforcement_points,
    locale_services,
    tier0_bodies,
    tier1_bodies,
    transport_zone_body,
)


def _segments(call: Call) -> Iterable[dict[str, Any]]:
    shown = indexed_segments(call.world, records_of(call.world).search)
    return (segment_body(call.world, each) for each in shown if each.site is call.here)


def _ports(call: Call) -> Iterable[dict[str, Any]]:
    records = records_of(call.world)
    for port in call.world.ports.values():
        segment = call.world.segments.get(f"{port.site}/{port.segment_id}")
        if port.site is call.here and segment is not None:
            yield port_body(call.world, records, segment, port)


def _vms(call: Call) -> Iterable[dict[str, Any]]:
    return (vm_body(call.world, vm) for vm in call.world.vms_at(call.here))


def _vifs(call: Call) -> Iterable[dict[str, Any]]:
    records = records_of(call.world)
    return (vif_body(call.world, records, vm, nic) for vm in call.world.vms_at(call.here) for nic in vm.nics)


def _locale_services(call: Call) -> Iterable[dict[str, Any]]:
    gateways = (*tier0_bodies(call), *tier1_bodies(call))
    return (each for gateway in gateways for each in locale_services(call, gateway["path"]))


_SOURCES: dict[str, Callable[[Call], Iterable[dict[str, Any]]]] = {
    "Segment": _segments,
    "SegmentPort": _ports,
    "VirtualMachine": _vms,
    "VirtualNetworkInterface": _vifs,
    "Tier0": tier0_bodies,
    "Tier1": tier1_bodies,
    "LocaleServices": _locale_services,
    "Domain": domains,
    "EnforcementPoint": enforcement_points,
    "PolicyEdgeCluster": edge_clusters,
    "Group": groups_of,
    "GatewayPolicy": lambda call: policies_of(call).values(),
    "PolicyTransportZone": lambda call: [transport_zone_body(call)],
    "Rule": lambda call: (rule_body(call, rule) for rule in rules_of(call)),
}


def search(call: Call, request: Request) -> dict[str, Any]:
    """Return the objects that match a query."""
    query = request.query_params.get("query")
    if not query:
        raise invalid(["query: is required"])
    parsed = parse_query(query)
    # Rendering ten thousand cards to find no segment among them would take its time.
    found = [
        body
        for name, source in _SOURCES.items()
        if parsed.types is None or name.lower() in parsed.types
        for body in source(call)
        if parsed.test(body)
    ]
    fields = [each.strip() for each in request.query_params.get("included_fields", "").split(",") if each.strip()]
    return page(call, request, found, _sort_key, lambda body: _only(body, fields))


def _sort_key(body: dict[str, Any]) -> tuple[str, str]:
    return str(body.get("display_name", "")), str(body.get("path") or body.get("external_id") or body.get("id", ""))


def _only(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in fields} if fields else body


def register() -> None:
    """Register the routes."""
    route("GET", f"{POLICY}/search/query", "search.query", Confidence.DOCUMENTED, "VMCPOL NSX42 VCFNSX")(search)
    route("GET", f"{POLICY}/search", "search", Confidence.CONFIRMED, "PYVMC LAMW")(search)
    coverage.fields("searchable resource types", tuple(_SOURCES), Confidence.INFERRED, "VMCPOL VCFNSX")
