"""Sessions over the wire: hcx 2 and the token rows of hcx 7."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from support.hcx_wire import TOKEN, Manager, scenario
from support.site_pair import SitePair, SiteServer


def test_login_answers_token_in_header_and_endpoint_in_body(site_pair: SitePair) -> None:
    manager = Manager(site_pair, log_in=False)
    answer = manager.log_in(authType="password")
    assert answer.status_code == 200
    assert re.fullmatch(r"[a-f0-9:]+", answer.headers[TOKEN])
    body = answer.json()
    assert body["success"] is True
    assert body["version"] == "1.0"
    assert body["data"]["endpointInfo"]["uuid"] == site_pair.world.site(manager.site).hcx_endpoint_id
    (call,) = site_pair.calls("sessions.create")
    assert call["data"]["user"] == "administrator@vsphere.local"
    everything = str(site_pair.audit())
    assert site_pair.login("hcx").password not in everything
    assert answer.headers[TOKEN] not in everything


@pytest.mark.parametrize(
    "body", [{}, {"username": "a"}, {"password": "b"}, {"username": "a", "password": "b", "authType": "saml"}, "{x",
             {"username": 1, "password": "b"}, '{"username": "a\\ud800", "password": "b"}'],
)  # fmt: skip
def test_bad_format_is_400_without_body(site_pair: SitePair, body: object) -> None:
    answer = Manager(site_pair, log_in=False).call("POST", "/sessions", body)
    assert (answer.status_code, answer.content) == (400, b"")
    assert TOKEN not in answer.headers


def test_wrong_password_is_401_without_body(site_pair: SitePair) -> None:
    answer = Manager(site_pair, log_in=False).log_in(password="wrong")
    assert (answer.status_code, answer.content) == (401, b"")
    assert site_pair.calls("sessions.create")[0]["data"]["status"] == 401


def test_token_dies_after_fifteen_idle_minutes(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.advance(899)
    assert manager.call("GET", "/cloudConfigs").status_code == 200
    site_pair.advance(899)
    assert manager.call("GET", "/cloudConfigs").status_code == 200, "each request resets the idle time"
    site_pair.advance(900)
    expired = manager.call("GET", "/cloudConfigs")
    assert (expired.status_code, expired.content) == (401, b"")
    manager.log_in()
    assert manager.call("GET", "/cloudConfigs").status_code == 200


@pytest.mark.world(scenario=scenario({"session_absolute_seconds": 1800}))
def test_absolute_life_is_a_switch(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    for _ in range(2):
        site_pair.advance(800)
        assert manager.call("GET", "/cloudConfigs").status_code == 200
    site_pair.advance(300)
    assert manager.call("GET", "/cloudConfigs").status_code == 401


@pytest.mark.world(scenario=scenario({"startup_xml_seconds": 120}))
def test_xml_at_start_up(site_pair: SitePair) -> None:
    manager = Manager(site_pair, log_in=False)
    answer = manager.log_in()
    assert answer.status_code not in (200, 202)
    assert answer.headers["content-type"].startswith("application/xml")
    (entry,) = ElementTree.fromstring(answer.text).findall("entry")  # noqa: S314 - our own answer
    strings = [each.text for each in entry.findall("string")]
    assert strings == ["message", "'Trusted root certificates' value should not be empty"]
    site_pair.advance(120)
    assert manager.log_in().status_code == 200


def test_session_belongs_to_one_manager(site_pair: SitePair) -> None:
    source = Manager(site_pair)
    destination = Manager(site_pair, "destination", log_in=False)
    destination.http.headers[TOKEN] = source.http.headers[TOKEN]
    assert destination.call("GET", "/cloudConfigs").status_code == 401


def test_cookies_are_rejected(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    token = manager.http.headers.pop(TOKEN)
    answer = manager.call("GET", "/cloudConfigs", cookies={"hm-authorization": str(token), TOKEN: str(token)})
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("path", ["/cloudConfigs", "/l2Extensions", "/jobs/x", "/interconnect/tasks"])
def test_no_token_is_401_before_anything_else(site_pair: SitePair, path: str) -> None:
    answer = Manager(site_pair, log_in=False).call("GET", path)
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize(("version", "status"), [("4.11.3", 401), ("9.0.1", 200)])
def test_bearer_is_accepted_on_nine_only(site_server: SiteServer, version: str, status: int) -> None:
    pair = site_server.make_world(scenario=scenario({"version": version}))
    manager = Manager(pair)
    token = manager.http.headers.pop(TOKEN)
    answer = manager.call("GET", "/cloudConfigs", headers={"Authorization": f"Bearer {token!s}"})
    assert answer.status_code == status
    wrong = manager.call("GET", "/cloudConfigs", headers={"Authorization": "Bearer 00:11"})
    assert wrong.status_code == 401
    site_server.drop(pair)


def test_log_out_ends_the_session(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.call("DELETE", "/sessions/current").status_code == 200
    assert manager.call("GET", "/cloudConfigs").status_code == 401
