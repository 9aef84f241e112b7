"""``/interconnect/appliances``: list, query, redeploy, HA groups. [D+C hcx 6]"""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.appliances import INTERCONNECT, NETWORK_EXTENSION, appliance_by_id, appliances
from hcx_sim.hcx.body import as_text, body_of, section
from hcx_sim.hcx.interconnect.mesh_items import appliance_item
from hcx_sim.hcx.interconnect.meshes import check_vc_guid
from hcx_sim.hcx.interconnect.operations import IN_SERVICE, LEGACY, redeploy
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.wire import HcxError, json_response, newer
from hcx_sim.http.context import call_of
from hcx_sim.world.model import SiteName

APPLIANCES = f"{API}/interconnect/appliances"

coverage.fields(
    "appliance",
    ("applianceId", "applianceName", "applianceType", "serviceMeshId", "computeProfileId", "networkExtensionCount",
     "applianceVersion", "peerAppliances", "status.summary.overallStatus", "status.summary.reasons"),
    Confidence.CONFIRMED, "TF HCXPY L911", "endpointId, serviceMeshName, members of peerAppliances are added [I hcx 6]",
)  # fmt: skip
coverage.states("appliance type", (INTERCONNECT, NETWORK_EXTENSION), Confidence.CONFIRMED, "TF HCXPY L911")


@coverage.route(app, "GET", APPLIANCES, "appliances.list", Confidence.CONFIRMED, "HCXPY L911")
async def list_appliances(request: Request) -> Response:
    """List the appliances of this site."""
    authenticated(request)
    call = call_of(request)
    check_vc_guid(call)
    return newer(200, [appliance_item(call.world, each) for each in appliances(call.world, call.here)])


@coverage.route(app, "POST", f"{APPLIANCES}/query", "appliances.query", Confidence.CONFIRMED, "TF HCXPY T91")
async def query_appliances(request: Request) -> Response:
    """List appliances by ``applianceType``, ``endpointId`` (default: this site's) and ``serviceMeshId``."""
    authenticated(request)
    call = call_of(request)
    check_vc_guid(call)
    wanted = section(body_of(call), "filter")
    kind, mesh_id = as_text(wanted.get("applianceType")), as_text(wanted.get("serviceMeshId"))
    endpoint = as_text(wanted.get("endpointId"))
    world = call.world
    sites = [call.here] if not endpoint else [s for s in SiteName if world.site(s).hcx_endpoint_id == endpoint]
    found = [
        appliance
        for site in sites
        for appliance in appliances(world, site)
        if kind in ("", appliance.kind) and mesh_id in ("", appliance.mesh.key)
    ]
    return newer(200, [appliance_item(world, each) for each in found])


@coverage.route(
    app, "POST", f"{APPLIANCES}/{{appliance_id}}/redeploy", "appliances.redeploy", Confidence.DOCUMENTED, "XWM",
    "method legacy or inService; the answer's body is inferred; force and local are accepted",
)  # fmt: skip
async def redeploy_appliance(request: Request) -> Response:
    """Start to replace an appliance; poll the task."""
    authenticated(request)
    call = call_of(request)
    appliance = appliance_by_id(call.world, request.path_params["appliance_id"], call.here)
    if appliance is None:
        raise HcxError(404, "The appliance does not exist at this site.", code="APPLIANCE_NOT_FOUND")
    method = parse_qs(call.query).get("method", [LEGACY])[-1]
    if method not in (LEGACY, IN_SERVICE):
        raise HcxError(400, f"method must be {LEGACY} or {IN_SERVICE}.", code="BAD_REQUEST")
    call.summary = {"appliance": appliance.uid, "method": method}
    task = redeploy(call.world, appliance, in_service=method == IN_SERVICE)
    return newer(202, data={"interconnectTaskId": task.task_id})


@coverage.route(
    app, "GET", f"{APPLIANCES}/ha/groups", "appliances.ha_groups.list", Confidence.DOCUMENTED, "XWM",
    "always empty: no scenario has HA groups",
)  # fmt: skip
async def list_ha_groups(request: Request) -> Response:
    """List the HA groups: none."""
    authenticated(request)
    return json_response({"items": []})


@coverage.route(
    app, "DELETE", f"{APPLIANCES}/ha/groups", "appliances.ha_groups.delete", Confidence.DOCUMENTED, "XWM",
    "there are no groups: answers 404; the documented 409 can be injected",
)  # fmt: skip
async def delete_ha_groups(request: Request) -> Response:
    """Answer 404, as there are no HA groups."""
    authenticated(request)
    raise HcxError(404, "The HA group does not exist.", code="HA_GROUP_NOT_FOUND")
