"""What the server needs to know about the simulated vCenters.

Fault points of the engine: ``vcenter.task.<operation>`` when a task is about to act (fail, delay, stall); the
operations are listed in COVERAGE.md.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call, Product, call_of
from hcx_sim.vcenter import facts as _facts  # noqa: F401 - registers families, methods and what COVERAGE.md says
from hcx_sim.vcenter import soap, tasks
from hcx_sim.vcenter.faults import named, system_error
from hcx_sim.vcenter.methods import power
from hcx_sim.vcenter.registry import coverage, method_names
from hcx_sim.vcenter.service import XML, serve
from hcx_sim.vcenter.state import PRODUCT_NAME, new_state
from hcx_sim.vcenter.versions import service_versions_xml, version_of_action
from hcx_sim.vcenter.watch import follow
from hcx_sim.vcenter.wsdl import port_types_wsdl, service_wsdl
from hcx_sim.world.world import World

app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
_SOAP_STATUS = 500


@coverage.route(
    app, "GET", "/sdk/vimServiceVersions.xml", "service_versions", Confidence.CONFIRMED, "PYV", "probed by SmartConnect"
)
async def service_versions(request: Request) -> Response:
    """Return the API versions that this vCenter offers."""
    call = call_of(request)
    release = call.world.site(call.here).vcenter_version
    return Response(service_versions_xml(release), 200, media_type=XML)


@coverage.route(
    app, "GET", "/sdk/vimService.wsdl", "service_description", Confidence.INFERRED, "PYV VCSIM",
    "written from the type information",
)  # fmt: skip
async def service_description(request: Request) -> Response:
    """Return the description that leads SOAP stacks to the port types of :func:`port_types`."""
    address = str(request.base_url).rstrip("/") + call_of(request).base_path + "/sdk"
    return Response(service_wsdl(address), 200, media_type=XML)


@coverage.route(
    app, "GET", "/sdk/vim.wsdl", "port_types", Confidence.INFERRED, "PYV VCSIM", "the offered methods, and all types"
)
async def port_types(_request: Request) -> Response:
    """Return the methods that this vCenter offers and every type; made in a thread, as that takes some seconds."""
    text = await run_in_threadpool(port_types_wsdl, method_names())
    return Response(text, 200, media_type=XML)


@coverage.route(app, "POST", "/sdk", "soap", Confidence.CONFIRMED, "PYV", "every SOAP method, listed by name")
@coverage.route(app, "POST", "/sdk/", "soap", Confidence.CONFIRMED, "PYV", "as /sdk")
@coverage.route(app, "POST", "/sdk/vimService", "soap", Confidence.INFERRED, "VCSIM", "as /sdk")
async def sdk(request: Request) -> Response:
    """Answer a SOAP request."""
    return await serve(call_of(request), request)


def install(world: World) -> None:
    """Give a new world the vCenters' records and event handlers."""
    world.products[PRODUCT_NAME] = new_state(world)
    tasks.install(world)
    power.install(world)
    follow(world)


def _failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    """Render an error: a SOAP fault as HTTP 500, or the plain answer that the proxy in front gives otherwise."""
    if status != _SOAP_STATUS and code is None:
        return Response(message or _PLAIN.get(status, f"HTTP {status}"), status, media_type="text/plain")
    fault = named(code, message) if code is not None else system_error(message or "internal error").fault
    version = version_of_action("", call.world.site(call.here).vcenter_version)
    return Response(soap.fault(fault, version), _SOAP_STATUS, media_type=XML)


_PLAIN = {
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    503: "no healthy upstream",
    504: "upstream request timeout",
}


def _operation_of(call: Call) -> str:
    return soap.operation_name(call.body) if call.method == "POST" else ""


PRODUCT = Product(
    name=PRODUCT_NAME,
    app=app,
    coverage=coverage,
    install=install,
    failure=_failure,
    operation_of=_operation_of,
)
