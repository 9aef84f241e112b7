"""The bounds of one exchange, held at the socket: so they hold whatever arrives, and however slowly.

A time-out of a socket is for one read. A server that sends a byte every few seconds never exceeds it, and the caller
waits for as long as the server likes. So each read here gets the time that the whole exchange has left, headers and
chunk sizes included, and all bytes are counted. Connections to REST and SOAP services are both made of this.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any

from hcx_waves.model.formatting import size

_ENVELOPE_BYTES = 1024 * 1024
_PIECE_BYTES = 16 * 1024


class ExchangeTooLongError(TimeoutError):
    """The exchange was not over in the time that it had as a whole."""

    def __init__(self, total_seconds: float) -> None:
        super().__init__(f"the answer was not complete within {total_seconds:g} s")
        self.total_seconds = total_seconds


class ExchangeTooLargeError(OSError):
    """More bytes came than may come."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"the answer is larger than {size(most_bytes)}")


class Exchange:
    """What one request and its answer may take.

    :param total_seconds: for the whole exchange, from now on.
    :param wait_seconds: for one wait within it.
    :param most_bytes: of the answer's body.
    :param clock: monotonic seconds of real time, whatever time a rehearsal lives in: sockets know no other.
    """

    def __init__(
        self,
        total_seconds: float,
        wait_seconds: float,
        most_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total_seconds = total_seconds
        self.most_bytes = most_bytes
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._ends_at = clock() + total_seconds
        self._bytes_left = most_bytes + _ENVELOPE_BYTES

    def next_wait_seconds(self) -> float:
        """Return how long the next wait may be.

        :raises ExchangeTooLongError: if the time is up.
        """
        left = self._ends_at - self._clock()
        if left <= 0:
            raise ExchangeTooLongError(self.total_seconds)
        return min(self._wait_seconds, left)

    def count(self, size_bytes: int) -> None:
        """Count bytes that came.

        :raises ExchangeTooLargeError: if it is more than may come.
        """
        self._bytes_left -= size_bytes
        if self._bytes_left < 0:
            raise ExchangeTooLargeError(self.most_bytes)


_CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def bounded_by(exchange: Exchange) -> Iterator[Exchange]:
    """Let what this thread sends and receives in the block be one exchange."""
    token = _CURRENT.set(exchange)
    try:
        yield exchange
    finally:
        _CURRENT.reset(token)


class BoundedResponse(HTTPResponse):
    """An HTTP answer that is read within the bounds of the exchange it was begun in; without one as ever."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        exchange = _CURRENT.get()
        if exchange is not None:
            # The buffer is empty yet: nothing of the answer has been read.
            self.fp = io.BufferedReader(_BoundedStream(sock, self.fp.detach(), exchange))


class BoundedSending:
    """Mixed into a connection: a request is sent within the bounds of the exchange, and its answer read so.

    A slow reader at the other end holds a sender just as a slow sender holds a reader.
    """

    response_class: Any = BoundedResponse
    sock: Any

    def send(self, data: Any) -> None:
        """Send bytes in pieces, each in the time that is left."""
        exchange = _CURRENT.get()
        if exchange is None or not isinstance(data, bytes | bytearray):
            super().send(data)  # type: ignore[misc]  # the connection's
            return
        for start in range(0, len(data), _PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(exchange.next_wait_seconds())
            super().send(data[start : start + _PIECE_BYTES])  # type: ignore[misc]


class _ClosingItsAnswer:
    """Mixed into a connection of http.client, which forgets an answer that ends with the connection.

    Whoever closes the connection after an answer that was not read to its end, a malformed one, would leave the socket
    open until the answer is collected as garbage.
    """

    _answer: HTTPResponse | None = None

    def getresponse(self) -> HTTPResponse:
        """Return the answer, and remember it."""
        answer: HTTPResponse = super().getresponse()  # type: ignore[misc]  # the connection's
        self._answer = answer
        return answer

    def close(self) -> None:
        """Close the connection, and the answer to the last request."""
        super().close()  # type: ignore[misc]
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()


class HttpConnection(_ClosingItsAnswer, BoundedSending, HTTPConnection):
    """A plain connection that keeps the bounds of the exchange it serves."""


class HttpsConnection(_ClosingItsAnswer, BoundedSending, HTTPSConnection):
    """The same with TLS."""


class _BoundedStream(io.RawIOBase):
    """The bytes of a socket, each read in the time that is left."""

    def __init__(self, sock: Any, stream: io.RawIOBase, exchange: Exchange) -> None:
        self._sock = sock
        self._stream = stream
        self._exchange = exchange

    def readable(self) -> bool:
        """Answer that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read once."""
        self._sock.settimeout(self._exchange.next_wait_seconds())
        try:
            size = self._stream.readinto(buffer)
        except TimeoutError:
            self._exchange.next_wait_seconds()
            raise
        self._exchange.count(size or 0)
        return size

    def close(self) -> None:
        """Close the stream below, and let go of the socket."""
        if not self.closed:
            super().close()
            self._stream.close()
