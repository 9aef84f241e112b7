"""The cloud service: organisations, SDDCs and tasks, and the reverse proxy to the NSX manager of each SDDC."""

from __future__ import annotations

import re
from http.client import responses
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hcx_sim.coverage import Confidence, Coverage
from hcx_sim.http.context import Call, Target, call_of
from hcx_sim.vmc.bodies import PROXY, organization, provision_task, sddc
from hcx_sim.vmc.tokens import presented_token, token_user
from hcx_sim.world.credentials import credentials_of
from hcx_sim.world.model import Site, SiteName
from hcx_sim.world.world import World

VMC = "vmc"
app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
coverage = Coverage("vmc")

_PROXIED = re.compile("^" + PROXY.format(org="(?P<org>[^/]+)", sddc="(?P<sddc>[^/]+)") + "(?P<rest>/.*)$")
_ERROR_CODES = {
    401: "UnauthenticatedException",
    403: "ForbiddenException",
    404: "NotFoundException",
    405: "MethodNotAllowedException",
    429: "TooManyRequestsException",
}
_RETRYABLE = (429, 500, 502, 503, 504)


class VmcError(Exception):
    """A refusal of the cloud service."""

    def __init__(self, status: int, message: str) -> None:
        """Keep status and message."""
        super().__init__(message)
        self.status = status


def failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    """Render an error with the five fields that the binding demands. [D nsx-vsphere 1.3]"""
    body = {
        "status": status,
        "path": call.path,
        "retryable": status in _RETRYABLE,
        "error_code": code or _ERROR_CODES.get(status, "InternalException"),
        "error_messages": [message or f"{responses.get(status, 'Refused')}: {call.method} {call.path}"],
    }
    return JSONResponse(body, status)


@app.exception_handler(VmcError)
async def render_error(request: Request, error: VmcError) -> Response:
    """Answer the service's own refusal."""
    return failure(call_of(request), error.status, None, str(error))


@app.exception_handler(HTTPException)
async def render_unknown_path(request: Request, error: HTTPException) -> Response:
    """Answer an unknown path or method in the service's style."""
    return failure(call_of(request), error.status_code, None, None)


def install(world: World) -> None:
    """Note when the world, and with it its organisation and SDDCs, came to be."""
    world.products[VMC] = {"created_us": world.now_us}


def reroute(world: World, _site: SiteName | None, path: str) -> Target | None:
    """Pass a proxied path to the NSX manager of its SDDC; None for anything else, unknown SDDCs included."""
    match = _PROXIED.match(path)
    if match is None or match["org"] != credentials_of(world.products).org_id:
        return None
    site = _sddcs(world).get(match["sddc"])
    return Target("nsx", site.name, match["rest"], "vmc-proxy") if site is not None else None


def _sddcs(world: World) -> dict[str, Site]:
    return {site.sddc_id: site for site in world.sites.values() if site.nsx_flavour == "vmc"}


def _enter(request: Request) -> tuple[Call, int]:
    """Check the caller's token and the organisation; return the call and when everything was made."""
    call = call_of(request)
    token = presented_token(request)
    user = token_user(call.world, token) if token else None
    if user is None:
        raise VmcError(401, "The access token is missing, wrong or expired.")
    call.user = user
    org_id = request.path_params.get("org")
    if org_id is not None and org_id != credentials_of(call.world.products).org_id:
        raise VmcError(403, f"{user} has no rights in organisation {org_id}.")
    created_us: int = call.world.products[VMC]["created_us"]
    return call, created_us


def _base_url(call: Call, request: Request) -> str:
    """Return how the caller reached this service, so that links lead back the same way."""
    host = request.headers.get("host")
    if host:
        return f"{request.url.scheme}://{host}{call.base_path}"
    urls: dict[str, str] = call.world.products.get("urls", {})
    return urls.get(VMC, "")


@coverage.route(app, "GET", "/vmc/api/orgs", "orgs.list", Confidence.DOCUMENTED, "VMCAWS")
async def list_organizations(request: Request) -> Response:
    """Return the organisations that the caller belongs to, as a bare array."""
    call, created_us = _enter(request)
    return JSONResponse([organization(call.world, created_us)])


@coverage.route(app, "GET", "/vmc/api/orgs/{org}", "orgs.get", Confidence.DOCUMENTED, "VMCAWS")
async def get_organization(request: Request) -> Response:
    """Return one organisation."""
    call, created_us = _enter(request)
    return JSONResponse(organization(call.world, created_us))


@coverage.route(app, "GET", "/vmc/api/orgs/{org}/sddcs", "sddcs.list", Confidence.DOCUMENTED, "VMCAWS TFVMC")
async def list_sddcs(request: Request) -> Response:
    """Return the organisation's SDDCs, as a bare array."""
    call, created_us = _enter(request)
    base_url = _base_url(call, request)
    return JSONResponse([sddc(call.world, site, base_url, created_us) for site in _sddcs(call.world).values()])


@coverage.route(app, "GET", "/vmc/api/orgs/{org}/sddcs/{sddc}", "sddcs.get", Confidence.DOCUMENTED, "VMCAWS TFVMC")
async def get_sddc(request: Request) -> Response:
    """Return one SDDC."""
    call, created_us = _enter(request)
    site = _sddcs(call.world).get(request.path_params["sddc"])
    if site is None:
        raise VmcError(404, f"There is no SDDC {request.path_params['sddc']}.")
    return JSONResponse(sddc(call.world, site, _base_url(call, request), created_us))


def _tasks(world: World, created_us: int) -> list[dict[str, Any]]:
    return [provision_task(world, site, created_us) for site in _sddcs(world).values()]


@coverage.route(app, "GET", "/vmc/api/orgs/{org}/tasks", "tasks.list", Confidence.DOCUMENTED, "VMCAWS")
async def list_tasks(request: Request) -> Response:
    """Return the organisation's tasks, as a bare array."""
    call, created_us = _enter(request)
    return JSONResponse(_tasks(call.world, created_us))


@coverage.route(app, "GET", "/vmc/api/orgs/{org}/tasks/{task}", "tasks.get", Confidence.DOCUMENTED, "VMCAWS")
async def get_task(request: Request) -> Response:
    """Return one task."""
    call, created_us = _enter(request)
    task_id = request.path_params["task"]
    task = next((task for task in _tasks(call.world, created_us) if task["id"] == task_id), None)
    if task is None:
        raise VmcError(404, f"There is no task {task_id}.")
    return JSONResponse(task)


async def refuse_proxied(request: Request) -> Response:
    """Answer a proxied path that leads to no NSX manager: 401, 403 (organisation) or 404 (SDDC)."""
    _enter(request)
    raise VmcError(404, f"There is no NSX manager of SDDC {request.path_params['sddc']}.")


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    coverage.route(
        app,
        _method,
        PROXY + "/{rest:path}",
        "nsx.proxy",
        Confidence.DOCUMENTED,
        "TFNSX",
        note="passes every path on to the NSX manager of the SDDC",
    )(refuse_proxied)

coverage.fields(
    "sddc.resource_config",
    (
        "provider",
        "nsx_api_public_endpoint_url",
        "nsx_mgr_url",
        "nsx_mgr_login_url",
        "nsx_mgr_management_ip",
        "nsx_cloud_admin",
        "nsx_cloud_admin_password",
        "vc_url",
        "vc_public_ip",
        "vc_management_ip",
        "cloud_username",
        "cloud_password",
        "nsxt",
        "sddc_manifest",
    ),
    Confidence.DOCUMENTED,
    "VMCAWS",
)
coverage.fields(
    "entity",
    ("id", "version", "created", "updated", "user_id", "user_name", "updated_by_user_id", "updated_by_user_name"),
    Confidence.DOCUMENTED,
    "VMCAWS",
    note="the official client refuses a record that lacks one",
)
coverage.fields(
    "error",
    ("status", "path", "retryable", "error_code", "error_messages"),
    Confidence.DOCUMENTED,
    "VMCAWS",
    note="error codes and messages are ours",
)
coverage.states("sddc_state", ("READY",), Confidence.DOCUMENTED, "VMCAWS", note="SDDCs are never made or deleted here")
coverage.states("task status", ("FINISHED",), Confidence.DOCUMENTED, "VMCAWS")
coverage.fields("settings", ("vmc.access_token_seconds",), Confidence.DOCUMENTED, "VMCAWS")
