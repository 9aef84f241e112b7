"""A stepped clock's participants: repeatable however the machine schedules them."""

from __future__ import annotations

import asyncio
import random

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock, seconds
from hcx_sim.engine.events import Engine
from hcx_sim.engine.waiters import Waiters, Woken


class _Story:
    """Participants that do a number of steps, each of a length of their own, and log when they wake."""

    def __init__(self, disorder: int | None = None) -> None:
        self.clock = VirtualClock(0, ClockMode.STEPPED)
        self.engine = Engine(self.clock)
        self.waiters = Waiters(self.clock, self._advance)
        self.log: list[tuple[str, float]] = []
        self._disorder = random.Random(disorder) if disorder is not None else None  # noqa: S311 - not a secret

    def _advance(self, to_us: int) -> None:
        self.clock.advance_to(to_us)
        self.engine.run_until(to_us)

    async def take_part(self, name: str, steps: list[float]) -> None:
        for step in steps:
            reached = await self.waiters.wait(name, self.clock.now_us() + seconds(step))
            self.log.append((name, reached.now_us / 1e6))
            if self._disorder is not None:
                for _ in range(self._disorder.randrange(6)):
                    await asyncio.sleep(0)
        self.waiters.unregister(name)

    async def play(self, parts: dict[str, list[float]]) -> list[tuple[str, float]]:
        names = list(parts)
        if self._disorder is not None:
            self._disorder.shuffle(names)
        for name in names:
            self.waiters.register(name)
        await asyncio.gather(*(self.take_part(name, parts[name]) for name in names))
        return self.log


PARTS: dict[str, list[float]] = {"c": [2, 2, 2], "a": [2, 4], "b": [3, 3]}


def test_waiters_wake_by_instant_and_then_by_name() -> None:
    log = asyncio.run(_Story().play(PARTS))

    assert log == [("a", 2), ("c", 2), ("b", 3), ("c", 4), ("a", 6), ("b", 6), ("c", 6)]


@pytest.mark.parametrize("disorder", range(10))
def test_the_order_does_not_depend_on_who_is_scheduled_first(disorder: int) -> None:
    assert asyncio.run(_Story(disorder).play(PARTS)) == asyncio.run(_Story().play(PARTS))


def test_only_one_waiter_runs_at_a_time() -> None:
    async def story() -> None:
        it = _Story()
        running: list[str] = []
        most = 0

        async def part(name: str) -> None:
            nonlocal most
            for _ in range(3):
                await it.waiters.wait(name, it.clock.now_us() + seconds(1))
                running.append(name)
                most = max(most, len(running))
                await asyncio.sleep(0)
                running.remove(name)
            it.waiters.unregister(name)

        for name in "abc":
            it.waiters.register(name)
        await asyncio.gather(*(part(name) for name in "abc"))
        assert most == 1

    asyncio.run(story())


def test_events_on_the_way_happen_before_the_waiter_wakes() -> None:
    async def story() -> None:
        it = _Story()
        it.engine.on("note", lambda: it.log.append(("event", it.engine.now_us / 1e6)))
        it.engine.schedule(4, "note", "e")
        it.engine.schedule(6, "note", "f")
        assert await it.play({"a": [5]}) == [("event", 4), ("a", 5)]

    asyncio.run(story())


def test_time_stands_while_anybody_is_busy() -> None:
    async def story() -> None:
        it = _Story()
        it.waiters.register("busy")
        it.waiters.register("a")
        waiting = asyncio.create_task(it.waiters.wait("a", seconds(5)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert it.clock.now_us() == 0
        assert it.waiters.waiting == {"a": seconds(5)}

        it.waiters.unregister("busy")

        assert await waiting == Woken(seconds(5))
        assert it.waiters.registered == ["a"]

    asyncio.run(story())


def test_impossible_waits_are_refused() -> None:
    async def story() -> None:
        it = _Story()
        with pytest.raises(KeyError, match="nobody"):
            await it.waiters.wait("nobody", 1)
        it.waiters.register("a")
        it.waiters.register("b")
        waiting = asyncio.create_task(it.waiters.wait("a", seconds(1)))
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="'a' waits already"):
            await it.waiters.wait("a", seconds(2))
        assert it.waiters.waiting == {"a": seconds(1)}
        waiting.cancel()
        it.clock.set_mode(ClockMode.PAUSED)
        with pytest.raises(ValueError, match="waiting needs a stepped clock"):
            await it.waiters.wait("b", 1)

    asyncio.run(story())


def test_leaving_ends_the_wait_and_moves_time_for_the_others() -> None:
    async def story() -> None:
        it = _Story()
        for name in ("a", "b"):
            it.waiters.register(name)
        waiting = [asyncio.create_task(it.waiters.wait(name, seconds(s))) for name, s in (("a", 9), ("b", 5))]
        it.waiters.unregister("nobody")
        it.waiters.register("c")
        await asyncio.sleep(0)
        it.waiters.unregister("a")
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        it.waiters.unregister("c")
        assert await waiting[1] == Woken(seconds(5))

    asyncio.run(story())
