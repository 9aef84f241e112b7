"""A buffered answer on its way to the wire."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from fastapi import Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

IDENTITY_HEADER = "X-Hcx-Sim"
MOST_BODY_BYTES = 16 * 1024 * 1024
BODY_SECONDS = 60.0
NO_WORLD = "world=unknown; role=unknown"
# Under this key of the ASGI scope the application finds its connection, to reset it.
TRANSPORT_KEY = "hcx_sim.transport"


@dataclass(slots=True)
class Answer:
    """Status, headers and body of one answer; header names are lower-case bytes."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of(cls, response: Response) -> Answer:
        """Return what a (not streaming) response would send."""
        return cls(response.status_code, list(response.raw_headers), bytes(response.body))

    @classmethod
    def of_json(cls, status: int, body: Any) -> Answer:
        """Return a JSON answer of our own."""
        return cls(status, [(b"content-type", b"application/json")], json.dumps(body).encode())

    def header(self, name: bytes) -> bytes | None:
        """Return the first header called ``name``."""
        return next((value for key, value in self.headers if key == name), None)

    def start(self, identity: str, content_length: int | None = None, *, ahead_seconds: float = 0.0) -> Message:
        """Return the ASGI start message, with identity, date and content length.

        ``ahead_seconds`` is how far the product's clock is ahead of the machine's, for the date alone.
        """
        kept = [
            (name, value)
            for name, value in self.headers
            if name not in (b"content-length", b"date", b"x-hcx-sim", b"transfer-encoding")
        ]
        length = len(self.body) if content_length is None else content_length
        if self.status >= 200 and self.status not in (204, 304):
            kept.append((b"content-length", str(length).encode()))
        kept.append((b"date", formatdate(time.time() + ahead_seconds, usegmt=True).encode()))
        kept.append((IDENTITY_HEADER.lower().encode(), identity.encode("latin-1", "replace")))
        return {"type": "http.response.start", "status": self.status, "headers": kept}


async def send_answer(send: Send, answer: Answer, identity: str, *, ahead_seconds: float = 0.0) -> None:
    """Send a whole answer."""
    body = b"" if answer.status < 200 or answer.status in (204, 304) else answer.body
    await send(answer.start(identity, ahead_seconds=ahead_seconds))
    await send({"type": "http.response.body", "body": body, "more_body": False})


class BodyRefusedError(Exception):
    """A body is larger or slower than any that is taken; ``status`` is the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole request body, None when the client went away first.

    Nobody has said who he is yet, so size and time are bounded: beyond, :class:`BodyRefusedError`.
    """
    received = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                received += message.get("body", b"")
                if len(received) > MOST_BODY_BYTES:
                    raise BodyRefusedError(413, f"the body is larger than {MOST_BODY_BYTES} bytes")
                if not message.get("more_body", False):
                    return bytes(received)
    except TimeoutError:
        raise BodyRefusedError(408, f"the body did not come within {BODY_SECONDS:g} s") from None
