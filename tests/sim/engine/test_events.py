"""The engine: every event at its own instant, ties by name, causes known."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock, seconds
from hcx_sim.engine.events import Engine


@pytest.fixture
def engine() -> Engine:
    return Engine(VirtualClock(0, ClockMode.PAUSED))


def _run(engine: Engine, to_seconds: float) -> int:
    engine.clock.advance_to(seconds(to_seconds))
    return engine.run_until(engine.clock.now_us())


@pytest.mark.parametrize("order", range(5))
def test_ties_are_ordered_by_name_whatever_the_order_of_arrival(engine: Engine, order: int) -> None:
    happened: list[str] = []
    engine.on("note", lambda who: happened.append(who))
    names = ["vm-b", "vm-a", "vm-d", "vm-c"]
    random.Random(order).shuffle(names)  # noqa: S311 - not a secret
    for name in names:
        engine.schedule(10, "note", name, who=name)

    _run(engine, 10)

    assert happened == ["vm-a", "vm-b", "vm-c", "vm-d"]


def test_each_event_sees_its_own_instant_although_time_moves_in_one_step(engine: Engine) -> None:
    seen: list[int] = []
    engine.on("look", lambda: seen.append(engine.now_us))
    for after in (30, 10, 20.5):
        engine.schedule(after, "look", "x")

    assert _run(engine, 3600) == 3

    assert seen == [seconds(10), seconds(20.5), seconds(30)]
    assert engine.now_us == seconds(3600)


def test_an_event_may_cause_others_within_the_same_step(engine: Engine) -> None:
    seen: list[float] = []

    def tick(left: int) -> None:
        seen.append(engine.now_us / 1e6)
        if left:
            engine.schedule(5, "tick", "t", left=left - 1)

    engine.on("tick", tick)
    engine.schedule(1, "tick", "t", left=3)

    _run(engine, 100)

    assert seen == [1, 6, 11, 16]


def test_what_is_cancelled_does_not_happen(engine: Engine) -> None:
    happened: list[str] = []
    engine.on("note", lambda who: happened.append(who))
    kept = engine.schedule(5, "note", "kept", who="kept")
    dropped = engine.schedule(4, "note", "dropped", who="dropped")
    Engine.cancel(dropped)
    Engine.cancel(None)

    assert engine.pending() == 1
    assert engine.next_at_us() == kept.at_us
    assert [event.name for event in engine.scheduled()] == ["kept"]
    _run(engine, 10)
    Engine.cancel(kept)
    assert happened == ["kept"]
    assert engine.next_at_us() is None


def test_the_past_means_now(engine: Engine) -> None:
    engine.on("note", lambda: None)
    _run(engine, 50)

    assert engine.schedule_at(seconds(10), "note", "a").at_us == seconds(50)
    assert engine.schedule(-3, "note", "b").at_us == seconds(50)


def test_every_event_runs_inside_its_cause(engine: Engine) -> None:
    causes: list[str] = []

    @contextmanager
    def around(cause: str) -> Iterator[None]:
        causes.append(f"begin {cause}")
        yield
        causes.append("end")

    engine.around = around
    engine.on("rav.done", lambda: causes.append("run"))
    engine.schedule(1, "rav.done", "vm-1")

    _run(engine, 1)

    assert causes == ["begin event:rav.done:vm-1", "run", "end"]


def test_kinds_are_known_and_have_one_handler(engine: Engine) -> None:
    engine.on("a", lambda: None)

    with pytest.raises(ValueError, match="event kind 'a' has a handler already"):
        engine.on("a", lambda: None)
    with pytest.raises(ValueError, match="no handler for event kind 'b'"):
        engine.schedule(1, "b", "x")


def test_an_event_that_fails_is_gone_and_the_next_one_runs(engine: Engine) -> None:
    happened: list[str] = []

    def fail() -> None:
        raise KeyError("x")

    engine.on("fail", fail)
    engine.on("note", lambda: happened.append("note"))
    engine.schedule(1, "fail", "a")
    engine.schedule(1, "note", "b")

    with pytest.raises(KeyError):
        _run(engine, 5)
    engine.run_until(seconds(5))

    assert happened == ["note"]
