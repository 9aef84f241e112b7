"""Durations and days as a wave file writes them: ``90s``, ``15m``, ``2h30m``, ``7d``, ``2026-11-30``."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

PATTERN = r"(?=\d)(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?"
_DURATION = re.compile(PATTERN)


def parse_duration(text: str) -> timedelta:
    """Read a length of time.

    :param text: whole days, hours, minutes and seconds, in this order, each at most once: ``1d12h``.
    :raises ValueError: if it is none.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a duration: write 90s, 15m, 2h30m or 7d')
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(length: timedelta) -> str:
    """Write a length of time in its shortest form; 90 minutes are ``1h30m``, nothing is ``0s``."""
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        words = "must be a duration with its unit: 90s, 15m, 2h30m or 7d, not {value}"
        raise PydanticCustomError("duration", words, {"value": str(value)})
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{text}", {"text": str(error)}) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$", "examples": ["90s", "15m", "2h30m", "7d"]}),
]


def _read_day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("day", '"{value}" is not a date: write it as 2026-11-30', {"value": str(value)})


Day = Annotated[date, BeforeValidator(_read_day)]
