"""pyvmomi's SOAP stub with separate time-outs, which also knows whether a request was sent.

Unmodified pyvmomi knows one time-out for connecting and reading, and it raises the same errors whether or not
the request was sent. Both matter for the message: no connection and no answer have different remedies.
"""

from __future__ import annotations

import ssl
import threading
from http.client import HTTPException, HTTPResponse
from typing import Any

from pyVmomi import SoapStubAdapter
from urllib3.util.wait import wait_for_read

from hcx_waves.clients.vsphere.address import Address, NotSentError

_XML_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml"})
_HEAD_BYTES = 1024
_ENOUGH_BYTES = 300


class NotSoapError(HTTPException):
    """The answer is something else than SOAP."""


class SoapResponse(HTTPResponse):
    """An HTTP answer that must be SOAP.

    pyvmomi takes any well-formed XML for an empty result: a proxy's page would be an inventory without a
    single machine, or the success of a call that was never made. [C nsx-vsphere 4.5]
    """

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
        if self.getheader("Content-Encoding", "identity").lower() != "identity":
            return
        start = self.peek(_HEAD_BYTES)
        is_whole = len(start) >= min(self.length or _HEAD_BYTES, _ENOUGH_BYTES)
        if start and is_whole and b"Envelope" not in start:
            raise NotSoapError("the answer is XML, but not a SOAP envelope")


class VimStub(SoapStubAdapter):  # type: ignore[misc]  # pyvmomi's base class is untyped to mypy
    """A SOAP stub for one address. Safe to share between threads, like its base.

    :param context: our own TLS context, or None for a plain http address. A context is always given for
        https: without one pyvmomi turns verification off for loopback hosts. [C nsx-vsphere 4.5]
    :param connect_timeout_seconds: for the TCP connection and the TLS handshake.
    :param read_timeout_seconds: for each wait for bytes of an answer.
    """

    def __init__(
        self,
        address: Address,
        *,
        version: str,
        context: ssl.SSLContext | None,
        connect_timeout_seconds: float,
        read_timeout_seconds: float,
    ) -> None:
        super().__init__(
            host=address.host,
            port=address.stub_port,
            path=address.path,
            version=version,
            sslContext=context,
            httpConnectionTimeout=connect_timeout_seconds,
        )
        self._read_timeout_seconds = read_timeout_seconds
        self._calls = threading.local()
        self.pool: list[tuple[Any, float]]

    @property
    def request_left(self) -> bool:
        """Whether this thread's latest call got as far as having a connection to send on."""
        return bool(getattr(self._calls, "request_left", False))

    def forget_request(self) -> None:
        """Begin a new call on this thread: nothing has been sent yet."""
        self._calls.request_left = False

    def GetConnection(self) -> Any:  # noqa: N802  (pyvmomi's name)
        """Return a connection that is connected and not known to be dead.

        :raises NotSentError: if none can be made.
        """
        self._drop_dead_connections()
        try:
            connection = super().GetConnection()
            connection.response_class = SoapResponse
            connection.sock.settimeout(self._read_timeout_seconds)
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
