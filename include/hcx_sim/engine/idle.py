"""The clock by which sessions and tokens expire."""

from __future__ import annotations

import time
from collections.abc import Callable

from hcx_sim.engine.clock import ClockMode, VirtualClock, seconds


class IdleClock:
    """Virtual time, unless the world runs faster than life; it never jumps when that changes.

    A client that polls every two real seconds in a world 600 times as fast would else find its session of 15
    virtual minutes gone at each poll (ADR 4). ``choice`` is ``auto``, ``virtual`` or ``wall``; ``virtual_now_us``
    and ``monotonic`` (seconds) are the two clocks it goes by.
    """

    def __init__(
        self,
        clock: VirtualClock,
        choice: str,
        virtual_now_us: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start at the virtual instant."""
        self._clock = clock
        self._choice = choice
        self._virtual_now_us = virtual_now_us
        self._monotonic = monotonic
        self._by_wall = self._wall_rules()
        self._reading_us = virtual_now_us()
        self._anchor_us = self._source_us()

    def now_us(self) -> int:
        """Return the instant in microseconds; it continues from the last reading when the source changes."""
        by_wall = self._wall_rules()
        if by_wall != self._by_wall:
            self._by_wall = by_wall
        else:
            self._reading_us += self._source_us() - self._anchor_us
        self._anchor_us = self._source_us()
        return self._reading_us

    def _wall_rules(self) -> bool:
        faster = self._clock.mode is ClockMode.SCALED and self._clock.speed > 1
        return self._choice == "wall" or (self._choice == "auto" and faster)

    def _source_us(self) -> int:
        return seconds(self._monotonic()) if self._by_wall else self._virtual_now_us()
