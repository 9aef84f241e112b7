"""The clients of both sites from an endpoints document."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.bundle import ClientOptions, EndpointsError, open_sites
from hcx_waves.clients.errors import EndpointMismatch
from hcx_waves.clients.nsx import Connectivity
from support.lookups import segment_named, vm_named
from support.site_pair import SitePair


def test_vmc_sites_are_reached_through_the_reverse_proxy(site_pair: SitePair) -> None:
    with open_sites(site_pair.endpoints) as clients:
        assert clients.source_nsx is not None
        assert "/vmc/reverse-proxy/" in clients.source_nsx.base_url
        assert segment_named(clients.source_nsx, "seed-net").is_fixed
        assert clients.hcx.identity().role == "site"
        assert vm_named(clients.source_vcenter, "web01") is not None
        assert vm_named(clients.destination_vcenter, "web01") is None


@pytest.mark.world(scenario="three-tier")
def test_nsx_of_ones_own_is_reached_directly(site_pair: SitePair) -> None:
    with open_sites(site_pair.endpoints) as clients:
        assert clients.source_nsx is not None
        assert clients.source_nsx.base_url == site_pair.url("nsx", "source")
        assert not segment_named(clients.source_nsx, "web").is_fixed
    with open_sites(site_pair.endpoints, source_has_nsx=False) as clients:
        assert clients.source_nsx is None


def test_roles_bind_every_client(site_pair: SitePair) -> None:
    with open_sites(site_pair.endpoints, options=ClientOptions.for_roles(["twin"])) as clients:
        nsx = clients.source_nsx
        assert nsx is not None
        segment = segment_named(nsx, "seed-net")
        with pytest.raises(EndpointMismatch, match="simulated site"):
            nsx.set_connectivity(segment, Connectivity.OFF)
        with pytest.raises(EndpointMismatch, match="simulated site"):
            clients.hcx.start_groups(["any"])
    assert not [one for one in site_pair.calls() if one["data"]["operation"].endswith((".patch", ".start"))]


@pytest.mark.parametrize(("site", "product"), [("source", "hcx"), ("destination", "vcenter"), ("destination", "nsx")])
def test_missing_product_is_named(site_pair: SitePair, site: str, product: str) -> None:
    document: dict[str, Any] = {**site_pair.endpoints, "vmc": {}}
    document[site] = {name: facts for name, facts in document[site].items() if name != product}
    with (
        pytest.raises(EndpointsError, match=f"^the endpoints document has no {product} at the {site}$"),
        open_sites(document),
    ):
        pass
