"""The order of a call: session, object, method, privilege, then the handler. Each stage has the vendor's own fault."""

from __future__ import annotations

import inspect
from typing import Any

from fastapi import Request, Response
from pyVmomi import VmomiSupport

from hcx_sim.http.context import Call
from hcx_sim.vcenter import soap
from hcx_sim.vcenter.faults import (
    Faulted,
    invalid_request,
    method_not_found,
    no_permission,
    not_authenticated,
    object_not_found,
)
from hcx_sim.vcenter.inventory import Found, Inventory
from hcx_sim.vcenter.methods.sessions import session_of
from hcx_sim.vcenter.privileges import privilege_of
from hcx_sim.vcenter.registry import Context, Method, RawXml, method_of
from hcx_sim.vcenter.singletons import SINGLETONS
from hcx_sim.vcenter.soap import SoapRequest
from hcx_sim.vcenter.state import Session, state_of
from hcx_sim.vcenter.versions import version_of_action

XML = "text/xml; charset=utf-8"
_PROPERTY_READS = frozenset({"RetrieveProperties", "RetrievePropertiesEx", "Fetch"})
# What can be read before a log-in, as a client needs it to log in. [C nsx-vsphere 4.2]
_OPEN_OBJECTS = frozenset({"ServiceInstance", "SessionManager"})


async def serve(call: Call, request: Request) -> Response:
    """Answer one SOAP request; faults leave as HTTP 500 with typed detail."""
    release = call.world.site(call.here).vcenter_version
    version = version_of_action(request.headers.get("soapaction", ""), release)
    headers: dict[str, str] = {}
    try:
        body = await _answer(call, request, version, headers)
    except Faulted as error:
        return Response(soap.fault(error.fault, version), 500, headers, XML)
    return Response(body, 200, headers, XML)


async def _answer(call: Call, request: Request, version: str, headers: dict[str, str]) -> bytes:
    session = session_of(call, state_of(call.world, call.here), request.headers.get("cookie", ""))
    if session is None and not call.is_small:
        raise invalid_request("The request is too large for one without a session.")
    parsed = soap.read_request(call.body)
    call.user = session.username if session is not None else ""
    inventory = Inventory(call.world, call.here, session.key if session is not None else "")
    found, method = _guard(inventory, parsed, session)
    context = Context(
        call=call,
        inventory=inventory,
        session=session,
        target=found,
        arguments=parsed.arguments,
        version=version,
        method=parsed.method,
        headers=headers,
        agent=request.headers.get("user-agent", ""),
    )
    if method.mutating:
        call.summary = {"object": found.object_id}
    result = method.handler(context)
    if inspect.isawaitable(result):
        result = await result
    return soap.response(parsed.method, _returnval(result, parsed, version))


def _guard(inventory: Inventory, parsed: SoapRequest, session: Session | None) -> tuple[Found, Method]:
    """Return object and method, or raise the fault of the first stage that fails."""
    found = inventory.find_reference(parsed.receiver)
    if session is None and not _open_to_all(parsed, found):
        raise not_authenticated(parsed.receiver)
    if found is None:
        raise object_not_found(parsed.receiver)
    method = method_of(found.type_name, parsed.method)
    if parsed.info is None or method is None:
        raise method_not_found(parsed.receiver, parsed.method)
    _check_privilege(inventory, parsed, found)
    return found, method


def _open_to_all(parsed: SoapRequest, found: Found | None) -> bool:
    """Tell whether a request needs no session."""
    method = method_of(found.type_name, parsed.method) if found is not None else None
    if found is None or method is None or not method.anonymous:
        return False
    if parsed.method == "Fetch":
        return found.type_name in _OPEN_OBJECTS
    if parsed.method in _PROPERTY_READS:
        named = (each.obj._moId for spec in parsed.arguments["specSet"] for each in spec.objectSet)
        return all(SINGLETONS.get(object_id) in _OPEN_OBJECTS for object_id in named)
    return True


def _check_privilege(inventory: Inventory, parsed: SoapRequest, found: Found) -> None:
    privilege = privilege_of(found.type_name, parsed.info)
    if privilege is not None and privilege in inventory.world.settings.vcenter.denied_privileges:
        raise no_permission(found.reference, privilege)


def _returnval(result: Any, parsed: SoapRequest, version: str) -> str:
    if isinstance(result, RawXml):
        return result.text
    if result is None:
        return ""
    return soap.element("returnval", result, parsed.info.result, version, VmomiSupport.F_OPTIONAL)
