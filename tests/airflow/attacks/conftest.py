"""A real Airflow for each auth manager, with simulated sites, and a run to attack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.attack_stack import OUTSIDER, STARTER, AttackStack, AuthManager
from support.siege import Siege

_SPEED = 240.0


@pytest.fixture(scope="session", params=list(AuthManager))
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackStack]:
    """One stack for all attacks with an auth manager."""
    with AttackStack(tmp_path_factory.mktemp("attacked"), request.param, _SPEED) as running:
        running.await_waves()
        yield running


@pytest.fixture
def siege(stack: AttackStack) -> Siege:
    """Fresh sites."""
    return Siege(stack)


@pytest.fixture(params=[STARTER, OUTSIDER])
def who(request: pytest.FixtureRequest) -> str:
    """The attacker: whoever has started the run, or somebody else."""
    return str(request.param)
