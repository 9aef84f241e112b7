"""``/interconnect/serviceMesh``: list, preview, create, resync, delete. [D+C hcx 6]"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_bool, as_text, body_of
from hcx_sim.hcx.interconnect.deployment import deploy, plan_of, service_names
from hcx_sim.hcx.interconnect.mesh_items import mesh_item
from hcx_sim.hcx.interconnect.operations import FAULT_POINT, delete_mesh, resync
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.versions import is_nine
from hcx_sim.hcx.wire import HcxError, newer
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.model import Mesh, SiteName

MESHES = f"{API}/interconnect/serviceMesh"
MIGRATION_SERVICES = ("VMOTION", "BULK_MIGRATION", "RAV", "DISASTER_RECOVERY", "OS_ASSISTED_MIGRATION")
SERVICES = ("INTERCONNECT", "NETWORK_EXTENSION", *MIGRATION_SERVICES)

coverage.fields(
    "service mesh",
    ("serviceMeshId", "name", "state", "isLocalMesh", "updateAvailable", "switchPairCount", "wanoptConfig",
     "trafficEnggCfg", "services", "backingApplianceType", "lastTaskDetails", "status", "computeProfiles"),
    Confidence.CONFIRMED, "XWM L911 HCXPY TF",
    "lastTaskDetails.status may stay at RUNNING: settings.hcx.task_status_stuck [C hcx 7]",
)  # fmt: skip
coverage.states("service mesh state", ("COMMITTED", "UPDATE_FAILED"), Confidence.CONFIRMED, "L911 HCXPY")
coverage.states(
    "service and appliance status", ("up", "down"), Confidence.GUESSED, "L911 HCXPY",
    "only up was seen: settings.hcx.appliance_states renames them",
)  # fmt: skip
coverage.states("service", SERVICES, Confidence.CONFIRMED, "AVS L911")
coverage.fields("fault points of the interconnect", (FAULT_POINT,), Confidence.INFERRED, "L911", "fail: the task fails")


def mesh_of(call: Call, mesh_id: str) -> Mesh:
    """Return a mesh; raises the vendor's 404 when there is none."""
    mesh = call.world.meshes.get(mesh_id)
    if mesh is None:
        raise HcxError(404, f"Service mesh {mesh_id} does not exist.", code="MESH_NOT_FOUND")
    return mesh


def check_vc_guid(call: Call) -> None:
    """Answer 400 when ``vcGuid`` is given and is not the local vCenter's [I hcx 6]."""
    wanted = parse_qs(call.query).get("vcGuid", [])
    if wanted and call.world.site(call.here).vcenter_instance_uuid not in wanted:
        raise HcxError(400, f"vcGuid {wanted[0]} is not registered with this manager.", code="UNKNOWN_VC")


@coverage.route(app, "GET", MESHES, "service_meshes.list", Confidence.CONFIRMED, "XWM L911 HCXPY T91")
async def list_meshes(request: Request) -> Response:
    """List the meshes, with ``vcGuid`` or without."""
    authenticated(request)
    call = call_of(request)
    check_vc_guid(call)
    items = [mesh_item(call.world, mesh, call.here) for mesh in call.world.meshes.values()]
    return newer(200, items)


@coverage.route(app, "POST", f"{MESHES}/{{mesh_id}}/resync", "service_meshes.resync", Confidence.CONFIRMED, "L911 XWM")
async def resync_mesh(request: Request) -> Response:
    """Start to resync a mesh; poll the task."""
    authenticated(request)
    call = call_of(request)
    mesh = mesh_of(call, request.path_params["mesh_id"])
    call.summary = {"mesh": mesh.name}
    task = resync(call.world, call.here, mesh)
    return newer(200, data={"interconnectTaskId": task.task_id, "serviceMeshId": mesh.key})


@coverage.route(
    app, "DELETE", f"{MESHES}/{{mesh_id}}", "service_meshes.delete", Confidence.CONFIRMED, "TF L911",
    "409 while extensions hang on it and 400 at the receiving site are inferred",
)  # fmt: skip
async def remove_mesh(request: Request) -> Response:
    """Start to delete a mesh, on the initiating site only. [C hcx 7]"""
    authenticated(request)
    call = call_of(request)
    mesh = mesh_of(call, request.path_params["mesh_id"])
    if call.here is not SiteName.SOURCE:
        raise HcxError(400, "A service mesh is deleted on the site that created it.", code="NOT_INITIATOR")
    force = as_bool(parse_qs(call.query).get("force", ["false"])[-1])
    call.summary = {"mesh": mesh.name, "force": force}
    task = delete_mesh(call.world, call.here, mesh, force=force)
    return newer(200, data={"interconnectTaskId": task.task_id, "serviceMeshId": mesh.key})


def _check_services(call: Call, body: dict[str, Any]) -> None:
    services = service_names(body)
    unknown = [name for name in services if name not in SERVICES]
    if not as_text(body.get("name")) or not services or unknown:
        detail = f": unknown service {unknown[0]}" if unknown else ""
        raise HcxError(400, f"name and services are required{detail}.", code="BAD_REQUEST")
    if is_nine(call.world) and not set(services) & set(MIGRATION_SERVICES):
        message = "The service mesh requires at least one migration service."
        raise HcxError(400, message, code="NO_MIGRATION_SERVICE")


@coverage.route(
    app, "POST", f"{MESHES}/preview", "service_meshes.preview", Confidence.CONFIRMED, "XWM TF", "bodies were not seen"
)
async def preview_mesh(request: Request) -> Response:
    """Check the body of a mesh to be created."""
    authenticated(request)
    call = call_of(request)
    body = body_of(call)
    _check_services(call, body)
    plan_of(body)
    return newer(200, data={})


@coverage.route(
    app, "POST", MESHES, "service_meshes.create", Confidence.CONFIRMED, "TF L911",
    "compute profiles that are not known are replaced; appliances go to the first cluster of each site",
)  # fmt: skip
async def create_mesh(request: Request) -> Response:
    """Start to create a mesh; the task says when its appliances are there."""
    authenticated(request)
    call = call_of(request)
    body = body_of(call)
    _check_services(call, body)
    plan = plan_of(body)
    call.summary = {"mesh": plan.name, "services": list(plan.services)}
    task = deploy(call.world, call.here, plan)
    return newer(200, data={"interconnectTaskId": task.task_id, "serviceMeshId": task.entity_id})
