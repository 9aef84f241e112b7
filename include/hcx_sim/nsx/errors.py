"""Errors the way an NSX manager words them, and the reverse proxy's HTML in front of it.

Body: ``httpStatus``, ``error_code``, ``module_name``, ``error_message`` and, where the useful cause is there only,
``related_errors``. [D+C nsx-vsphere 2.6] Wording is ours wherever the reference quotes none.
"""

from __future__ import annotations

import http
from collections.abc import Iterable
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from hcx_sim.http.context import Call

VMC_PROXY = "vmc-proxy"
BAD_XSRF = 98
CREDENTIALS = 403
NOT_FOUND = 202
UNKNOWN_URL = 404
FIELD_VALIDATION = 255
IN_USE = 500030
MARKED_FOR_DELETE = 500045
PROTECTED = 289
OVERLAP = 500105
HAS_PORTS = 503040
STALE = 604  # the real code is unknown [? nsx-vsphere 6.2]
TOO_MANY = 102  # "(code 102)" as clients show it [C nsx-vsphere 2.6]

_DEFAULT_CODES = {403: CREDENTIALS, 404: NOT_FOUND, 412: STALE, 429: TOO_MANY}
_HTML_STATUSES = (502, 503, 504)


class NsxError(Exception):
    """A refusal of the manager.

    Parameters: HTTP ``status``, numeric ``code``, ``message``, ``module`` that refuses and ``related`` messages,
    each of which becomes a related error with the same code; ``retry_after_seconds`` becomes a header;
    ``plain`` answers the bare message instead of JSON.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        module: str = "policy",
        related: Iterable[str] = (),
        retry_after_seconds: int | None = None,
        plain: bool = False,
    ) -> None:
        """Keep what :meth:`render` shows."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.module = module
        self.related = list(related)
        self.retry_after_seconds = retry_after_seconds
        self.plain = plain

    def render(self) -> Response:
        """Return the manager's answer."""
        after = self.retry_after_seconds
        headers = None if after is None else {"Retry-After": str(after)}
        if self.plain:
            return PlainTextResponse(self.message, self.status, headers=headers)
        body = _body(self.status, self.code, self.message, self.module)
        if self.related:
            body["related_errors"] = [_body(self.status, self.code, text, self.module) for text in self.related]
        return JSONResponse(body, self.status, headers=headers)


def _body(status: int, code: int, message: str, module: str) -> dict[str, Any]:
    return {"httpStatus": _name(status), "error_code": code, "module_name": module, "error_message": message}


def _name(status: int) -> str:
    try:
        return http.HTTPStatus(status).name
    except ValueError:
        return "UNKNOWN"


def not_found(path: str) -> NsxError:
    """Return 404/202 for a path that has no object. [C nsx-vsphere 2.6]"""
    return NsxError(404, NOT_FOUND, f"There is no object at {path}.")


def unknown_url(path: str) -> NsxError:
    """Return 404 for a URL that the manager does not serve, which says nothing about objects; the code is a guess.

    [? nsx-vsphere 2.6]
    """
    return NsxError(404, UNKNOWN_URL, f"The URL {path} is not served by this manager.", module="common-services")


def invalid(problems: Iterable[str]) -> NsxError:
    """Return 400/255 with one related error per problem. [C nsx-vsphere 2.6]"""
    return NsxError(400, FIELD_VALIDATION, "Field level validation errors.", related=problems)


def stale(path: str, status: int = 412) -> NsxError:
    """Return 412 (or 409) for a missing or old ``_revision``; only the status is certain. [D nsx-vsphere 2.4]"""
    return NsxError(status, STALE, f"{path} was changed in the meantime: read it again and repeat with its _revision.")


def marked_for_delete(path: str) -> NsxError:
    """Return 400/500045 for an object that is deleted and not purged. [D+C nsx-vsphere 2.8]"""
    return NsxError(400, MARKED_FOR_DELETE, f"{path} is marked for deletion; wait until it is purged.")


def protected(path: str) -> NsxError:
    """Return 403 for a write to an object that needs ``X-Allow-Overwrite``; the code is a guess [? nsx-vsphere 6.6]."""
    return NsxError(403, PROTECTED, f"{path} belongs to another system; send X-Allow-Overwrite: true to overwrite it.")


def wrong_credentials() -> NsxError:
    """Return 403/403, as on-premises managers do. [C nsx-vsphere 2.6]"""
    message = "The credentials were incorrect or the account specified has been locked."
    return NsxError(403, CREDENTIALS, message, module="common-services")


def bad_xsrf() -> NsxError:
    """Return 403/98 for a missing, wrong or expired XSRF token or session. [C nsx-vsphere 2.6]"""
    return NsxError(403, BAD_XSRF, "The XSRF token is not valid for a live session.", module="common-services")


def unauthenticated() -> NsxError:
    """Return 401 for a missing or expired access token behind the cloud's reverse proxy. [D+C nsx-vsphere 2.6]"""
    return NsxError(401, 401, "The access token is missing, wrong or expired.", module="common-services")


def failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    """Render injected faults, unknown paths and bugs; behind the proxy 502, 503 and 504 are HTML. [C nsx-vsphere 2.6]

    With ``settings.nsx.plain_text_limits`` whatever comes from 429 upwards is bare text: the vendor's error page says
    so. [D nsx-vsphere 2.6]
    """
    if status == http.HTTPStatus.NOT_FOUND and not (call.operation or code or message):
        return unknown_url(call.path).render()
    text = message or _default_message(call, status)
    if call.via == VMC_PROXY and status in _HTML_STATUSES:
        title = f"{status} {http.HTTPStatus(status).phrase}"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return HTMLResponse(page, status)
    number = int(code) if code is not None and code.isdigit() else _DEFAULT_CODES.get(status, status)
    plain = status >= http.HTTPStatus.TOO_MANY_REQUESTS and call.world.settings.nsx.plain_text_limits
    return NsxError(status, number, text, plain=plain).render()


def _default_message(call: Call, status: int) -> str:
    if status == 404:
        return f"There is no object at {call.path}."
    return f"{call.method} {call.path} was refused: {_name(status).lower().replace('_', ' ')}."
