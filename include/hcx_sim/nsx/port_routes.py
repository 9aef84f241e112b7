"""Ports of a segment: those of the VMs, and those that clients make themselves. nsx-vsphere 2.1 and 3."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import IN_USE, NsxError, not_found
from hcx_sim.nsx.inventory import ATTACHMENT_STATES, SYSTEM, owner_of, port_body, port_state
from hcx_sim.nsx.models import PortBody, parse, sent_fields
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.ports import FREE, UNKNOWN, ports_on
from hcx_sim.nsx.records import check_revision, records_of
from hcx_sim.nsx.segment_routes import BINDINGS, FAMILIES, json_body, segment_of
from hcx_sim.world.model import Port, Segment


def list_ports(call: Call, request: Request) -> dict[str, Any]:
    """Return the ports of a segment."""
    segment = segment_of(call, request)
    records = records_of(call.world)
    return page(
        call,
        request,
        ports_on(call.world, records.ports, segment),
        lambda port: (port.display_name, port.port_id),
        lambda port: port_body(call.world, records, segment, port),
    )


def _find(call: Call, request: Request) -> tuple[Segment, Port | None]:
    segment = segment_of(call, request)
    return segment, call.world.ports.get(f"{segment.key}/{request.path_params['port']}")


def _require(call: Call, request: Request) -> tuple[Segment, Port]:
    segment, port = _find(call, request)
    if port is None:
        raise not_found(call.path.removeprefix("/policy/api/v1"))
    return segment, port


def get_port(call: Call, request: Request) -> dict[str, Any]:
    """Return one port."""
    return port_body(call.world, records_of(call.world), *_require(call, request))


def get_port_state(call: Call, request: Request) -> dict[str, Any]:
    """Return what the hosts know of a port."""
    return port_state(call.world, records_of(call.world), *_require(call, request))


def patch_port(call: Call, request: Request) -> None:
    """Make or change a port; 200 with an empty body."""
    _write(call, request, replace=False)


def put_port(call: Call, request: Request) -> dict[str, Any]:
    """Make or replace a port and return it."""
    segment, port = _write(call, request, replace=True)
    return port_body(call.world, records_of(call.world), segment, port)


def _write(call: Call, request: Request, *, replace: bool) -> tuple[Segment, Port]:
    segment, port = _find(call, request)
    body = parse(PortBody, json_body(call))
    sent = {name: value for name, value in sent_fields(body).items() if value is not None}
    call.summary = {"attachment": sent.get("attachment")}
    world, bodies = call.world, records_of(call.world).port_bodies
    if port is None:
        port_id = request.path_params["port"]
        port = Port(f"{segment.key}/{port_id}", segment.site, segment.segment_id, port_id, port_id, None, FREE)
        world.put(port)
        bodies[port.key] = {"user": call.user, "created_us": world.now_us, "revision": -1, "own": True}
    known = bodies.get(port.key) or {"user": SYSTEM, "created_us": segment.created_us, "revision": 0, "own": False}
    if replace and known["revision"] >= 0:
        check_revision(world, call.path.removeprefix(POLICY), known["revision"], body.revision)
    if not known["own"]:
        sent.pop("attachment", None)  # the VM's card decides
    wanted = sent if replace else {**known.get("sent", {}), **sent}
    if known["revision"] >= 0 and wanted == known.get("sent", {}):
        return segment, port
    bodies[port.key] = {**known, "sent": wanted, "modified_us": world.now_us, "revision": known["revision"] + 1}
    changes: dict[str, Any] = {"display_name": wanted.get("display_name") or port.port_id}
    if known["own"]:
        attachment_id = (wanted.get("attachment") or {}).get("id")
        changes.update(attachment_id=attachment_id, port_class=UNKNOWN if attachment_id else FREE)
    world.update(port, **changes)
    return segment, port


def delete_port(call: Call, request: Request) -> None:
    """Delete a port; one with a VM's card on it is refused."""
    _, port = _require(call, request)
    if owner_of(call.world, port) is not None:
        raise NsxError(400, IN_USE, f"Port {port.port_id} has the network card of a VM attached to it.")
    records_of(call.world).port_bodies.pop(port.key, None)
    call.world.remove(port)


def register() -> None:
    """Register the routes."""
    documented = Confidence.DOCUMENTED
    for family, path in FAMILIES:
        ports = f"{path}/{{segment}}/ports"
        one = f"{ports}/{{port}}"
        route("GET", ports, f"{family}.ports.list", documented, BINDINGS)(list_ports)
        route("GET", one, f"{family}.ports.get", documented, BINDINGS)(get_port)
        route("PATCH", one, f"{family}.ports.patch", documented, BINDINGS)(patch_port)
        route("PUT", one, f"{family}.ports.put", documented, BINDINGS)(put_port)
        route("DELETE", one, f"{family}.ports.delete", documented, BINDINGS)(delete_port)
        route("GET", f"{one}/state", f"{family}.ports.state", documented, BINDINGS)(get_port_state)
    coverage.states("attachment state", ATTACHMENT_STATES, documented, BINDINGS)
    coverage.fields(
        "segment port",
        ("attachment", "admin_state", "address_bindings", "init_state", "origin_id", "path"),
        documented,
        BINDINGS,
        note="VM ports have no attachment.type; CHILD only on ports made by a call",
    )
