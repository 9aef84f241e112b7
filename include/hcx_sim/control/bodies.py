"""Bodies of the control API that are read by hand, as they are bounded or compressed."""

from __future__ import annotations

import zlib
from typing import Any

from fastapi import Request

from hcx_sim.control.base import ControlError
from hcx_sim.http.json_text import strict_json

_GZIP = 16 + zlib.MAX_WBITS


async def read_bounded(request: Request, limit_bytes: int) -> bytes:
    """Return the body as it was sent; more than ``limit_bytes`` raises :class:`ControlError` 413."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(received)


def decode_json(body: bytes, encoding: str | None, limit_bytes: int) -> Any:
    """Return the JSON value of a body with that ``Content-Encoding`` (None or gzip).

    Raises :class:`ControlError`: 415 for another encoding, 413 for more than ``limit_bytes`` once decompressed, 422
    for what is not JSON.
    """
    if encoding is not None and encoding.lower() not in ("gzip", "identity"):
        raise ControlError(415, f"content encoding {encoding!r} is not understood", "send gzip or none")
    if encoding is not None and encoding.lower() == "gzip":
        body = _gunzip(body, limit_bytes)
    try:
        return strict_json(body)
    except ValueError as error:
        raise ControlError(422, f"the body is not JSON: {error}", "send one JSON document") from error


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    inflater = zlib.decompressobj(_GZIP)
    try:
        inflated = inflater.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise ControlError(422, f"the body is not gzip: {error}", "compress it, or drop Content-Encoding") from error
    if len(inflated) > limit_bytes:
        raise _too_large(limit_bytes)
    if not inflater.eof:
        raise ControlError(422, "the body is not gzip: it ends early", "send all of it")
    return inflated


def _too_large(limit_bytes: int) -> ControlError:
    return ControlError(413, f"the body is larger than {limit_bytes} bytes", "send less")
