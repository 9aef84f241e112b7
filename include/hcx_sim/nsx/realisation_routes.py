"""Whether what was asked for is what the hosts do. nsx-vsphere 2.5.

Engine fault point ``segment.realise`` (object: the segment's display name): ``fail`` leaves a segment failed,
``delay`` and ``stall`` keep it in progress.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_ms
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import NsxError, invalid, not_found
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.segment_routes import BINDINGS, FAMILIES, is_fixed, segment_of
from hcx_sim.world.model import Segment
from hcx_sim.world.operations import segment_path
from hcx_sim.world.world import World

STATES = (
    "pending", "in_progress", "success", "failed", "partial_success", "orphaned", "unknown", "error", "in_sync",
    "NOT_AVAILABLE",
)  # fmt: skip
_STATUS = {
    "success": ("REALIZED", "SUCCESS"),
    "failed": ("ERROR", "ERROR"),
    "pending": ("UNREALIZED", "IN_PROGRESS"),
    "in_progress": ("UNREALIZED", "IN_PROGRESS"),
}
_FAILURE_CODE = 500000
_FAILURE_TEXT = "The change could not be realised on the transport nodes."


def state_body(world: World, segment: Segment) -> dict[str, Any]:
    """Return the configuration state of a segment."""
    body: dict[str, Any] = {
        "segment_path": segment_path(world, segment),
        "state": segment.realisation,
        "details": [_detail(world, segment)],
    }
    if segment.realisation == "failed":
        body.update(failure_code=_FAILURE_CODE, failure_message=_FAILURE_TEXT)
    return body


def _detail(world: World, segment: Segment) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "sub_system_id": world.random.stable_uuid(f"transport-node/{segment.site}"),
        "sub_system_type": "TransportNode",
        "sub_system_name": f"esx-01.{segment.site.value}",
        "state": segment.realisation,
    }
    if segment.realisation == "failed":
        detail.update(failure_code=_FAILURE_CODE, failure_message=_FAILURE_TEXT)
    return detail


def get_state(call: Call, request: Request) -> dict[str, Any]:
    """Return whether a segment's last change is realised."""
    return state_body(call.world, segment_of(call, request))


def list_states(call: Call, request: Request) -> dict[str, Any]:
    """Return the states of a list's segments, of those in ``configuration_state`` (comma-separated) if given."""
    fixed = is_fixed(call, request)
    wanted = [each for each in request.query_params.get("configuration_state", "").split(",") if each]
    wrong = [each for each in wanted if each not in STATES]
    if wrong:
        raise invalid([f"configuration_state: {each} is no such state" for each in wrong])
    items = [
        each
        for each in call.world.segments.values()
        if each.site is call.here and each.fixed is fixed and (not wanted or each.realisation in wanted)
    ]
    key = lambda each: (each.display_name, each.segment_id)  # noqa: E731
    return page(call, request, items, key, lambda each: state_body(call.world, each))


def segment_by_path(call: Call, path: str) -> Segment:
    """Return the segment with a policy path; raises 404/202."""
    segment = call.world.segments.get(f"{call.here}/{path.rpartition('/')[2]}")
    if segment is None or segment_path(call.world, segment) != path:
        raise not_found(path)
    return segment


def _by_intent_path(call: Call, request: Request) -> Segment:
    path = request.query_params.get("intent_path")
    if not path:
        raise invalid(["intent_path: is required"])
    return segment_by_path(call, path)


def get_status(call: Call, request: Request) -> dict[str, Any]:
    """Return the consolidated realisation status of an intent path."""
    segment = _by_intent_path(call, request)
    publish, consolidated = _STATUS[segment.realisation]
    point = _point_path(call)
    body: dict[str, Any] = {
        "intent_path": segment_path(call.world, segment),
        "intent_version": str(segment.revision),
        "publish_status": publish,
        "publish_time": to_ms(segment.modified_us),
        "consolidated_status": {"consolidated_status": consolidated},
    }
    if request.query_params.get("include_enforced_status", "").lower() == "true":
        body["consolidated_status_per_enforcement_point"] = [
            {
                "enforcement_point_path": point,
                "resource_type": "ConsolidatedStatusNsxT",
                "consolidated_status": {"consolidated_status": consolidated},
            }
        ]
    return body


def _point_path(call: Call) -> str:
    return f"/infra/sites/default/enforcement-points/{call.world.site(call.here).enforcement_point}"


def list_entities(call: Call, request: Request) -> dict[str, Any]:
    """Return the realised entities of an intent path; VMware Cloud does not offer this. [D nsx-vsphere 2.5]"""
    if call.world.site(call.here).nsx_flavour == "vmc":
        raise NsxError(404, 404, f"{call.path} is not offered here.")
    segment = _by_intent_path(call, request)
    return page(call, request, [segment], lambda each: (each.display_name, each.key), lambda e: _entity(call, e))


def _entity(call: Call, segment: Segment) -> dict[str, Any]:
    publish, _ = _STATUS[segment.realisation]
    realised_id = call.world.random.stable_uuid(f"logical-switch/{segment.key}/{segment.created_us}")
    return {
        "resource_type": "GenericPolicyRealizedResource",
        "entity_type": "RealizedLogicalSwitch",
        "id": realised_id,
        "display_name": segment.display_name,
        "path": f"/infra/realized-state{_point_path(call).removeprefix('/infra/sites/default')}"
        f"/logical-switches/{realised_id}",
        "intent_paths": [segment_path(call.world, segment)],
        "intent_reference": [segment_path(call.world, segment)],
        "realization_specific_identifier": realised_id,
        "enforcement_point_path": _point_path(call),
        "state": publish,
        "runtime_status": "SUCCESS" if publish == "REALIZED" else "UNINITIALIZED",
        "publish_status": publish,
        "alarms": [],
    }


def register() -> None:
    """Register the routes; must come before those of single segments, whose path would swallow ``state``."""
    documented = Confidence.DOCUMENTED
    for family, path in FAMILIES:
        route("GET", f"{path}/state", f"{family}.states", documented, BINDINGS)(list_states)
        route("GET", f"{path}/{{segment}}/state", f"{family}.state", documented, f"{BINDINGS} TFNSX")(get_state)
    base = f"{POLICY}/infra/realized-state"
    route("GET", f"{base}/status", "realized_state.status", documented, "VMCPOL NSX42 VCFNSX")(get_status)
    route(
        "GET",
        f"{base}/realized-entities",
        "realized_state.realized_entities",
        documented,
        "NSX42 VCFNSX",
        note="on premises only",
    )(list_entities)
    coverage.states(
        "configuration state",
        ("pending", "in_progress", "success", "failed"),
        documented,
        f"{BINDINGS} TFNSX",
        note="the other states of the binding are never shown",
    )
    coverage.states("publish_status", ("REALIZED", "UNREALIZED", "ERROR"), documented, "VMCPOL NSX42")
    coverage.states("consolidated_status", ("SUCCESS", "IN_PROGRESS", "ERROR"), documented, "VMCPOL NSX42")
    coverage.fields("fault points", ("segment.realise",), Confidence.INFERRED, "TFNSX", note="fail, delay, stall")
    coverage.fields(
        "segment subnets",
        ("gateway_address", "dhcp_ranges", "dhcp_config", "network"),
        Confidence.INFERRED,
        "VMCPOL NSX42",
        note="at most one subnet of IPv4 and one of IPv6; only that of IPv4 is routed and extended",
    )
    coverage.fields(
        "scenario: further subnets on the wire",
        ("secondary",),
        Confidence.INFERRED,
        "VMCPOL NSX42",
        note="gateways that only the source's router knows: no segment shows them, and VMs with such addresses need it",
    )
