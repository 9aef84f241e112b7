"""How the managers answer: two envelopes, errors in each of their styles, and the XML of a manager that starts.

*Legacy* envelope ``{"success","completed","time","version","data"}``: sessions, cloudConfigs, inventory and the
migrations query. *Newer* one ``{"items"|"data","errors","warnings"}``: mobility, interconnect and network extension.
[C hcx 1].
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from fastapi import Response

from hcx_sim.engine.clock import to_ms
from hcx_sim.world.world import World

TOKEN_HEADER = "x-hm-authorization"  # noqa: S105 - the header's name, not a token
ENVELOPE_VERSION = "1.0"
STARTING_MESSAGE = "'Trusted root certificates' value should not be empty"
_LEGACY_PATHS = ("/hybridity/api/sessions", "/hybridity/api/cloudConfigs", "/hybridity/api/endpointPairing",
                 "/hybridity/api/service/", "/hybridity/api/vc/", "/hybridity/api/admin/")  # fmt: skip


class Style(StrEnum):
    """The shape of an error."""

    NEWER = "newer"
    LEGACY = "legacy"
    EMPTY = "empty"


class HcxError(Exception):
    """An error answer of a manager.

    ``status`` is the HTTP status (the product reports some errors under 200), ``code`` the vendor's code, which is
    hardly ever published. ``items`` are the per-item results of the newer style, ``data`` the ``data`` list of a
    legacy error. With ``Style.EMPTY`` nothing but the status is sent.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        style: Style = Style.NEWER,
        items: Sequence[Mapping[str, Any]] | None = None,
        data: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Remember the parts; see the class."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or str(status)
        self.style = style
        self.items = items
        self.data = data

    def render(self, world: World) -> Response:
        """Return the answer."""
        if self.style is Style.EMPTY:
            return Response(status_code=self.status)
        if self.style is Style.LEGACY:
            return legacy_error(world, self.status, self.code, self.message, self.data)
        return newer(self.status, self.items, errors=[problem(self.message, self.code)])


def unauthorised() -> HcxError:
    """Return the 401 of a missing, unknown or expired token: "no data structure". [D hcx 2]"""
    return HcxError(401, "unauthorised", style=Style.EMPTY)


def json_response(body: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    content = json.dumps(body, separators=(",", ":"))
    return Response(content, status_code=status, media_type="application/json")


def problem(message: str, code: str = "") -> dict[str, str]:
    """Return one entry of ``errors`` in the newer style."""
    return {"code": code, "message": message}


def newer(
    status: int = 200,
    items: Sequence[Mapping[str, Any]] | None = None,
    *,
    errors: Iterable[Mapping[str, Any]] = (),
    warnings: Iterable[str] = (),
    data: Mapping[str, Any] | None = None,
) -> Response:
    """Return an answer in the newer envelope, with ``items`` or ``data`` if given."""
    body: dict[str, Any] = {"errors": list(errors), "warnings": [{"message": text} for text in warnings]}
    if items is not None:
        body["items"] = list(items)
    if data is not None:
        body["data"] = dict(data)
    return json_response(body, status)


def with_findings(world: World, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return items without empty lists of errors and warnings, which clients stumble on. [I hcx 4.3]

    ``settings.hcx.empty_findings`` leaves them in.
    """
    return [dict(item) if world.settings.hcx.empty_findings else _bare(item) for item in items]


def _bare(item: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if value or name not in ("errors", "warnings")}
    if "migrations" in kept:
        kept["migrations"] = [_bare(each) for each in kept["migrations"]]
    return kept


def legacy(world: World, data: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
    """Return a success in the legacy envelope."""
    return json_response({**_envelope(world, success=True), "data": dict(data or {})}, status)


def legacy_items(world: World, items: Sequence[Mapping[str, Any]]) -> Response:
    """Return a list in the legacy envelope."""
    return legacy(world, {"items": list(items)})


def legacy_error(world: World, status: int, error: str, text: str, data: Sequence[Mapping[str, Any]] = ()) -> Response:
    """Return an error in the legacy envelope; cloudConfigs sends it under HTTP 200. [C hcx 1]"""
    entry: dict[str, Any] = {"error": error, "text": text}
    if data:
        entry["data"] = list(data)
    return json_response({**_envelope(world, success=False), "data": {}, "errors": [entry]}, status)


def _envelope(world: World, *, success: bool) -> dict[str, Any]:
    return {"success": success, "completed": True, "time": to_ms(world.now_us), "version": ENVELOPE_VERSION}


def starting_up() -> Response:
    """Return what sessions answers while SSO and certificates are not ready: XML, whatever was asked for. [C hcx 2]

    The form of entries and strings and the message are known; status and outer element are not [? hcx 2].
    """
    entry = f"<entry><string>message</string><string>{STARTING_MESSAGE}</string></entry>"
    return Response(f"<map>{entry}</map>", status_code=500, media_type="application/xml")


def failure(world: World, path: str, status: int, code: str | None, message: str | None) -> Response:
    """Return an error for injected faults, unknown paths and our own bugs, in the style of the path."""
    if status in (401, 403) and message is None:
        return Response(status_code=status)
    text = message or _DEFAULT_MESSAGES.get(status, "The operation failed.")
    style = Style.LEGACY if path.startswith(_LEGACY_PATHS) else Style.NEWER
    return HcxError(status, text, code=code or "", style=style).render(world)


_DEFAULT_MESSAGES = {
    400: "Bad request.",
    404: "The requested resource was not found.",
    405: "The method is not allowed for this resource.",
    500: "Internal server error.",
    503: "The service is unavailable.",
}
