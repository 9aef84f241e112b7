"""A scripted server, injected time, and a throw-away authority."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.certificates import Authority, make_authority
from support.scripted_server import FakeTime, ScriptedServer, running_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server without TLS."""
    with running_server() as running:
        yield running


@pytest.fixture
def time() -> FakeTime:
    """Time that moves only when somebody sleeps."""
    return FakeTime()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of the TLS servers."""
    return make_authority(tmp_path_factory.mktemp("right"))


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signed nothing in use."""
    return make_authority(tmp_path_factory.mktemp("wrong"))
