"""A scripted vCenter and clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.clients.vsphere import VsphereClient
from support.scripted_vcenter import PASSWORD, USERNAME, ScriptedVcenter, running_vcenter


class FakeTime:
    """A clock that moves only by sleeping, or when told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def vcenter() -> Iterator[ScriptedVcenter]:
    with running_vcenter() as book:
        yield book


@pytest.fixture
def make_client(fake_time: FakeTime) -> Iterator[Callable[..., VsphereClient]]:
    made: list[VsphereClient] = []

    def make(url: str, *, password: str = PASSWORD, **options: Any) -> VsphereClient:
        options.setdefault("settings", TransportSettings())
        ambient = Ambient(clock=fake_time.clock, sleep=fake_time.sleep)
        client = VsphereClient(url, USERNAME, password, ambient=ambient, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(vcenter: ScriptedVcenter, make_client: Callable[..., VsphereClient]) -> VsphereClient:
    return make_client(vcenter.url)
