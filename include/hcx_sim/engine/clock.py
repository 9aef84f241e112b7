"""The virtual clock of a world: scaled real time, paused, or stepped.

Instants inside the simulator are whole microseconds since the Unix epoch (``int``), so that two runs of
the same script compare equal byte for byte; datetimes appear only at the edges.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(instant_us: int) -> datetime:
    """Return the timezone-aware UTC datetime of an instant in microseconds."""
    return _EPOCH + timedelta(microseconds=instant_us)


def to_us(instant: datetime) -> int:
    """Return the instant in microseconds; a naive datetime raises :class:`ValueError`."""
    if instant.tzinfo is None:
        raise ValueError(f"instant {instant!r} has no time zone")
    return (instant - _EPOCH) // timedelta(microseconds=1)


def to_ms(instant_us: int) -> int:
    """Return epoch milliseconds, the unit of HCX and NSX on the wire."""
    return instant_us // 1000


def seconds(value: float) -> int:
    """Return a duration of ``value`` seconds in microseconds."""
    return round(value * MICROSECONDS)


def iso(instant_us: int) -> str:
    """Return the instant as ISO 8601 in UTC with millisecond precision."""
    return to_datetime(instant_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ClockMode(StrEnum):
    """How virtual time moves."""

    SCALED = "scaled"
    PAUSED = "paused"
    STEPPED = "stepped"


class VirtualClock:
    """A clock whose reading is derived from real time (scaled) or moved by hand (paused, stepped).

    Parameters: ``start_us`` first reading; ``mode``; ``speed`` virtual seconds per wall second (scaled only,
    greater than 0); ``monotonic`` the wall clock's reading in seconds, injectable for tests.
    """

    def __init__(
        self,
        start_us: int,
        mode: ClockMode = ClockMode.SCALED,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock at ``start_us``."""
        self._monotonic = monotonic
        self._anchor_us = start_us
        self._anchor_wall = monotonic()
        self.mode = mode
        self.speed = speed
        self._check_speed(speed)

    @staticmethod
    def _check_speed(speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be greater than 0, not {speed}")

    def now_us(self) -> int:
        """Return the current virtual instant in microseconds."""
        if self.mode is not ClockMode.SCALED:
            return self._anchor_us
        elapsed = self._monotonic() - self._anchor_wall
        return self._anchor_us + seconds(elapsed * self.speed)

    def set_mode(self, mode: ClockMode, speed: float | None = None) -> None:
        """Switch mode and speed without a jump in time; a speed of 0 or less raises :class:`ValueError`."""
        if speed is not None:
            self._check_speed(speed)
        self._anchor_us = self.now_us()
        self._anchor_wall = self._monotonic()
        self.mode = mode
        self.speed = self.speed if speed is None else speed

    def advance_to(self, instant_us: int) -> None:
        """Move a paused or stepped clock forward; raises :class:`ValueError` backwards or when scaled."""
        if self.mode is ClockMode.SCALED:
            raise ValueError("a scaled clock moves by itself; pause it or step it first")
        if instant_us < self._anchor_us:
            raise ValueError(f"cannot move back from {iso(self._anchor_us)} to {iso(instant_us)}")
        self._anchor_us = instant_us

    def wall_seconds_until(self, instant_us: int) -> float | None:
        """Return wall seconds until ``instant_us``, 0 if past, None when the clock does not move by itself."""
        if self.mode is not ClockMode.SCALED:
            return None
        return max(0.0, (instant_us - self.now_us()) / MICROSECONDS / self.speed)
