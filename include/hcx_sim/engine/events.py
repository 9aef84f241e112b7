"""The discrete-event engine: what is due happens at its own instant, in an order that is never accidental.

Events are data (kind and payload), their handlers are registered once per kind. Events of the same instant
run in the order of their names, then of their numbers, so that the order of arrival of calls does not matter.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from hcx_sim.engine.clock import VirtualClock, seconds

Handler = Callable[..., None]


@dataclass(order=True, slots=True)
class Event:
    """Something that will happen: ``at_us`` instant, ``name`` for ties, ``kind`` of handler, ``payload`` of it."""

    at_us: int
    name: str
    event_id: int
    kind: str = field(compare=False)
    payload: dict[str, Any] = field(compare=False)
    cancelled: bool = field(compare=False, default=False)


class Engine:
    """Runs events in virtual time.

    ``now_us`` is the instant of the event being handled, otherwise the instant that the last
    :meth:`run_until` reached; all simulator code reads time from here and from nowhere else.
    """

    def __init__(self, clock: VirtualClock) -> None:
        """Start with no events at the clock's reading."""
        self.clock = clock
        self.now_us = clock.now_us()
        self.around: Callable[[str], AbstractContextManager[None]] = lambda _cause: nullcontext()
        self._heap: list[Event] = []
        self._handlers: dict[str, Handler] = {}
        self._next_id = 1

    def on(self, kind: str, handler: Handler) -> None:
        """Register the handler of ``kind``; it is called with the event's payload as keywords.

        Raises :class:`ValueError` when the kind has one already.
        """
        if kind in self._handlers:
            raise ValueError(f"event kind {kind!r} has a handler already")
        self._handlers[kind] = handler

    def schedule(self, after_seconds: float, kind: str, name: str, **payload: Any) -> Event:
        """Schedule an event ``after_seconds`` from now; see :meth:`schedule_at`."""
        return self.schedule_at(self.now_us + seconds(max(0.0, after_seconds)), kind, name, **payload)

    def schedule_at(self, at_us: int, kind: str, name: str, **payload: Any) -> Event:
        """Schedule an event; an instant in the past means now. An unknown kind raises :class:`ValueError`."""
        if kind not in self._handlers:
            raise ValueError(f"no handler for event kind {kind!r}")
        event = Event(max(at_us, self.now_us), name, self._next_id, kind, payload)
        self._next_id += 1
        heapq.heappush(self._heap, event)
        return event

    @staticmethod
    def cancel(event: Event | None) -> None:
        """Take back an event that has not happened yet; None and past events are ignored."""
        if event is not None:
            event.cancelled = True

    def next_at_us(self) -> int | None:
        """Return the instant of the next event, None when nothing is scheduled."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].at_us if self._heap else None

    def pending(self) -> int:
        """Return how many events are scheduled."""
        return sum(not event.cancelled for event in self._heap)

    def scheduled(self) -> list[Event]:
        """Return the events to come, in the order in which they will run."""
        return sorted(event for event in self._heap if not event.cancelled)

    def run_until(self, until_us: int) -> int:
        """Run all events up to and including ``until_us``, each at its own instant; return how many ran.

        Every handler runs inside ``around("event:<kind>:<name>")``, by which the world attributes changes.
        """
        ran = 0
        while (next_us := self.next_at_us()) is not None and next_us <= until_us:
            event = heapq.heappop(self._heap)
            self.now_us = max(self.now_us, event.at_us)
            with self.around(f"event:{event.kind}:{event.name}"):
                self._handlers[event.kind](**event.payload)
            ran += 1
        self.now_us = max(self.now_us, until_us)
        return ran
