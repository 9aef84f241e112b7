"""Fixtures for all tests. Imports happen inside, so that one broken package does not stop the tests of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.site_pair import SitePair, SiteServer


@pytest.fixture(scope="session")
def site_server() -> Iterator[SiteServer]:
    """The shared simulator; see :mod:`support.site_pair`."""
    from support.site_pair import SiteServer

    server = SiteServer()
    yield server
    server.stop()


@pytest.fixture
def site_pair(site_server: SiteServer, request: pytest.FixtureRequest) -> Iterator[SitePair]:
    """A world of this test's own; see :mod:`support.site_pair`."""
    marker = request.node.get_closest_marker("world")
    pair = site_server.make_world(**(marker.kwargs if marker else {}))
    yield pair
    try:
        pair.assert_no_bugs()
    finally:
        site_server.drop(pair)
