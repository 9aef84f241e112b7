"""Organisations, SDDCs and tasks, and the reverse proxy to the NSX manager of each SDDC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import requests

from support.nsx_wire import FIXED, refused, world_of
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

pytestmark = world_of()
SEGMENTS = f"/policy/api/v1{FIXED}"
ENTITY = ("updated", "user_id", "updated_by_user_id", "created", "version", "user_name", "id")


class Cloud:
    """The cloud service with a live access token."""

    def __init__(self, pair: SitePair) -> None:
        self.pair = pair
        self.http = pair.http()
        self.base = pair.url("vmc")
        form = {"refresh_token": pair.credentials.refresh_token}
        path = "/csp/gateway/am/api/auth/api-tokens/authorize"
        self.token: str = self.http.post(pair.url("csp") + path, data=form, timeout=HANG_SECONDS).json()["access_token"]
        self.http.headers["csp-auth-token"] = self.token
        self.org = pair.endpoints["vmc"]["org_id"]

    def get(self, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else self.base + path
        return self.http.get(url, timeout=HANG_SECONDS, **options)

    def sddc(self, site: str) -> dict[str, Any]:
        sddc_id = self.pair.endpoints["vmc"][f"{site}_sddc_id"]
        body: dict[str, Any] = self.get(f"/vmc/api/orgs/{self.org}/sddcs/{sddc_id}").json()
        return body

    def proxy(self, site: str) -> str:
        url: str = self.sddc(site)["resource_config"]["nsx_api_public_endpoint_url"]
        return url


@pytest.fixture
def cloud(site_pair: SitePair) -> Cloud:
    return Cloud(site_pair)


def _refused(answer: requests.Response, status: int) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, answer.text
    assert set(body) == {"status", "path", "retryable", "error_code", "error_messages"}
    assert body["status"] == status
    return body


def test_records_have_every_field_that_the_official_binding_demands(cloud: Cloud) -> None:
    orgs = cloud.get("/vmc/api/orgs").json()
    sddcs = cloud.get(f"/vmc/api/orgs/{cloud.org}/sddcs").json()
    tasks = cloud.get(f"/vmc/api/orgs/{cloud.org}/tasks").json()
    assert (len(orgs), len(sddcs), len(tasks)) == (1, 2, 2)
    for record in [*orgs, *sddcs, *tasks]:
        assert set(ENTITY) <= set(record)
        assert datetime.fromisoformat(record["created"]).tzinfo is not None
    assert [sddc["resource_config"]["provider"] for sddc in sddcs] == ["AWS", "AWS"]
    assert [sddc["sddc_state"] for sddc in sddcs] == ["READY", "READY"]
    assert cloud.get(f"/vmc/api/orgs/{cloud.org}").json() == orgs[0]


def test_sddc_leads_to_its_managers(cloud: Cloud, site_pair: SitePair) -> None:
    for site in ("source", "destination"):
        config = cloud.sddc(site)["resource_config"]
        assert config["nsx_mgr_url"] == site_pair.url("nsx", site) + "/"
        assert config["vc_url"] == site_pair.url("vcenter", site) + "/"
        assert config["nsx_cloud_admin_password"] == site_pair.login("nsx", site).password
        assert config["cloud_username"] == site_pair.login("vcenter", site).username
        assert config["nsxt"] is True
        assert config["sddc_manifest"]["vmc_version"]


def test_tasks_are_found_by_id(cloud: Cloud) -> None:
    tasks = cloud.get(f"/vmc/api/orgs/{cloud.org}/tasks").json()
    assert [(task["status"], task["progress_percent"]) for task in tasks] == [("FINISHED", 100)] * 2
    assert cloud.get(f"/vmc/api/orgs/{cloud.org}/tasks/{tasks[0]['id']}").json() == tasks[0]
    _refused(cloud.get(f"/vmc/api/orgs/{cloud.org}/tasks/none"), 404)


def test_proxy_reaches_the_nsx_manager_of_both_sddcs(cloud: Cloud, site_pair: SitePair) -> None:
    for site, kind in (("source", "ROUTED"), ("destination", "DISCONNECTED")):
        proxy = cloud.proxy(site)
        assert proxy.startswith(site_pair.url("vmc")), "the way back leads through the same world"
        assert proxy.endswith("/sks-nsxt-manager")
        body = cloud.get(f"{proxy}{SEGMENTS}/app-net").json()
        assert body["type"] == kind
        entry = site_pair.calls("fixed_segments.get")[-1]
        assert (entry["subject"], entry["data"]["via"]) == (f"{site}/nsx", "vmc-proxy")
        assert entry["data"]["user"] == "cloudadmin@vmc.example"


def test_proxy_carries_writes(cloud: Cloud, site_pair: SitePair) -> None:
    url = f"{cloud.proxy('source')}{SEGMENTS}/app-net"
    answer = cloud.http.patch(url, json={"description": "through the proxy"}, timeout=HANG_SECONDS)
    assert (answer.status_code, answer.content) == (200, b"")
    body = cloud.get(url).json()
    assert (body["description"], body["_last_modified_user"]) == ("through the proxy", "cloudadmin@vmc.example")
    assert site_pair.world.segments["source/app-net"].revision == 1


def test_proxy_takes_bearer_and_nothing_but_tokens(cloud: Cloud, site_pair: SitePair) -> None:
    url = cloud.proxy("source") + SEGMENTS
    http = site_pair.http()
    assert http.get(url, headers={"Authorization": f"Bearer {cloud.token}"}, timeout=HANG_SECONDS).status_code == 200
    both = {"Authorization": f"Bearer {cloud.token}", "csp-auth-token": cloud.token}
    assert http.get(url, headers=both, timeout=HANG_SECONDS).status_code == 200
    login = site_pair.login("nsx", "source")
    refused(http.get(url, auth=(login.username, login.password), timeout=HANG_SECONDS), 401)
    refused(http.get(url, timeout=HANG_SECONDS), 401)
    refused(http.get(url, headers={"csp-auth-token": "wrong"}, timeout=HANG_SECONDS), 401)


def test_expired_token_is_401_everywhere(cloud: Cloud, site_pair: SitePair) -> None:
    proxied = cloud.proxy("source") + SEGMENTS
    site_pair.advance(1799)
    assert cloud.get(proxied).status_code == 200
    site_pair.advance(1)
    refused(cloud.get(proxied), 401)
    body = _refused(cloud.get("/vmc/api/orgs"), 401)
    assert body["path"] == "/vmc/api/orgs"
    assert site_pair.calls("orgs.list")[-1]["data"]["status"] == 401


@pytest.mark.parametrize(
    "headers", [{}, {"csp-auth-token": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}]
)
def test_missing_or_wrong_tokens_are_401(site_pair: SitePair, headers: dict[str, str]) -> None:
    answer = site_pair.http().get(site_pair.url("vmc") + "/vmc/api/orgs", headers=headers, timeout=HANG_SECONDS)
    assert _refused(answer, 401)["error_code"] == "UnauthenticatedException"


def test_wrong_organisation_is_403_and_wrong_sddc_404(cloud: Cloud) -> None:
    sddc_id = cloud.sddc("source")["id"]
    _refused(cloud.get("/vmc/api/orgs/other/sddcs"), 403)
    _refused(cloud.get(f"/vmc/api/orgs/other/sddcs/{sddc_id}"), 403)
    _refused(cloud.get(f"/vmc/api/orgs/{cloud.org}/sddcs/none"), 404)
    proxy = "/vmc/reverse-proxy/api/orgs/{}/sddcs/{}/sks-nsxt-manager" + SEGMENTS
    _refused(cloud.get(proxy.format("other", sddc_id)), 403)
    _refused(cloud.get(proxy.format(cloud.org, "none")), 404)
    cloud.http.headers["csp-auth-token"] = "wrong"
    _refused(cloud.get(proxy.format(cloud.org, "none")), 401)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_error_on_the_proxy_path_is_html(cloud: Cloud, site_pair: SitePair, status: int) -> None:
    """Checklist: 504 with an HTML body on the proxy path."""
    url = cloud.proxy("source") + SEGMENTS
    fault = {"product": "nsx", "call": "fixed_segments.list", "behaviour": "vendor_error", "status": status}
    site_pair.fault(**fault, count=1)
    answer = cloud.get(url)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<html>")
    assert cloud.get(url).status_code == 200

    site_pair.fault(**fault, count=1)
    login = site_pair.login("nsx", "source")
    direct = site_pair.http().get(
        site_pair.url("nsx") + SEGMENTS, auth=(login.username, login.password), timeout=HANG_SECONDS
    )
    refused(direct, status)


@world_of(concurrent_overall=0)
def test_a_refusal_of_the_manager_itself_passes_the_proxy_unchanged(cloud: Cloud) -> None:
    refused(cloud.get(cloud.proxy("source") + SEGMENTS), 503)


def test_injected_refusals_have_the_services_shape(cloud: Cloud, site_pair: SitePair) -> None:
    site_pair.fault(product="vmc", call="sddcs.list", behaviour="vendor_error", status=500, count=1)
    body = _refused(cloud.get(f"/vmc/api/orgs/{cloud.org}/sddcs"), 500)
    assert body["retryable"] is True


@world_of(source="onprem")
def test_a_site_on_premises_is_no_sddc(cloud: Cloud, site_pair: SitePair) -> None:
    sddcs = cloud.get(f"/vmc/api/orgs/{cloud.org}/sddcs").json()
    assert [sddc["id"] for sddc in sddcs] == [site_pair.endpoints["vmc"]["destination_sddc_id"]]
    source = site_pair.endpoints["vmc"]["source_sddc_id"]
    path = f"/vmc/reverse-proxy/api/orgs/{cloud.org}/sddcs/{source}/sks-nsxt-manager{SEGMENTS}"
    _refused(cloud.get(path), 404)


def test_an_unknown_path_is_named_in_the_error(cloud: Cloud) -> None:
    refused = cloud.get("/vmc/api/nothing")
    _refused(refused, 404)
    assert refused.json()["error_messages"] == ["Not Found: GET /vmc/api/nothing"]


def test_everything_says_that_it_is_simulated(cloud: Cloud, site_pair: SitePair) -> None:
    answer = cloud.get("/vmc/api/orgs")
    assert answer.headers["X-Hcx-Sim"] == f"world={site_pair.world_id}; role=site"
    assert "Simulated" in answer.json()[0]["display_name"]
    assert cloud.sddc("source")["resource_config"]["custom_properties"]["hcx_sim.world"] == site_pair.world_id
