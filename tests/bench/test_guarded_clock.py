"""What a poll of a rehearsal costs the simulator: one wait of one settled participant."""

from __future__ import annotations

import sys
import time

import pytest

from support.site_pair import SitePair

pytestmark = pytest.mark.bench
POLLS = 500
BUDGET_SECONDS = 0.005


@pytest.mark.world(scenario="three-tier", mode="stepped", guarded=True)
def test_a_settled_wait_costs_the_server_less_than_five_milliseconds(site_pair: SitePair) -> None:
    control = site_pair.endpoints["control"]
    http = site_pair.http()
    http.headers["Authorization"] = f"Bearer {control['token']}"
    waiters = f"{control['url']}/worlds/{site_pair.world_id}/waiters"
    http.post(waiters, json={"name": "poll"})
    asked = http.post(f"{waiters}/poll/wait", json={"seconds": 60}).json()
    http.post(f"{waiters}/settle", json={"epoch": asked["epoch"], "live": ["poll"]})

    began = site_pair.run(time.thread_time)
    reached = [http.post(f"{waiters}/poll/wait", json={"seconds": 60}).json()["reached"] for _ in range(POLLS)]
    took_seconds = (site_pair.run(time.thread_time) - began) / POLLS

    sys.stdout.write(f"\na settled participant's wait: {took_seconds * 1000:.2f} ms of the server's processor\n")
    assert all(reached)
    assert took_seconds < BUDGET_SECONDS
