"""Whoever logs in, however: the audit holds no password and no token."""

from __future__ import annotations

import json

import pytest

from support.site_pair import SitePair


@pytest.mark.parametrize("name", ["api_token", "refresh_token"])
def test_tokens_in_a_query_are_blanked(site_pair: SitePair, name: str) -> None:
    token = site_pair.endpoints["vmc"]["refresh_token"]
    url = f"{site_pair.url('csp')}/csp/gateway/am/api/auth/api-tokens/authorize"

    answer = site_pair.http().post(url, params={name: token, "other": "kept"})

    access_token = answer.json()["access_token"]
    audit = json.dumps(site_pair.audit())
    assert f"{name}=***&other=kept" in audit
    assert token not in audit
    assert access_token not in audit


def test_logins_leave_no_password_in_the_audit(site_pair: SitePair) -> None:
    hcx, nsx = site_pair.login("hcx"), site_pair.login("nsx")
    http = site_pair.http()
    credentials = {"username": hcx.username, "password": hcx.password}
    session = http.post(f"{site_pair.url('hcx')}/hybridity/api/sessions", json=credentials)
    form = {"j_username": nsx.username, "j_password": nsx.password}
    created = http.post(f"{site_pair.url('nsx')}/api/session/create", data=form)

    audit = json.dumps(site_pair.audit())

    assert created.status_code == 200
    for secret in (hcx.password, nsx.password, session.headers["x-hm-authorization"], created.headers["X-XSRF-TOKEN"]):
        assert secret not in audit
