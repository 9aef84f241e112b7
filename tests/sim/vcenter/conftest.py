"""A real pyVmomi client, over TLS with verification on, against the simulated vCenters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyVim.connect import Disconnect

from support.pyvmomi_client import Client, log_in
from support.site_pair import SitePair
from support.threads import LET_GO_SECONDS, Threads

Connect = Callable[..., Any]


@pytest.fixture
def connect(site_pair: SitePair) -> Iterator[Connect]:
    """``connect(site="source", user=, password=)``: a logged-in service instance."""
    made: list[Any] = []

    def open_session(site: str = "source", user: str | None = None, password: str | None = None) -> Any:
        service = log_in(site_pair, site, user, password)
        made.append(service)
        return service

    yield open_session
    for service in made:
        Disconnect(service)


@pytest.fixture
def service(connect: Connect) -> Any:
    """A session at the source."""
    return connect()


@pytest.fixture
def client(site_pair: SitePair, service: Any) -> Client:
    """A session at the source with short forms."""
    return Client(site_pair, service)


@pytest.fixture
def background() -> Iterator[Threads]:
    """Threads for calls that wait."""
    threads = Threads()
    yield threads
    # A failed test may leave calls that wait for a change; they end with their world.
    threads.join(LET_GO_SECONDS)
