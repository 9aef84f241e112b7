"""``/l2Extensions``: what every client uses, although 9.x marks it deprecated. [D+C hcx 5.1]"""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_bool, as_list, body_of
from hcx_sim.hcx.extension import extend, transition, unextend
from hcx_sim.hcx.extension.items import extension_items
from hcx_sim.hcx.extension.records import bridge_and_record
from hcx_sim.hcx.extension.routing import SWITCHOVER_TYPES, route, vm_items
from hcx_sim.hcx.extension.rules import wish_of
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.wire import HcxError, json_response, with_findings
from hcx_sim.http.context import Call, call_of

EXTENSIONS = f"{API}/l2Extensions"
_KNOWN_PARAMETERS = frozenset({"connectToLocalRouter", "forceOperation"})

coverage.fields(
    "network extension",
    ("stretchId", "vcGuid", "gateway", "netmask", "source", "destination", "sourceNetwork", "destinationNetwork",
     "sourceAppliance", "destinationAppliance", "features", "operationStatus", "creationDate"),
    Confidence.CONFIRMED, "XWM PCLI TF AVS MONPS",
)  # fmt: skip
coverage.fields(
    "network extension, added by 9.x",
    ("edgeId", "vlanId", "isDeleted", "cloudNetworkId", "cloudNetworkName", "clusterId"),
    Confidence.DOCUMENTED, "XWM",
)  # fmt: skip
coverage.fields(
    "scenario: a network extended to further sites",
    ("extended_elsewhere",),
    Confidence.INFERRED, "XWM TF",
    "name of a site and the VMs there that use the source's gateway; listed as an extension of its own [I hcx 5.1], "
    "and counted by the oracle",
)  # fmt: skip
coverage.states(
    "operationStatus.state", ("CONNECTED", "DISCONNECTED", "IN_PROGRESS"), Confidence.GUESSED, "XWM PCLI",
    "values are documented nowhere: settings.hcx.extension_states renames them",
)  # fmt: skip
coverage.states("switchoverType of MON", SWITCHOVER_TYPES[1:], Confidence.CONFIRMED, "MONPS", "only switchoverNow seen")
coverage.fields(
    "fault points",
    (extend.FAULT_POINT, unextend.CUT_POINT, unextend.CONNECT_POINT, transition.FAULT_POINT),
    Confidence.INFERRED, "XWM TF", "engine rules: fail, delay, stall",
)  # fmt: skip


@coverage.route(app, "GET", EXTENSIONS, "l2_extensions.list", Confidence.CONFIRMED, "XWM PCLI TF AVS MONPS")
async def list_extensions(request: Request) -> Response:
    """List all extensions; one in the making is not among them yet [I hcx 5.2]."""
    authenticated(request)
    return json_response({"items": extension_items(call_of(request).world)})


@coverage.route(
    app, "POST", EXTENSIONS, "l2_extensions.create", Confidence.CONFIRMED, "TF XWM",
    "refusals and their wording are inferred; an overlapping subnet fails the job [I hcx 7]",
)  # fmt: skip
async def create_extension(request: Request) -> Response:
    """Extend a network; the answer names the job, not the extension."""
    session = authenticated(request)
    call = call_of(request)
    wish = wish_of(call.world, call.here, body_of(call))
    call.summary = {"network": wish.network.name, "gateway": str(wish.interface), "appliance": wish.appliance.uid}
    return json_response({"id": extend.start(call.world, wish, session.username).job_id})


def connect_wanted(call: Call) -> bool:
    """Return what ``connectToLocalRouter`` says; without it false: the destination stays isolated. [D hcx 5.4]"""
    return as_bool(parse_qs(call.query).get("connectToLocalRouter", ["false"])[-1])


@coverage.route(
    app, "DELETE", f"{EXTENSIONS}/{{stretch_id}}", "l2_extensions.delete", Confidence.CONFIRMED, "XOLD XWM TF",
    "unknown parameters such as force are ignored, or refused by settings.hcx.accepts_force_flag [? hcx 9.9]",
)  # fmt: skip
async def delete_extension(request: Request) -> Response:
    """Unextend a network; the answer names the job."""
    session = authenticated(request)
    call = call_of(request)
    bridge, record = bridge_and_record(call.world, request.path_params["stretch_id"])
    unknown = set(parse_qs(call.query, keep_blank_values=True)) - _KNOWN_PARAMETERS
    if unknown and not call.world.settings.hcx.accepts_force_flag:
        raise HcxError(400, f"Unknown query parameter {', '.join(sorted(unknown))}.", code="BAD_REQUEST")
    connect = connect_wanted(call)
    call.summary = {"extension": bridge.key, "connectToLocalRouter": connect}
    job = unextend.start(call.world, call.here, bridge, record, session.username, connect=connect)
    return json_response({"id": job.job_id})


@coverage.route(
    app, "GET", f"{EXTENSIONS}/{{stretch_id}}/vms", "l2_extensions.virtual_machines.list", Confidence.CONFIRMED, "MONPS"
)
async def list_routed_vms(request: Request) -> Response:
    """List the VMs at the destination with where they are routed."""
    authenticated(request)
    call = call_of(request)
    bridge, _record = bridge_and_record(call.world, request.path_params["stretch_id"])
    return json_response({"items": vm_items(call.world, bridge)})


@coverage.route(
    app, "POST", f"{EXTENSIONS}/{{stretch_id}}/vms", "l2_extensions.virtual_machines.route", Confidence.CONFIRMED,
    "MONPS", "what it answers was not seen",
)  # fmt: skip
async def route_vms(request: Request) -> Response:
    """Route VMs at the destination or back; refused when the extension is without MON [I hcx 5.5]."""
    authenticated(request)
    call = call_of(request)
    bridge, _record = bridge_and_record(call.world, request.path_params["stretch_id"])
    body = body_of(call)
    if not bridge.mon:
        message = f"Mobility Optimized Networking is not enabled on network extension {bridge.key}."
        raise HcxError(400, message, code="MON_DISABLED")
    results = route(call.world, bridge, as_list(body.get("items")))
    call.summary = {"extension": bridge.key, "vms": [result["vmId"] for result in results]}
    refused = any(result["errors"] for result in results)
    return json_response({"items": with_findings(call.world, results)}, 400 if refused else 200)
