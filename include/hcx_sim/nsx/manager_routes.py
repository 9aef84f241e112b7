"""The manager API beside policy: health, cluster, transport nodes, edge clusters and alarms. [D nsx-vsphere 1.2]

A healthy, small installation: what other answers name by id can be looked up here.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import not_found
from hcx_sim.nsx.inventory import node_id
from hcx_sim.nsx.inventory_routes import check_fabric
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.topology import edge_cluster_id, edge_nodes, transport_zone_body
from hcx_sim.world.model import Placement

_API = "/api/v1"
_COMPONENTS = ("POLICY", "SEARCH", "MANAGER", "NODE_MGMT", "UI")
_SOURCES = "VCFNSX XNSX"


def node_health(_call: Call, _request: Request) -> dict[str, Any]:
    """Return whether the node is healthy; client libraries of one family ask this first. [D+C nsx-vsphere 1.2]"""
    return {"healthy": True, "components_health": ", ".join(f"{name}:UP" for name in _COMPONENTS)}


def cluster_status(call: Call, _request: Request) -> dict[str, Any]:
    """Return the state of the management cluster, which has one node."""
    check_fabric(call)
    node = {
        "uuid": call.world.random.stable_uuid(f"nsx-node/{call.here}"),
        "mgmt_cluster_listen_ip_address": "127.0.0.1",
    }
    return {
        "cluster_id": call.world.random.stable_uuid(f"nsx-cluster/{call.here}"),
        "mgmt_cluster_status": {"status": "STABLE", "online_nodes": [node], "offline_nodes": []},
        "control_cluster_status": {"status": "STABLE"},
        "detailed_cluster_status": {"overall_status": "STABLE", "groups": []},
    }


def _transport_nodes(call: Call) -> list[dict[str, Any]]:
    """Return the hosts as transport nodes: the ``host_id`` of VMs and cards."""
    hosts = [
        each for each in call.world.placements.values() if each.site is call.here and each.type_name == "HostSystem"
    ]
    return [*(_transport_node(call, host) for host in hosts), *_edge_nodes(call)]


def _edge_nodes(call: Call) -> list[dict[str, Any]]:
    """Return the two edge transport nodes that the edge cluster has as members."""
    zone = transport_zone_body(call)
    return [
        {
            "resource_type": "TransportNode",
            "id": node,
            "node_id": node,
            "display_name": name,
            "node_deployment_info": {
                "resource_type": "EdgeNode",
                "id": node,
                "external_id": node,
                "display_name": name,
                "deployment_type": "VIRTUAL_MACHINE",
                "ip_addresses": ["127.0.0.1"],
            },
            "host_switch_spec": {
                "resource_type": "StandardHostSwitchSpec",
                "host_switches": [{"transport_zone_endpoints": [{"transport_zone_id": zone["nsx_id"]}]}],
            },
            "is_overridden": False,
            "maintenance_mode": "DISABLED",
            **_origin(),
        }
        for name, node in edge_nodes(call)
    ]


def _transport_node(call: Call, host: Placement) -> dict[str, Any]:
    zone = transport_zone_body(call)
    unique_id = node_id(call.world, call.here, host.moref)
    switch = {
        "host_switch_id": call.world.random.stable_uuid(f"host-switch/{call.here}"),
        "transport_zone_endpoints": [{"transport_zone_id": zone["nsx_id"]}],
    }
    return {
        "resource_type": "TransportNode",
        "id": unique_id,
        "node_id": unique_id,
        "display_name": host.name,
        "node_deployment_info": {
            "resource_type": "HostNode",
            "id": unique_id,
            "external_id": unique_id,
            "display_name": host.name,
            "fqdn": host.name,
            "os_type": "ESXI",
        },
        "host_switch_spec": {"resource_type": "StandardHostSwitchSpec", "host_switches": [switch]},
        "is_overridden": False,
        "maintenance_mode": "DISABLED",
        **_origin(),
    }


def _origin() -> dict[str, Any]:
    return {
        "_create_user": "system",
        "_create_time": 0,
        "_last_modified_user": "system",
        "_last_modified_time": 0,
        "_system_owned": False,
        "_protection": "NOT_PROTECTED",
        "_revision": 0,
    }


def transport_node_state(call: Call, request: Request) -> dict[str, Any]:
    """Return the state of one transport node."""
    node = _one(call, _transport_nodes(call), request.path_params["node"])
    return {
        "transport_node_id": node["id"],
        "state": "success",
        "node_deployment_state": {"state": "success", "details": []},
        "maintenance_mode_state": "DISABLED",
        "details": [],
    }


def _edge_clusters(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "resource_type": "EdgeCluster",
            "id": edge_cluster_id(call),
            "display_name": "edge-cluster-01",
            "deployment_type": "VIRTUAL_MACHINE",
            "member_node_type": "EDGE_NODE",
            "members": [
                {"member_index": index, "transport_node_id": node, "display_name": name}
                for index, (name, node) in enumerate(edge_nodes(call))
            ],
            **_origin(),
        }
    ]


def _transport_zones(call: Call) -> list[dict[str, Any]]:
    zone = transport_zone_body(call)
    return [
        {
            "resource_type": "TransportZone",
            "id": zone["nsx_id"],
            "display_name": zone["display_name"],
            "transport_type": "OVERLAY",
            "is_default": True,
            **_origin(),
        }
    ]


def _alarms(_call: Call) -> list[dict[str, Any]]:
    return []


def _one(call: Call, bodies: list[dict[str, Any]], object_id: str) -> dict[str, Any]:
    for body in bodies:
        if body["id"] == object_id:
            return body
    raise not_found(call.path)


def _register_pair(path: str, name: str, bodies: Any, *, guarded: bool = True) -> None:
    def listing(call: Call, request: Request) -> dict[str, Any]:
        if guarded:
            check_fabric(call)
        return page(call, request, bodies(call), lambda body: (body["display_name"], body["id"]), lambda body: body)

    def single(call: Call, request: Request) -> dict[str, Any]:
        if guarded:
            check_fabric(call)
        return _one(call, bodies(call), request.path_params["each"])

    route("GET", path, f"{name}.list", Confidence.DOCUMENTED, _SOURCES)(listing)
    route("GET", f"{path}/{{each}}", f"{name}.get", Confidence.DOCUMENTED, _SOURCES)(single)


def register() -> None:
    """Register the routes."""
    documented = Confidence.DOCUMENTED
    confirmed = "XNSX NSXOP"
    route("GET", f"{_API}/reverse-proxy/node/health", "node.health", documented, confirmed)(node_health)
    route("GET", f"{_API}/cluster/status", "cluster.status", documented, _SOURCES)(cluster_status)
    route("GET", f"{_API}/transport-nodes/{{node}}/state", "transport_nodes.state", documented, _SOURCES)(
        transport_node_state
    )
    _register_pair(f"{_API}/transport-nodes", "transport_nodes", _transport_nodes)
    _register_pair(f"{_API}/edge-clusters", "edge_clusters", _edge_clusters)
    _register_pair(f"{_API}/transport-zones", "fabric.transport_zones", _transport_zones)
    _register_pair(f"{_API}/alarms", "alarms", _alarms)
    _register_pair(f"{POLICY}/infra/alarms", "policy_alarms", _alarms, guarded=False)
    coverage.fields(
        "cluster status",
        ("cluster_id", "mgmt_cluster_status", "control_cluster_status", "detailed_cluster_status"),
        documented,
        _SOURCES,
        note="always stable, one node",
    )
