"""Format lengths of time, instants, sizes, rates and shares for people.

Everything that is shown uses these: reports, forecasts, rehearsals, gates, the board and commands. Lengths of time look
as wave files write them; what wave files themselves hold is read and written by :mod:`hcx_waves.model.times`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hcx_waves.model.times import format_duration

MISSING = "-"
"""Stands in a table for a figure that there is not."""
_MINUTE, _HOUR = 60, 3600
_DATE, _DAY_AND_DATE, _CLOCK = "%Y-%m-%d", "%a %Y-%m-%d", "%H:%M"
_SIZES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def duration(length: float | timedelta, *, step_seconds: float = 1) -> str:
    """Return a length of time: ``2h3m5s``, ``-40s``.

    :param length: seconds, or a timedelta.
    :param step_seconds: rounded to a multiple of that; below a second, tenths are shown of lengths under a minute.
    """
    seconds = _seconds(length)
    if step_seconds < 1:
        if round(abs(seconds), 1) < _MINUTE:
            return f"{seconds:.1f}s"
        step_seconds = 1
    whole = round(abs(seconds) / step_seconds) * step_seconds
    return ("-" if seconds < 0 < whole else "") + format_duration(timedelta(seconds=whole))


def rough_duration(length: float | timedelta, *, step_seconds: float = 1) -> str:
    """Return a length of time that is only estimated: from an hour on in minutes, below in steps.

    :param length: seconds, or a timedelta.
    :param step_seconds: below an hour; what is longer than nothing is never shown as shorter than one step.
    """
    seconds = _seconds(length)
    if 0 < seconds < step_seconds:
        seconds = step_seconds
    return duration(seconds, step_seconds=_MINUTE if abs(seconds) >= _HOUR else step_seconds)


def instant(moment: datetime | None, zone: tzinfo | str = UTC, *, seconds: bool = False, weekday: bool = False) -> str:
    """Return an instant with its zone: ``2026-10-24 22:00 CEST``; nothing for None.

    :param moment: timezone-aware.
    :param zone: in which it is shown, also by its name.
    """
    if moment is None:
        return ""
    clock = f"{_CLOCK}:%S" if seconds else _CLOCK
    return f"{moment.astimezone(_zone(zone)):{_DAY_AND_DATE if weekday else _DATE} {clock} %Z}"


def clock_time(moment: datetime, zone: tzinfo | str, *, on: datetime | None = None, seconds: bool = False) -> str:
    """Return an instant as a clock time with its zone: ``22:00 CEST``.

    :param on: an instant of the day that readers have in mind; on any other day the date is shown as well.
    """
    local = moment.astimezone(_zone(zone))
    text = f"{local:{_CLOCK}{':%S' if seconds else ''} %Z}"
    return text if on is None or on.astimezone(local.tzinfo).date() == local.date() else f"{local:%a %d %b} {text}"


def period(opens: datetime, closes: datetime, zone: tzinfo | str = UTC, *, on: datetime | None = None) -> str:
    """Return two instants: ``2026-10-24 22:00 to 23:30 CEST``. What both have in common is shown once.

    :param on: as for :func:`clock_time`; dates are left out that are the same as this instant's.
    """
    begin, end = opens.astimezone(_zone(zone)), closes.astimezone(_zone(zone))
    first = instant(begin, zone) if on is None else clock_time(begin, zone, on=on)
    last = clock_time(end, zone, on=begin) if on is not None or begin.date() == end.date() else instant(end, zone)
    name = f"{begin:%Z}"
    return f"{first.removesuffix(f' {name}') if name == f'{end:%Z}' else first} to {last}"


def size(count: float) -> str:
    """Return a number of bytes: ``93.1 GiB``."""
    for unit, name in _SIZES:
        if count >= unit:
            return f"{round(count / unit, 1):g} {name}"
    return f"{round(count)} bytes"


def bit_rate(bits_per_second: float) -> str:
    """Return a bandwidth: ``1600 Mbit/s``."""
    return f"{round(bits_per_second / 1e6, 1):g} Mbit/s"


def share(value: float | None) -> str:
    """Return a share in per cent; what is not quite all or nothing is never shown as that."""
    if value is None:
        return MISSING
    if 0 < value < 0.001:
        return "under 0.1 %"
    if 0.999 < value < 1:
        return "over 99.9 %"
    return f"{value * 100:.3g} %"


def counted(count: int, noun: str) -> str:
    """Return a number of things: ``1 VM``, ``2 VMs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: list[str], most: int) -> str:
    """Return names in a sentence: the first ones, ``and 4 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _seconds(length: float | timedelta) -> float:
    return length.total_seconds() if isinstance(length, timedelta) else length


def _zone(zone: tzinfo | str) -> tzinfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone
