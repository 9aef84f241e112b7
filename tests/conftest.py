"""Fixtures for all tests. Imports happen inside, so that one broken package does not stop the tests of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.site_pair import SitePair, SiteServer


def pytest_configure(config: pytest.Config) -> None:
    """Give every test a limit that ends it; see :mod:`support.time_limits`."""
    from support.time_limits import TimeLimits

    config.pluginmanager.register(TimeLimits(), "time limits")


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


@pytest.fixture(scope="session")
def probe_server() -> Iterator[SiteServer]:
    """A server whose products are all probes; see :mod:`support.probe_product`."""
    from support.probe_product import probe_products
    from support.site_pair import SiteServer

    server = SiteServer(served=probe_products())
    yield server
    server.stop()


@pytest.fixture
def probe_pair(probe_server: SiteServer, request: pytest.FixtureRequest) -> Iterator[SitePair]:
    """A world of probes of this test's own."""
    marker = request.node.get_closest_marker("world")
    pair = probe_server.make_world(**(marker.kwargs if marker else {}))
    yield pair
    probe_server.drop(pair)


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Callable[[], Any]]]:
    """Starts a blocking call in a thread; what it returns waits for the call's result or raises its error."""
    from support.threads import LET_GO_SECONDS, Threads

    threads = Threads()

    def start(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[], Any]:
        return threads.submit(function, *args, **kwargs).result

    yield start
    # A failed test may leave calls that wait for a world; they end with it.
    threads.join(LET_GO_SECONDS)
