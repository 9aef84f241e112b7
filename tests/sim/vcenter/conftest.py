"""A real pyVmomi client, over TLS with verification on, against the simulated vCenters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pyVim.connect import Disconnect

from support.pyvmomi_client import Client, log_in
from support.site_pair import SitePair

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
def background() -> Iterator[ThreadPoolExecutor]:
    """A thread for calls that wait."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool
