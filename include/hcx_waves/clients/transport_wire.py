"""The data of the transport: calls, replies, settings, and how a product reads them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

import requests

from hcx_waves.clients.errors import ClientError, ErrorContext, Lookup
from hcx_waves.clients.exchange import Exchange
from hcx_waves.clients.transport_retry import CallKind, RetryPolicy
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json

_REQUEST_ID_HEADERS = (
    "x-request-id",
    "x-vmware-request-id",
    "vmware-request-id",
    "x-nsx-requestid",
    "request-id",
)
_SNIPPET_CHARACTERS = 200


@dataclass(frozen=True)
class Ambient:
    """Time and chance, injected.

    :param clock: monotonic seconds.
    :param sleep: waits for seconds.
    :param now: aware wall-clock time, for ``Retry-After`` dates.
    :param rng: jitter.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    rng: random.Random = field(default_factory=random.Random)


@dataclass(frozen=True)
class TransportSettings:
    """Bounds of every call.

    :param connect_seconds: to open a connection.
    :param read_seconds: between two pieces of the answer.
    :param total_seconds: for one attempt as a whole, whatever arrives, so that a trickle cannot hold the caller; real
        time, also in a rehearsal.
    :param max_body_bytes: the largest answer that is read, unpacked.
    :param retry: see :class:`RetryPolicy`.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    total_seconds: float = 300.0
    max_body_bytes: int = 64 * 1024 * 1024
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def exchange(self) -> Exchange:
        """Return the bounds of one attempt that begins now."""
        return Exchange(self.total_seconds, self.read_seconds, self.max_body_bytes)


@dataclass(frozen=True)
class Call:
    """One call of a product.

    :param method: HTTP method.
    :param path: below the base URL, already quoted, starting with ``/``.
    :param kind: what repeating it would do; decides about retries and unknown outcomes.
    :param query: query parameters; booleans are sent as ``true`` and ``false``, None is left out.
    :param json: body as JSON, or None for no body.
    :param form: body as a form, instead of JSON.
    :param headers: additional headers.
    :param lookup: the read that tells whether a mutating call has acted.
    :param authenticated: False for log-in calls.
    :param repeat: False makes a single attempt, whatever the kind.
    :param expects_json: False for the few answers that are other text.
    """

    method: str
    path: str
    kind: CallKind
    query: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    lookup: Lookup | None = None
    authenticated: bool = True
    repeat: bool = True
    expects_json: bool = True

    @property
    def query_values(self) -> dict[str, str]:
        """The query as text."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self.query.items()
            if value is not None
        }


@dataclass(frozen=True)
class Reply:
    """An answer as it came: status, headers (any case) and text; ``body`` is the parsed JSON or None.

    ``json_problem`` says why a text is none.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    body: Any = field(default=None, repr=False)
    is_json: bool = False
    json_problem: str = ""
    elapsed_seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        """The product's id of this request, if it gives one."""
        return next((self.headers[name] for name in _REQUEST_ID_HEADERS if self.headers.get(name)), None)

    @property
    def snippet(self) -> str:
        """The start of the text, on one line."""
        return " ".join(self.text[: _SNIPPET_CHARACTERS * 2].split())[:_SNIPPET_CHARACTERS]


class Dialect(Protocol):
    """How one product says that something went wrong."""

    system: str

    def fault(
        self, reply: Reply, context: ErrorContext, *, with_session: bool, retry_after_seconds: float | None
    ) -> ClientError | None:
        """Return the error that a reply stands for, or None for a success (a 2xx can be an error too)."""


def path_segment(text: str) -> str:
    """Quote an id for use as one segment of a path."""
    return quote(text, safe="")


def reply_of(response: requests.Response, content: bytes, elapsed_seconds: float) -> Reply:
    """Build the reply of a finished response; ``body`` stays None unless the text is readable JSON."""
    text = content.decode("utf-8", errors="replace")
    body: Any = None
    is_json = False
    problem = ""
    if text.strip():
        try:
            body = read_json(text)
            is_json = True
        except UnreadableJsonError as error:
            # Not JSON: the dialect may still know what it is; if not, the caller gets MalformedResponse.
            problem = str(error)
    return Reply(
        status=response.status_code,
        headers=response.headers,
        text=text,
        body=body,
        is_json=is_json,
        json_problem=problem,
        elapsed_seconds=elapsed_seconds,
    )
