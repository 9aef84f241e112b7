"""Checklist: 429 by rate and by concurrency, 503 overall. Limits count wall time, which these tests hold still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import requests

from hcx_sim.faults.socket import Wire
from hcx_sim.nsx import limits
from hcx_sim.nsx.records import records_of
from support.nsx_wire import FIXED, Manager, refused, world_of
from support.site_pair import SitePair
from support.threads import Threads
from support.waiting import HANG_SECONDS, wait_until

AtOnce = Callable[[Manager, int], list[requests.Response]]


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The wall clock of the limits, which stands: no machine is too slow for a call to be one too many."""
    reading = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: reading[0]))
    return reading


@pytest.fixture
def at_once(site_pair: SitePair, monkeypatch: pytest.MonkeyPatch) -> AtOnce:
    """Occupies a manager with slow calls that are answered once so many are being served; returns all answers."""

    def call_at_once(nsx: Manager, clients: int) -> list[requests.Response]:
        async def hold(_wire: Wire, _seconds: float) -> bool:
            while not released:  # noqa: ASYNC110  (set by another thread)
                await asyncio.sleep(0.005)
            return True

        def call(_number: int) -> requests.Response:
            with requests.Session() as session:
                session.trust_env = False
                session.auth, session.verify = nsx.http.auth, nsx.http.verify
                return session.get(nsx.url(FIXED), timeout=HANG_SECONDS)

        def served() -> int:
            return max((len(one.serving) for one in records_of(site_pair.world).limits.values()), default=0)

        released: list[bool] = []
        monkeypatch.setattr(Wire, "hold", hold)
        site_pair.fault(product="nsx", call="fixed_segments.list", behaviour="slow", seconds=60)
        with Threads("clients", site_pair.let_go) as threads:
            calls = [threads.submit(call, number) for number in range(clients)]
            wait_until(lambda: site_pair.run(served) == clients)
            released.append(True)
            return [one.result() for one in calls]

    return call_at_once


@world_of(requests_per_second=5)
def test_too_many_requests_per_second_are_429(source_nsx: Manager, destination_nsx: Manager, wall: list[float]) -> None:
    answers = [source_nsx.get(FIXED) for _ in range(6)]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    body = refused(answers[5], 429, 102)
    assert body["error_message"] == "Client 'admin' exceeded request rate of 5 per second."
    assert "Retry-After" not in answers[5].headers
    assert destination_nsx.get(FIXED).status_code == 200, "each manager counts for itself"
    wall[0] += 1.0
    assert source_nsx.get(FIXED).status_code == 200, "a second later there is room again"


@world_of(requests_per_second=3)
def test_a_refused_log_in_counts_against_the_address(source_nsx: Manager, site_pair: SitePair) -> None:
    form = {"j_username": "admin", "j_password": "wrong"}
    url = source_nsx.url("/api/session/create")
    codes = [site_pair.http().post(url, data=form, timeout=HANG_SECONDS).status_code for _ in range(4)]
    assert codes == [403, 403, 403, 429]
    assert source_nsx.get(FIXED).status_code == 200, "the user has a budget of its own"


@world_of(requests_per_second=None, concurrent_per_client=3)
def test_too_many_requests_at_once_of_one_client_are_429(source_nsx: Manager, at_once: AtOnce) -> None:
    answers = at_once(source_nsx, 5)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 429, 429]
    late = next(answer for answer in answers if answer.status_code == 429)
    assert refused(late, 429)["error_message"].startswith("Client 'admin' exceeded")


@world_of(requests_per_second=None, concurrent_overall=3)
def test_too_many_requests_at_once_overall_are_503(source_nsx: Manager, site_pair: SitePair, at_once: AtOnce) -> None:
    answers = at_once(source_nsx, 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503]
    refused(next(answer for answer in answers if answer.status_code == 503), 503)
    site_pair.run(site_pair.world.faults.clear)
    assert source_nsx.get(FIXED).status_code == 200, "places are free again"


@pytest.mark.world(mode="stepped", scenario={"name": "x", "settings": {"nsx": {"requests_per_second": 1}}})
def test_a_stepped_clock_has_no_limits(source_nsx: Manager) -> None:
    assert [source_nsx.get(FIXED).status_code for _ in range(3)] == [200, 200, 200]
