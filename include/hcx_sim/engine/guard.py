"""A stepped clock for participants that start each other, such as the tasks of an orchestrator.

When a task has left, the tasks behind it are not there yet: were time to move now, the orchestrator's own latency
would decide what happens at which instant. So a guarded clock is *unsettled* at first and whenever somebody joins
or leaves. Unsettled, nobody is woken and time stands. Once everybody waits, whoever would be woken first is asked
instead whether anybody else is on its way; somebody who knows says who takes part (:meth:`GuardedWaiters.settle`).
The *epoch* counts how often the clock became unsettled, so that an answer to an older question is not taken.

A participant that died neither waits nor leaves. When nothing has happened for ``ask_again_seconds`` of wall time,
the question is asked anyway, of whoever waits: settling without the dead name drops it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from hcx_sim.engine.clock import VirtualClock
from hcx_sim.engine.waiters import Wait, Waiters, Woken

ASK_AGAIN_SECONDS = 10.0


class SettleError(ValueError):
    """The clock cannot be settled as asked; ``hint`` says what to do instead."""

    def __init__(self, error: str, hint: str) -> None:
        """Keep both texts."""
        super().__init__(error)
        self.hint = hint


class GuardedWaiters(Waiters):
    """Waiters of a world whose time also stands while it is unsettled; ``ask_again_seconds`` are wall time."""

    def __init__(
        self, clock: VirtualClock, advance: Callable[[int], None], ask_again_seconds: float = ASK_AGAIN_SECONDS
    ) -> None:
        """Start unsettled, with no participant."""
        super().__init__(clock, advance)
        self._ask_again_seconds = ask_again_seconds
        self._asked: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.settled = False
        self.epoch = 1

    @property
    def asked(self) -> list[str]:
        """Who was asked and has not waited again since, sorted; for settling they count as waiting."""
        return sorted(self._asked)

    def register(self, name: str) -> None:
        """Add a participant, which unsettles the clock; adding it again changes nothing."""
        if name not in self._registered:
            self._unsettle()
        super().register(name)

    def unregister(self, name: str) -> None:
        """Remove a participant, which unsettles the clock, and end its wait; unknown names are ignored."""
        if name in self._registered:
            self._unsettle()
        self._asked.discard(name)
        super().unregister(name)

    def settle(self, epoch: int, live: Collection[str]) -> list[str]:
        """Let time move again: ``live`` take part and nobody is on its way; return the names dropped, sorted.

        Raises :class:`SettleError`, with nothing changed, when the question of ``epoch`` is no longer open or
        one of ``live`` does not wait.
        """
        hint = "wait again; the question is asked anew when it is open"
        if epoch != self.epoch:
            raise SettleError(f"the epoch is {self.epoch}, not {epoch}", hint)
        if self.settled:
            raise SettleError(f"epoch {epoch} is settled already", hint)
        if busy := sorted(set(live) - self._waiting.keys() - self._asked):
            raise SettleError(f"not waiting: {', '.join(map(repr, busy))}", "look again once they wait")
        dropped = sorted(self._registered - set(live))
        for name in dropped:
            self._registered.discard(name)
            self._asked.discard(name)
            self._drop_wait(name)
        self.settled = True
        self._watch()
        self._move()
        return dropped

    def _unsettle(self) -> None:
        self.settled = False
        self.epoch += 1
        self._watch()

    def _make_room(self, name: str) -> None:
        """Let a newer wait of a name take the older one's place: its client is the one that is still there."""
        self._asked.discard(name)
        self._drop_wait(name)

    def _move(self, only_due: bool = False) -> None:
        if self._timer is None:
            self._watch()
        if self.settled:
            super()._move(only_due)
        elif not only_due and len(self._waiting) == len(self._registered):
            self._ask()

    def _answer(self, name: str, wait: Wait, woken: Woken) -> None:
        super()._answer(name, wait, woken)
        self._watch()

    def _ask(self) -> None:
        if not self._waiting or any(wait.future.done() for wait in self._waiting.values()):
            return
        name, wait = self._first()
        self._asked.add(name)
        self._answer(name, wait, Woken(self._clock.now_us(), reached=False, epoch=self.epoch))

    def _watch(self) -> None:
        """Start to measure anew how long nothing happens."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._ask_again_seconds, self._ask_anyway)

    def _ask_anyway(self) -> None:
        self._timer = None
        if self.settled and self._waiting:
            self._unsettle()
        self._ask()
