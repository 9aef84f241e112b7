"""pyvmomi's SOAP stub with separate time-outs, which also knows whether a request was sent.

Unmodified pyvmomi knows one time-out for connecting and reading, and it raises the same errors whether or not
the request was sent. Both matter for the message: no connection and no answer have different remedies.
"""

from __future__ import annotations

import ssl
import threading
import zlib
from functools import partial
from http.client import HTTPException
from typing import Any

from pyVmomi import SoapStubAdapter
from urllib3.util.wait import wait_for_read

from hcx_waves.clients.exchange import BoundedResponse, HttpConnection, HttpsConnection, bounded_by
from hcx_waves.clients.transport_wire import TransportSettings
from hcx_waves.clients.vsphere.address import Address, NotSentError
from hcx_waves.model.formatting import size

_XML_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml"})
_HEAD_BYTES = 1024
_ENOUGH_BYTES = 300
_PACKED = "gzip"
_PACKED_BYTES = 8 * 1024
_GZIP_WINDOW = zlib.MAX_WBITS | 16


class NotSoapError(HTTPException):
    """The answer is something else than SOAP, or more of it than may come."""


class SoapResponse(BoundedResponse):
    """An HTTP answer that must be SOAP; unpacked here, where it is known how much may come out.

    pyvmomi takes any well-formed XML for an empty result: a proxy's page would be an inventory without a
    single machine, or the success of a call that was never made. [C nsx-vsphere 4.5] And it would unpack a few
    kilobytes into gigabytes.
    """

    _unpack: Any = None
    _unpacked_bytes = 0

    def __init__(self, *arguments: Any, most_bytes: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.most_bytes = most_bytes

    def begin(self) -> None:
        """Read the headers and look at the start of the body.

        :raises NotSoapError: if it is no SOAP envelope.
        """
        super().begin()
        if self.status not in (200, 500):
            return  # pyvmomi raises on its own
        kind = self.headers.get_content_type()
        if kind not in _XML_TYPES:
            raise NotSoapError(f"the answer is {kind}, not SOAP")
        if (self.headers.get("Content-Encoding") or "").lower() == _PACKED:
            self._unpack = zlib.decompressobj(_GZIP_WINDOW)
            return
        start = self.peek(_HEAD_BYTES)
        is_whole = len(start) >= min(self.length or _HEAD_BYTES, _ENOUGH_BYTES)
        if start and is_whole and b"Envelope" not in start:
            raise NotSoapError("the answer is XML, but not a SOAP envelope")

    def getheader(self, name: str, default: Any = None) -> Any:
        """Return a header; what is unpacked here looks as if it had come unpacked."""
        is_done_here = self._unpack is not None and name.lower() == "content-encoding"
        return default if is_done_here else super().getheader(name, default)

    def read(self, amt: int | None = None) -> bytes:
        """Read the answer, unpacked; all that is left, which nobody looks at, as it came.

        :raises NotSoapError: if it is damaged, or larger than it may be.
        """
        if self._unpack is None or amt is None:
            return super().read(amt)
        found = b""
        while not found and (packed := self._unpack.unconsumed_tail or super().read(_PACKED_BYTES)):
            found = self._unpacked(packed, amt)
        return found

    def _unpacked(self, packed: bytes, most: int) -> bytes:
        try:
            found = bytes(self._unpack.decompress(packed, most))
        except zlib.error as error:
            raise NotSoapError(f"the answer cannot be unpacked ({error})") from error
        self._unpacked_bytes += len(found)
        if self._unpacked_bytes > self.most_bytes:
            raise NotSoapError(f"the answer is larger than {size(self.most_bytes)}")
        return found


class VimStub(SoapStubAdapter):  # type: ignore[misc]  # pyvmomi's base class is untyped to mypy
    """A SOAP stub for one address. Safe to share between threads, like its base.

    :param context: our own TLS context, or None for a plain http address. A context is always given for
        https: without one pyvmomi turns verification off for loopback hosts. [C nsx-vsphere 4.5]
    :param settings: the time to connect (TCP and TLS), for each wait for bytes, and for a call as a whole; and how
        large an answer may be.
    """

    def __init__(
        self,
        address: Address,
        *,
        version: str,
        context: ssl.SSLContext | None,
        settings: TransportSettings,
    ) -> None:
        super().__init__(
            host=address.host,
            port=address.stub_port,
            path=address.path,
            version=version,
            sslContext=context,
            httpConnectionTimeout=settings.connect_seconds,
        )
        self.scheme = HttpsConnection if address.scheme == "https" else HttpConnection
        self._settings = settings
        self._calls = threading.local()
        self.pool: list[tuple[Any, float]]

    @property
    def request_left(self) -> bool:
        """Whether this thread's latest call got as far as having a connection to send on."""
        return bool(getattr(self._calls, "request_left", False))

    def forget_request(self) -> None:
        """Begin a new call on this thread: nothing has been sent yet."""
        self._calls.request_left = False

    def InvokeMethod(self, *arguments: Any, **options: Any) -> Any:  # noqa: N802  (pyvmomi's name)
        """Make a call; however the answer arrives, it is over in the time that the settings give a whole call."""
        with bounded_by(self._settings.exchange()):
            return super().InvokeMethod(*arguments, **options)

    def GetConnection(self) -> Any:  # noqa: N802  (pyvmomi's name)
        """Return a connection that is connected and not known to be dead.

        :raises NotSentError: if none can be made.
        """
        self._drop_dead_connections()
        try:
            connection = super().GetConnection()
            connection.response_class = partial(SoapResponse, most_bytes=self._settings.max_body_bytes)
            connection.sock.settimeout(self._settings.read_seconds)
        except OSError as error:
            raise NotSentError from error
        self._calls.request_left = True
        return connection

    def _drop_dead_connections(self) -> None:
        """Close pooled connections that the server has ended.

        A request sent on one of them would be lost without a trace. Readable while idle means closed (or out of
        step): either way it is of no use.
        """
        with self.lock:
            dead = [entry for entry in self.pool if _is_dead(entry[0])]
            self.pool = [entry for entry in self.pool if entry not in dead]
        for connection, _ in dead:
            connection.close()


def _is_dead(connection: Any) -> bool:
    """Whether an idle HTTP connection has been closed by the server."""
    return connection.sock is None or wait_for_read(connection.sock, timeout=0.0)
