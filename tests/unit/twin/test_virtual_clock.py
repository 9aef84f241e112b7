"""A participant's clock: time stands while it acts, it answers the world's questions, and it gives up with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_waves.clients.errors import ConflictError, ConnectionFailed, NotFound, VendorFault
from hcx_waves.twin.clock import (
    LOOK_AGAIN_SECONDS,
    STARVED_SECONDS,
    STUCK_SECONDS,
    Busy,
    Quiet,
    TwinStalled,
    TwinWaitEnded,
    VirtualClock,
    Wall,
)
from hcx_waves.twin.control import TwinControl
from hcx_waves.twin.models import ClockReading, Waiters, Woken
from support.site_pair import SitePair
from support.threads import Threads
from support.twins import twin_control

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUIET = Quiet(("a",))
GONE = VendorFault("gone", system="twin", status=410, vendor_message="the wait of 'a' ended without its instant")
UNKNOWN = NotFound("not found", system="twin", status=404, vendor_message="no waiter 'a'")


class Scripted:
    """A control API that answers waits as it is told, and notes what it was asked."""

    base_url = "https://twins"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def clock(self, _world_id: str) -> ClockReading:
        self.asked.append(("clock",))
        return ClockReading(mode="stepped", now=NOON)

    def register(self, _world_id: str, name: str) -> Waiters:
        self.asked.append(("register", name))
        return Waiters()

    def leave(self, _world_id: str, name: str) -> None:
        self.asked.append(("leave", name))
        raise ConnectionFailed("down", system="twin")

    def wait(self, _world_id: str, name: str, until: datetime) -> Woken:
        self.asked.append(("wait", name, (until - NOON).total_seconds()))
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        if answer is True:
            return Woken(reached=True, now=max(until, NOON))
        return Woken(reached=False, now=NOON, epoch=answer)

    def settle(self, _world_id: str, epoch: int, live: Any) -> tuple[str, ...]:
        self.asked.append(("settle", epoch, tuple(live)))
        if epoch < 0:
            raise ConflictError("conflict", system="twin", vendor_message="not waiting: 'b'")
        return ()


class FakeWall:
    """Real time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def wall(self) -> Wall:
        return Wall(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def clock_of(
    control: Scripted, looks: Callable[[], Quiet | Busy] = lambda: QUIET, wall: FakeWall | None = None
) -> VirtualClock:
    as_control: Any = control
    return VirtualClock(as_control, "rh-x", "a", looks, wall=(wall or FakeWall()).wall())


def test_time_stands_between_two_waits_and_nobody_is_asked() -> None:
    control = Scripted()
    clock = clock_of(control)
    clock.join()
    assert control.asked == [("register", "a"), ("clock",), ("wait", "a", 0.0)]
    assert [clock.now() for _ in range(3)] == [NOON] * 3
    clock.sleep(90.5)
    assert clock.now() == NOON + timedelta(seconds=90.5)
    assert control.asked[3:] == [("wait", "a", 90.5)]


def test_a_question_is_answered_and_waited_on() -> None:
    control, wall = Scripted(True, 3), FakeWall()
    clock = clock_of(control, wall=wall)
    clock.join()
    clock.sleep(10)
    assert control.asked[3:] == [("wait", "a", 10.0), ("settle", 3, ("a",)), ("wait", "a", 10.0)]
    assert wall.slept == []


@pytest.mark.parametrize(
    ("answers", "looks"), [((True, 3, 3), [Busy("b is queued"), QUIET]), ((True, -3, 3), [QUIET, QUIET])]
)
def test_it_looks_again_as_long_as_somebody_is_on_its_way(answers: Any, looks: list[Quiet | Busy]) -> None:
    control, wall = Scripted(*answers), FakeWall()
    clock = clock_of(control, lambda: looks.pop(0), wall)
    clock.join()
    clock.sleep(10)
    assert wall.slept == [LOOK_AGAIN_SECONDS]
    assert [one for one in control.asked if one[0] == "wait"][1:] == [("wait", "a", 10.0)] * 3


def test_a_poll_that_was_held_for_long_is_just_made_again() -> None:
    control, wall = Scripted(True, None, None), FakeWall()
    clock = clock_of(control, wall=wall)
    clock.join()
    clock.sleep(10)
    assert (len(control.asked), wall.slept) == (6, [])


@pytest.mark.parametrize(
    ("busy", "limit", "hint"),
    [
        (Busy("b is queued", is_starved=True), STARVED_SECONDS, r"active runs x \(segments \+ 1\)"),
        (Busy("b is up_for_retry"), STUCK_SECONDS, "Look at these tasks in Airflow"),
    ],
)
def test_it_gives_up_when_nothing_changes(busy: Busy, limit: float, hint: str) -> None:
    control, wall = Scripted(True, *[1] * 100_000), FakeWall()
    clock = clock_of(control, lambda: busy, wall)
    clock.join()
    with pytest.raises(TwinStalled, match=f"has not moved for {limit:.0f} s of real time: {busy.who}") as caught:
        clock.sleep(10)
    assert wall.seconds == pytest.approx(limit, abs=1)
    assert caught.match(hint)
    assert not caught.value.is_transient


def test_it_does_not_give_up_as_long_as_something_changes() -> None:
    control, wall = Scripted(True, *[1] * 2000), FakeWall()
    count = iter(range(10_000))
    clock = clock_of(control, lambda: Busy(f"step {next(count) // 100}", is_starved=True), wall)
    clock.join()
    clock.sleep(10)
    assert wall.seconds > 3 * STARVED_SECONDS


@pytest.mark.parametrize("error", [GONE, UNKNOWN])
def test_it_takes_part_anew_when_it_was_dropped(error: Exception) -> None:
    control = Scripted(True, error)
    clock = clock_of(control)
    clock.join()
    clock.sleep(10)
    assert control.asked[3:] == [("wait", "a", 10.0), ("register", "a"), ("wait", "a", 10.0)]


def test_it_does_not_fight_for_its_name_for_ever() -> None:
    clock = clock_of(Scripted(True, *[GONE] * 9))
    clock.join()
    with pytest.raises(TwinWaitEnded, match="a was dropped 4 times while it waited") as caught:
        clock.sleep(10)
    assert "An earlier try of the task may still be running" in str(caught.value)


def test_an_abandoned_wait_ends() -> None:
    clock = clock_of(Scripted(True, None))
    clock.join()
    clock.abandon()
    with pytest.raises(TwinWaitEnded, match="the wait of a has been ended"):
        clock.sleep(10)


def test_other_errors_are_the_callers() -> None:
    clock = clock_of(Scripted(True, NotFound("no world", system="twin", status=404, vendor_message="no world 'rh-x'")))
    clock.join()
    with pytest.raises(NotFound, match="no world"):
        clock.sleep(10)


def test_leaving_never_fails(caplog: pytest.LogCaptureFixture) -> None:
    control = Scripted()
    with clock_of(control).taking_part() as clock:
        pass
    assert control.asked[-1] == ("leave", "a")
    assert "a could not leave world rh-x" in caplog.text
    assert clock.now() == NOON
    with pytest.raises(RuntimeError, match="without taking part"):
        clock.sleep(1)


@pytest.fixture
def guarded(site_server: Any) -> Iterator[SitePair]:
    pair = site_server.make_world(mode="stepped", role="twin", guarded=True, start=NOON)
    yield pair
    site_server.drop(pair)


def test_two_participants_take_turns_at_a_real_world(guarded: SitePair) -> None:
    seen: list[tuple[str, float]] = []

    def act(control: TwinControl, name: str, steps: list[float]) -> None:
        clock = VirtualClock(control, guarded.world_id, name, lambda: Quiet(tuple(sorted(there))))
        with clock.taking_part():
            for step in steps:
                seen.append((name, (clock.now() - NOON).total_seconds()))
                clock.sleep(step)
            there.discard(name)

    there = {"a", "b"}
    with twin_control(guarded) as control, Threads("participants", guarded.let_go) as threads:
        turns = [
            threads.submit(act, control, name, steps)
            for name, steps in (("b", [30.0, 30.0]), ("a", [20.0, 20.0, 20.0]))
        ]
        for turn in turns:
            turn.result()
    assert seen == [("a", 0.0), ("b", 0.0), ("a", 20.0), ("b", 30.0), ("a", 40.0)]
    assert guarded.now == NOON + timedelta(seconds=60)
