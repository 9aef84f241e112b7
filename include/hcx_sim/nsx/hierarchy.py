"""The hierarchical API: one PATCH of ``/infra`` that carries segments, all or nothing. nsx-vsphere 2.1.

Segments are found below ``Infra`` (flexible) and below a ``ChildTier1`` or a ``ChildResourceReference`` to a tier-1
(fixed); ``marked_for_delete`` deletes. All writes are checked before the first is made. Children of other kinds are
refused, as nothing would come of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import invalid, not_found, stale
from hcx_sim.nsx.segment_changes import plan_write
from hcx_sim.nsx.segment_intent import Place, check_protection, require_segment
from hcx_sim.nsx.segment_intent import Request as Write
from hcx_sim.nsx.segment_model import parse_segment
from hcx_sim.nsx.segment_removal import plan_removal, remove_segment
from hcx_sim.nsx.segment_routes import flag, json_body, overwrites, summary_of

Step = Callable[[], object]


def patch_infra(call: Call, request: Request) -> None:
    """Apply a hierarchy; 200 with an empty body. ``enforce_revision_check=true`` checks every ``_revision``."""
    sent = json_body(call)
    if not isinstance(sent, dict) or sent.get("resource_type") != "Infra":
        raise invalid(["resource_type: must be Infra"])
    check_revision = flag(request, "enforce_revision_check")
    segments = list(_segments(call, sent.get("children"), fixed=False))
    call.summary = {
        "segments": [{"id": each["body"].get("id"), **(summary_of(each["body"]) or {})} for each in segments]
    }
    steps = [_plan(call, each, check_revision, overwrites(request)) for each in segments]
    for step in steps:
        step()


def _segments(call: Call, children: Any, *, fixed: bool) -> list[dict[str, Any]]:
    if not isinstance(children, list):
        raise invalid(["children: must be a list"])
    found: list[dict[str, Any]] = []
    for child in children:
        kind = child.get("resource_type") if isinstance(child, dict) else None
        if kind == "ChildSegment" and isinstance(child.get("Segment"), dict):
            body = child["Segment"]
            deleted = bool(child.get("marked_for_delete") or body.get("marked_for_delete"))
            found.append({"body": body, "fixed": fixed, "deleted": deleted})
        elif not fixed and (below := _below_tier1(call, child, kind)) is not None:
            found += _segments(call, below, fixed=True)
        else:
            raise invalid([f"children: {kind} is not supported here"])
    return found


def _below_tier1(call: Call, child: Any, kind: Any) -> Any:
    if kind == "ChildTier1":
        tier1 = child.get("Tier1")
    elif kind == "ChildResourceReference" and child.get("target_type") == "Tier1":
        tier1 = child
    else:
        return None
    if not isinstance(tier1, dict):
        raise invalid(["Tier1: must be an object"])
    if tier1.get("id") != call.world.site(call.here).tier1_id:
        raise not_found(f"/infra/tier-1s/{tier1.get('id')}")
    return tier1.get("children", [])


def _plan(call: Call, found: dict[str, Any], check_revision: bool, overwrite: bool) -> Step:
    body = found["body"]
    if not isinstance(body.get("id"), str) or not body["id"] or "/" in body["id"]:
        raise invalid(["Segment.id: must be a name without a slash"])
    place = Place(call.here, body["id"], found["fixed"])
    if not found["deleted"]:
        write = Write(call.user, parse_segment(body), check_revision=check_revision, overwrite=overwrite)
        return plan_write(call.world, place, write).apply
    segment = require_segment(call.world, place)
    if check_revision and body.get("_revision") != segment.revision:
        raise stale(place.path(call.world), call.world.settings.nsx.stale_status)
    check_protection(call.world, segment, overwrite=overwrite)
    plan_removal(call.world, segment, force=False)
    return lambda: remove_segment(call.world, segment, force=False, cascade=False)


def register() -> None:
    """Register the route."""
    route("PATCH", f"{POLICY}/infra", "infra.patch", Confidence.DOCUMENTED, "VMCPOL NSX42 VCFNSX TFNSX")(patch_infra)
    coverage.fields(
        "hierarchy children",
        ("ChildSegment", "ChildTier1", "ChildResourceReference"),
        Confidence.DOCUMENTED,
        "VMCPOL TFNSX",
        note="other kinds are refused",
    )
