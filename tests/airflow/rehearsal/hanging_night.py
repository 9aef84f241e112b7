"""A night that hangs, for ``tests/harness/test_time_limits.py``; the suite does not collect it, as its name says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.night_player import NightRun

Rehearse = Callable[..., NightRun]


@pytest.mark.timeout(15)
def test_time_stands(rehearse: Rehearse, site_server: Any) -> None:
    """No question of the clock is ever settled, so the sensor's trigger waits for time that does not move."""

    def stop_time(_run: NightRun) -> None:
        server = site_server.server
        [world_id] = [one for one in server.worlds.ids() if one.startswith("rh-")]
        waiters = server.world(world_id).waiters
        server.run(lambda: setattr(waiters, "settle", lambda *_asked: waiters._unsettle() or []))

    conf = {"reaction_minutes": 4, "forecast": False}
    rehearse(conf=conf, before={"await_migrations": stop_time}).play()


def test_the_next_one(site_server: Any) -> None:
    assert site_server.server.worlds.ids() == ["default"]
