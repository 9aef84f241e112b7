"""Signing in to the cloud: both forms of the exchange, OAuth apps, refusals, faults."""

from __future__ import annotations

import logging

import pytest
import requests

from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

AUTH = "/csp/gateway/am/api/auth"
EXCHANGE = f"{AUTH}/api-tokens/authorize"


def _post(pair: SitePair, path: str, **options: object) -> requests.Response:
    return pair.http().post(pair.url("csp") + path, timeout=HANG_SECONDS, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["refresh_token", "api_token"])
@pytest.mark.parametrize("where", ["data", "params"])
def test_api_token_in_body_or_query_under_both_names(site_pair: SitePair, name: str, where: str) -> None:
    answer = _post(site_pair, EXCHANGE, **{where: {name: site_pair.credentials.refresh_token}})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
    assert body["refresh_token"] == site_pair.credentials.refresh_token
    assert body["access_token"]
    assert body["id_token"]
    assert body["scope"]


def test_each_exchange_gives_another_token_and_all_live(site_pair: SitePair) -> None:
    form = {"refresh_token": site_pair.credentials.refresh_token}
    tokens = [_post(site_pair, EXCHANGE, data=form).json()["access_token"] for _ in range(2)]
    assert tokens[0] != tokens[1]
    for token in tokens:
        url = site_pair.url("vmc") + "/vmc/api/orgs"
        assert site_pair.http().get(url, headers={"csp-auth-token": token}, timeout=HANG_SECONDS).status_code == 200


@pytest.mark.parametrize("form", [{}, {"refresh_token": "wrong"}, {"api_token": ""}])
def test_a_wrong_api_token_is_400_with_a_message(site_pair: SitePair, form: dict[str, str]) -> None:
    answer = _post(site_pair, EXCHANGE, data=form)
    assert answer.status_code == 400
    assert "API token" in answer.json()["message"]
    assert site_pair.calls("api_tokens.authorize")[-1]["data"]["status"] == 400


@pytest.mark.parametrize("path", [f"{AUTH}/authorize", f"{AUTH}/token"])
def test_oauth_app_signs_in_by_basic(site_pair: SitePair, path: str) -> None:
    app = (site_pair.credentials.oauth_client_id, site_pair.credentials.oauth_client_secret)
    answer = _post(site_pair, path, data={"grant_type": "client_credentials"}, auth=app)
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
    wrong = _post(site_pair, path, data={"grant_type": "client_credentials"}, auth=(app[0], "wrong"))
    assert (wrong.status_code, "client" in wrong.json()["message"]) == (400, True)
    other = _post(site_pair, path, data={"grant_type": "password"}, auth=app)
    assert (other.status_code, "grant type" in other.json()["message"]) == (400, True)


def test_token_endpoint_takes_a_refresh_token(site_pair: SitePair) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": site_pair.credentials.refresh_token}
    assert _post(site_pair, f"{AUTH}/token", data=form).json()["access_token"]


@pytest.mark.world(scenario={"name": "short", "settings": {"vmc": {"access_token_seconds": 60}}})
def test_lifetime_is_a_setting(site_pair: SitePair) -> None:
    form = {"refresh_token": site_pair.credentials.refresh_token}
    body = _post(site_pair, EXCHANGE, data=form).json()
    assert body["expires_in"] == 60
    url, headers = site_pair.url("vmc") + "/vmc/api/orgs", {"csp-auth-token": body["access_token"]}
    site_pair.advance(59)
    assert site_pair.http().get(url, headers=headers, timeout=HANG_SECONDS).status_code == 200, (
        "use does not prolong it"
    )
    site_pair.advance(1)
    assert site_pair.http().get(url, headers=headers, timeout=HANG_SECONDS).status_code == 401


@pytest.mark.parametrize("status", [404, 409, 429, 500])
def test_injected_refusals_have_the_services_shape(site_pair: SitePair, status: int) -> None:
    site_pair.fault(product="csp", call="api_tokens.authorize", behaviour="vendor_error", status=status, count=1)
    form = {"refresh_token": site_pair.credentials.refresh_token}
    answer = _post(site_pair, EXCHANGE, data=form)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert _post(site_pair, EXCHANGE, data=form).status_code == 200


def test_unknown_paths_have_the_services_shape(site_pair: SitePair) -> None:
    assert _post(site_pair, f"{AUTH}/nothing").json() == {"message": "Not found."}
    answer = site_pair.http().get(site_pair.url("csp") + EXCHANGE, timeout=HANG_SECONDS)
    assert (answer.status_code, list(answer.json())) == (405, ["message"])


def test_no_secret_gets_into_audit_or_log(site_pair: SitePair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    form = {"refresh_token": site_pair.credentials.refresh_token}
    token = _post(site_pair, EXCHANGE, data=form).json()["access_token"]
    entry = site_pair.calls("api_tokens.authorize")[-1]
    assert entry["data"]["user"] == "cloudadmin@vmc.example"
    seen = str(site_pair.audit()) + caplog.text + repr(site_pair.world.products["csp"])
    assert site_pair.credentials.refresh_token not in seen
    assert token not in seen
