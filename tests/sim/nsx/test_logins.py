"""Who may call a manager: Basic, session with XSRF token, and cloud tokens in both header forms."""

from __future__ import annotations

import pytest
import requests

from support.nsx_wire import FIXED, Manager, refused, world_of
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

pytestmark = world_of()


def _anonymous(pair: SitePair, nsx: Manager, path: str = FIXED, **headers: str) -> requests.Response:
    return pair.http().get(nsx.url(path), headers=headers, timeout=HANG_SECONDS)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_credentials_are_403_403(source_nsx: Manager, site_pair: SitePair, password: str) -> None:
    source_nsx.http.auth = ("admin", password)
    body = refused(source_nsx.get(FIXED), 403, 403)
    assert body["error_message"] == "The credentials were incorrect or the account specified has been locked."
    assert site_pair.calls()[-1]["data"]["user"] == ""


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic !!!"}, {"Authorization": "Remote abc"}])
def test_no_credentials_are_403_403(source_nsx: Manager, site_pair: SitePair, header: dict[str, str]) -> None:
    refused(_anonymous(site_pair, source_nsx, **header), 403, 403)


def test_the_other_sites_password_is_refused(destination_nsx: Manager, site_pair: SitePair) -> None:
    login = site_pair.login("nsx", "source")
    destination_nsx.http.auth = (login.username, login.password)
    refused(destination_nsx.get(FIXED), 403, 403)


def _log_in(pair: SitePair, nsx: Manager, password: str | None = None) -> requests.Response:
    login = pair.login("nsx", nsx.site)
    nsx.http.auth = None
    form = {"j_username": login.username, "j_password": password or login.password}
    return nsx.http.post(nsx.url("/api/session/create"), data=form, timeout=HANG_SECONDS)


def test_session_needs_cookie_and_xsrf_token(source_nsx: Manager, site_pair: SitePair) -> None:
    answer = _log_in(site_pair, source_nsx)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "JSESSIONID" in answer.cookies
    refused(source_nsx.get(FIXED), 403, 98)
    source_nsx.http.headers["X-XSRF-TOKEN"] = "wrong"
    refused(source_nsx.get(FIXED), 403, 98)
    source_nsx.http.headers["X-XSRF-TOKEN"] = answer.headers["X-XSRF-TOKEN"]
    assert source_nsx.get(FIXED).status_code == 200
    assert site_pair.calls("fixed_segments.list")[-1]["data"]["user"] == "admin"


def test_destroyed_session_is_over(source_nsx: Manager, site_pair: SitePair) -> None:
    source_nsx.http.headers["X-XSRF-TOKEN"] = _log_in(site_pair, source_nsx).headers["X-XSRF-TOKEN"]
    assert source_nsx.call("POST", "/api/session/destroy").status_code == 200
    refused(source_nsx.get(FIXED), 403, 98)
    refused(source_nsx.call("POST", "/api/session/destroy"), 403, 98)


def test_idle_session_expires_and_use_keeps_it(source_nsx: Manager, site_pair: SitePair) -> None:
    source_nsx.http.headers["X-XSRF-TOKEN"] = _log_in(site_pair, source_nsx).headers["X-XSRF-TOKEN"]
    for _ in range(3):
        site_pair.advance(1700)
        assert source_nsx.get(FIXED).status_code == 200
    site_pair.advance(1801)
    refused(source_nsx.get(FIXED), 403, 98)


def test_session_with_wrong_password_is_refused(source_nsx: Manager, site_pair: SitePair) -> None:
    refused(_log_in(site_pair, source_nsx, "wrong"), 403, 403)
    assert site_pair.calls("session.create")[-1]["data"]["user"] == "admin"


def _token(pair: SitePair) -> str:
    path = "/csp/gateway/am/api/auth/api-tokens/authorize"
    form = {"refresh_token": pair.credentials.refresh_token}
    return str(pair.http().post(pair.url("csp") + path, data=form, timeout=HANG_SECONDS).json()["access_token"])


def test_cloud_manager_takes_tokens_in_both_forms_until_they_expire(source_nsx: Manager, site_pair: SitePair) -> None:
    token = _token(site_pair)
    forms = [{"csp-auth-token": token}, {"Authorization": f"Bearer {token}"}]
    assert [_anonymous(site_pair, source_nsx, **form).status_code for form in forms] == [200, 200]
    site_pair.advance(1801)
    for form in forms:
        refused(_anonymous(site_pair, source_nsx, **form), 401)


@world_of(source="onprem")
def test_on_premises_manager_takes_no_cloud_token(source_nsx: Manager, site_pair: SitePair) -> None:
    refused(_anonymous(site_pair, source_nsx, Authorization=f"Bearer {_token(site_pair)}"), 403, 403)


def test_every_answer_and_the_node_say_that_they_are_simulated(source_nsx: Manager, site_pair: SitePair) -> None:
    answer = source_nsx.get("/api/v1/node/version")
    assert answer.headers["X-Hcx-Sim"] == f"world={site_pair.world_id}; role=site"
    assert answer.json()["product_version"].startswith("4.")
    assert answer.json()["hcx_sim"] == {
        "simulated": True, "world": site_pair.world_id, "role": "site", "site": "source",
    }  # fmt: skip
    node = source_nsx.read("/api/v1/node")
    assert node["system_time"] == round(site_pair.now.timestamp() * 1000)
    assert "Simulated" in node["motd"]


def test_unknown_paths_and_methods_answer_in_vendor_style(source_nsx: Manager) -> None:
    for unknown in ("/infra/no-such-thing", "/infra/segments/flex-net/no-such-thing", "/api/v1/no-such-thing"):
        body = refused(source_nsx.get(unknown), 404, 404)
        assert "no object" not in body["error_message"]
    refused(source_nsx.call("POST", FIXED), 405)


@world_of(destination="onprem")
def test_the_manager_api_says_that_all_is_well(destination_nsx: Manager) -> None:
    health = destination_nsx.read("/api/v1/reverse-proxy/node/health")
    assert health["healthy"] is True
    assert "POLICY:UP" in health["components_health"]
    status = destination_nsx.read("/api/v1/cluster/status")
    assert status["mgmt_cluster_status"]["status"] == status["control_cluster_status"]["status"] == "STABLE"
    (cluster,) = destination_nsx.ids("/api/v1/edge-clusters")
    assert destination_nsx.read(f"/api/v1/edge-clusters/{cluster}")["id"] == cluster
    for path in ("/api/v1/alarms", "/infra/alarms"):
        assert destination_nsx.read(path)["results"] == []
    refused(destination_nsx.get("/api/v1/transport-nodes/none"), 404, 202)
