"""``/networkExtensions`` and ``/l2NetworkExtensions``: what 9.x offers beside the older calls. [D hcx 5.1]

Paths and statuses are documented; most bodies were not seen and follow the older calls.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_bool, as_list, as_text, body_of, section
from hcx_sim.hcx.extension import extend, transition, unextend
from hcx_sim.hcx.extension.items import extension_item, extension_items
from hcx_sim.hcx.extension.records import bridge_and_record
from hcx_sim.hcx.extension.routes import connect_wanted
from hcx_sim.hcx.extension.rules import wish_of
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.state import Session
from hcx_sim.hcx.versions import require_nine
from hcx_sim.hcx.wire import HcxError, json_response, newer, problem, with_findings
from hcx_sim.http.context import Call, call_of

NETWORK = f"{API}/networkExtensions/{{stretch_id}}"
BATCH = f"{API}/l2NetworkExtensions"


def _enter(request: Request) -> tuple[Call, Session]:
    """Authenticate; a 4.x manager does not know these paths."""
    session = authenticated(request)
    call = call_of(request)
    require_nine(call)
    return call, session


@coverage.route(
    app, "DELETE", NETWORK, "network_extensions.delete", Confidence.DOCUMENTED, "XWM",
    "9.x; forceOperation is accepted and changes nothing; 404 for an unknown id is inferred",
)  # fmt: skip
async def delete_network_extension(request: Request) -> Response:
    """Unextend; 202 without a job: completion shows only in the list."""
    call, session = _enter(request)
    bridge, record = bridge_and_record(call.world, request.path_params["stretch_id"])
    connect = connect_wanted(call)
    call.summary = {"extension": bridge.key, "connectToLocalRouter": connect}
    unextend.start(call.world, call.here, bridge, record, session.username, connect=connect)
    return newer(202)


@coverage.route(
    app, "PUT", NETWORK, "network_extensions.update", Confidence.DOCUMENTED, "XWM",
    "9.x; the call is documented, its body is composed: features",
)  # fmt: skip
async def update_network_extension(request: Request) -> Response:
    """Change an extension's features; 202 without a job."""
    call, _session = _enter(request)
    bridge, record = bridge_and_record(call.world, request.path_params["stretch_id"])
    features = section(body_of(call), "features")
    if record.job_id:
        message = f"Another operation is in progress on network extension {bridge.key}."
        raise HcxError(400, message, code="EXTENSION_BUSY")
    mon = as_bool(features.get("mobilityOptimizedNetworking"), bridge.mon)
    record.egress_optimization = as_bool(features.get("egressOptimization"), record.egress_optimization)
    call.summary = {"extension": bridge.key, "mobilityOptimizedNetworking": mon}
    call.world.update(bridge, mon=mon, mon_vm_uids=list(bridge.mon_vm_uids) if mon else [])
    return newer(202)


@coverage.route(app, "GET", BATCH, "l2_network_extensions.list", Confidence.DOCUMENTED, "XWM", "9.x")
async def list_network_extensions(request: Request) -> Response:
    """List all extensions; the item is taken to be that of the older list."""
    call, _session = _enter(request)
    return json_response({"items": extension_items(call.world)})


@coverage.route(app, "GET", f"{BATCH}/{{stretch_id}}", "l2_network_extensions.get", Confidence.DOCUMENTED, "XWM", "9.x")
async def get_network_extension(request: Request) -> Response:
    """Return one extension."""
    call, _session = _enter(request)
    bridge, record = bridge_and_record(call.world, request.path_params["stretch_id"])
    return json_response(extension_item(call.world, bridge, record))


@coverage.route(
    app, "POST", BATCH, "l2_network_extensions.create", Confidence.DOCUMENTED, "XWM",
    "9.x; 202 or 207 are documented, the bodies are composed after the older create",
)  # fmt: skip
async def create_network_extensions(request: Request) -> Response:
    """Extend several networks: 202 when all are accepted, 207 when some are, 400 when none is."""
    call, session = _enter(request)
    wishes = as_list(body_of(call).get("items"))
    if not wishes:
        raise HcxError(400, "items must not be empty.", code="BAD_REQUEST")
    return _batch(call, [_extend_one(call, session, wish if isinstance(wish, dict) else {}) for wish in wishes])


def _batch(call: Call, results: list[dict[str, Any]]) -> Response:
    """Return the results of a batch: 202 when all were accepted, 207 when some were, 400 when none was."""
    refused = sum(bool(result["errors"]) for result in results)
    call.summary = {"accepted": len(results) - refused, "refused": refused}
    status = 202 if not refused else 207 if refused < len(results) else 400
    errors = [error for result in results for error in result["errors"]] if status == 400 else []
    return newer(status, with_findings(call.world, results), errors=errors)


def _extend_one(call: Call, session: Session, body: dict[str, Any]) -> dict[str, Any]:
    named = {"sourceNetwork": section(body, "sourceNetwork"), "errors": [], "warnings": []}
    try:
        wish = wish_of(call.world, call.here, body)
    except HcxError as error:
        return {**named, "errors": [problem(error.message, error.code)]}
    return {**named, "id": extend.start(call.world, wish, session.username).job_id}


@coverage.route(
    app, "POST", f"{BATCH}/transition", "l2_network_extensions.transition", Confidence.DOCUMENTED, "XWM",
    "9.x; items of stretchId and targetClusterId, 202 or 207; what refuses one, and that a cluster is named by its "
    "appliance, is inferred",
)  # fmt: skip
async def transition_network_extensions(request: Request) -> Response:
    """Start to move extensions to other appliances: 202 when all are accepted, 207 when some are, 400 when none."""
    call, session = _enter(request)
    wishes = as_list(body_of(call).get("items"))
    if not wishes:
        raise HcxError(400, "items must not be empty.", code="BAD_REQUEST")
    return _batch(call, [_move_one(call, session, wish if isinstance(wish, dict) else {}) for wish in wishes])


def _move_one(call: Call, session: Session, wish: dict[str, Any]) -> dict[str, Any]:
    stretch_id, target_id = as_text(wish.get("stretchId")), as_text(wish.get("targetClusterId"))
    result: dict[str, Any] = {"stretchId": stretch_id, "targetClusterId": target_id, "errors": [], "warnings": []}
    try:
        bridge, record = bridge_and_record(call.world, stretch_id)
        transition.start(call.world, call.here, bridge, record, target_id, session.username)
    except HcxError as error:
        return {**result, "errors": [problem(error.message, error.code)]}
    return result
