"""HCX sessions, versions, envelopes and errors."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    MalformedResponse,
    PermissionDenied,
    ServiceUnavailable,
    ValidationFailed,
)
from hcx_waves.clients.hcx import HcxClient
from support.hcx_answers import API, LOGIN, PASSWORD, TOKEN, XML, on
from support.scripted_server import Answer, FakeTime, ScriptedServer

# --- sessions --------------------------------------------------------------------------------------------


def test_first_call_logs_in_and_presents_the_token(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "GET", "/cloudConfigs", {"data": {"items": []}})
    assert client.cloud_configs() == ()
    login, call = server.received
    assert login.body == {"username": "admin@vsphere.local", "password": PASSWORD}
    assert (login.headers["accept"], login.headers["content-type"]) == ("application/json", "application/json")
    assert call.headers["x-hm-authorization"] == TOKEN
    assert client.endpoint_id == "ep-local"


def test_session_that_ended_is_renewed_once(client: HcxClient, server: ScriptedServer) -> None:
    server.on("GET", f"{API}/cloudConfigs", Answer(401), Answer(200, {"data": {"items": []}}))
    assert client.cloud_configs() == ()
    assert len(server.asked("POST", f"{API}/sessions")) == 2


def test_wrong_password_is_told_without_the_password(
    client: HcxClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("POST", f"{API}/sessions", Answer(401, {"message": f"no entry with {PASSWORD}"}))
    with pytest.raises(AuthenticationFailed, match="the credentials were refused") as caught:
        client.login()
    assert len(server.received) == 1
    assert PASSWORD not in f"{caught.value}{caught.value.to_dict()}{caplog.text}{client!r}"


def test_log_in_without_token_is_malformed(client: HcxClient, server: ScriptedServer) -> None:
    server.on("POST", f"{API}/sessions", Answer(200, {}))
    with pytest.raises(MalformedResponse, match="the login returned no session token"):
        client.login()


@pytest.mark.parametrize("status", [200, 401, 500, 503])
def test_xml_while_starting_up_is_unavailable_and_waited_for(
    client: HcxClient, server: ScriptedServer, time: FakeTime, status: int
) -> None:
    server.on("POST", f"{API}/sessions", Answer(status, XML.body), Answer(status, XML.body), LOGIN)
    client.login()
    assert len(time.sleeps) == 2


def test_xml_that_stays_says_what_the_manager_says(client: HcxClient, server: ScriptedServer) -> None:
    server.on("POST", f"{API}/sessions", XML)
    with pytest.raises(ServiceUnavailable, match=r"the manager is still starting up.*Trusted root certificates"):
        client.login()


def test_leaving_logs_out_once_and_survives_its_failure(server: ScriptedServer, time: FakeTime) -> None:
    server.on("DELETE", f"{API}/sessions/current", Answer(500))
    with HcxClient(server.url, "u", PASSWORD, ambient=time.ambient()) as client:
        client.login()
    (logout,) = server.asked("DELETE")
    assert (logout.path, logout.headers["x-hm-authorization"]) == (f"{API}/sessions/current", TOKEN)
    assert time.sleeps == []


def test_leaving_without_a_session_asks_nothing(server: ScriptedServer) -> None:
    HcxClient(server.url, "u", PASSWORD).close()
    assert server.received == []


def test_token_never_shows(client: HcxClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    on(server, "GET", "/cloudConfigs", {"errors": [{"message": f"token {TOKEN} is odd"}]}, 400)
    with pytest.raises(ValidationFailed, match=r"token \*\*\* is odd") as caught:
        client.cloud_configs()
    assert TOKEN not in f"{caught.value.to_dict()}{caplog.text}{client!r}"


def test_identity_takes_one_cheap_read(client: HcxClient, server: ScriptedServer) -> None:
    sim = {"X-Hcx-Sim": "world=seed; role=site"}
    server.on("GET", f"{API}/metainfo/context/interconnect", Answer(200, [], sim))
    for _ in range(2):
        found = client.identity()
        assert (found.simulated, found.world_id, found.role) == (True, "seed", "site")
    assert len(server.asked("GET")) == 1


# --- version ---------------------------------------------------------------------------------------------


META = [{"cloudManagementPlatforms": [{"cmpId": "vc-guid-1"}]}]


@pytest.mark.parametrize(
    ("meta", "paths_status", "major", "source"),
    [
        (META, 404, 4, "paths"),
        (META, 200, 9, "paths"),
        ([{**META[0], "hcxVersion": "4.10.2.0"}], 500, 4, "metainfo"),
        ([{**META[0], "version": "9.1.0-24536"}], 500, 9, "metainfo"),
        ([{**META[0], "version": "1.0 beta"}], 200, 1, "metainfo"),
    ],
)
def test_version_is_named_or_shown_by_the_paths_and_read_once(
    server: ScriptedServer, time: FakeTime, meta: Any, paths_status: int, major: int, source: str
) -> None:
    on(server, "GET", "/metainfo/context/interconnect", meta)
    on(server, "GET", "/l2NetworkExtensions", {"items": []}, paths_status)
    client = HcxClient(server.url, "u", PASSWORD, ambient=time.ambient())
    for _ in range(2):
        version = client.version()
        assert (version.major, version.source) == (major, source)
        assert version.has_network_extensions is (major >= 9)
    assert len(server.asked("GET", f"{API}/metainfo/context/interconnect")) == 1
    client.close()


def test_version_of_a_manager_that_does_not_answer_is_an_error(server: ScriptedServer, time: FakeTime) -> None:
    on(server, "GET", "/metainfo/context/interconnect", META)
    on(server, "GET", "/l2NetworkExtensions", {}, 403)
    client = HcxClient(server.url, "u", PASSWORD, ambient=time.ambient())
    with pytest.raises(PermissionDenied):
        client.version()
    client.close()


def test_configured_version_asks_nothing(client: HcxClient, server: ScriptedServer) -> None:
    assert (client.version().text, client.version().major) == ("4.11.3", 4)
    assert server.received == []
    with pytest.raises(ValueError, match="not an HCX version: 'latest'"):
        HcxClient(server.url, "u", PASSWORD, version="latest")


def test_metainfo_gives_the_vcenter(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "GET", "/metainfo/context/interconnect", META)
    assert client.metainfo().vc_guid == "vc-guid-1"
    on(server, "GET", "/metainfo/context/interconnect", 7)
    with pytest.raises(MalformedResponse, match="metainfo is not a list of contexts"):
        client.metainfo()


# --- envelopes and errors --------------------------------------------------------------------------------


PAIR = {"endpointId": "ep-2", "url": "https://cloud", "name": "cloud-hcx", "version": "4.11.3", "extra": {"a": 1}}


@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "completed": True, "time": 1, "version": "1.0", "data": {"items": [PAIR]}},
        {"items": [PAIR], "errors": [], "warnings": []},
        {"data": {"items": [PAIR]}, "errors": [], "warnings": []},
        {"rows": [PAIR]},
        {"data": [PAIR]},
        [PAIR],
    ],
    ids=["legacy", "newer", "newer-data", "rows", "data-list", "bare"],
)
def test_every_envelope_is_read(client: HcxClient, server: ScriptedServer, body: Any) -> None:
    on(server, "GET", "/cloudConfigs", body)
    (pairing,) = client.cloud_configs()
    assert (pairing.endpoint_id, pairing.name, pairing.version) == ("ep-2", "cloud-hcx", "4.11.3")


@pytest.mark.parametrize(
    "body",
    [{"unexpected": True}, {"items": "many"}, {"items": [1, 2]}, {"data": {"count": 0}}, "text", None, {}],
    ids=str,
)
def test_answer_without_a_list_is_malformed_and_never_empty(
    client: HcxClient, server: ScriptedServer, body: Any
) -> None:
    server.on("GET", f"{API}/cloudConfigs", Answer(200, body if body != "text" else '"text"'))
    with pytest.raises(MalformedResponse, match="the answer has no list of items"):
        client.cloud_configs()


def test_item_of_another_shape_is_malformed(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "GET", "/cloudConfigs", {"items": [{"url": "https://cloud"}]})
    with pytest.raises(MalformedResponse, match="not a CloudConfig: endpointId: Field required"):
        client.cloud_configs()


def test_error_inside_a_success_is_an_error(client: HcxClient, server: ScriptedServer) -> None:
    body = {"success": False, "errors": [{"error": "Bad thing", "text": "It is bad", "data": [{}]}]}
    on(server, "GET", "/cloudConfigs", body)
    with pytest.raises(ValidationFailed, match="vendor says: It is bad; vendor code Bad thing") as caught:
        client.cloud_configs()
    assert caught.value.status == 200


def test_login_failure_of_the_other_side_is_recognised(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "GET", "/cloudConfigs", {"errors": [{"error": "Login failure", "text": "no"}]}, 202)
    with pytest.raises(AuthenticationFailed, match="the credentials were refused"):
        client.cloud_configs()


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"errors": [{"code": "E7", "message": "new"}]}, "E7", "new"),
        ({"errors": [{"error": "E8", "text": "old", "data": []}]}, "E8", "old"),
        ({"success": False, "errorCode": 42, "error": "admin"}, "42", "admin"),
        ({"items": [{"entityId": "vm-1", "errors": [{"message": "item"}]}]}, None, "item"),
        ({"errors": {"migrations": [{"id": "m", "errors": [{"code": "E9", "message": "late"}]}]}}, "E9", "late"),
        ({"errors": {"mobilityGroupDefaults": {"id": "g", "errors": [{"message": "dflt"}]}}}, None, "dflt"),
        ({"message": "plain"}, None, "plain"),
        ({"errors": ["just text"]}, None, "just text"),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_every_error_body_is_read(
    client: HcxClient, server: ScriptedServer, body: Any, code: str | None, message: str | None
) -> None:
    on(server, "GET", "/cloudConfigs", body, 400)
    with pytest.raises(ValidationFailed, match="the product refused the input") as caught:
        client.cloud_configs()
    assert (caught.value.vendor_code, caught.value.vendor_message) == (code, message)
