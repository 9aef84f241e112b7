"""NSX Policy's protocol: error bodies with related errors, cursors, and HTML from the proxy in front.

Sources: error body and paging [D nsx-vsphere 2.6]; code numbers from clients [C nsx-vsphere 2.6], which is
not a vendor list; the HTML 504 of the VMware Cloud proxy [C nsx-vsphere 2.6].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConflictError,
    ErrorContext,
    Lookup,
    MalformedResponse,
    ServiceUnavailable,
    SessionExpired,
    StaleRevisionError,
)
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_faults import VendorWords, error_for_status
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Call, Reply

POLICY_API = "/policy/api/v1"
NODE_VERSION = "/api/v1/node/version"
Parsed = TypeVar("Parsed")
Query = Mapping[str, str | int | bool | None]
_CODE = re.compile(r"[0-9]{1,9}")
_MOST_PAGES = 2000

_STALE = {(404, 500090), (400, 500087), (400, 500232), (400, 100148)}
_SEARCH_LAGS = {(400, 60508), (400, 60514), (400, 60515)}
_TRANSACTION_ABORTED = {(500, 98), (500, 99), (500, 607)}
_IN_THE_WAY = {
    (400, 503040): (
        "the segment still has ports",
        "Wait until the ports of VMs that left are released, then delete; do not force.",
    ),
    (400, 500030): ("another object uses this one", "Remove the use that the related errors name."),
    (400, 500045): (
        "an object of this path is being purged",
        "Wait until the deleted object has been purged, then create it again.",
    ),
}


class NsxDialect:
    """Reads NSX's errors; the useful cause is often only in ``related_errors``."""

    system = "nsx"

    def fault(
        self, reply: Reply, context: ErrorContext, *, with_session: bool, retry_after_seconds: float | None
    ) -> ClientError | None:
        """Return the error a reply stands for, or None."""
        if reply.is_success:
            return None
        words = words_of(reply.body)
        facts: ErrorContext = {**context, "vendor_code": words.code, "vendor_message": words.message}
        known = _known_fault(reply.status, words.code, facts, with_session=with_session)
        if known is not None:
            return known
        return error_for_status(
            reply.status,
            words,
            context,
            with_session=with_session,
            retry_after_seconds=retry_after_seconds,
        )


def words_of(body: Any) -> VendorWords:
    """Read an NSX error body; all members are optional."""
    if not isinstance(body, Mapping):
        return VendorWords()
    related = [one for one in body.get("related_errors") or [] if isinstance(one, Mapping)]
    messages = [str(one["error_message"]) for one in (body, *related) if one.get("error_message")]
    code = body.get("error_code")
    text = messages[0] if messages else None
    if related:
        causes = "; ".join(f"[{one.get('error_code')}] {one.get('error_message')}" for one in related)
        text = f"{text or 'no message'} (related: {causes})"
    items = [{"error_code": one.get("error_code"), "error_message": one.get("error_message")} for one in related]
    return VendorWords(code=None if code is None else str(code), message=text, items=items, messages=messages)


def _known_fault(status: int, code: str | None, facts: ErrorContext, *, with_session: bool) -> ClientError | None:
    key = (status, int(code) if code is not None and _CODE.fullmatch(code) else -1)
    if key in _STALE:
        return StaleRevisionError("the object changed since it was read", **facts)
    if key in _SEARCH_LAGS:
        return ServiceUnavailable("the search index is not ready", **facts)
    if key in _TRANSACTION_ABORTED:
        return ServiceUnavailable("NSX aborted the call and asks to repeat it", **facts)
    if key in _IN_THE_WAY:
        message, hint = _IN_THE_WAY[key]
        facts["hint"] = hint
        return ConflictError(message, **facts)
    if key == (403, 98) and with_session:
        return SessionExpired("the session's XSRF token was refused", **facts)
    if key in ((403, 403), (403, 401)):
        return AuthenticationFailed("the credentials were refused", **facts)
    return None


class NsxCalls:
    """Base of the groups of calls: sends below ``/policy/api/v1`` and reads lists to their end."""

    _transport: RestTransport

    def _get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        call = Call("GET", POLICY_API + path, CallKind.READ, query=query or {})
        reply = self._transport.send(call)
        if not isinstance(reply.body, dict):
            raise self._malformed("the answer is not an object", call, reply)
        return reply.body

    def _list(self, path: str, query: Query | None = None) -> tuple[dict[str, Any], ...]:
        """Read every page of a list, until no cursor comes; ``result_count`` is not trusted [D nsx-vsphere 2.7]."""
        found: list[dict[str, Any]] = []
        cursors: set[str] = set()
        cursor: str | None = None
        while True:
            call = Call("GET", POLICY_API + path, CallKind.READ, query={**(query or {}), "cursor": cursor})
            reply = self._transport.send(call)
            body = reply.body
            results = body.get("results") if isinstance(body, dict) else None
            if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
                raise self._malformed("the answer has no list of results", call, reply)
            found.extend(results)
            cursor = str(body.get("cursor") or "")
            if not cursor:
                return tuple(found)
            if cursor in cursors:
                raise self._malformed("the same cursor came twice", call, reply)
            if len(cursors) == _MOST_PAGES:
                raise self._malformed(f"the list does not end after {_MOST_PAGES} pages", call, reply)
            cursors.add(cursor)

    def _change(
        self,
        method: str,
        path: str,
        kind: CallKind,
        *,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        lookup: Lookup | None = None,
    ) -> Any:
        call = Call(
            method,
            POLICY_API + path,
            kind,
            query=query or {},
            json=None if body is None else dict(body),
            lookup=lookup,
        )
        return self._transport.send(call).body

    def _parse_all(self, parse: Callable[[Mapping[str, Any]], Parsed], bodies: Iterable[Any]) -> tuple[Parsed, ...]:
        """Parse bodies; one that cannot be read makes the answer malformed."""
        try:
            return tuple(parse(body) for body in bodies)
        except (ValueError, TypeError, AttributeError) as error:
            raise MalformedResponse(
                f"an object of an unexpected shape: {error}",
                system="nsx",
                endpoint=self._transport.base_url,
            ) from error

    def _malformed(self, message: str, call: Call, reply: Reply) -> MalformedResponse:
        return MalformedResponse(message, snippet=reply.snippet, **self._transport.context(call, reply))
