"""The error classes that all clients raise.

::

    ClientError
    ├── ConnectionFailed        refused, reset, no such host                    transient
    ├── TlsError                the certificate was not accepted
    ├── TimedOut                no connection, or no answer, in time            transient
    ├── MalformedResponse       an answer came, but not one that can be read
    ├── AuthenticationFailed    the credentials were refused
    │   └── SessionExpired      a session or token ended and could not be renewed
    ├── PermissionDenied        the account may not do this
    ├── NotFound                no such object
    ├── ConflictError           the object's state or name stands in the way
    │   └── StaleRevisionError  the object changed since it was read
    ├── ValidationFailed        the product refuses the input; carries ``items``
    ├── RateLimited             too many requests                               transient
    ├── VendorFault             the product reports a fault of another kind
    │   └── ServerError         ... as HTTP 5xx
    │       ├── ServiceUnavailable  busy or still starting up                   transient
    │       └── GatewayTimeout      a proxy gave up waiting for the product     transient
    ├── OutcomeUnknownError     a mutating call may or may not have acted; carries ``lookup``
    └── EndpointMismatch        the endpoint is not the one this run may touch

Every error knows the system, the endpoint, the call, the status, the vendor's code and message, the request
id and what to do next. ``to_dict`` gives JSON primitives and ``from_dict`` restores the same class, so an
error survives a process boundary; pickling takes the same way. ``is_transient`` says whether the *condition*
may pass by itself; whether the *call* may be repeated also depends on the call (see ``OutcomeUnknownError``).
"""

# ruff: noqa: N818  (the class names say what happened, as an operator would)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack, cast

from hcx_waves.clients.error_base import (
    ClientError,
    ErrorContext,
    JsonValue,
    Lookup,
    System,
    error_classes,
    redact_parameters,
    strip_user_info,
)
from hcx_waves.model.outside import shown, shown_values

__all__ = [
    "AuthenticationFailed",
    "ClientError",
    "ConflictError",
    "ConnectionFailed",
    "EndpointMismatch",
    "ErrorContext",
    "GatewayTimeout",
    "JsonValue",
    "Lookup",
    "MalformedResponse",
    "NotFound",
    "OutcomeUnknownError",
    "PermissionDenied",
    "RateLimited",
    "ServerError",
    "ServiceUnavailable",
    "SessionExpired",
    "StaleRevisionError",
    "System",
    "TimedOut",
    "TlsError",
    "ValidationFailed",
    "VendorFault",
    "error_classes",
    "redact_parameters",
    "strip_user_info",
]


_MOST_ITEMS = 1000


class ConnectionFailed(ClientError):
    """No connection, or one that broke.

    ``request_sent`` is False when the request certainly never reached the product (name not resolved,
    connection refused), so that even a mutating call may be repeated.
    """

    transient = True
    default_hint = "Check that the endpoint is up and reachable from this host."

    def __init__(self, message: str, *, request_sent: bool = False, **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, details={"request_sent": request_sent}, **context)

    @property
    def request_sent(self) -> bool:
        """Whether the request may have reached the product."""
        return bool(self.details.get("request_sent", True))


class TlsError(ClientError):
    """The endpoint's certificate was refused, or it does not speak TLS. Nothing was sent."""

    default_hint = (
        "Give the client the certificate authority that signed the endpoint's certificate (ca_file), "
        "or pin the certificate itself; check host name and expiry. Do not switch verification off."
    )


class TimedOut(ClientError):
    """No connection (``phase`` is ``connect``) or no answer (``phase`` is ``read``) in time."""

    transient = True
    default_hint = "Check load and reachability of the endpoint, or allow more time."

    def __init__(
        self,
        message: str,
        *,
        phase: Literal["connect", "read"],
        timeout_seconds: float | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, details={"phase": phase, "timeout_seconds": timeout_seconds}, **context)

    @property
    def phase(self) -> str:
        """``connect`` (the request was never sent) or ``read`` (it was)."""
        return str(self.details.get("phase", "read"))

    @property
    def timeout_seconds(self) -> float | None:
        """The time that was allowed, if known."""
        return cast("float | None", self.details.get("timeout_seconds"))


class MalformedResponse(ClientError):
    """An answer that is not what the product documents; ``snippet`` shows the start of it."""

    default_hint = "Check that the address is the product's API and not a proxy or another service."

    def __init__(self, message: str, *, snippet: str = "", **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, details={"snippet": shown(redact_parameters(snippet))}, **context)

    @property
    def snippet(self) -> str:
        """The first characters of the answer."""
        return str(self.details.get("snippet", ""))


class AuthenticationFailed(ClientError):
    """The credentials or the token were refused."""

    default_hint = "Check user name, password or token; the account may also be locked or disabled."


class SessionExpired(AuthenticationFailed):
    """The session or token ended, and logging in again did not help."""

    default_hint = "Try again; if it fails at once, the product refuses sessions of this account."


class PermissionDenied(ClientError):
    """The account is known but lacks the right."""

    default_hint = "Give the account a role that permits this call."


class NotFound(ClientError):
    """The object does not exist (any more)."""

    default_hint = "Look the object up again; it may have been deleted or renamed."


class ConflictError(ClientError):
    """The object's state, or another object, stands in the way."""

    default_hint = "Look at the object in the product, resolve the conflict, then try again."


class StaleRevisionError(ConflictError):
    """The object changed since it was read."""

    default_hint = "Another user or program changed the object: read it again, then try again."


class ValidationFailed(ClientError):
    """The product refuses the input.

    :param items: one mapping per refused item as JSON primitives, e.g. ``{"entity_id", "errors": [..],
        "warnings": [..]}``; may be empty.
    :param messages: the product's messages, flat, in its order.
    """

    default_hint = "Correct what the product's messages name, then try again."

    def __init__(
        self,
        message: str,
        *,
        items: Sequence[Mapping[str, Any]] = (),
        messages: Sequence[str] = (),
        **context: Unpack[ErrorContext],
    ) -> None:
        details = {
            "items": [shown_values(item) for item in items[:_MOST_ITEMS]],
            "messages": [shown(message) for message in messages[:_MOST_ITEMS]],
        }
        super().__init__(message, details=details, **context)

    @property
    def items(self) -> list[dict[str, Any]]:
        """The refused items."""
        return list(self.details.get("items") or [])

    @property
    def messages(self) -> list[str]:
        """The product's messages."""
        return list(self.details.get("messages") or [])


class RateLimited(ClientError):
    """Too many requests, or too many at once."""

    transient = True
    default_hint = "Send fewer requests at once to this endpoint, or try again later."

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, details={"retry_after_seconds": retry_after_seconds}, **context)

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the product asks to wait, if it says."""
        return cast("float | None", self.details.get("retry_after_seconds"))


class VendorFault(ClientError):
    """A fault of the product that fits no other class; ``vendor_code`` has its code or fault name."""


class ServerError(VendorFault):
    """The product failed to serve the call (HTTP 5xx that is not known to be transient)."""

    default_hint = "Look at the product's own log under the request id; the call may have taken partial effect."


class ServiceUnavailable(ServerError):
    """The product is busy, restarting or still starting up."""

    transient = True
    default_hint = "Wait until the product has started or is less busy, then try again."

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, details={"retry_after_seconds": retry_after_seconds}, **context)

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the product asks to wait, if it says."""
        return cast("float | None", self.details.get("retry_after_seconds"))


class GatewayTimeout(ServerError):
    """A proxy in front of the product gave up waiting; the product may still act."""

    transient = True
    default_hint = "Look at the object's state in the product before you try again."


class OutcomeUnknownError(ClientError):
    """A mutating call was sent and no usable answer came back: it may or may not have acted.

    Never repeat the call on this error. Resolve it by ``lookup``, the read-only call that shows the truth.

    :param cause: the error that hid the answer.
    """

    default_hint = "Do not repeat the call before you have looked whether it took effect."

    def __init__(
        self,
        message: str,
        *,
        lookup: Lookup | None = None,
        cause: ClientError | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        details = {
            "lookup": None if lookup is None else lookup.to_dict(),
            "cause": None if cause is None else cause.to_dict(),
        }
        super().__init__(message, details=details, **context)

    @property
    def lookup(self) -> Lookup | None:
        """The call that resolves the outcome, if the client knows one."""
        data = self.details.get("lookup")
        return None if data is None else Lookup.from_dict(data)

    @property
    def cause(self) -> ClientError | None:
        """The error that hid the answer."""
        data = self.details.get("cause")
        return None if data is None else ClientError.from_dict(data)


class EndpointMismatch(ClientError):
    """The endpoint is not what this run may talk to (real product, simulated site or rehearsal twin).

    :param expected: the identity that was required, as text.
    :param found: the identity that the endpoint gave, as text.
    """

    default_hint = "Correct the connection so that it leads to the right endpoint. Nothing was changed."

    def __init__(self, message: str, *, expected: str = "", found: str = "", **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, details={"expected": expected, "found": found}, **context)

    @property
    def expected(self) -> str:
        """The identity that was required."""
        return str(self.details.get("expected", ""))

    @property
    def found(self) -> str:
        """The identity that the endpoint gave."""
        return str(self.details.get("found", ""))
