"""The sign-in service: an API token or an OAuth app against a short-lived access token. nsx-vsphere 1.1."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hcx_sim.coverage import Confidence, Coverage
from hcx_sim.http.context import Call, call_of
from hcx_sim.vmc.tokens import CLOUD_ADMIN, issue_token
from hcx_sim.world.credentials import credentials_of

app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
coverage = Coverage("csp")

BASE = "/csp/gateway/am/api/auth"
_MESSAGES = {
    404: "Not found.",
    405: "This method is not allowed here.",
    409: "The request conflicts with another one.",
    429: "Too many requests.",
}


class CspError(Exception):
    """A refusal of the sign-in service; a message is all that is known of its body. [C nsx-vsphere 1.1]"""

    def __init__(self, status: int, message: str) -> None:
        """Keep status and message."""
        super().__init__(message)
        self.status = status


def failure(_call: Call, status: int, _code: str | None, message: str | None) -> Response:
    """Render injected faults, unknown paths and bugs."""
    return JSONResponse({"message": message or _MESSAGES.get(status, "Internal error.")}, status)


@app.exception_handler(CspError)
async def render_error(request: Request, error: CspError) -> Response:
    """Answer the service's own refusal."""
    return failure(call_of(request), error.status, None, str(error))


@app.exception_handler(HTTPException)
async def render_unknown_path(request: Request, error: HTTPException) -> Response:
    """Answer an unknown path or method in the service's style."""
    return failure(call_of(request), error.status_code, None, None)


def _parameters(call: Call) -> dict[str, str]:
    """Return the parameters of query and form; clients use either. [C nsx-vsphere 1.1]"""
    found = parse_qs(call.query)
    if not call.is_small:
        raise CspError(400, "The request is too large.")
    found.update(parse_qs(call.body.decode("utf-8", "replace")))
    return {name: values[-1] for name, values in found.items()}


def _by_api_token(call: Call, parameters: dict[str, str]) -> dict[str, Any]:
    token = parameters.get("refresh_token") or parameters.get("api_token") or ""
    if not credentials_of(call.world.products).accepts_refresh_token(token):
        raise CspError(400, "The API token is not valid or has expired.")
    call.user = CLOUD_ADMIN
    return {**issue_token(call.world, call.user), "refresh_token": token}


def _by_oauth_app(call: Call, parameters: dict[str, str], authorization: str) -> dict[str, Any]:
    client_id, secret = _basic(authorization)
    client_id = client_id or parameters.get("client_id", "")
    secret = secret or parameters.get("client_secret", "")
    if not credentials_of(call.world.products).accepts_oauth_app(client_id, secret):
        raise CspError(400, "The client's id or secret is not valid.")
    call.user = client_id
    return issue_token(call.world, client_id)


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


@coverage.route(
    app,
    "POST",
    f"{BASE}/api-tokens/authorize",
    "api_tokens.authorize",
    Confidence.CONFIRMED,
    "VMCAWS LAMW TFNSX TFVMC PYVMC SIE",
)
async def authorize_api_token(request: Request) -> Response:
    """Exchange an API token, given as ``refresh_token`` or ``api_token``, in body or query."""
    call = call_of(request)
    return JSONResponse(_by_api_token(call, _parameters(call)))


@coverage.route(
    app,
    "POST",
    f"{BASE}/authorize",
    "oauth.authorize",
    Confidence.CONFIRMED,
    "PYVMC SIE TFNSX",
    note="client_credentials only",
)
async def authorize_oauth_app(request: Request) -> Response:
    """Exchange an OAuth app's id and secret, given as HTTP Basic."""
    call = call_of(request)
    parameters = _parameters(call)
    if parameters.get("grant_type") != "client_credentials":
        raise CspError(400, "The grant type must be client_credentials.")
    return JSONResponse(_by_oauth_app(call, parameters, request.headers.get("authorization", "")))


@coverage.route(
    app,
    "POST",
    f"{BASE}/token",
    "auth.token",
    Confidence.DOCUMENTED,
    "VMCAWS",
    note="grant types refresh_token and client_credentials; the others are refused",
)
async def grant_token(request: Request) -> Response:
    """Grant a token by ``refresh_token`` or ``client_credentials``."""
    call = call_of(request)
    parameters = _parameters(call)
    grants: dict[str, Callable[[], dict[str, Any]]] = {
        "refresh_token": lambda: _by_api_token(call, parameters),
        "client_credentials": lambda: _by_oauth_app(call, parameters, request.headers.get("authorization", "")),
    }
    grant = grants.get(parameters.get("grant_type", ""))
    if grant is None:
        raise CspError(400, "This grant type is not offered to this client.")
    return JSONResponse(grant())


coverage.fields(
    "token",
    ("access_token", "refresh_token", "id_token", "token_type", "scope", "expires_in"),
    Confidence.DOCUMENTED,
    "VMCAWS PYVMC",
)
coverage.fields("error", ("message",), Confidence.CONFIRMED, "PYVMC", note="other fields are unknown")
