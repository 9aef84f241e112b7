"""Answers that were made to break what reads them: a typed error, and "outcome unknown" after a changing call."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from hcx_waves.clients.errors import MalformedResponse, OutcomeUnknownError, ServiceUnavailable, ValidationFailed
from hcx_waves.clients.nsx.wire import NsxDialect
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_retry import CallKind, RetryPolicy
from hcx_waves.clients.transport_wire import Call, TransportSettings
from hcx_waves.clients.vsphere import VsphereClient
from support.scripted_server import Answer, ScriptedServer
from support.trickling_server import trickling_server

DEEP = 100_000
ONCE = TransportSettings(retry=RetryPolicy(attempts=1))


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


HOSTILE = [nested(DEEP), nested(500), '{"a": 1e999}', '{"a": NaN}', '{"name": "\\ud800"}', "9" * 5000]


def transport_to(server: ScriptedServer) -> RestTransport:
    return RestTransport(NsxDialect(), server.url, settings=ONCE)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_read_is_malformed(server: ScriptedServer, text: str) -> None:
    server.on("GET", "/thing", Answer(200, text))
    with pytest.raises(MalformedResponse, match="the answer is not JSON: "):
        transport_to(server).send(Call("GET", "/thing", CallKind.READ))


@pytest.mark.parametrize("kind", [CallKind.MUTATING, CallKind.IDEMPOTENT])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_change_is_of_unknown_outcome_and_not_repeated(server: ScriptedServer, text: str, kind: CallKind) -> None:
    server.on("PATCH", "/thing", Answer(200, text))
    with pytest.raises(OutcomeUnknownError):
        transport_to(server).send(Call("PATCH", "/thing", kind, json={}))
    assert len(server.asked("PATCH")) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_a_refusal_is_one_all_the_same(server: ScriptedServer, text: str) -> None:
    server.on("POST", "/thing", Answer(400, text))
    with pytest.raises(ValidationFailed):
        transport_to(server).send(Call("POST", "/thing", CallKind.MUTATING, json={}))


@pytest.mark.parametrize("code", ["²", "9" * 5000, "x"])
def test_a_code_that_is_no_number_breaks_nothing(server: ScriptedServer, code: str) -> None:
    server.on("GET", "/thing", Answer(400, {"error_code": code, "error_message": "no"}))
    with pytest.raises(ValidationFailed):
        transport_to(server).send(Call("GET", "/thing", CallKind.READ))


@pytest.mark.parametrize("value", ["9" * 400, "Mon, 01 Jan 99999999999999 00:00:00 GMT", "nonsense"])
def test_a_wait_that_is_none_is_not_waited_for(server: ScriptedServer, value: str) -> None:
    server.on("GET", "/thing", Answer(503, {}, {"Retry-After": value}))
    with pytest.raises(ServiceUnavailable) as caught:
        transport_to(server).send(Call("GET", "/thing", CallKind.READ))
    assert caught.value.retry_after_seconds is None


LAUGHS = (
    '<!DOCTYPE n [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(ord("a") + n)} "{("&" + chr(ord("a") + n - 1) + ";") * 10}">' for n in range(1, 10))
    + "]><n>&j;</n>"
)


def one_answer(kind: str, body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_version_document_with_entities_is_refused() -> None:
    with trickling_server(one_answer("text/xml", LAUGHS.encode()), b"") as server:
        client = VsphereClient(f"http://{server.address}", "u", "p", settings=ONCE)
        with pytest.raises(MalformedResponse, match="declares entities"):
            client.session_info()


ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
SOAP = {
    "deep": ENVELOPE.format("<RetrieveServiceContentResponse xmlns='urn:vim25'>" + "<returnval>" * DEEP),
    "entities": LAUGHS.replace("<n>", "<Envelope>").replace("</n>", "</Envelope>"),
    "not closed": ENVELOPE.format("<a>" * DEEP),
}


@pytest.mark.parametrize("what", SOAP)
def test_a_soap_answer_made_to_break_the_reader_is_malformed(what: str) -> None:
    answer = one_answer("text/xml", SOAP[what].encode())
    with trickling_server(answer, b"") as server, pytest.raises(MalformedResponse):
        soap_client(server.address).session_info()


def test_a_packed_soap_answer_does_not_fill_the_memory() -> None:
    bomb = gzip.compress(ENVELOPE.format(" " * 8_000_000).encode())
    answer, said = one_answer("text/xml", bomb, "Content-Encoding: gzip"), "larger than 976.6 KiB"
    with trickling_server(answer, b"") as server, pytest.raises(MalformedResponse, match=said):
        soap_client(server.address, max_body_bytes=1_000_000).session_info()


def soap_client(address: str, **settings: Any) -> VsphereClient:
    """A client that knows the version already, so that its first call is a SOAP call."""
    bounds = TransportSettings(retry=RetryPolicy(attempts=1), **settings)
    client = VsphereClient(f"http://{address}", "u", "p", settings=bounds)
    client._session._version = "vim.version.v8_0_3_0"
    return client
