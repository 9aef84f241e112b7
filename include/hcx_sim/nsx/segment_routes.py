"""Segments: the fixed ones below the tier-1 and the flexible ones below infra, disjoint lists. [D nsx-vsphere 0.1]"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route, variant
from hcx_sim.nsx.errors import invalid, not_found
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.records import records_of
from hcx_sim.nsx.segment_body import TYPES, segment_body
from hcx_sim.nsx.segment_changes import write_segment
from hcx_sim.nsx.segment_intent import Place, check_protection, find_segment, require_segment
from hcx_sim.nsx.segment_intent import Request as Write
from hcx_sim.nsx.segment_model import parse_segment
from hcx_sim.nsx.segment_removal import remove_segment
from hcx_sim.world.model import Segment

FIXED = f"{POLICY}/infra/tier-1s/{{tier1}}/segments"
FLEXIBLE = f"{POLICY}/infra/segments"
FAMILIES = (("fixed_segments", FIXED), ("flexible_segments", FLEXIBLE))
BINDINGS = "VMCPOL NSX42 VCFNSX"
_SEGMENT_TYPES = ("DVPortgroup", "ALL")


def place_of(call: Call, request: Request) -> Place:
    """Return which segment a path means; raises 404/202 for a tier-1 that the site does not have."""
    fixed = is_fixed(call, request)
    return Place(call.here, request.path_params["segment"], fixed)


def is_fixed(call: Call, request: Request) -> bool:
    """Tell which list a path means; raises 404/202 for a tier-1 that the site does not have."""
    tier1 = request.path_params.get("tier1")
    if tier1 is not None and tier1 != call.world.site(call.here).tier1_id:
        raise not_found(f"/infra/tier-1s/{tier1}")
    return tier1 is not None


def segment_of(call: Call, request: Request) -> Segment:
    """Return the segment of a path; raises 404/202."""
    return require_segment(call.world, place_of(call, request))


def json_body(call: Call) -> Any:
    """Return the request's body; raises 400/255 when it is not valid JSON."""
    try:
        return call.json()
    except ValueError as error:
        raise invalid([f"the body is not valid JSON: {error}"]) from None


def flag(request: Request, name: str) -> bool:
    """Return a boolean query parameter, false when absent."""
    return request.query_params.get(name, "").lower() == "true"


def overwrites(request: Request) -> bool:
    """Tell whether the caller sends ``X-Allow-Overwrite: true``. [D nsx-vsphere 2.2]"""
    return request.headers.get("x-allow-overwrite", "").lower() == "true"


def list_segments(call: Call, request: Request) -> dict[str, Any]:
    """Return one of the two lists; ``include_mark_for_delete_objects`` adds what is not purged yet."""
    fixed = is_fixed(call, request)
    world = call.world
    if request.query_params.get("segment_type") not in (None, *_SEGMENT_TYPES):
        raise invalid([f"segment_type: must be one of {', '.join(_SEGMENT_TYPES)}"])
    items: list[Segment | dict[str, Any]] = []
    if request.query_params.get("segment_type") != "DVPortgroup":
        items += [each for each in world.segments.values() if each.site is call.here and each.fixed is fixed]
        if flag(request, "include_mark_for_delete_objects"):
            parent = f"/infra/tier-1s/{world.site(call.here).tier1_id}" if fixed else "/infra"
            tombstones = records_of(world).tombstones.values()
            items += [each.body for each in tombstones if each.site == call.here and each.body["parent_path"] == parent]
    return page(call, request, items, _sort_key, lambda item: _body(call, item))


def _sort_key(item: Segment | dict[str, Any]) -> tuple[str, str]:
    if isinstance(item, Segment):
        return item.display_name, item.segment_id
    return item["display_name"], item["id"]


def _body(call: Call, item: Segment | dict[str, Any]) -> dict[str, Any]:
    return segment_body(call.world, item) if isinstance(item, Segment) else item


def get_segment(call: Call, request: Request) -> dict[str, Any]:
    """Return one segment; one that is marked for deletion is hidden."""
    return segment_body(call.world, segment_of(call, request))


def patch_segment(call: Call, request: Request) -> None:
    """Change part of a segment, or create it; 200 with an empty body."""
    _write(call, request, replace=False)


def put_segment(call: Call, request: Request) -> dict[str, Any]:
    """Replace or create a segment and return it."""
    return segment_body(call.world, _write(call, request, replace=True))


def _write(call: Call, request: Request, *, replace: bool) -> Segment:
    place = place_of(call, request)
    sent = json_body(call)
    call.summary = summary_of(sent)
    write = Write(
        call.user,
        parse_segment(sent),
        replace=replace,
        force=flag(request, "force"),
        overwrite=overwrites(request),
    )
    return write_segment(call.world, place, write)


def summary_of(sent: Any) -> Any:
    """Return what of a segment's body the audit keeps."""
    if not isinstance(sent, dict):
        return None
    names = ("display_name", "type", "connectivity_path", "subnets", "_revision", "marked_for_delete")
    summary = {name: sent[name] for name in names if name in sent}
    advanced = sent.get("advanced_config")
    if isinstance(advanced, dict):
        summary["connectivity"] = advanced.get("connectivity")
    return summary


def delete_segment(call: Call, request: Request) -> None:
    """Delete a segment; a body is read and ignored; 200 with an empty body."""
    segment = find_segment(call.world, place_of(call, request))
    if segment is None:
        raise not_found(place_of(call, request).path(call.world))
    check_protection(call.world, segment, overwrite=overwrites(request))
    force, cascade = flag(request, "force"), flag(request, "cascade")
    call.summary = {"force": force, "cascade": cascade}
    remove_segment(call.world, segment, force=force, cascade=cascade and force and not segment.fixed)


def delete_dhcp_leases(call: Call, request: Request) -> None:
    """Accept the deletion of DHCP leases; there are no leases to lose, as every address is static here."""
    segment_of(call, request)
    if request.query_params.get("action") != "delete_dhcp_leases":
        raise invalid(["action: must be delete_dhcp_leases"])


def register() -> None:
    """Register the routes; those of ``state`` must be there before."""
    for family, path in FAMILIES:
        one = f"{path}/{{segment}}"
        documented = Confidence.DOCUMENTED
        route("GET", path, f"{family}.list", documented, BINDINGS)(list_segments)
        route("GET", one, f"{family}.get", documented, f"{BINDINGS} SALT")(get_segment)
        route("PATCH", one, f"{family}.patch", documented, f"{BINDINGS} PYVMC LAMW FLIP")(patch_segment)
        route("PUT", one, f"{family}.put", documented, BINDINGS)(put_segment)
        route("DELETE", one, f"{family}.delete", documented, BINDINGS)(delete_segment)
        route("POST", one, f"{family}.delete_dhcp_leases", documented, BINDINGS)(delete_dhcp_leases)
        variant(f"{family}.delete", "force", "true", f"{family}.force_delete", documented, BINDINGS)
    for verb in ("patch", "put"):
        name = f"flexible_segments.{verb}"
        variant(name, "force", "true", f"flexible_segments.force_{verb}", Confidence.DOCUMENTED, BINDINGS)


coverage.states("segment type", TYPES, Confidence.INFERRED, "VMCDOC PYVMC FLIP", note="derived, read-only")
coverage.fields(
    "VLAN-backed segment",
    ("vlan_ids",),
    Confidence.DOCUMENTED,
    BINDINGS,
    note="connectivity has no effect; that it shows no subnets and reads DISCONNECTED is inferred",
)
coverage.states("connectivity", ("ON", "OFF"), Confidence.DOCUMENTED, BINDINGS, note="absent means ON")
