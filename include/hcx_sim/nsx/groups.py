"""Groups, which rules name: addresses have an effect, other expressions are kept and shown. [D nsx-vsphere 2.1]"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import IN_USE, NsxError, not_found
from hcx_sim.nsx.firewall import refresh_group_members, rules_of
from hcx_sim.nsx.models import GroupBody, parse, sent_fields
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.records import check_revision, records_of
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.nsx.segment_routes import json_body
from hcx_sim.nsx.topology import check_domain

_SOURCES = "VMCPOL NSX42 VCFNSX"


def groups_of(call: Call) -> list[dict[str, Any]]:
    """Return all groups of a site as the manager shows them."""
    site = f"{call.here}/"
    stored = records_of(call.world).groups
    return [_body(call, key.removeprefix(str(call.here))) for key in stored if key.startswith(site)]


def _body(call: Call, path: str) -> dict[str, Any]:
    stored = records_of(call.world).groups.get(f"{call.here}{path}")
    if stored is None:
        raise not_found(path)
    group_id = path.rpartition("/")[2]
    body = {"resource_type": "Group", "id": group_id, "display_name": group_id, "expression": [], **stored["sent"]}
    unique_id = call.world.random.stable_uuid(f"group/{call.here}{path}")
    times, users = (stored["created_us"], stored["modified_us"]), (stored["creator"], stored["user"])
    return {**body, **bookkeeping(path, unique_id, *times, users, stored["revision"])}


def _path(call: Call, request: Request) -> str:
    return f"/infra/domains/{check_domain(call, request)}/groups/{request.path_params['group']}"


def list_groups(call: Call, request: Request) -> dict[str, Any]:
    """Return the groups of a domain."""
    parent = f"/infra/domains/{check_domain(call, request)}/groups"
    bodies = [body for body in groups_of(call) if body["path"].rpartition("/")[0] == parent]
    return page(call, request, bodies, lambda body: (body["display_name"], body["id"]), lambda body: body)


def get_group(call: Call, request: Request) -> dict[str, Any]:
    """Return one group."""
    return _body(call, _path(call, request))


def patch_group(call: Call, request: Request) -> None:
    """Make or change a group; the rules that name it follow."""
    _write(call, request, replace=False)


def put_group(call: Call, request: Request) -> dict[str, Any]:
    """Make or replace a group and return it."""
    _write(call, request, replace=True)
    return get_group(call, request)


def _write(call: Call, request: Request, *, replace: bool) -> None:
    path, world = _path(call, request), call.world
    body = parse(GroupBody, json_body(call))
    key = f"{call.here}{path}"
    known = records_of(world).groups.get(key)
    if known is not None and replace:
        check_revision(world, path, known["revision"], body.revision)
    sent = {name: value for name, value in sent_fields(body).items() if value is not None}
    if known is not None and not replace:
        sent = {**known["sent"], **sent}
    if known is not None and sent == known["sent"]:
        return
    records_of(world).groups[key] = {
        "sent": sent,
        "creator": known["creator"] if known is not None else call.user,
        "user": call.user,
        "created_us": known["created_us"] if known is not None else world.now_us,
        "modified_us": world.now_us,
        "revision": known["revision"] + 1 if known is not None else 0,
    }
    world.audit.add("note", f"nsx:{key}", expression=sent.get("expression", []))
    refresh_group_members(call, path)


def delete_group(call: Call, request: Request) -> None:
    """Delete a group; one that a rule names is refused with 400/500030. [C nsx-vsphere 2.6]"""
    path = _path(call, request)
    _body(call, path)
    for rule in rules_of(call):
        if path in rule.body.get("source_groups", []) or path in rule.body.get("destination_groups", []):
            raise NsxError(400, IN_USE, f"{path} is in use.", related=[f"Rule {rule.rule_id} names it."])
    del records_of(call.world).groups[f"{call.here}{path}"]


def register() -> None:
    """Register the routes."""
    groups = f"{POLICY}/infra/domains/{{domain}}/groups"
    documented = Confidence.DOCUMENTED
    route("GET", groups, "groups.list", documented, _SOURCES)(list_groups)
    for method, handler in (("GET", get_group), ("PATCH", patch_group), ("PUT", put_group), ("DELETE", delete_group)):
        route(method, f"{groups}/{{group}}", f"groups.{method.lower()}", documented, _SOURCES)(handler)
    coverage.fields(
        "group",
        ("display_name", "description", "tags", "expression"),
        documented,
        _SOURCES,
        note="every member is optional; only IPAddressExpression has an effect",
    )
