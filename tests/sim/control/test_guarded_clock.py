"""A guarded clock over the wire: time stands until somebody has said who takes part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from support.orchestra import Orchestra, Part
from support.site_pair import SitePair
from support.waiting import wait_until

START = "2026-01-05T08:00:00.000Z"
InThread = Callable[..., Callable[[], Any]]

pytestmark = pytest.mark.world(mode="stepped", guarded=True)


def _at(seconds: int) -> str:
    return f"2026-01-05T08:{seconds // 60:02d}:{seconds % 60:02d}.000Z"


def _register(control: Any, *names: str) -> None:
    for name in names:
        assert control.post("/waiters", {"name": name}).status_code == 201


def _wait_in_thread(control: Any, in_thread: InThread, name: str, seconds: float) -> Callable[[], Any]:
    """Start a wait; returns once the world has noted it, or has answered it at once."""
    before = control.get("/waiters").json()
    answer = in_thread(control.post, f"/waiters/{name}/wait", {"seconds": seconds})
    wait_until(lambda: name in control.get("/waiters").json()["waiting"] or control.get("/waiters").json() != before)
    return answer


def _settle(control: Any, epoch: int, *live: str) -> requests.Response:
    answer: requests.Response = control.post("/waiters/settle", {"epoch": epoch, "live": live})
    return answer


def test_a_fresh_world_is_unsettled_and_asks_the_first_to_be_woken(control: Any, in_thread: InThread) -> None:
    _register(control, "b", "a")
    shown = control.get("/waiters").json()
    assert (shown["guarded"], shown["settled"], shown["asked"]) == (True, False, [])
    late = _wait_in_thread(control, in_thread, "a", 20)

    asked = control.post("/waiters/b/wait", {"seconds": 10}).json()

    assert asked == {"reached": False, "now": START, "until": _at(10), "epoch": shown["epoch"]}
    assert control.get("/waiters").json()["asked"] == ["b"]
    settled = _settle(control, asked["epoch"], "a", "b")
    assert settled.json() == {
        "dropped": [],
        "registered": ["a", "b"],
        "waiting": {"a": _at(20)},
        "guarded": True,
        "settled": True,
        "epoch": asked["epoch"],
        "asked": ["b"],
    }
    assert control.get("/clock").json()["now"] == START
    reached = control.post("/waiters/b/wait", {"until": asked["until"]}).json()
    assert reached == {"reached": True, "now": _at(10)}
    last = _wait_in_thread(control, in_thread, "b", 60)
    assert late().json() == {"reached": True, "now": _at(20)}
    control.delete("/waiters/b")
    assert last().status_code == 410


def test_a_settled_waiter_alone_needs_one_call_a_poll(control: Any) -> None:
    _register(control, "a")
    _settle(control, control.post("/waiters/a/wait", {"seconds": 1}).json()["epoch"], "a")

    polls = [control.post("/waiters/a/wait", {"seconds": 60}).json() for _ in range(5)]

    assert polls == [{"reached": True, "now": _at(60 * (n + 1))} for n in range(5)]


def test_the_question_comes_again_while_nobody_settles(control: Any) -> None:
    _register(control, "a")
    asked = [control.post("/waiters/a/wait", {"seconds": 5}).json() for _ in range(3)]

    assert asked == [{"reached": False, "now": START, "until": _at(5), "epoch": 2}] * 3


def test_leaving_unsettles_and_the_one_behind_is_seen_before_time_moves(control: Any, in_thread: InThread) -> None:
    _register(control, "first", "poll")
    polling = _wait_in_thread(control, in_thread, "poll", 60)
    _settle(control, control.post("/waiters/first/wait", {"seconds": 0}).json()["epoch"], "first", "poll")
    assert control.post("/waiters/first/wait", {"seconds": 0}).json()["reached"]

    control.delete("/waiters/first")
    asked = polling().json()
    assert (asked["reached"], asked["now"]) == (False, START)
    again = in_thread(control.post, "/waiters/poll/wait", {"until": asked["until"]})
    assert again().json() == asked  # the orchestrator has queued "second", which is not here yet
    _register(control, "second")
    assert _settle(control, asked["epoch"], "poll").status_code == 409
    waiting = _wait_in_thread(control, in_thread, "poll", 60)
    second = control.post("/waiters/second/wait", {"seconds": 5}).json()
    assert (second["reached"], second["now"]) == (False, START)
    _settle(control, second["epoch"], "poll", "second")

    assert control.post("/waiters/second/wait", {"seconds": 5}).json() == {"reached": True, "now": _at(5)}
    control.delete("/waiters/second")
    assert waiting().json()["now"] == _at(5)


def test_a_stale_epoch_is_refused_and_changes_nothing(control: Any) -> None:
    _register(control, "a")
    asked = control.post("/waiters/a/wait", {"seconds": 5}).json()
    _register(control, "b")
    before = control.get("/waiters").json()

    answer = _settle(control, asked["epoch"], "a")

    assert answer.status_code == 409
    assert answer.json() == {
        "error": f"the epoch is {asked['epoch'] + 1}, not {asked['epoch']}",
        "hint": "wait again; the question is asked anew when it is open",
    }
    assert control.get("/waiters").json() == before


def test_the_same_question_is_answered_once(control: Any) -> None:
    _register(control, "a")
    epoch = control.post("/waiters/a/wait", {"seconds": 5}).json()["epoch"]
    assert _settle(control, epoch, "a").status_code == 200

    again = _settle(control, epoch, "a")

    assert (again.status_code, again.json()["error"]) == (409, f"epoch {epoch} is settled already")


def test_who_does_not_wait_cannot_be_settled_with(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "busy")
    _wait_in_thread(control, in_thread, "a", 5)
    epoch = control.get("/waiters").json()["epoch"]

    answer = _settle(control, epoch, "a", "busy", "unknown")

    assert (answer.status_code, answer.json()["error"]) == (409, "not waiting: 'busy', 'unknown'")
    assert not control.get("/waiters").json()["settled"]
    control.delete("/waiters/a")


def test_settling_drops_the_names_that_died(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "dead", "hangs")
    hanging = _wait_in_thread(control, in_thread, "hangs", 1)
    waiting = _wait_in_thread(control, in_thread, "a", 5)
    epoch = control.get("/waiters").json()["epoch"]

    answer = _settle(control, epoch, "a")

    assert (answer.json()["dropped"], answer.json()["registered"]) == (["dead", "hangs"], ["a"])
    assert waiting().json() == {"reached": True, "now": _at(5)}
    gone = hanging()
    assert (gone.status_code, gone.json()["error"]) == (410, "the wait of 'hangs' ended without its instant")
    assert control.post("/waiters/dead/wait", {"seconds": 1}).status_code == 404


def test_a_waiter_due_at_this_very_instant_is_not_woken_while_unsettled(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "b", "c")
    waits = [_wait_in_thread(control, in_thread, name, 10) for name in "bc"]
    _settle(control, control.post("/waiters/a/wait", {"seconds": 10}).json()["epoch"], *"abc")
    assert control.post("/waiters/a/wait", {"seconds": 10}).json() == {"reached": True, "now": _at(10)}

    control.delete("/waiters/a")  # b and c are due at this instant, too

    asked = waits[0]().json()
    assert (asked["reached"], asked["now"]) == (False, _at(10))
    assert control.get("/waiters").json()["waiting"] == {"c": _at(10)}
    _settle(control, asked["epoch"], "b", "c")
    assert control.post("/waiters/b/wait", {"seconds": 0}).json() == {"reached": True, "now": _at(10)}
    control.delete("/waiters/b")
    assert waits[1]().json()["reached"] is False


def test_time_moved_by_hand_wakes_nobody_while_unsettled(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "b")
    waiting = _wait_in_thread(control, in_thread, "a", 5)

    control.post("/clock", {"advance_seconds": 10})

    assert control.get("/waiters").json()["waiting"] == {"a": _at(5)}
    _settle(control, control.get("/waiters").json()["epoch"], "a")
    assert waiting().json() == {"reached": True, "now": _at(10)}


def test_a_waiter_that_hangs_up_holds_time_until_it_is_dropped(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "gone")
    control.hang_up("/waiters/gone/wait", {"seconds": 1}, lambda: control.get("/waiters").json()["waiting"])
    wait_until(lambda: not control.get("/waiters").json()["waiting"])
    waiting = _wait_in_thread(control, in_thread, "a", 5)
    epoch = control.get("/waiters").json()["epoch"]
    assert _settle(control, epoch, "a", "gone").json()["error"] == "not waiting: 'gone'"
    assert control.get("/clock").json()["now"] == START

    assert _settle(control, epoch, "a").json()["dropped"] == ["gone"]

    assert waiting().json() == {"reached": True, "now": _at(5)}


@pytest.mark.world(mode="stepped", guarded=True, ask_again_seconds=0.2)
def test_when_somebody_died_busy_the_question_is_asked_anyway(control: Any) -> None:
    _register(control, "a")
    epoch = control.post("/waiters/a/wait", {"seconds": 1}).json()["epoch"]
    _settle(control, epoch, "a")
    _register(control, "dead")
    asked = control.post("/waiters/a/wait", {"seconds": 5}).json()
    assert (asked["reached"], asked["now"]) == (False, START)

    assert _settle(control, asked["epoch"], "a").json()["dropped"] == ["dead"]
    assert control.post("/waiters/a/wait", {"seconds": 5}).json() == {"reached": True, "now": _at(5)}


@pytest.mark.world(mode="stepped", guarded=True, ask_again_seconds=0.2)
def test_when_the_one_that_was_asked_dies_the_next_is_asked(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "b")
    other = _wait_in_thread(control, in_thread, "b", 20)
    assert control.post("/waiters/a/wait", {"seconds": 1}).json()["reached"] is False

    asked = other().json()

    assert (asked["reached"], asked["now"], control.get("/waiters").json()["asked"]) == (False, START, ["a", "b"])
    assert _settle(control, asked["epoch"], "b").json()["dropped"] == ["a"]
    assert control.post("/waiters/b/wait", {"seconds": 20}).json()["now"] == _at(20)


@pytest.mark.world(mode="stepped", guarded=True, ask_again_seconds=0.2)
def test_when_somebody_dies_in_a_settled_world_it_is_asked_again(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "b")
    waiting = _wait_in_thread(control, in_thread, "b", 20)
    epoch = control.post("/waiters/a/wait", {"seconds": 1}).json()["epoch"]
    _settle(control, epoch, "a", "b")
    assert control.post("/waiters/a/wait", {"seconds": 1}).json()["reached"]  # and "a" dies now

    asked = waiting().json()

    assert asked == {"reached": False, "now": _at(1), "until": _at(20), "epoch": epoch + 1}
    assert _settle(control, epoch + 1, "b").json()["dropped"] == ["a"]


def test_a_newer_wait_of_a_name_takes_the_place_of_the_older(control: Any, in_thread: InThread) -> None:
    _register(control, "a", "b")
    older = _wait_in_thread(control, in_thread, "a", 5)

    newer = in_thread(control.post, "/waiters/a/wait", {"seconds": 7})

    assert older().status_code == 410
    asked = control.post("/waiters/b/wait", {"seconds": 1}).json()
    _settle(control, asked["epoch"], "a", "b")
    control.post("/waiters/b/wait", {"seconds": 1})
    control.delete("/waiters/b")
    assert newer().json()["until"] == _at(7)


def test_a_wait_is_held_no_longer_than_asked_for(control: Any) -> None:
    _register(control, "a", "b")

    answer = control.post("/waiters/a/wait", {"seconds": 5, "hold_seconds": 0.05})

    assert answer.json() == {"reached": False, "now": START, "until": _at(5), "epoch": None}
    assert control.get("/waiters").json()["waiting"] == {}


DIAMOND = {
    "poll": Part(steps=[30] * 4),
    "a": Part(steps=[10, 20]),
    "b": Part(after=["a"], steps=[0, 30]),
    "c": Part(after=["a"], steps=[0, 30, 5]),
    "d": Part(after=["b", "c"], steps=[25]),
}


@pytest.mark.parametrize("disorder", range(5))
def test_a_racing_orchestrator_leaves_no_trace_in_the_history(probe_pair: SitePair, disorder: int) -> None:
    assert Orchestra(probe_pair, DIAMOND, disorder).play() == [
        ("a", _at(10)),
        ("a", _at(30)),
        ("b", _at(30)),
        ("c", _at(30)),
        ("poll", _at(30)),
        ("b", _at(60)),
        ("c", _at(60)),
        ("poll", _at(60)),
        ("c", _at(65)),
        ("d", _at(90)),
        ("poll", _at(90)),
        ("poll", _at(120)),
    ]


@pytest.mark.world(mode="stepped")
def test_an_unguarded_world_cannot_be_settled(control: Any) -> None:
    answer = _settle(control, 1)

    assert (answer.status_code, answer.json()["error"]) == (409, "this world's clock is not guarded")
