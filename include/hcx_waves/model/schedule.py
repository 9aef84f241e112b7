"""The instants of a wave, in UTC: its start, its switchover window and the cutover window of each segment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel


class TimeWindow(DomainModel):
    """Two instants in UTC; the window includes the first and not the second."""

    opens: AwareDatetime
    closes: AwareDatetime

    @property
    def length(self) -> timedelta:
        """How long it is open."""
        return self.closes.astimezone(UTC) - self.opens.astimezone(UTC)

    def contains(self, moment: datetime) -> bool:
        """Whether it is open at an instant."""
        return self.opens <= moment < self.closes

    def time_left(self, moment: datetime) -> timedelta:
        """How long it is still open at an instant; all of its length before it opens, nothing after it has closed."""
        return max(timedelta(), self.closes.astimezone(UTC) - max(moment, self.opens).astimezone(UTC))


class SegmentWindow(DomainModel):
    """When one segment's gateway may move."""

    segment: str
    window: TimeWindow


class WaveClock(DomainModel):
    """The instants of a wave, all in UTC.

    :attr:`starts_at` is None while a wave without ``start`` has not been started and no time counts from it.
    """

    time_zone: str
    starts_at: AwareDatetime | None
    latest_start: AwareDatetime | None
    """When a scheduled run is too late; None for a wave without ``start``."""
    switchover: TimeWindow | None
    cutovers: tuple[SegmentWindow, ...] = ()
    notes: tuple[str, ...] = ()
    """What had to be settled because the clocks change that night."""

    def cutover(self, segment: str) -> TimeWindow:
        """Return a segment's cutover window.

        :raises KeyError: if this wave does not cut that segment over.
        """
        for entry in self.cutovers:
            if entry.segment == segment:
                return entry.window
        raise KeyError(f'no cutover window for segment "{segment}"')

    @property
    def last_instant(self) -> datetime | None:
        """When the last window closes; None without windows."""
        closes = [entry.window.closes for entry in self.cutovers]
        if self.switchover is not None:
            closes.append(self.switchover.closes)
        return max(closes, default=None)

    def local(self, instant: datetime) -> datetime:
        """Return an instant in the wave's zone."""
        return instant.astimezone(ZoneInfo(self.time_zone))
