"""The clients of a test's world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_waves.clients.bundle import SiteClients
from support.site_pair import SitePair
from support.waves import opened


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    with opened(site_pair) as sites:
        yield sites
