"""The stepped clock's waiters: time moves when everybody who takes part is waiting, and wakes one at a time.

Waking strictly one waiter (earliest wanted instant first, then by name) and moving no further until it waits
again makes a run repeatable however the machine schedules the participants. Where participants start each other
(:mod:`hcx_sim.engine.guard`) time also needs to know that nobody is on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hcx_sim.engine.clock import ClockMode, VirtualClock


@dataclass(frozen=True, slots=True)
class Woken:
    """How a wait ended: at ``now_us``, the instant ``reached`` or with the question of ``epoch`` instead."""

    now_us: int
    reached: bool = True
    epoch: int | None = None


@dataclass(slots=True, eq=False)
class Wait:
    """One open wait."""

    until_us: int
    future: asyncio.Future[Woken]

    def cancel(self) -> None:
        """End it without an answer."""
        if not self.future.done():
            self.future.cancel()


class Waiters:
    """Participants of a stepped world.

    ``advance`` moves the world to an instant (clock and events); it is called when every registered
    participant waits.
    """

    def __init__(self, clock: VirtualClock, advance: Callable[[int], None]) -> None:
        """Start with no participant."""
        self._clock = clock
        self._advance = advance
        self._registered: set[str] = set()
        self._waiting: dict[str, Wait] = {}

    @property
    def registered(self) -> list[str]:
        """Names of the participants, sorted."""
        return sorted(self._registered)

    @property
    def waiting(self) -> dict[str, int]:
        """Who waits, and until which instant in microseconds."""
        return {name: self._waiting[name].until_us for name in sorted(self._waiting)}

    def register(self, name: str) -> None:
        """Add a participant; adding it again changes nothing."""
        self._registered.add(name)

    def unregister(self, name: str) -> None:
        """Remove a participant, end its wait, and move time if all others wait; unknown names are ignored."""
        self._registered.discard(name)
        self._drop_wait(name)
        self._move()

    async def wait(self, name: str, until_us: int) -> Woken:
        """Wait as ``name`` until the virtual instant ``until_us``; return the instant reached.

        Raises :class:`KeyError` for a name that is not registered and :class:`ValueError` when the clock is
        not stepped or when the same name waits already.
        """
        if name not in self._registered:
            raise KeyError(name)
        if self._clock.mode is not ClockMode.STEPPED:
            raise ValueError("waiting needs a stepped clock")
        self._make_room(name)
        wait = Wait(max(until_us, self._clock.now_us()), asyncio.get_running_loop().create_future())
        self._waiting[name] = wait
        try:
            self._move()
            return await wait.future
        finally:
            if self._waiting.get(name) is wait:
                self._drop_wait(name)

    def release_due(self) -> None:
        """Wake the next waiter whose instant has come, after time was moved by hand."""
        self._move(only_due=True)

    def _make_room(self, name: str) -> None:
        if name in self._waiting:
            raise ValueError(f"{name!r} waits already")

    def _drop_wait(self, name: str) -> None:
        wait = self._waiting.pop(name, None)
        if wait is not None:
            wait.cancel()

    def _first(self) -> tuple[str, Wait]:
        """Return who would be woken first; somebody must wait."""
        return min(self._waiting.items(), key=lambda item: (item[1].until_us, item[0]))

    def _answer(self, name: str, wait: Wait, woken: Woken) -> None:
        del self._waiting[name]
        wait.future.set_result(woken)

    def _move(self, only_due: bool = False) -> None:
        if not self._waiting or any(wait.future.done() for wait in self._waiting.values()):
            return
        name, wait = self._first()
        due = wait.until_us <= self._clock.now_us()
        if not due and (only_due or self._clock.mode is not ClockMode.STEPPED):
            return
        if not only_due and len(self._waiting) < len(self._registered):
            return
        if not due:
            self._advance(wait.until_us)
        self._answer(name, wait, Woken(self._clock.now_us()))
