"""What anybody can send without a log-in costs the simulator little, and is answered as the product would."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
import requests

from hcx_sim.http import answer as answers
from support.site_pair import SitePair

LIMIT_SECONDS = 3.0
DEEP = 100_000
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>{}</soapenv:Body>'
    "</soapenv:Envelope>"
)
LAUGHS = (
    '<!DOCTYPE n [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(ord("a") + n)} "{("&" + chr(ord("a") + n - 1) + ";") * 10}">' for n in range(1, 10))
    + "]>"
    + ENVELOPE.format('<RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">&j;</_this>')
)
SELECTION = '<selectSet xsi:type="TraversalSpec"><type>Folder</type><path>childEntity</path>'
SOAP = {
    "billion laughs": LAUGHS,
    "a document type": "<!DOCTYPE n>" + ENVELOPE.format("<a/>"),
    "depth": ENVELOPE.format("<a>" * DEEP + "</a>" * DEEP),
    "a little depth": ENVELOPE.format("<a>" * 200 + "</a>" * 200),
    "size": ENVELOPE.format(" " * 100_000),
    "beginnings": "<Body" * 500_000,
    "no end of blanks": "<Body>" + " " * 1_000_000 + "<",
}
JSON = {
    "depth": "[" * DEEP + "]" * DEEP,
    "lenient depth": "{a:" * DEEP,
    "a long lenient text": "{a:'" + "x" * 8_000_000,
    "size": '{"username": "' + "x" * 1_000_000 + '"}',
    "a number": '{"username": ' + "9" * 60_000 + "}",
}
FORM = "&".join(f"a{n}=b" for n in range(1_000_000))


def post(pair: SitePair, product: str, path: str, body: str, **headers: str) -> requests.Response:
    http = pair.http()
    http.headers.pop("Authorization", None)
    began = time.monotonic()
    found = http.post(f"{pair.url(product)}{path}", data=body.encode(), headers=headers)
    assert time.monotonic() - began < LIMIT_SECONDS
    return found


@pytest.mark.parametrize("what", SOAP)
def test_a_vcenter_refuses_what_is_made_to_cost(site_pair: SitePair, what: str) -> None:
    found = post(site_pair, "vcenter", "/sdk", SOAP[what])
    assert found.status_code == 500
    assert "InvalidRequest" in found.text
    site_pair.assert_no_bugs()


@pytest.mark.parametrize("what", JSON)
def test_a_manager_refuses_a_log_in_that_is_none(site_pair: SitePair, what: str) -> None:
    found = post(site_pair, "hcx", "/hybridity/api/sessions", JSON[what])
    assert found.status_code == 400
    assert found.text == ""
    site_pair.assert_no_bugs()


def test_nsx_and_the_cloud_refuse_a_form_of_a_million_fields(site_pair: SitePair) -> None:
    form = "application/x-www-form-urlencoded"
    found = post(site_pair, "nsx", "/api/session/create", FORM, **{"Content-Type": form})
    assert found.status_code == 403
    site_pair.assert_no_bugs()


@pytest.mark.parametrize("product", ["hcx", "vcenter", "nsx"])
def test_no_product_takes_a_body_without_end(site_pair: SitePair, product: str) -> None:
    found = post(site_pair, product, "/sdk", "x" * (answers.MOST_BODY_BYTES + 1))
    assert found.status_code == 413
    assert "larger than 16777216 bytes" in found.json()["error"]


def test_a_fault_rule_is_asked_about_a_body_that_is_nested_without_end(site_pair: SitePair) -> None:
    site_pair.fault(product="hcx", behaviour="status", predicate={"a": 1})
    found = post(site_pair, "hcx", "/hybridity/api/sessions", JSON["depth"])
    assert found.status_code == 400


def test_a_body_that_does_not_come_is_not_waited_for(site_pair: SitePair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BODY_SECONDS", 0.2)
    parts = urlsplit(site_pair.url("hcx"))
    with socket.create_connection((str(parts.hostname), parts.port), timeout=30) as plain:
        stream: socket.socket = plain
        if parts.scheme == "https":
            stream = ssl.create_default_context(cafile=site_pair.ca_file).wrap_socket(
                plain, server_hostname=parts.hostname
            )
        with stream:
            stream.sendall(b"POST /hybridity/api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert stream.recv(4096).startswith(b"HTTP/1.1 408")
