"""The base of all client errors: where an error happened, what the product said, what to do next.

The tree itself is in :mod:`hcx_waves.clients.errors`, which is what to import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypedDict, Unpack, cast
from urllib.parse import urlsplit, urlunsplit

from hcx_waves.model.outside import shown

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
System = Literal["hcx", "nsx", "vmc", "vcenter"]

_SECRET_PARAMETER = re.compile(r"(?i)\b(refresh_token|api_token|access_token|token|password|client_secret)=[^&\s]+")


class ErrorContext(TypedDict, total=False):
    """Where an error happened; the keyword arguments that every error of the tree takes.

    ``system`` is one of ``hcx``, ``nsx``, ``vmc``, ``vcenter``. ``endpoint`` is the base URL (user info is
    dropped), ``method`` and ``path`` name the call (for vSphere: the managed method and its object).
    ``status`` is the HTTP status if there was one; ``vendor_code`` and ``vendor_message`` are the product's
    own words; ``request_id`` is what the product's support asks for; ``hint`` says what to do next.
    """

    system: str
    endpoint: str
    method: str
    path: str
    status: int | None
    vendor_code: str | None
    vendor_message: str | None
    request_id: str | None
    hint: str | None


_LONGEST_ID = 200
_CONTEXT_FIELDS = tuple(ErrorContext.__annotations__)


@dataclass(frozen=True)
class Lookup:
    """The read-only client call that tells whether a call of unknown outcome has acted.

    ``client`` is the system (``hcx``, ``nsx``, ...), ``method`` a public method of that client, ``arguments``
    its keyword arguments as JSON primitives, ``meaning`` how to read the answer.
    """

    client: str
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)
    meaning: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the lookup as JSON primitives."""
        return {
            "client": self.client,
            "method": self.method,
            "arguments": dict(self.arguments),
            "meaning": self.meaning,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lookup:
        """Restore a lookup written by ``to_dict``."""
        return cls(
            client=str(data["client"]),
            method=str(data["method"]),
            arguments=dict(data.get("arguments") or {}),
            meaning=str(data.get("meaning") or ""),
        )


class ClientError(Exception):
    """Base of every error that a client raises.

    :param message: what went wrong, in one clause, without secrets.
    :param details: further JSON primitives that belong to this kind of error.
    :param context: see :class:`ErrorContext`.
    """

    transient: ClassVar[bool] = False
    former_names: ClassVar[tuple[str, ...]] = ()
    """Names that the class had in earlier versions, under which stored errors may name it."""
    default_hint: ClassVar[str] = "Read the vendor's message and the product's own log."

    def __init__(
        self, message: str, *, details: Mapping[str, Any] | None = None, **context: Unpack[ErrorContext]
    ) -> None:
        # What a product says may hold anything, and an error is shown in terminals, logs, gates and reports.
        self.message = shown(redact_parameters(message))
        self.system = context.get("system", "")
        self.endpoint = shown(strip_user_info(context.get("endpoint", "")))
        self.method = context.get("method", "")
        self.path = shown(redact_parameters(context.get("path", "")))
        self.status = context.get("status")
        self.vendor_code = _shown_or_none(context.get("vendor_code"), _LONGEST_ID)
        vendor_message = context.get("vendor_message")
        self.vendor_message = None if vendor_message is None else shown(redact_parameters(vendor_message))
        self.request_id = _shown_or_none(context.get("request_id"), _LONGEST_ID)
        self.hint = shown(context.get("hint") or self.default_hint)
        self.details: dict[str, Any] = dict(details or {})
        super().__init__(self.message)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names under which the class may be stored: its own and its former ones, not those of its base."""
        return (cls.__name__, *vars(cls).get("former_names", ()))

    @property
    def is_transient(self) -> bool:
        """Whether the condition may pass by itself (connection, 429, 502, 503, 504)."""
        return self.transient

    @property
    def context(self) -> ErrorContext:
        """The context this error was raised with, to raise another error about the same call."""
        return cast(ErrorContext, {name: getattr(self, name) for name in _CONTEXT_FIELDS})

    @property
    def context_without_hint(self) -> ErrorContext:
        """The context for an error about the same call that has a remedy of its own."""
        context = self.context
        context.pop("hint", None)
        return context

    def __str__(self) -> str:
        call = " ".join(part for part in (self.system, self.method, self.path) if part)
        where = f"{call} at {self.endpoint}" if self.endpoint else call
        status = f" (HTTP {self.status})" if self.status is not None else ""
        parts = [f"{where}{status}: {self.message}" if where else f"{self.message}{status}"]
        if self.vendor_message and self.vendor_message not in self.message:
            parts.append(f"vendor says: {self.vendor_message}")
        if self.vendor_code:
            parts.append(f"vendor code {self.vendor_code}")
        if self.request_id:
            parts.append(f"request id {self.request_id}")
        return "; ".join(parts) + f". {self.hint}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the error as JSON primitives, for logs, XCom and trigger events.

        Shape: ``{"type": <class name>, "message", <context fields>, "is_transient", "details": {...}}``.
        """
        data: dict[str, Any] = {"type": type(self).__name__, "message": self.message}
        data.update({name: getattr(self, name) for name in _CONTEXT_FIELDS})
        data["is_transient"] = self.is_transient
        data["details"] = dict(self.details)
        return data

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> ClientError:
        """Restore an error written by ``to_dict``, as the same class.

        A type that this version does not know becomes a plain ``ClientError`` that names it in
        ``details["original_type"]``.
        """
        name = str(data.get("type", ""))
        details = dict(data.get("details") or {})
        kind = next((known for known in error_classes() if name in known.names()), None)
        if kind is None:
            kind = ClientError
            details.setdefault("original_type", name)
        error = kind.__new__(kind)
        context = {key: data[key] for key in _CONTEXT_FIELDS if data.get(key) is not None}
        ClientError.__init__(error, str(data.get("message", "")), details=details, **cast(ErrorContext, context))
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        return (ClientError.from_dict, (self.to_dict(),))


def error_classes() -> Iterator[type[ClientError]]:
    """Yield every class of the tree, base first."""
    pending: list[type[ClientError]] = [ClientError]
    while pending:
        kind = pending.pop(0)
        yield kind
        pending.extend(kind.__subclasses__())


def _shown_or_none(text: str | None, longest: int) -> str | None:
    return None if text is None else shown(text, longest)


def redact_parameters(text: str) -> str:
    """Blank the values of secret-bearing form or query parameters in a text."""
    return _SECRET_PARAMETER.sub(lambda match: f"{match.group(1)}=***", text)


def strip_user_info(url: str) -> str:
    """Return a URL without its ``user:password@`` part."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
