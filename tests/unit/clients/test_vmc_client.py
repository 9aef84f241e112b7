"""VMware Cloud: token exchange and its end, organisations, SDDCs, and NSX through the reverse proxy."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    MalformedResponse,
    NotFound,
    RateLimited,
    SessionExpired,
    ValidationFailed,
)
from hcx_waves.clients.vmc import OAuthApp, Sddc, VmcClient
from support.scripted_server import Answer, FakeTime, ScriptedServer

TOKEN_PATH = "/csp/gateway/am/api/auth/api-tokens/authorize"
APP_PATH = "/csp/gateway/am/api/auth/authorize"
REFRESH = "refresh-geheim-1"
PROXY = "/vmc/reverse-proxy/api/orgs/org-1/sddcs/sddc-1/sks-nsxt-manager"


def token(number: int, **more: Any) -> Answer:
    return Answer(200, {"access_token": f"access-{number}", "expires_in": 1799, "token_type": "bearer", **more})


def sddc_body(server: ScriptedServer) -> dict[str, Any]:
    return {
        "id": "sddc-1",
        "name": "sddc-source",
        "org_id": "org-1",
        "sddc_state": "READY",
        "provider": "AWS",
        "resource_config": {
            "nsx_api_public_endpoint_url": server.url + PROXY + "/",
            "nsx_mgr_url": "https://nsx",
            "vc_url": "https://vc/",
            "cloud_password": "vc-geheim",
            "nsx_cloud_admin_password": "nsx-geheim",
            "sddc_manifest": {"vmc_version": "1.24"},
        },
    }


@pytest.fixture
def server(server: ScriptedServer) -> ScriptedServer:
    server.on("POST", TOKEN_PATH, token(1), token(2))
    server.on("GET", "/vmc/api/orgs", Answer(200, [{"id": "org-1", "name": "o", "display_name": "Org"}]))
    server.on("GET", "/vmc/api/orgs/org-1/sddcs", Answer(200, [sddc_body(server)]))
    server.on("GET", "/vmc/api/orgs/org-1/sddcs/sddc-1", Answer(200, sddc_body(server)))
    server.on("GET", f"{PROXY}/policy/api/v1/infra/segments", Answer(200, {"results": []}))
    return server


@pytest.fixture
def client(server: ScriptedServer, time: FakeTime) -> Iterator[VmcClient]:
    with VmcClient(REFRESH, vmc_url=server.url, csp_url=server.url, ambient=time.ambient()) as client:
        yield client


def test_refresh_token_is_exchanged_by_form_and_both_headers_are_sent(
    client: VmcClient, server: ScriptedServer
) -> None:
    (org,) = client.organizations()
    assert (org.org_id, org.display_name) == ("org-1", "Org")
    login, call = server.received
    assert login.form == {"refresh_token": REFRESH}
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (call.headers["csp-auth-token"], call.headers["authorization"]) == ("access-1", "Bearer access-1")


def test_oauth_app_logs_in_by_client_credentials(server: ScriptedServer, time: FakeTime) -> None:
    server.on("POST", APP_PATH, token(7))
    app = OAuthApp("app-id", "app-geheim")
    with VmcClient(app, vmc_url=server.url, csp_url=server.url, ambient=time.ambient()) as client:
        client.organizations()
    login = server.received[0]
    assert (login.path, login.form) == (APP_PATH, {"grant_type": "client_credentials"})
    assert login.headers["authorization"] == "Basic YXBwLWlkOmFwcC1nZWhlaW0="
    assert "geheim" not in repr(app)


def test_token_is_renewed_before_it_ends(client: VmcClient, server: ScriptedServer, time: FakeTime) -> None:
    client.organizations()
    time.seconds += 1799 - 61
    client.organizations()
    assert len(server.asked("POST")) == 1
    time.seconds += 1
    client.organizations()
    assert [one.headers["csp-auth-token"] for one in server.asked("GET")] == ["access-1", "access-1", "access-2"]


@pytest.mark.parametrize("lifetime", [None, "soon", 0, True])
def test_token_without_a_usable_lifetime_is_used_until_refused(
    client: VmcClient, server: ScriptedServer, time: FakeTime, lifetime: Any
) -> None:
    server.on("POST", TOKEN_PATH, token(1, expires_in=lifetime), token(2))
    client.organizations()
    time.seconds += 10**6
    client.organizations()
    assert len(server.asked("POST")) == 1


def test_refused_token_is_renewed_once(client: VmcClient, server: ScriptedServer) -> None:
    server.on("GET", "/vmc/api/orgs", Answer(401), Answer(200, []))
    assert client.organizations() == ()
    assert len(server.asked("POST")) == 2
    server.on("GET", "/vmc/api/orgs", Answer(401))
    with pytest.raises(SessionExpired):
        client.organizations()
    assert len(server.asked("POST")) == 3


def test_refused_refresh_token_says_what_to_do_and_never_shows(
    client: VmcClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"message": f"invalid_grant: Invalid refresh token: {REFRESH}", "statusCode": 400}
    server.on("POST", TOKEN_PATH, Answer(400, body))
    with pytest.raises(AuthenticationFailed, match="the token was refused.*Create a new API token") as caught:  # noqa: RUF043
        client.login()
    assert REFRESH not in f"{caught.value}{caught.value.to_dict()}{caplog.text}{client!r}{client.auth!r}"
    assert caught.value.vendor_message == "invalid_grant: Invalid refresh token: ***"


def test_busy_login_is_waited_for(client: VmcClient, server: ScriptedServer, time: FakeTime) -> None:
    server.on("POST", TOKEN_PATH, Answer(429), token(1))
    client.login()
    assert len(time.sleeps) == 1
    server.on("POST", TOKEN_PATH, Answer(429))
    client.auth.drop()
    with pytest.raises(RateLimited):
        client.login()


def test_answer_without_a_token_is_malformed(client: VmcClient, server: ScriptedServer) -> None:
    server.on("POST", TOKEN_PATH, Answer(200, {"expires_in": 1799}))
    with pytest.raises(MalformedResponse, match="the login returned no access_token"):
        client.login()


def test_sddcs_are_read_without_their_passwords(client: VmcClient) -> None:
    (found,) = client.sddcs()
    assert (found.sddc_id, found.state, found.version, found.vcenter_url) == ("sddc-1", "READY", "1.24", "https://vc/")
    assert "geheim" not in repr(found) + str(vars(found))


def test_malformed_record_shows_no_password(client: VmcClient, server: ScriptedServer) -> None:
    body = {key: value for key, value in sddc_body(server).items() if key != "id"}
    server.on("GET", "/vmc/api/orgs/org-1/sddcs/sddc-1", Answer(200, body))
    with pytest.raises(MalformedResponse, match="a record of an unexpected shape") as caught:
        client.sddc("sddc-1", "org-1")
    assert "geheim" not in str(caught.value.to_dict())


def test_error_body_of_the_service_is_read(client: VmcClient, server: ScriptedServer) -> None:
    body = {"status": 400, "path": "/x", "retryable": False, "error_code": "S-1", "error_messages": ["bad", "worse"]}
    server.on("GET", "/vmc/api/orgs/org-1/sddcs/nope", Answer(400, body))
    with pytest.raises(ValidationFailed, match="vendor says: bad; worse; vendor code S-1") as caught:
        client.sddc("nope", "org-1")
    assert (caught.value.system, caught.value.messages) == ("vmc", ["bad", "worse"])


def test_organisation_must_be_named_when_there_are_several(client: VmcClient, server: ScriptedServer) -> None:
    server.on("GET", "/vmc/api/orgs", Answer(200, [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]))
    with pytest.raises(NotFound, match=r"the token reaches 2 organisations \(A, B\), not exactly one"):
        client.sddcs()


def test_nsx_is_reached_through_the_proxy_with_the_same_token(client: VmcClient, server: ScriptedServer) -> None:
    with client.nsx_client("sddc-1") as nsx:
        assert nsx.flexible_segments() == ()
    call = server.received[-1]
    assert call.path == f"{PROXY}/policy/api/v1/infra/segments"
    assert (call.headers["csp-auth-token"], call.headers["authorization"]) == ("access-1", "Bearer access-1")
    assert len(server.asked("POST")) == 1


def test_nsx_uses_the_enforcement_point_of_the_cloud(client: VmcClient, server: ScriptedServer) -> None:
    path = f"{PROXY}/policy/api/v1/infra/realized-state/enforcement-points/vmc-enforcementpoint/vifs"
    server.on("GET", path, Answer(200, {"results": []}))
    with client.nsx_client("sddc-1") as nsx:
        assert nsx.vifs() == ()


def test_token_refused_by_nsx_is_renewed_for_all(client: VmcClient, server: ScriptedServer) -> None:
    path = f"{PROXY}/policy/api/v1/infra/segments"
    server.on("GET", path, Answer(401), Answer(200, {"results": []}))
    with client.nsx_client("sddc-1") as nsx:
        nsx.flexible_segments()
    client.organizations()
    assert len(server.asked("POST")) == 2
    assert server.received[-1].headers["csp-auth-token"] == "access-2"


def test_sddc_without_an_nsx_endpoint_is_told(client: VmcClient, server: ScriptedServer) -> None:
    body = {**sddc_body(server), "sddc_state": "DEPLOYING", "resource_config": None}
    server.on("GET", "/vmc/api/orgs/org-1/sddcs/sddc-1", Answer(200, body))
    with pytest.raises(NotFound, match=r"names no nsx_api_public_endpoint_url \(state DEPLOYING\)"):
        client.nsx_client("sddc-1")


def test_identity_of_the_service(client: VmcClient, server: ScriptedServer) -> None:
    server.on("GET", "/vmc/api/orgs", Answer(200, [], {"X-Hcx-Sim": "world=seed; role=site"}))
    assert client.identity().role == "site"


def test_sddc_of_a_bare_record() -> None:
    assert Sddc.of_wire({"id": "x"}).nsx_api_public_endpoint_url is None
