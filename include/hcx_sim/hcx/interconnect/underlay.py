"""The underlay between the sites, as 9.1 measures it. [C hcx 6]"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.interconnect.mesh_items import service_states
from hcx_sim.hcx.interconnect.meshes import check_vc_guid, mesh_of
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.versions import require_nine
from hcx_sim.hcx.wire import newer
from hcx_sim.http.context import call_of
from hcx_sim.world.model import Mesh
from hcx_sim.world.world import World

UNDERLAY = f"{API}/interconnect/underlay"
PATH_MTU = 1500

coverage.fields(
    "underlay metrics",
    ("uplinkMetrics[].uplinkName", "uplinkMetrics[].remoteUplinkName", "measuredData.maxAvailableBandwidth",
     "measuredData.latency", "measuredData.lossRate"),
    Confidence.CONFIRMED, "T91", "9.x; how the mesh is named is inferred; latency in ms, loss in %",
)  # fmt: skip


def health_item(world: World, mesh: Mesh) -> dict[str, Any]:
    """Return what is measured on a mesh's uplink; nothing passes while its tunnel is down."""
    kbps = int(mesh.link_bits_per_second // 1000) if mesh.tunnel_up else 0
    bandwidth = {
        "value": {"uploadKbps": kbps, "downloadKbps": kbps},
        "services": [
            {"serviceType": state["serviceName"], "status": state["status"]} for state in service_states(world, mesh)
        ],
    }
    measured = {
        "maxAvailableBandwidth": bandwidth,
        "latency": {"value": mesh.round_trip_ms if mesh.tunnel_up else None},
        "lossRate": {"value": mesh.loss_percent if mesh.tunnel_up else 100.0},
    }
    metrics = {"uplinkName": f"{mesh.name}-uplink", "remoteUplinkName": f"{mesh.name}-uplink", "measuredData": measured}
    return {"serviceMeshId": mesh.key, "serviceMeshName": mesh.name, "uplinkMetrics": [metrics]}


@coverage.route(
    app, "GET", f"{UNDERLAY}/serviceMeshHealth", "underlay.service_mesh_health", Confidence.CONFIRMED, "T91", "9.x"
)
async def service_mesh_health(request: Request) -> Response:
    """Return what is measured, per mesh."""
    authenticated(request)
    call = call_of(request)
    require_nine(call)
    check_vc_guid(call)
    return newer(200, [health_item(call.world, mesh) for mesh in call.world.meshes.values()])


@coverage.route(
    app, "GET", f"{UNDERLAY}/pmtu/serviceMesh/{{mesh_id}}", "underlay.path_mtu", Confidence.CONFIRMED, "T91",
    "9.x; the body was not seen",
)  # fmt: skip
async def path_mtu(request: Request) -> Response:
    """Return the path MTU of a mesh."""
    authenticated(request)
    call = call_of(request)
    require_nine(call)
    mesh = mesh_of(call, request.path_params["mesh_id"])
    return newer(200, [{"serviceMeshId": mesh.key, "uplinkName": f"{mesh.name}-uplink", "pathMtu": PATH_MTU}])
