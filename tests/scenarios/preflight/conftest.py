"""The clients of a test's world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_waves.clients.bundle import SiteClients
from support.judging import Judge
from support.site_pair import SitePair
from support.waves import opened


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    with opened(site_pair) as sites:
        yield sites


@pytest.fixture
def judge(site_pair: SitePair, clients: SiteClients) -> Judge:
    """The seed wave, planned at this test's world."""
    return Judge(site_pair, clients)
