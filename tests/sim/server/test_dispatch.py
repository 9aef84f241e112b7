"""Requests reach the right product in the right world, and every answer says that it is simulated."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS, wait_until


@pytest.mark.parametrize("product", ["hcx", "vcenter", "nsx"])
def test_an_unknown_path_is_refused_by_the_product_itself(site_pair: SitePair, product: str) -> None:
    answer = site_pair.http().get(f"{site_pair.url(product, 'destination')}/no/such/path")

    assert answer.status_code == 404
    assert answer.headers["X-Hcx-Sim"] == f"world={site_pair.world_id}; role=site"
    call = site_pair.audit("call")[-1]
    assert call["subject"] == f"destination/{product}"
    assert call["data"]["path"] == "/no/such/path"
    assert call["data"]["status"] == 404


def test_an_unknown_world_is_not_the_default_one(site_server: SiteServer) -> None:
    pair = site_server.default()
    before = pair.mark()

    answer = pair.http().get(f"{pair.url('nsx')}/w/nowhere/policy/api/v1/infra")

    assert answer.status_code == 404
    assert answer.json()["error"] == "no world 'nowhere'"
    assert answer.headers["X-Hcx-Sim"] == "world=unknown; role=unknown"
    assert pair.calls(after=before) == []
    pair.close()


@pytest.mark.world(role="twin")
def test_a_call_is_audited_with_user_operation_and_status(probe_pair: SitePair) -> None:
    answer = probe_pair.http().get(f"{probe_pair.url('hcx', 'source')}/thing?a=1")

    assert answer.json() == {"product": "hcx", "site": "source", "path": "/thing", "via": ""}
    assert answer.headers["X-Hcx-Sim"] == f"world={probe_pair.world_id}; role=twin"
    assert probe_pair.calls()[-1]["data"] == {
        "user": "probe",
        "method": "GET",
        "path": "/thing",
        "query": "a=1",
        "operation": "thing.read",
        "status": 200,
    }


def test_changes_of_a_call_are_attributed_to_it(probe_pair: SitePair) -> None:
    probe_pair.http().post(f"{probe_pair.url('nsx')}/thing", data="hello")

    acted = probe_pair.audit("note", subject="acted")[-1]
    call = probe_pair.calls("thing.act")[-1]
    assert acted["cause"] == call["cause"] == "call:1"
    assert call["data"]["summary"] == {"asked": 5}


def test_a_wrong_method_is_405_in_the_vendors_shape(probe_pair: SitePair) -> None:
    answer = probe_pair.http().delete(f"{probe_pair.url('hcx')}/thing")

    assert answer.status_code == 405
    assert answer.json() == {"vendor": "hcx", "code": None, "message": None}


def test_a_reverse_proxy_hands_over_to_the_other_product(probe_pair: SitePair) -> None:
    answer = probe_pair.http().get(f"{probe_pair.url('vmc')}/deep/thing")

    assert answer.json() == {"product": "nsx", "site": "destination", "path": "/thing", "via": "vmc-proxy"}
    call = probe_pair.calls()[-1]
    assert call["subject"] == "destination/nsx"
    assert call["data"]["via"] == "vmc-proxy"


def test_our_own_bug_is_vendor_shaped_logged_and_audited(
    probe_pair: SitePair, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="hcx_sim.dispatch"):
        answer = probe_pair.http().get(f"{probe_pair.url('nsx')}/boom")

    assert answer.status_code == 500
    assert answer.json()["message"] == "simulator bug: ZeroDivisionError: probe"
    assert answer.headers["X-Hcx-Sim"].startswith("world=")
    bug = probe_pair.audit("note", subject="simulator-bug")[-1]
    assert bug["data"] == {"call": "GET /boom", "error": "ZeroDivisionError: probe"}
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(AssertionError):
        probe_pair.assert_no_bugs()


def test_what_is_not_http_is_answered_by_a_simulator_too(probe_pair: SitePair) -> None:
    parts = urlsplit(probe_pair.url("hcx"))
    context = ssl.create_default_context(cafile=probe_pair.ca_file)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=parts.hostname) as sock,
    ):
        sock.sendall(b"what?\r\n\r\n")
        answer = sock.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"x-hcx-sim: world=unknown; role=unknown\r\n" in answer


def _leave(pair: SitePair, url: str) -> None:
    """Send a request and go away without reading."""
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=pair.ca_file)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=parts.hostname) as sock,
    ):
        sock.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        wait_until(lambda: pair.audit("note", subject="holding"))


def test_a_long_poll_ends_when_its_client_goes_away(probe_pair: SitePair) -> None:
    _leave(probe_pair, f"{probe_pair.url('vcenter')}/hold")

    wait_until(lambda: probe_pair.audit("note", subject="let go"))
    wait_until(lambda: probe_pair.calls("thing.hold"))
    assert probe_pair.calls("thing.hold")[-1]["data"]["abandoned"] is True


@pytest.mark.parametrize("what", ["reset", "delete"])
def test_a_long_poll_ends_with_its_world(
    probe_server: SiteServer, in_thread: Callable[..., Callable[[], object]], what: str
) -> None:
    pair = probe_server.make_world()
    world = pair.world
    finish = in_thread(pair.http().get, f"{pair.url('vcenter')}/hold")
    wait_until(lambda: pair.audit("note", subject="holding"))

    pair.server.run(lambda: getattr(pair.server.worlds, what)(pair.world_id))

    with pytest.raises(requests.exceptions.ConnectionError):
        finish()
    assert [e.subject for e in world.audit.entries("note")][-1] == "let go"
    if what == "reset":
        assert pair.calls() == []
        probe_server.drop(pair)
    pair.close()
