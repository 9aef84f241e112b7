"""A manager that trickles its answer cannot hold a caller beyond the time that a call has as a whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hcx_waves.clients.errors import ClientError, MalformedResponse, OutcomeUnknownError, TimedOut
from hcx_waves.clients.nsx.wire import NsxDialect
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_retry import CallKind, RetryPolicy
from hcx_waves.clients.transport_wire import Call, TransportSettings
from hcx_waves.clients.vsphere import VsphereClient
from support.trickling_server import TricklingServer, trickling_server

TOTAL_SECONDS = 0.6
# One wait more than the whole, and a loaded machine; without the deadline it would be a minute and more.
LIMIT_SECONDS = 15.0
SETTINGS = TransportSettings(
    connect_seconds=TOTAL_SECONDS,
    read_seconds=30.0,
    total_seconds=TOTAL_SECONDS,
    max_body_bytes=1024 * 1024,
    retry=RetryPolicy(attempts=1),
)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: "
TRICKLES = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "headers": (OK + b"application/json\r\nX-Padding: ", b"a"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body of a known length": (OK + b'application/json\r\nContent-Length: 99999\r\n\r\n"', b"x"),
    "body without a length": (OK + b'application/json\r\n\r\n"', b"x"),
    "chunks": (OK + b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "size of a chunk": (OK + b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "packed body": (
        OK + b"application/json\r\nContent-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n\x1f\x8b\x08",
        b"\0",
    ),
}
SOAP_TRICKLES = {
    "headers": TRICKLES["headers"],
    "body": (OK + b"text/xml\r\nContent-Length: 99999\r\n\r\n<Envelope>", b" "),
    "chunks": (OK + b"text/xml\r\nTransfer-Encoding: chunked\r\n\r\na\r\n<Envelope>\r\n", b"1\r\n \r\n"),
}
# A TLS record that announces 16 KiB of a ServerHello, which never comes to its end.
HANDSHAKE = (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", b"\x00")


@contextmanager
def at_once() -> Iterator[None]:
    """Fail if the block takes longer than it may, or leaves a thread behind."""
    threads, began = set(threading.enumerate()), time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < LIMIT_SECONDS, f"{took:.1f} s"
    ours = {one for one in threading.enumerate() if one not in threads and "_serve" not in one.name}
    assert not ours


def send(server: TricklingServer, kind: CallKind, *, scheme: str = "http", body: object = None) -> ClientError:
    transport = RestTransport(
        NsxDialect(), f"{scheme}://{server.address}", tls=TlsSettings(verify=False), settings=SETTINGS
    )
    with pytest.raises(ClientError) as caught, at_once():
        transport.send(Call("POST", "/thing", kind, json=body))
    transport.close()
    return caught.value


@pytest.mark.parametrize("trickle", TRICKLES)
def test_the_time_of_a_whole_call_holds_however_the_answer_trickles(trickle: str) -> None:
    with trickling_server(*TRICKLES[trickle]) as server:
        error = send(server, CallKind.READ)
    assert isinstance(error, TimedOut)
    assert "the answer was not complete within 0.6 s" in error.message


@pytest.mark.parametrize("trickle", ["headers", "chunks"])
def test_a_changing_call_whose_answer_trickles_is_of_unknown_outcome(trickle: str) -> None:
    with trickling_server(*TRICKLES[trickle]) as server:
        error = send(server, CallKind.MUTATING)
    assert isinstance(error, OutcomeUnknownError)
    assert server.accepted == 1


def test_a_handshake_that_trickles_has_sent_nothing() -> None:
    with trickling_server(*HANDSHAKE) as server:
        error = send(server, CallKind.MUTATING, scheme="https")
    assert isinstance(error, TimedOut)
    assert error.phase == "connect"


def test_what_comes_before_the_body_counts_as_well() -> None:
    flood = b"HTTP/1.1 100 Continue\r\n\r\n"
    with trickling_server(b"", flood * 100_000) as server:
        error = send(server, CallKind.READ)
    assert isinstance(error, MalformedResponse)
    assert "larger than 1 MiB" in error.message


@pytest.mark.parametrize("trickle", SOAP_TRICKLES)
def test_the_time_of_a_whole_call_holds_for_soap(trickle: str, make_vsphere: Callable[[str], VsphereClient]) -> None:
    with trickling_server(*SOAP_TRICKLES[trickle]) as server:
        # The version is known, so that the first call is a SOAP call.
        client = make_vsphere(f"http://{server.address}")
        client._session._version = "vim.version.v8_0_3_0"
        with pytest.raises(TimedOut, match=r"the answer was not complete within 0\.6 s"), at_once():
            client.session_info()


@pytest.mark.parametrize("trickle", ["headers", "body of a known length", "chunks"])
def test_the_time_of_a_whole_call_holds_for_the_question_for_versions(
    trickle: str, make_vsphere: Callable[[str], VsphereClient]
) -> None:
    said = r"the answer was not complete within 0\.6 s"
    with trickling_server(*TRICKLES[trickle]) as server, at_once(), pytest.raises(TimedOut, match=said):
        make_vsphere(f"http://{server.address}").session_info()


def test_a_handshake_with_a_vcenter_that_trickles_ends(make_vsphere: Callable[[str], VsphereClient]) -> None:
    with trickling_server(*HANDSHAKE) as server, at_once(), pytest.raises(TimedOut) as caught:
        make_vsphere(f"https://{server.address}").session_info()
    assert caught.value.phase == "connect"


@pytest.fixture
def make_vsphere() -> Callable[[str], VsphereClient]:
    """Return what makes a vSphere client of an address."""
    return lambda url: VsphereClient(url, "user", "password", tls=TlsSettings(verify=False), settings=SETTINGS)
