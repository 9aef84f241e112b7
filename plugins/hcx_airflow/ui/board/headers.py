"""What every answer of the board carries, whatever its status, and what becomes of an error that nobody expected."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi.responses import PlainTextResponse

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_Message = MutableMapping[str, Any]
_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_NAMES = frozenset(name for name, _ in _RAW)
logger = logging.getLogger(__name__)


class EveryAnswer:
    """Puts the headers on every answer, errors included."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: Any, send: Callable[[_Message], Awaitable[None]]) -> None:
        """Serve a request."""
        begun = False

        async def send_with_headers(message: _Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                others = [one for one in message.get("headers", []) if one[0].lower() not in _NAMES]
                message = {**message, "headers": [*others, *_RAW]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            logger.exception("The board could not answer")
            sorry = PlainTextResponse("This page cannot be shown. The log of the API server says why.", 500)
            await sorry(scope, receive, send_with_headers)
