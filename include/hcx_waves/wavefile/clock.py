"""Compute the instants of a wave from its local times, for its own night or for another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from typing_extensions import override

from hcx_waves.model.base import BrokenRule, Location
from hcx_waves.model.schedule import SegmentWindow, TimeWindow, WaveClock
from hcx_waves.model.times import format_duration
from hcx_waves.wavefile.document import WaveDocument
from hcx_waves.wavefile.moments import LocalTimeError, Moment, exact_instant, settled_instant
from hcx_waves.wavefile.windows import LONGEST, Window

_DAY = timedelta(days=1)


class ClockError(ValueError):
    """Times of a wave that do not come out, one sentence a line."""


def windows_of(document: WaveDocument) -> list[tuple[Location, Window]]:
    """Return every window of a wave file with its place, the switchover's first."""
    found: list[tuple[Location, Window]] = []
    if document.switchover_window is not None:
        found.append((("switchover_window",), document.switchover_window))
    for index, segment in enumerate(document.segments):
        if segment.cutover_window is not None:
            found.append((("segments", index, "cutover_window"), segment.cutover_window))
    return found


def counts_from_start(document: WaveDocument) -> bool:
    """Whether some time can only be known once the wave has been started."""
    return document.start is None and any(not window.opens.is_dated for _, window in windows_of(document))


def night_of(document: WaveDocument) -> date | None:
    """Return the local date of the first dated window (the switchover's, else a segment's), else of the start."""
    moments = [window.opens for _, window in windows_of(document)]
    if document.start is not None:
        moments.append(document.start)
    return next((moment.day for moment in moments if moment.is_dated), None)


def exact_clock(document: WaveDocument, started_at: datetime | None = None) -> WaveClock:
    """Return the instants as written.

    :param started_at: when the run began; counts only if the file has no ``start``.
    :raises ClockError: with every rule that the times break, or if a start is needed and not given.
    """
    if document.start is None and started_at is None and counts_from_start(document):
        raise ClockError("windows without a date count from the run's start, and no start is given")
    broken: list[BrokenRule] = []
    clock = strict_clock(document, started_at, broken)
    broken.extend(order_problems(document, clock) if clock is not None else ())
    if broken or clock is None:
        raise ClockError("\n".join(f"{_spoken(rule.location)}: {rule.message}" for rule in broken))
    return clock


def strict_clock(document: WaveDocument, started_at: datetime | None, broken: list[BrokenRule]) -> WaveClock | None:
    """Return the instants, or None after appending to ``broken`` each local time that is skipped or doubled.

    :raises ClockError: if a start is needed and not given.
    """
    reader = _StrictReader(document, broken)
    start = started_at if document.start is None else reader.settle(document.start, ("start",))
    clock = reader.read(start)
    return None if broken else clock


def settled_clock(document: WaveDocument, night: date, begins_at: datetime | None = None) -> WaveClock:
    """Return the instants moved to another night; see :meth:`hcx_waves.wavefile.wave.Wave.for_night`."""
    reader = _SettlingReader(document, night)
    if document.start is not None:
        start = reader.settle(reader.moved(document.start), ("start",))
    else:
        start = begins_at or reader.settle(Moment(day=night, at=time()), ("start",))
    return reader.read(start).model_copy(update={"notes": tuple(reader.notes)})


def order_problems(document: WaveDocument, clock: WaveClock) -> Iterator[BrokenRule]:
    """Yield the rules about order and length that a wave's instants break."""
    windows = [(location, _window_at(clock, document, location)) for location, _ in windows_of(document)]
    for location, window in windows:
        if window.closes <= window.opens:
            yield BrokenRule((*location, "closes"), "is not after opens")
        elif window.length > LONGEST:
            yield BrokenRule(location, f"is open for {format_duration(window.length)}, more than 14d: check the dates")
        if clock.starts_at is not None and window.opens < clock.starts_at:
            yield BrokenRule((*location, "opens"), "is before the wave's start")
    switchover = clock.switchover
    if switchover is None:
        return
    if clock.latest_start is not None and clock.latest_start >= switchover.closes:
        yield BrokenRule(("start_tolerance",), "lets a run begin after the switchover window has closed")
    for location, window in windows[1:]:
        if window.opens < switchover.opens:
            yield BrokenRule((*location, "opens"), "is before the switchover window opens")
        if window.closes < switchover.closes:
            yield BrokenRule((*location, "closes"), "is before the switchover window closes")


def _window_at(clock: WaveClock, document: WaveDocument, location: Location) -> TimeWindow:
    if location[0] == "switchover_window" and clock.switchover is not None:
        return clock.switchover
    return clock.cutover(document.segments[int(location[1])].name)


class _Reader(ABC):
    """Turns the times of one wave file into instants."""

    def __init__(self, document: WaveDocument) -> None:
        self.document, self.zone = document, ZoneInfo(document.time_zone)

    @abstractmethod
    def settle(self, moment: Moment, location: Location) -> datetime:
        """Return the instant (UTC) of a dated moment."""

    def moved(self, moment: Moment) -> Moment:
        """Return a moment of the file as it is on the night in question."""
        return moment

    @abstractmethod
    def closing(self, window: Window, opens: datetime, closes: datetime) -> datetime:
        """Return when a window closes that would close at ``closes``."""

    def read(self, start: datetime | None) -> WaveClock:
        """Return all instants."""
        document, switchover, cutovers = self.document, None, []
        start = None if start is None else start.astimezone(UTC)
        earliest = start
        for location, window in windows_of(document):
            opens = self._opens(window.opens, (*location, "opens"), start, earliest)
            closes = self._closes(window, (*location, "closes"), opens)
            instants = TimeWindow(opens=opens, closes=self.closing(window, opens, closes))
            if location[0] == "switchover_window":
                switchover, earliest = instants, opens
            else:
                cutovers.append(SegmentWindow(segment=document.segments[int(location[1])].name, window=instants))
        return WaveClock(
            time_zone=document.time_zone,
            starts_at=start,
            latest_start=None if document.start is None or start is None else start + document.start_tolerance,
            switchover=switchover,
            cutovers=tuple(cutovers),
        )

    def _opens(self, moment: Moment, location: Location, start: datetime | None, earliest: datetime | None) -> datetime:
        """Return an opening; lengths count from ``start``, a clock time is the first one from ``earliest`` on."""
        if moment.is_dated:
            return self.settle(self.moved(moment), location)
        if start is None or earliest is None:
            raise ClockError(f"{_spoken(location)}: counts from the run's start, and no start is given")
        return start + moment.after_start if moment.after_start is not None else self._next(moment, location, earliest)

    def _closes(self, window: Window, location: Location, opens: datetime) -> datetime:
        if window.closes is None:
            return opens + (window.lasts or timedelta())
        if window.closes.is_dated:
            return self.settle(self.moved(window.closes), location)
        return self._next(window.closes, location, opens + timedelta(seconds=1))

    def _next(self, clock_time: Moment, location: Location, earliest: datetime) -> datetime:
        """Return the first time from ``earliest`` on at which the zone's clocks show a clock time."""
        today = replace(clock_time, day=earliest.astimezone(self.zone).date())
        is_past = settled_instant(today, self.zone)[0] < earliest
        return self.settle(today.shifted(1) if is_past else today, location)


class _StrictReader(_Reader):
    """Takes times as written and collects those that the clocks skip or show twice."""

    def __init__(self, document: WaveDocument, broken: list[BrokenRule]) -> None:
        super().__init__(document)
        self.broken = broken

    @override
    def settle(self, moment: Moment, location: Location) -> datetime:
        try:
            return exact_instant(moment, self.zone)
        except LocalTimeError as error:
            self.broken.append(BrokenRule(location, str(error)))
            return settled_instant(moment, self.zone)[0]

    @override
    def closing(self, window: Window, opens: datetime, closes: datetime) -> datetime:
        return closes


class _SettlingReader(_Reader):
    """Moves times to another night and settles what the clocks do then, with a note."""

    def __init__(self, document: WaveDocument, night: date) -> None:
        super().__init__(document)
        planned = night_of(document)
        self.shift_days = 0 if planned is None else (night - planned).days
        self.notes: list[str] = []

    @override
    def moved(self, moment: Moment) -> Moment:
        return moment.shifted(self.shift_days)

    @override
    def settle(self, moment: Moment, location: Location) -> datetime:
        instant, note = settled_instant(moment, self.zone)
        if note is not None:
            self._note(note)
        return instant

    @override
    def closing(self, window: Window, opens: datetime, closes: datetime) -> datetime:
        """Return ``closes``, or for a window turned around by a clock change: its length by the clock later."""
        if closes > opens or window.closes is None or window.closes.at is None or window.opens.at is None:
            return closes
        of_day = datetime.combine(date.min, window.closes.at) - datetime.combine(date.min, window.opens.at)
        length = of_day % _DAY
        self._note(f"a window of {format_duration(length)} falls into a clock change; it keeps its length")
        return opens + length

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _spoken(location: Location) -> str:
    return ".".join(str(part) for part in location) or "wave"
