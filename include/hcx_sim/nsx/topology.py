"""What paths name beside gateways: sites, transport zones, enforcement points, edge clusters and domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, route
from hcx_sim.nsx.errors import not_found
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.world.world import World

_SITE_PATH = "/infra/sites/default"
_USERS = ("system", "system")
_LOCALE_SERVICE = "default"
_TIER0S = "/infra/tier-0s"
_TIER1S = "/infra/tier-1s"
Bodies = Callable[[Call, Request], list[dict[str, Any]]]


def policy_object(world: World, path: str, resource_type: str, **fields: Any) -> dict[str, Any]:
    """Return a read-only policy object with the members that all of them have."""
    relative = path.rpartition("/")[2]
    body = {"resource_type": resource_type, "id": relative, "display_name": relative, **fields}
    return {**body, **bookkeeping(path, world.random.stable_uuid(f"nsx{path}"), 0, 0, _USERS, 0)}


def tier0_id(call: Call) -> str:
    """Return the id of the tier-0 gateway above the site's tier-1."""
    return "vmc" if call.world.site(call.here).nsx_flavour == "vmc" else "t0-gateway"


def tier0_bodies(call: Call) -> list[dict[str, Any]]:
    """Return the tier-0 gateways: the one above the tier-1, and those that segments are connected to."""
    paths = [each.connectivity_path or "" for each in call.world.segments.values() if each.site is call.here]
    named = sorted({path.rpartition("/")[2] for path in paths if path.rpartition("/")[0] == _TIER0S})
    return [
        policy_object(
            call.world,
            f"{_TIER0S}/{each}",
            "Tier0",
            ha_mode="ACTIVE_STANDBY",
            failover_mode="NON_PREEMPTIVE",
            transit_subnets=["100.64.0.0/16"],
            internal_transit_subnets=["169.254.0.0/24"],
            disable_firewall=False,
        )
        for each in dict.fromkeys([tier0_id(call), *named])
    ]


def tier1_ids(call: Call) -> list[str]:
    """Return the tier-1 gateways of the site, that of its fixed segments first."""
    site = call.world.site(call.here)
    return [site.tier1_id, *site.more_tier1_ids]


def tier1_bodies(call: Call) -> list[dict[str, Any]]:
    """Return the tier-1 gateways to which the site's segments connect (the CGW on VMware Cloud first)."""
    return [_tier1_body(call, each) for each in tier1_ids(call)]


def _tier1_body(call: Call, gateway_id: str) -> dict[str, Any]:
    return policy_object(
        call.world,
        f"{_TIER1S}/{gateway_id}",
        "Tier1",
        tier0_path=f"{_TIER0S}/{tier0_id(call)}",
        type="ROUTED",
        failover_mode="NON_PREEMPTIVE",
        disable_firewall=False,
        route_advertisement_types=["TIER1_CONNECTED", "TIER1_NAT", "TIER1_STATIC_ROUTES"],
    )


def edge_cluster_id(call: Call) -> str:
    """Return the id of the site's edge cluster."""
    return call.world.random.stable_uuid(f"edge-cluster/{call.here}")


def edge_nodes(call: Call) -> list[tuple[str, str]]:
    """Return name and id of the edge nodes of the site's edge cluster: two, so that gateways have a standby."""
    stable_uuid = call.world.random.stable_uuid
    return [(f"edge-{number:02}", stable_uuid(f"edge-node/{number}/{call.here}")) for number in (1, 2)]


def policy_edge_nodes(call: Call, cluster_id: str) -> list[dict[str, Any]]:
    """Return the edge nodes as policy shows them below their cluster."""
    if cluster_id != edge_cluster_id(call):
        raise not_found(call.path)
    above = f"{edge_clusters(call)[0]['path']}/edge-nodes"
    return [
        policy_object(
            call.world,
            f"{above}/{index}",
            "PolicyEdgeNode",
            display_name=name,
            nsx_id=node,
            member_index=index,
        )
        for index, (name, node) in enumerate(edge_nodes(call))
    ]


def locale_services(call: Call, gateway_path: str) -> list[dict[str, Any]]:
    """Return where a gateway runs."""
    path = f"{gateway_path}/locale-services/{_LOCALE_SERVICE}"
    return [policy_object(call.world, path, "LocaleServices", edge_cluster_path=edge_clusters(call)[0]["path"])]


def edge_clusters(call: Call) -> list[dict[str, Any]]:
    """Return the edge cluster of the site as policy shows it."""
    unique_id = edge_cluster_id(call)
    path = f"{_point(call)['path']}/edge-clusters/{unique_id}"
    return [policy_object(call.world, path, "PolicyEdgeCluster", nsx_id=unique_id, member_node_type="EDGE_NODE")]


def transport_zone_body(call: Call) -> dict[str, Any]:
    """Return the overlay transport zone of the site."""
    path = call.world.site(call.here).transport_zone_path
    return policy_object(
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
    return policy_object(call.world, path, "EnforcementPoint", connection_info={"resource_type": "NSXTConnectionInfo"})


def domain_ids(call: Call) -> list[str]:
    """Return the domains of gateway policies: cgw and mgw on VMware Cloud, default elsewhere."""
    return ["cgw", "mgw"] if call.world.site(call.here).nsx_flavour == "vmc" else ["default"]


def check_domain(call: Call, request: Request) -> str:
    """Return the domain of a path; raises 404/202 for one that the site does not have."""
    domain = request.path_params["domain"]
    if domain not in domain_ids(call):
        raise not_found(f"/infra/domains/{domain}")
    return str(domain)


def domains(call: Call) -> list[dict[str, Any]]:
    """Return the domains."""
    return [_domain(call, each) for each in domain_ids(call)]


def _domain(call: Call, domain_id: str) -> dict[str, Any]:
    return policy_object(call.world, f"/infra/domains/{domain_id}", "Domain")


def infra_body(call: Call, _request: Request) -> dict[str, Any]:
    """Return the root of all policy objects, without its children."""
    body = policy_object(call.world, "/infra/infra", "Infra")
    return {**body, "path": "/infra", "relative_path": "infra", "parent_path": ""}


def infra_site(call: Call) -> dict[str, Any]:
    """Return the one site that policy knows; enforcement points and transport zones are below it."""
    return policy_object(call.world, _SITE_PATH, "Site", site_config=[])


def enforcement_points(call: Call) -> list[dict[str, Any]]:
    """Return the enforcement point."""
    return [_point(call)]


def listing(call: Call, request: Request, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    return page(call, request, bodies, lambda body: (body["display_name"], body["id"]), lambda body: body)


def one(bodies: list[dict[str, Any]], object_id: str, path: str) -> dict[str, Any]:
    for body in bodies:
        if body["id"] == object_id:
            return body
    raise not_found(path)


def check_parents(call: Call, request: Request) -> None:
    """Raise 404/202 when a path is below a gateway or enforcement point that the site does not have."""
    known = {
        "tier1": tier1_ids(call),
        "tier0": [body["id"] for body in tier0_bodies(call)],
        "point": [call.world.site(call.here).enforcement_point],
    }
    for name, values in known.items():
        if request.path_params.get(name, values[0]) not in values:
            raise not_found(call.path.removeprefix(POLICY))


def register_pair(path: str, name: str, parameter: str, bodies: Bodies) -> None:
    """Register the list of a kind of object and the read of one."""

    def lists(call: Call, request: Request) -> dict[str, Any]:
        check_parents(call, request)
        return listing(call, request, bodies(call, request))

    def single(call: Call, request: Request) -> dict[str, Any]:
        check_parents(call, request)
        return one(bodies(call, request), request.path_params[parameter], call.path.removeprefix(POLICY))

    documented = Confidence.DOCUMENTED
    route("GET", path, f"{name}.list", documented, "VMCPOL NSX42 VCFNSX")(lists)
    route("GET", f"{path}/{{{parameter}}}", f"{name}.get", documented, "VMCPOL NSX42 VCFNSX")(single)


def register() -> None:
    """Register the routes."""
    infra = f"{POLICY}/infra"
    points = f"{infra}/sites/default/enforcement-points"
    route("GET", infra, "infra.get", Confidence.DOCUMENTED, "VMCPOL NSX42 VCFNSX")(infra_body)
    register_pair(f"{infra}/sites", "sites", "site", lambda call, _request: [infra_site(call)])
    register_pair(points, "enforcement_points", "each", lambda call, _request: enforcement_points(call))
    register_pair(
        f"{points}/{{point}}/transport-zones",
        "transport_zones",
        "zone",
        lambda call, _request: [transport_zone_body(call)],
    )
    register_pair(
        f"{points}/{{point}}/edge-clusters",
        "edge_clusters.policy",
        "cluster",
        lambda call, _request: edge_clusters(call),
    )
    register_pair(
        f"{points}/{{point}}/edge-clusters/{{cluster}}/edge-nodes",
        "edge_nodes.policy",
        "node",
        lambda call, request: policy_edge_nodes(call, request.path_params["cluster"]),
    )
    register_pair(f"{infra}/domains", "domains", "domain", lambda call, _request: domains(call))
