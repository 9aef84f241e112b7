"""Gateways, transport zones, enforcement points and domains: enough to resolve the paths that segments name."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import not_found
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.world.world import World

_SITE_PATH = "/infra/sites/default"
_USERS = ("system", "system")
_LOCALE_SERVICE = "default"


def _object(world: World, path: str, resource_type: str, **fields: Any) -> dict[str, Any]:
    relative = path.rpartition("/")[2]
    body = {"resource_type": resource_type, "id": relative, "display_name": relative, **fields}
    return {**body, **bookkeeping(path, world.random.stable_uuid(f"nsx{path}"), 0, 0, _USERS, 0)}


def tier1_body(call: Call) -> dict[str, Any]:
    """Return the tier-1 gateway to which the site's segments connect (the CGW on VMware Cloud)."""
    site = call.world.site(call.here)
    tier0 = "vmc" if site.nsx_flavour == "vmc" else "t0-gateway"
    return _object(
        call.world,
        f"/infra/tier-1s/{site.tier1_id}",
        "Tier1",
        tier0_path=f"/infra/tier-0s/{tier0}",
        type="ROUTED",
        failover_mode="NON_PREEMPTIVE",
        disable_firewall=False,
        route_advertisement_types=["TIER1_CONNECTED", "TIER1_NAT", "TIER1_STATIC_ROUTES"],
    )


def _locale_services(call: Call) -> dict[str, Any]:
    site = call.world.site(call.here)
    point = f"{_SITE_PATH}/enforcement-points/{site.enforcement_point}"
    return _object(
        call.world,
        f"/infra/tier-1s/{site.tier1_id}/locale-services/{_LOCALE_SERVICE}",
        "LocaleServices",
        edge_cluster_path=f"{point}/edge-clusters/{call.world.random.stable_uuid(f'edge-cluster/{call.here}')}",
    )


def transport_zone_body(call: Call) -> dict[str, Any]:
    """Return the overlay transport zone of the site."""
    path = call.world.site(call.here).transport_zone_path
    return _object(
        call.world,
        path,
        "PolicyTransportZone",
        tz_type="OVERLAY_STANDARD",
        is_default=True,
        nsx_id=call.world.random.stable_uuid(f"nsx{path}/{call.here}"),
    )


def _point(call: Call) -> dict[str, Any]:
    point = call.world.site(call.here).enforcement_point
    path = f"{_SITE_PATH}/enforcement-points/{point}"
    return _object(call.world, path, "EnforcementPoint", connection_info={"resource_type": "NSXTConnectionInfo"})


def domain_ids(call: Call) -> list[str]:
    """Return the domains of gateway policies: cgw and mgw on VMware Cloud, default elsewhere."""
    return ["cgw", "mgw"] if call.world.site(call.here).nsx_flavour == "vmc" else ["default"]


def _domain(call: Call, domain_id: str) -> dict[str, Any]:
    return _object(call.world, f"/infra/domains/{domain_id}", "Domain")


def _listing(call: Call, request: Request, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    return page(call, request, bodies, lambda body: (body["display_name"], body["id"]), lambda body: body)


def _one(bodies: list[dict[str, Any]], object_id: str, path: str) -> dict[str, Any]:
    for body in bodies:
        if body["id"] == object_id:
            return body
    raise not_found(path)


def _check_parents(call: Call, request: Request) -> None:
    site = call.world.site(call.here)
    known = {"tier1": site.tier1_id, "point": site.enforcement_point}
    for name, value in known.items():
        if request.path_params.get(name, value) != value:
            raise not_found(call.path.removeprefix(POLICY))


def _register_pair(path: str, name: str, parameter: str, bodies: Any) -> None:
    def listing(call: Call, request: Request) -> dict[str, Any]:
        _check_parents(call, request)
        return _listing(call, request, bodies(call))

    def single(call: Call, request: Request) -> dict[str, Any]:
        _check_parents(call, request)
        return _one(bodies(call), request.path_params[parameter], call.path.removeprefix(POLICY))

    documented = Confidence.DOCUMENTED
    route("GET", path, f"{name}.list", documented, "VMCPOL NSX42 VCFNSX")(listing)
    route("GET", f"{path}/{{{parameter}}}", f"{name}.get", documented, "VMCPOL NSX42 VCFNSX")(single)


def register() -> None:
    """Register the routes."""
    infra = f"{POLICY}/infra"
    points = f"{infra}/sites/default/enforcement-points"
    _register_pair(f"{infra}/tier-1s", "tier_1s", "gateway", lambda call: [tier1_body(call)])
    _register_pair(
        f"{infra}/tier-1s/{{tier1}}/locale-services",
        "locale_services",
        "service",
        lambda call: [_locale_services(call)],
    )
    _register_pair(points, "enforcement_points", "each", lambda call: [_point(call)])
    _register_pair(
        f"{points}/{{point}}/transport-zones", "transport_zones", "zone", lambda call: [transport_zone_body(call)]
    )
    _register_pair(
        f"{infra}/domains", "domains", "domain", lambda call: [_domain(call, each) for each in domain_ids(call)]
    )
    coverage.fields(
        "tier-1",
        ("tier0_path", "type", "failover_mode", "route_advertisement_types"),
        Confidence.DOCUMENTED,
        "VMCPOL NSX42",
        note="one gateway per site, read-only here",
    )
