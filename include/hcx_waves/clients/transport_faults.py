"""Map exceptions of requests and HTTP statuses to client errors."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError, ReadTimeoutError

from hcx_waves.clients import errors
from hcx_waves.clients.errors import ClientError, ErrorContext
from hcx_waves.clients.exchange import ExchangeTooLargeError, ExchangeTooLongError

# Reasons by which OpenSSL ends a handshake; nothing of the request has been sent by then.
_HANDSHAKE_REASONS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
        "HTTP_REQUEST",
        "UNSUPPORTED_PROTOCOL",
        "NO_SHARED_CIPHER",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_UNRECOGNIZED_NAME",
    }
)

_SECONDS = re.compile(r"[0-9]{1,9}")


def clock_offset(date: str | None, now: datetime) -> float | None:
    """Return how many seconds a product's clock is ahead of ours, by an answer's header Date (RFC 9110, 6.6.1).

    :param date: the header; None if there is none.
    :returns: None if it does not tell.
    """
    try:
        said = None if date is None else parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    if said is None or said.tzinfo is None:
        return None
    return (said - now).total_seconds()


@dataclass(frozen=True)
class VendorWords:
    """What an error body says, whatever its shape.

    :param code: the vendor's code as text.
    :param message: one text that includes nested causes.
    :param items: per-item refusals, JSON primitives.
    :param messages: every message, flat.
    """

    code: str | None = None
    message: str | None = None
    items: Sequence[Mapping[str, Any]] = ()
    messages: Sequence[str] = ()


def error_for_exception(
    exception: requests.RequestException,
    context: ErrorContext,
    *,
    connect_seconds: float,
    read_seconds: float,
) -> ClientError:
    """Translate an exception of requests; in doubt the request counts as sent."""
    if isinstance(exception, requests.exceptions.ConnectTimeout):
        return errors.TimedOut(
            f"no connection within {connect_seconds:g} s",
            phase="connect",
            timeout_seconds=connect_seconds,
            **context,
        )
    bounds = _beyond_bounds(exception, context)
    if bounds is not None:
        return bounds
    if _caused_by(exception, ReadTimeoutError):
        return errors.TimedOut(
            f"no answer within {read_seconds:g} s", phase="read", timeout_seconds=read_seconds, **context
        )
    handshake = _handshake_failure(exception)
    if handshake is not None:
        return errors.TlsError(handshake, **context)
    if _caused_by(exception, NameResolutionError):
        return errors.ConnectionFailed("the host name does not resolve", **context)
    if _caused_by(exception, NewConnectionError):
        return errors.ConnectionFailed(f"no connection: {_root(exception)}", **context)
    return errors.ConnectionFailed(f"the connection broke: {_root(exception)}", request_sent=True, **context)


def _beyond_bounds(exception: BaseException, context: ErrorContext) -> ClientError | None:
    """Translate what the exchange as a whole has ended."""
    for link in _chain(exception):
        if isinstance(link, ExchangeTooLongError):
            return errors.TimedOut(str(link), phase="read", timeout_seconds=link.total_seconds, **context)
        if isinstance(link, ExchangeTooLargeError):
            return errors.MalformedResponse(str(link), **context)
    return None


def error_for_status(
    status: int,
    words: VendorWords,
    context: ErrorContext,
    *,
    with_session: bool,
    retry_after_seconds: float | None = None,
) -> ClientError:
    """Translate an HTTP error status.

    :param with_session: whether the call presented a session or token; a 401 then means that it ended.
    """
    facts: ErrorContext = {**context, "vendor_code": words.code, "vendor_message": words.message}
    if status == 401:
        kind = errors.SessionExpired if with_session else errors.AuthenticationFailed
        return kind("the session was refused" if with_session else "the credentials were refused", **facts)
    if status in (400, 422):
        return errors.ValidationFailed(
            "the product refused the input", items=words.items, messages=words.messages, **facts
        )
    if status == 429:
        return errors.RateLimited("too many requests", retry_after_seconds=retry_after_seconds, **facts)
    if status in (502, 503):
        return errors.ServiceUnavailable(
            "the product is not available", retry_after_seconds=retry_after_seconds, **facts
        )
    if 300 <= status < 400:
        return errors.MalformedResponse("a redirect, which is not followed", **facts)
    return _plain_error(status, facts)


_PLAIN: dict[int, tuple[type[ClientError], str]] = {
    403: (errors.PermissionDenied, "the account may not do this"),
    404: (errors.NotFound, "not found"),
    409: (errors.ConflictError, "the object's state does not allow this"),
    412: (errors.StaleRevisionError, "the object changed since it was read"),
    504: (errors.GatewayTimeout, "a gateway timed out waiting for the product"),
}


def _plain_error(status: int, facts: ErrorContext) -> ClientError:
    kind, message = _PLAIN.get(status, (errors.ServerError if status >= 500 else errors.VendorFault, "the call failed"))
    return kind(message, **facts)


def parse_retry_after(value: str | None, now: Callable[[], datetime]) -> float | None:
    """Read a ``Retry-After`` header: seconds, or an HTTP date. None when absent or unreadable."""
    if value is None or not value.strip():
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now()).total_seconds())


def _handshake_failure(exception: BaseException) -> str | None:
    for link in _chain(exception):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"the certificate was refused: {link.verify_message}"
        if isinstance(link, ssl.SSLError) and link.reason in _HANDSHAKE_REASONS:
            return f"the TLS handshake failed: {link.reason}"
    return None


def _caused_by(exception: BaseException, kind: type[BaseException]) -> bool:
    return any(isinstance(link, kind) for link in _chain(exception))


def _root(exception: BaseException) -> str:
    last = list(_chain(exception))[-1]
    return str(last) or type(last).__name__


def _chain(exception: BaseException) -> Iterator[BaseException]:
    """Walk the causes that requests and urllib3 nest in ``args``, ``reason`` and ``__cause__``."""
    seen: set[int] = set()
    pending: list[object] = [exception]
    while pending:
        link = pending.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        pending.extend([*link.args, getattr(link, "reason", None), link.__cause__])
