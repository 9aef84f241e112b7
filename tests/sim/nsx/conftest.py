"""Managers of the test's world."""

from __future__ import annotations

import pytest

from support.nsx_wire import Manager
from support.site_pair import SitePair


@pytest.fixture
def source_nsx(site_pair: SitePair) -> Manager:
    """The source's manager."""
    return Manager(site_pair, "source")


@pytest.fixture
def destination_nsx(site_pair: SitePair) -> Manager:
    """The destination's manager."""
    return Manager(site_pair, "destination")
