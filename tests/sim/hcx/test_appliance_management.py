"""The call of port 9443 that people stumble over. hcx 7, L911."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from support.site_pair import SitePair

PATH = "/api/admin/global/config/vcenter"


def configure(pair: SitePair, password: str, *, auth: bool = True, **changes: Any) -> requests.Response:
    """Send a vCenter login as the appliance management API takes it."""
    login = pair.login("hcx")
    config = {"url": "https://vcenter.example", "userName": "administrator@vsphere.local", "password": password}
    return pair.http().post(
        f"{pair.url('hcx')}{PATH}",
        json={"data": {"items": [{"config": {**config, **changes}}]}},
        auth=(login.username, login.password) if auth else None,
    )


def test_a_plain_password_yields_a_misleading_parser_error(site_pair: SitePair) -> None:
    answer = configure(site_pair, "plain!text")

    assert answer.status_code == 400
    body = answer.json()
    assert (body["success"], body["completed"], body["errorCode"]) == (False, False, 400)
    assert "XML" in body["error"]
    assert "password" not in body["error"].lower()


def test_a_base64_password_is_taken_and_not_kept(site_pair: SitePair) -> None:
    password = base64.b64encode(b"plain!text").decode()

    answer = configure(site_pair, password)

    assert (answer.status_code, answer.json()["success"]) == (200, True)
    (entry,) = site_pair.calls("appliance_management.vcenter.configure")
    assert entry["data"]["summary"] == {"url": "https://vcenter.example"}
    assert password not in str(site_pair.audit())


def test_strangers_are_refused(site_pair: SitePair) -> None:
    answer = configure(site_pair, "x", auth=False)

    assert (answer.status_code, answer.json()["success"]) == (401, False)


@pytest.mark.parametrize("body", ["{}", "[]", "nonsense", '{"data": {"items": [{"config": 5}]}}'])
def test_broken_bodies_are_refused(site_pair: SitePair, body: str) -> None:
    login = site_pair.login("hcx")
    answer = site_pair.http().post(f"{site_pair.url('hcx')}{PATH}", data=body, auth=(login.username, login.password))

    assert (answer.status_code, answer.json()["errorCode"]) == (400, 400)


def test_the_answer_names_the_configuration(site_pair: SitePair) -> None:
    answer = configure(site_pair, base64.b64encode(b"plain!text").decode())
    (item,) = answer.json()["data"]["items"]
    assert item["config"]["UUID"]
    assert item["config"]["url"] == "https://vcenter.example"
    assert "password" not in item["config"]
