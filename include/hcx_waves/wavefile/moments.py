"""Points in time as written in a wave file, and their conversion to instants.

A time that a clock change skips or repeats is refused where it is written (:func:`exact_instant`) and
settled by rule where it only results from moving a wave to another night (:func:`settled_instant`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from hcx_waves.model.times import PATTERN as DURATION_PATTERN
from hcx_waves.model.times import format_duration, parse_duration

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?"
_OFFSET = r"[+-](?:0\d|1[0-4]):[0-5]\d"
_DATED = rf"(\d{{4}}-\d{{2}}-\d{{2}})[ T]{_CLOCK}({_OFFSET})?"
_DATED_RE, _CLOCK_RE = re.compile(_DATED), re.compile(_CLOCK)


class LocalTimeError(ValueError):
    """A local time that its zone's clocks skip, show twice, or never show with that offset."""


@dataclass(frozen=True)
class Moment:
    """A local time of a date, a clock time of whichever day comes first, or a time after the wave's start.

    :param day: the date, for a dated moment.
    :param at: the clock time, for a dated moment or a clock time.
    :param utc_offset: which of two equal local times is meant; dated moments only.
    :param after_start: the time since the wave's start; then all others are None.
    """

    day: date | None = None
    at: time | None = None
    utc_offset: timedelta | None = None
    after_start: timedelta | None = None

    @property
    def is_dated(self) -> bool:
        """Whether it names a date."""
        return self.day is not None

    def shifted(self, days: int) -> Moment:
        """Return the same clock time some days later; what has no date stays as it is."""
        return self if self.day is None else replace(self, day=self.day + timedelta(days=days))

    def __str__(self) -> str:
        """Write it as a wave file does."""
        if self.after_start is not None:
            return f"+{format_duration(self.after_start)}"
        clock = _clock_text(self.at or time())
        return clock if self.day is None else f"{self.day} {clock}{_offset_text(self.utc_offset)}"


def parse_moment(text: str) -> Moment:
    """Read ``2026-10-24 22:00``, the same with ``+02:00`` behind it, ``22:00`` or ``+2h30m``.

    :raises ValueError: if it is none of these, or a date that no calendar has.
    """
    if dated := _DATED_RE.fullmatch(text):
        day, hour, minute, second, offset = dated.groups()
        try:
            return Moment(date.fromisoformat(day), time(int(hour), int(minute), int(second or 0)), _offset_of(offset))
        except ValueError:
            raise ValueError(f'"{text}": this date does not exist') from None
    if clock := _CLOCK_RE.fullmatch(text):
        hour, minute, second = clock.groups()
        return Moment(at=time(int(hour), int(minute), int(second or 0)))
    if text.startswith("+"):
        try:
            return Moment(after_start=parse_duration(text[1:]))
        except ValueError:
            pass
    raise ValueError(f'"{text}" is not a time: write 2026-10-24 22:00, 22:00, or +2h for two hours after the start')


def instants_of(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the instants (UTC, ascending) at which a zone's clocks show a local time: none, one or two.

    :param local: without zone.
    """
    found = set()
    for fold in (0, 1):
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local:
            found.add(instant)
    return sorted(found)


def exact_instant(moment: Moment, zone: ZoneInfo) -> datetime:
    """Return the one instant (UTC) that a dated moment means.

    :raises LocalTimeError: if the zone's clocks skip that time, show it twice and no offset says which one, or never
        show it with the given offset.
    """
    local = _local_of(moment)
    instants = instants_of(local, zone)
    if not instants:
        after = settled_instant(moment, zone)[0].astimezone(zone)
        raise LocalTimeError(
            f"{_spoken(local)} does not exist in {zone.key}: clocks go forward then; "
            f"the next time that exists is {_clock_text(after.time())}"
        )
    if moment.utc_offset is not None:
        for instant in instants:
            if instant.astimezone(zone).utcoffset() == moment.utc_offset:
                return instant
        offsets = " or ".join(_offset_text(instant.astimezone(zone).utcoffset()) for instant in instants)
        raise LocalTimeError(
            f"{zone.key} is not {_offset_text(moment.utc_offset)} from UTC at {_spoken(local)}, but {offsets}"
        )
    if len(instants) > 1:
        first, second = (_offset_text(instant.astimezone(zone).utcoffset()) for instant in instants)
        raise LocalTimeError(
            f"{_spoken(local)} happens twice in {zone.key}: clocks go back then; "
            f'write "{_spoken(local)}{first}" for the first or "{_spoken(local)}{second}" for the second'
        )
    return instants[0]


def settled_instant(moment: Moment, zone: ZoneInfo) -> tuple[datetime, str | None]:
    """Return an instant (UTC) for a dated moment whatever the clocks do, and a note if they do something.

    A time that is skipped moves on by what is skipped; of two equal times the one with the moment's offset is
    taken, else the first.
    """
    local = _local_of(moment)
    instants = instants_of(local, zone)
    if not instants:
        # The offset from before the change puts the instant as far behind it as the time lies in the gap.
        instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        shown = _clock_text(instant.astimezone(zone).time())
        return instant, f"{_spoken(local)} does not exist in {zone.key}; taken as {shown}"
    if len(instants) > 1:
        chosen = next((one for one in instants if one.astimezone(zone).utcoffset() == moment.utc_offset), instants[0])
        shown = _offset_text(chosen.astimezone(zone).utcoffset())
        return chosen, f"{_spoken(local)} happens twice in {zone.key}; the one at UTC{shown}"
    return instants[0], None


def _local_of(moment: Moment) -> datetime:
    if moment.day is None or moment.at is None:
        raise ValueError(f"{moment} has no date")
    return datetime.combine(moment.day, moment.at)


def _offset_of(text: str | None) -> timedelta | None:
    if text is None:
        return None
    length = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return -length if text[0] == "-" else length


def _offset_text(offset: timedelta | None) -> str:
    if offset is None:
        return ""
    minutes = round(abs(offset).total_seconds() / 60)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _clock_text(clock: time) -> str:
    return clock.isoformat("seconds" if clock.second else "minutes")


def _spoken(local: datetime) -> str:
    return f"{local.date()} {_clock_text(local.time())}"


def _read(value: object) -> Moment:
    if isinstance(value, Moment):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError(
            "moment", "must be a time such as 2026-10-24 22:00, 22:00 or +2h, not {value}", {"value": str(value)}
        )
    try:
        return parse_moment(value)
    except ValueError as error:
        raise PydanticCustomError("moment", "{text}", {"text": str(error)}) from None


def _read_dated(value: object) -> Moment:
    moment = _read(value)
    if not moment.is_dated:
        raise PydanticCustomError(
            "moment", '"{value}" has no date: write one, such as 2026-10-24 20:00', {"value": str(moment)}
        )
    return moment


_TO_TEXT = PlainSerializer(str, return_type=str)

AnyMoment = Annotated[
    Moment,
    BeforeValidator(_read),
    _TO_TEXT,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^(?:{_DATED}|{_CLOCK}|\+{DURATION_PATTERN})$",
            "examples": ["2026-10-24 22:00", "22:00", "+2h"],
        }
    ),
]
DatedMoment = Annotated[
    Moment,
    BeforeValidator(_read_dated),
    _TO_TEXT,
    WithJsonSchema({"type": "string", "pattern": f"^{_DATED}$", "examples": ["2026-10-24 20:00"]}),
]
