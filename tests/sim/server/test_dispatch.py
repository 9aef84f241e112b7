"""Requests reach the right product in the right world, and every answer says that it is simulated."""

from __future__ import annotations

import pytest

from support.site_pair import SitePair, SiteServer


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
