"""The seed wave right before its cutover."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_waves.clients.bundle import SiteClients
from support.cuts import FOUR, SEED, Cut
from support.procedures import Planner, move, sites_of
from support.site_pair import SitePair


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


@pytest.fixture
def moved(site_pair: SitePair, clients: SiteClients) -> Cut:
    """The seed wave with all VMs at the destination, and NSX done with releasing their ports."""
    plan = Planner(clients).plan(site_pair, FOUR, [SEED])
    assert move(site_pair, clients, plan).migrated == FOUR
    site_pair.advance(60)
    return Cut(site_pair, clients, plan, SEED)
