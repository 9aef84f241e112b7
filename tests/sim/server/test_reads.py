"""No read of any product changes a fact, whatever it asks for."""

from __future__ import annotations

import re

import pytest
import requests

from hcx_sim.products import products
from support.site_pair import SitePair


def _nsx(pair: SitePair) -> requests.Session:
    session = pair.http()
    login = pair.login("nsx", "destination")
    session.auth = (login.username, login.password)
    return session


def _hcx(pair: SitePair) -> requests.Session:
    session = pair.http()
    login = pair.login("hcx", "destination")
    body = {"username": login.username, "password": login.password}
    answer = session.post(f"{pair.url('hcx', 'destination')}/hybridity/api/sessions", json=body)
    session.headers["x-hm-authorization"] = answer.headers["x-hm-authorization"]
    return session


def _facts(pair: SitePair) -> list[bytes]:
    """Everything in the audit but the calls themselves."""
    return [line for line in pair.canonical().splitlines() if b'"kind": "call"' not in line]


@pytest.mark.world(scenario="three-tier")
@pytest.mark.parametrize("product", ["nsx", "hcx"])
def test_reading_every_route_changes_nothing(site_pair: SitePair, product: str) -> None:
    session = {"nsx": _nsx, "hcx": _hcx}[product](site_pair)
    paths = [fact.path for fact in products()[product].coverage.routes if fact.method == "GET"]
    before = _facts(site_pair)

    statuses = []
    for path in paths:
        filled = re.sub(r"\{(\w+)(:path)?\}", "default", path)
        statuses.append(session.get(f"{site_pair.url(product, 'destination')}{filled}").status_code)

    assert _facts(site_pair) == before
    assert 200 in statuses
    assert not [status for status in statuses if status >= 500]
