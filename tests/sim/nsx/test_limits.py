"""Checklist: 429 by rate and by concurrency, 503 overall. Limits count wall time, so these tests do not move time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.nsx_wire import FIXED, Manager, refused, world_of
from support.site_pair import SitePair

SLOW_SECONDS = 1.0


@world_of(requests_per_second=5)
def test_too_many_requests_per_second_are_429(source_nsx: Manager, destination_nsx: Manager) -> None:
    answers = [source_nsx.get(FIXED) for _ in range(6)]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    body = refused(answers[5], 429, 102)
    assert body["error_message"] == "Client 'admin' exceeded request rate of 5 per second."
    assert "Retry-After" not in answers[5].headers
    assert destination_nsx.get(FIXED).status_code == 200, "each manager counts for itself"


@world_of(requests_per_second=3)
def test_a_refused_log_in_counts_against_the_address(source_nsx: Manager, site_pair: SitePair) -> None:
    form = {"j_username": "admin", "j_password": "wrong"}
    url = source_nsx.url("/api/session/create")
    codes = [site_pair.http().post(url, data=form, timeout=10).status_code for _ in range(4)]
    assert codes == [403, 403, 403, 429]
    assert source_nsx.get(FIXED).status_code == 200, "the user has a budget of its own"


def _at_once(nsx: Manager, clients: int) -> list[requests.Response]:
    """Occupy the manager with slow calls until ``clients`` are being served; return all answers."""

    def call(_number: int) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.auth, session.verify = nsx.http.auth, nsx.http.verify
            return session.get(nsx.url(FIXED), timeout=10)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(call, range(clients)))


@world_of(requests_per_second=None, concurrent_per_client=3)
def test_too_many_requests_at_once_of_one_client_are_429(source_nsx: Manager, site_pair: SitePair) -> None:
    site_pair.fault(product="nsx", call="fixed_segments.list", behaviour="slow", seconds=SLOW_SECONDS)
    answers = _at_once(source_nsx, 5)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 429, 429]
    late = next(answer for answer in answers if answer.status_code == 429)
    assert refused(late, 429)["error_message"].startswith("Client 'admin' exceeded")


@world_of(requests_per_second=None, concurrent_overall=3)
def test_too_many_requests_at_once_overall_are_503(source_nsx: Manager, site_pair: SitePair) -> None:
    site_pair.fault(product="nsx", call="fixed_segments.list", behaviour="slow", seconds=SLOW_SECONDS)
    answers = _at_once(source_nsx, 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503]
    refused(next(answer for answer in answers if answer.status_code == 503), 503)
    site_pair.run(site_pair.world.faults.clear)
    assert source_nsx.get(FIXED).status_code == 200, "places are free again"


@pytest.mark.world(mode="stepped", scenario={"name": "x", "settings": {"nsx": {"requests_per_second": 1}}})
def test_a_stepped_clock_has_no_limits(source_nsx: Manager) -> None:
    assert [source_nsx.get(FIXED).status_code for _ in range(3)] == [200, 200, 200]
