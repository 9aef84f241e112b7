"""How much of a wave would fit its windows, and what would make all of it fit: a part of a forecast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from hcx_waves.model.base import DomainModel
from hcx_waves.model.formatting import clock_time, counted, duration
from hcx_waves.model.schedule import TimeWindow

_MOST_SEGMENTS = 3


class NeededWindow(DomainModel):
    """One window that is too short, and how long it would have to be."""

    segment: str | None
    """Whose cutover window it is; None: the switchover window."""
    window: TimeWindow
    """As planned."""
    needed_seconds: float | None
    """From its opening, rounded up; None if no length was found that would do."""

    @property
    def closes_at(self) -> datetime | None:
        """When it would have to close."""
        return None if self.needed_seconds is None else self.window.opens + timedelta(seconds=self.needed_seconds)


class WindowFit(DomainModel):
    """What would fit the windows of a wave that does not fit them often enough."""

    chance: float
    """The share of nights that counts as often enough."""
    vms_fitting: int
    """So many VMs would move, and their segments be cut over, within the windows; counted in the order in which they
    switch over."""
    vms: int
    """Of so many."""
    windows: tuple[NeededWindow, ...] = ()
    """Those that would have to be longer for all of them."""

    def sentences(self, time_zone: str) -> tuple[str, ...]:
        """Return what would fit and what can be done, for people.

        :param time_zone: in which instants are shown.
        """
        head = f"{self.vms_fitting} of {counted(self.vms, 'VM')} would fit the windows as a wave of their own."
        choices = ["split the wave"] if 0 < self.vms_fitting < self.vms else []
        choices += self._widened(time_zone)
        if not choices:
            return (head, "No wider window was found that would do: start earlier, or look at bandwidth and meshes.")
        advice = ", or ".join(choices)
        return (head, f"{advice[0].upper()}{advice[1:]}.")

    def _widened(self, time_zone: str) -> Iterator[str]:
        known = [one for one in self.windows if one.needed_seconds is not None]
        if len(known) < len(self.windows):
            return
        texts = [
            f"{_called(group)} to {duration(needed)} (until {clock_time(until, time_zone, on=window.opens)})"
            for window, needed, until, group in _grouped(known)
        ]
        if texts:
            yield f"widen {_joined(texts)}"


def _grouped(windows: Iterable[NeededWindow]) -> Iterator[tuple[TimeWindow, float, datetime, list[str | None]]]:
    """Yield equal windows once, with the longest length that one of them needs."""
    groups: dict[tuple[bool, datetime, datetime], list[NeededWindow]] = {}
    for one in windows:
        groups.setdefault((one.segment is None, one.window.opens, one.window.closes), []).append(one)
    for group in groups.values():
        longest = max(group, key=lambda one: one.needed_seconds or 0.0)
        if longest.needed_seconds is not None and longest.closes_at is not None:
            yield longest.window, longest.needed_seconds, longest.closes_at, [one.segment for one in group]


def _called(segments: list[str | None]) -> str:
    names = [one for one in segments if one is not None]
    if not names:
        return "the switchover window"
    if len(names) > _MOST_SEGMENTS:
        return f"the cutover window of {counted(len(names), 'segment')}"
    return f"the cutover window of {_joined(names)}"


def _joined(words: list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
