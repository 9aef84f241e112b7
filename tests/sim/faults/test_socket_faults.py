"""Each socket behaviour as a client sees it, and whether the product acted."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import requests

from hcx_sim.server import ServerOptions
from support.probe_product import probe_products
from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS, wait_until

# What the ssl module makes of a reset; an orderly end of a TLS connection would be an empty read.
_TORN = (ConnectionResetError, ssl.SSLEOFError)


def _acted(pair: SitePair) -> int:
    return len(pair.audit("note", subject="acted"))


@pytest.fixture
def plain_pair() -> Iterator[SitePair]:
    server = SiteServer(ServerOptions(tls=False), served=probe_products())
    yield server.make_world()
    server.stop()


def _post(pair: SitePair, path: str = "/thing", read_seconds: float = HANG_SECONDS) -> requests.Response:
    return pair.http().post(f"{pair.url('hcx')}{path}", data="{}", timeout=(HANG_SECONDS, read_seconds))


def _raw(pair: SitePair, path: str = "/thing") -> bytes:
    """Post without a library in between and return every byte until the connection ends."""
    parts = urlsplit(pair.url("hcx"))
    received = b""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS))
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=pair.ca_file)
            wrapped = context.wrap_socket(sock, server_hostname=parts.hostname, suppress_ragged_eofs=False)
            sock = stack.enter_context(wrapped)
        head = f"POST {parts.path}{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 2\r\n\r\n"
        sock.sendall(head.encode() + b"{}")
        while chunk := sock.recv(65536):
            received += chunk
    return received


def test_status_is_a_bare_page_of_a_front_end_and_nothing_acts(probe_pair: SitePair) -> None:
    rule = probe_pair.fault(product="hcx", call="thing.act", behaviour="status", status=504)

    answer = _post(probe_pair)

    assert answer.status_code == 504
    assert answer.headers["content-type"] == "text/html"
    assert "<title>504 Gateway Timeout</title>" in answer.text
    assert answer.headers["X-Hcx-Sim"].startswith(f"world={probe_pair.world_id}")
    assert _acted(probe_pair) == 0
    assert probe_pair.calls()[-1]["data"]["fault"] == rule
    assert probe_pair.calls()[-1]["data"]["status"] == 504


def test_vendor_error_has_the_products_shape_and_nothing_acts(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="vendor_error", status=409, code="E1", message="busy")

    answer = _post(probe_pair)

    assert (answer.status_code, answer.json()) == (409, {"vendor": "hcx", "code": "E1", "message": "busy"})
    assert _acted(probe_pair) == 0


def test_reset_before_resets_the_connection_and_nothing_acts(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="reset_before")

    with pytest.raises(_TORN):
        _raw(probe_pair)

    assert _acted(probe_pair) == 0
    assert probe_pair.calls()[-1]["data"]["status"] is None


def test_reset_after_acts_and_the_client_cannot_know(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="reset_after")

    with pytest.raises(_TORN):
        _raw(probe_pair)

    assert _acted(probe_pair) == 1
    assert probe_pair.calls()[-1]["data"]["status"] == 201


@pytest.mark.parametrize("behaviour", ["reset_before", "reset_after"])
def test_a_reset_is_one_on_the_wire(plain_pair: SitePair, behaviour: str) -> None:
    plain_pair.fault(product="hcx", behaviour=behaviour)

    with pytest.raises(ConnectionResetError):
        _raw(plain_pair)


def test_requests_sees_a_reset_as_a_connection_error(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="reset_after", count=1)

    with pytest.raises(requests.exceptions.ConnectionError):
        _post(probe_pair)

    assert _post(probe_pair).status_code == 201
    assert _acted(probe_pair) == 2


@pytest.mark.parametrize(("acts", "acted"), [(False, 0), (True, 1)])
def test_timeout_holds_and_closes_without_an_answer(probe_pair: SitePair, acts: bool, acted: int) -> None:
    probe_pair.fault(product="hcx", behaviour="timeout", seconds=0.2, acts=acts)
    began = time.monotonic()

    assert _raw(probe_pair) == b""

    assert time.monotonic() - began >= 0.2
    assert _acted(probe_pair) == acted


def test_timeout_outlasts_the_clients_read_time_out(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="timeout", seconds=60, acts=True)

    with pytest.raises(requests.exceptions.ReadTimeout):
        _post(probe_pair, read_seconds=0.2)

    wait_until(lambda: _acted(probe_pair) == 1)


def test_slow_acts_at_once_and_answers_late(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="slow", seconds=0.3)
    began = time.monotonic()

    assert _post(probe_pair).json() == {"acted": True}

    assert time.monotonic() - began >= 0.3
    assert _acted(probe_pair) == 1


def test_slow_outlasts_the_clients_read_time_out(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="slow", seconds=60)

    with pytest.raises(requests.exceptions.ReadTimeout):
        _post(probe_pair, read_seconds=0.2)

    wait_until(lambda: _acted(probe_pair) == 1)


def test_malformed_breaks_json_off_with_the_right_length(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="malformed")

    answer = _post(probe_pair)

    assert answer.status_code == 201
    assert int(answer.headers["content-length"]) == len(answer.content) > 0
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert _acted(probe_pair) == 1


def test_malformed_gives_a_broken_body_to_an_answer_without_one(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="malformed")

    answer = _post(probe_pair, "/accepted")

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_malformed_breaks_xml_too(probe_pair: SitePair) -> None:
    probe_pair.fault(product="vcenter", behaviour="malformed")

    answer = probe_pair.http().get(f"{probe_pair.url('vcenter')}/xml")

    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(answer.text)  # noqa: S314 - the simulator's own answer


def test_truncated_announces_more_than_it_sends(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="truncated", count=1)

    head, _, body = _raw(probe_pair).partition(b"\r\n\r\n")

    announced = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    assert announced > len(body) > 0
    assert _acted(probe_pair) == 1


def test_requests_notices_a_truncated_answer(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="truncated")

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _post(probe_pair)


def test_wrong_schema_is_sound_json_or_xml_of_another_shape(probe_pair: SitePair) -> None:
    probe_pair.fault(product="hcx", behaviour="wrong_schema")
    probe_pair.fault(product="vcenter", behaviour="wrong_schema")

    answer = _post(probe_pair)
    xml = probe_pair.http().get(f"{probe_pair.url('vcenter')}/xml")

    assert answer.status_code == 201
    assert "acted" not in answer.json()
    assert ElementTree.fromstring(xml.text).tag == "unexpected"  # noqa: S314 - the simulator's own answer
    assert _acted(probe_pair) == 1


def test_a_rule_for_the_reverse_proxy_strikes_calls_that_pass_it(probe_pair: SitePair) -> None:
    probe_pair.fault(product="vmc", behaviour="status", status=504, object="/thing")

    through = probe_pair.http().get(f"{probe_pair.url('vmc')}/deep/thing")
    direct = probe_pair.http().get(f"{probe_pair.url('nsx', 'destination')}/thing")

    assert (through.status_code, direct.status_code) == (504, 200)


def test_a_rule_matches_method_object_and_predicate(probe_pair: SitePair) -> None:
    probe_pair.fault(
        product="hcx", method="post", object="thing", predicate={"a.0.b": 1}, behaviour="vendor_error", status=418
    )
    url = f"{probe_pair.url('hcx')}/thing"

    assert probe_pair.http().post(url, json={"a": [{"b": 1}]}).status_code == 418
    assert probe_pair.http().post(url, json={"a": [{"b": 2}]}).status_code == 201
    assert probe_pair.http().post(url, data="not json").status_code == 201
    assert probe_pair.http().get(url).status_code == 200


def test_faults_of_one_world_leave_the_others_alone(probe_server: SiteServer, probe_pair: SitePair) -> None:
    other = probe_server.make_world()
    probe_pair.fault(product="hcx", behaviour="refuse")

    with pytest.raises(requests.exceptions.ConnectionError):
        _post(probe_pair)
    assert _post(other).status_code == 201
    assert probe_pair.calls() == []

    probe_server.drop(other)


def test_refuse_closes_the_port_of_the_default_world_until_the_rule_goes(probe_server: SiteServer) -> None:
    pair = probe_server.default()
    session = pair.http()
    url = f"{pair.url('nsx', 'source')}/thing"
    assert session.get(url).status_code == 200
    parts = urlsplit(url)

    pair.fault(rule_id="closed", product="nsx", site="source", behaviour="refuse")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS)
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(url)
    assert session.get(f"{pair.url('nsx', 'destination')}/thing").status_code == 200

    pair.run(lambda: pair.world.faults.remove("closed"))
    assert wait_until(lambda: _open(url)) is True
    assert session.get(url).status_code == 200
    pair.close()


def test_refuse_ends_when_its_virtual_time_is_over(probe_server: SiteServer) -> None:
    pair = probe_server.default()
    url = f"{pair.url('hcx', 'destination')}/thing"
    pair.fault(rule_id="brief", product="hcx", site="destination", behaviour="refuse", expires_after_seconds=0.3)
    assert _open(url) is False

    assert wait_until(lambda: _open(url)) is True

    pair.run(lambda: pair.world.faults.remove("brief"))
    pair.close()


def _open(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True
