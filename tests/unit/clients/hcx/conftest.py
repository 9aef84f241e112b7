"""A client of an HCX manager."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_waves.clients.hcx import HcxClient
from support.hcx_answers import API, LOGIN, PASSWORD
from support.scripted_server import FakeTime, ScriptedServer


@pytest.fixture
def server(server: ScriptedServer) -> ScriptedServer:
    """A manager that lets the user in."""
    server.on("POST", f"{API}/sessions", LOGIN)
    return server


@pytest.fixture
def client(server: ScriptedServer, time: FakeTime) -> Iterator[HcxClient]:
    """A client of it."""
    with HcxClient(server.url, "admin@vsphere.local", PASSWORD, ambient=time.ambient(), version="4.11.3") as client:
        yield client
