"""The one call of the appliance management API that people stumble over: configuring the vCenter login.

The real API listens on port 9443; here it shares the manager's port, below ``/api/admin``. HTTP Basic, and an error
style of its own ``{success, completed, time, version, errorCode, error}``. [D hcx 1] Passwords have to be base64;
a plain one yields an XML parser's complaint that misleads everybody. [C hcx 7]
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_ms
from hcx_sim.hcx.app import app, coverage
from hcx_sim.hcx.wire import ENVELOPE_VERSION, json_response
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.credentials import credentials_of

PARSER_MESSAGE = "XML document structures must start and end within the same entity."


@coverage.route(
    app, "POST", "/api/admin/global/config/vcenter", "appliance_management.vcenter.configure", Confidence.GUESSED,
    "L911 XADM", "port 9443 on the product; the path is a guess, that a plain password misleads is confirmed",
)  # fmt: skip
async def configure_vcenter(request: Request) -> Response:
    """Check a vCenter login's form; nothing is configured. 401 without the manager's own log-in."""
    call = call_of(request)
    if not _may_enter(call, request.headers.get("authorization", "")):
        return _answer(call, 401, error="Authentication is required.")
    config = _config(call)
    if config is None:
        return _answer(call, 400, error="A configuration with url, userName and password is required.")
    call.user = "admin"
    call.summary = {"url": config["url"]}
    if not _is_base64(config["password"]):
        return _answer(call, 400, error=PARSER_MESSAGE)
    shown = {name: config[name] for name in ("url", "userName")}
    shown["UUID"] = call.world.random.stable_uuid(f"vcenter-configuration/{call.here}")
    return _answer(call, 200, data={"items": [{"config": shown, "section": "vcenter"}]})


def _may_enter(call: Call, header: str) -> bool:
    scheme, _, value = header.partition(" ")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and credentials_of(call.world.products).accepts("hcx", call.here, user, password)


def _config(call: Call) -> dict[str, str] | None:
    if not call.is_small:
        return None
    try:
        config = call.json()["data"]["items"][0]["config"]
        return {name: str(config[name]) for name in ("url", "userName", "password")}
    except (ValueError, LookupError, TypeError):
        return None


def _is_base64(password: str) -> bool:
    try:
        return bool(base64.b64decode(password, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return False


def _answer(call: Call, status: int, error: str | None = None, data: dict[str, Any] | None = None) -> Response:
    body: dict[str, Any] = {
        "success": error is None,
        "completed": error is None,
        "time": to_ms(call.world.now_us),
        "version": ENVELOPE_VERSION,
    }
    if data is not None:
        body["data"] = data
    if error is not None:
        body |= {"errorCode": status, "error": error}
    return json_response(body, status)
