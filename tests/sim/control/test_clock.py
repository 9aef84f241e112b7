"""Time by the control API, and the participants of a stepped clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.site_pair import SitePair
from support.waiting import wait_until

START = "2026-01-05T08:00:00.000Z"


def _plan(pair: SitePair, *after_seconds: float) -> list[tuple[float, str]]:
    """Schedule events; what they note is (seconds since the start, name)."""
    happened: list[tuple[float, str]] = []

    def plan() -> None:
        world = pair.world
        began = world.now_us
        world.engine.on("test.at", lambda which: happened.append(((world.now_us - began) / 1e6, which)))
        for number, after in enumerate(after_seconds):
            world.engine.schedule(after, "test.at", f"e{number}", which=f"e{number}")

    pair.run(plan)
    return happened


def test_a_paused_clock_is_advanced_and_every_event_has_its_own_instant(control: Any, probe_pair: SitePair) -> None:
    happened = _plan(probe_pair, 30, 10, 90)
    assert control.get("/clock").json() == {
        "mode": "paused",
        "speed": 1.0,
        "now": START,
        "next_event_at": "2026-01-05T08:00:10.000Z",
    }

    answer = control.post("/clock", {"advance_seconds": 60})

    assert answer.json()["now"] == "2026-01-05T08:01:00.000Z"
    assert happened == [(10, "e1"), (30, "e0")]
    answer = control.post("/clock", {"advance_to": "2026-01-05T09:00:00Z"})
    assert (answer.json()["now"], answer.json()["next_event_at"]) == ("2026-01-05T09:00:00.000Z", None)
    assert happened[-1] == (90, "e2")
    entry = probe_pair.audit("control")[-1]
    assert (entry["subject"], entry["data"]) == ("clock", {"advance_to": "2026-01-05T09:00:00Z"})


def test_changing_the_mode_does_not_make_time_jump(control: Any) -> None:
    control.post("/clock", {"mode": "scaled", "speed": 5})
    answer = control.post("/clock", {"mode": "paused"}).json()

    assert START <= answer["now"] < "2026-01-05T08:05:00.000Z"
    assert answer["speed"] == 5
    assert control.get("/clock").json()["now"] == answer["now"]


def test_switching_to_scaled_sets_events_going(control: Any, probe_pair: SitePair) -> None:
    happened = _plan(probe_pair, 100)

    control.post("/clock", {"mode": "scaled", "speed": 1000})

    assert wait_until(lambda: happened)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"mode": "scaled", "advance_seconds": 1}, 409, "a scaled clock moves by itself and cannot be advanced"),
        ({"advance_to": "2025-01-01T00:00:00Z"}, 409, f"time cannot move back from {START}"),
        ({"advance_seconds": -1}, 422, "body.advance_seconds: Input should be greater than or equal to 0"),
        ({"speed": 0}, 422, "body.speed: Input should be greater than 0"),
        ({"advance_seconds": 1, "advance_to": START}, 422, "body: Value error, give advance_seconds or advance_to"),
        ({"mode": "backwards"}, 422, "body.mode: Input should be 'scaled', 'paused' or 'stepped'"),
    ],
)
def test_impossible_time_is_refused_and_nothing_changes(
    control: Any, body: dict[str, Any], status: int, error: str
) -> None:
    answer = control.post("/clock", body)

    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert control.get("/clock").json()["now"] == START
    assert control.get("/clock").json()["mode"] == "paused"


@pytest.mark.world(mode="stepped")
def test_time_moves_when_every_waiter_waits_and_wakes_one_at_a_time(
    control: Any, probe_pair: SitePair, in_thread: Callable[..., Callable[[], Any]]
) -> None:
    happened = _plan(probe_pair, 5)
    for name in ("b", "a"):
        control.post("/waiters", {"name": name})
    first = in_thread(control.post, "/waiters/b/wait", {"seconds": 10})
    wait_until(lambda: control.get("/waiters").json()["waiting"])
    assert control.get("/clock").json()["now"] == START
    assert happened == []

    second = in_thread(control.post, "/waiters/a/wait", {"seconds": 10})

    assert second().json() == {"now": "2026-01-05T08:00:10.000Z", "reached": True}
    assert happened == [(5, "e0")]
    assert control.get("/waiters").json() == {
        "registered": ["a", "b"],
        "waiting": {"b": "2026-01-05T08:00:10.000Z"},
    }
    control.delete("/waiters/a")
    assert first().json() == {"now": "2026-01-05T08:00:10.000Z", "reached": True}


@pytest.mark.world(mode="stepped")
def test_a_waiter_that_hangs_up_neither_waits_nor_moves_time(
    control: Any, probe_pair: SitePair, in_thread: Callable[..., Callable[[], Any]]
) -> None:
    for name in ("a", "b"):
        control.post("/waiters", {"name": name})
    control.hang_up("/waiters/a/wait", {"seconds": 10}, lambda: control.get("/waiters").json()["waiting"])
    wait_until(lambda: not control.get("/waiters").json()["waiting"])

    waiting = in_thread(control.post, "/waiters/b/wait", {"seconds": 1})
    wait_until(lambda: control.get("/waiters").json()["waiting"])

    assert control.get("/clock").json()["now"] == START
    control.delete("/waiters/a")
    assert waiting().status_code == 200


@pytest.mark.world(mode="stepped")
@pytest.mark.parametrize("how", ["unregister", "reset"])
def test_a_wait_that_cannot_end_says_so(control: Any, in_thread: Callable[..., Callable[[], Any]], how: str) -> None:
    for name in ("a", "b"):
        control.post("/waiters", {"name": name})
    waiting = in_thread(control.post, "/waiters/a/wait", {"until": "2026-01-05T09:00:00Z"})
    wait_until(lambda: control.get("/waiters").json()["waiting"])

    if how == "reset":
        control.post("/reset")
    else:
        control.delete("/waiters/a")

    answer = waiting()
    assert answer.status_code == 410
    assert answer.json()["error"] == "the wait of 'a' ended without its instant"


@pytest.mark.world(mode="stepped")
def test_moving_time_by_hand_wakes_those_whose_instant_has_come(
    control: Any, in_thread: Callable[..., Callable[[], Any]]
) -> None:
    for name in ("a", "b"):
        control.post("/waiters", {"name": name})
    waiting = in_thread(control.post, "/waiters/a/wait", {"seconds": 30})
    wait_until(lambda: control.get("/waiters").json()["waiting"])

    control.post("/clock", {"advance_seconds": 40})

    assert waiting().json() == {"now": "2026-01-05T08:00:40.000Z", "reached": True}


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/waiters/nobody/wait", {"seconds": 1}, 404, "no waiter 'nobody'"),
        ("/waiters/a/wait", {"seconds": 1}, 409, "waiting needs a stepped clock"),
        ("/waiters/a/wait", {}, 422, "body: Value error, give seconds or until"),
        ("/waiters", {"name": ""}, 422, "body.name: String should have at least 1 character"),
    ],
)
def test_waits_that_cannot_be_are_refused(
    control: Any, path: str, body: dict[str, Any], status: int, error: str
) -> None:
    control.post("/waiters", {"name": "a"})

    answer = control.post(path, body)

    assert answer.status_code == status
    assert answer.json()["error"] == error
