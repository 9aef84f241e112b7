"""Instants and lengths of a forecast in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hcx_waves.forecast.results.document import Forecast, Quantiles
from hcx_waves.model.times import format_duration

NOTHING = "-"


def instant(forecast: Forecast, seconds: float | None) -> str:
    """Return a local time, with the date where it is not that of the start."""
    if seconds is None:
        return NOTHING
    zone = ZoneInfo(forecast.time_zone)
    at = forecast.instant(seconds).astimezone(zone)
    begin = forecast.starts_at.astimezone(zone)
    return f"{at:%H:%M}" if at.date() == begin.date() else f"{at:%a %d %b %H:%M}"


def moment(forecast: Forecast, at: datetime) -> str:
    """Return an instant with its date and zone."""
    return f"{at.astimezone(ZoneInfo(forecast.time_zone)):%a %Y-%m-%d %H:%M %Z}"


def length(seconds: float | None) -> str:
    """Return a length of time, to the second below an hour and to the minute above."""
    if seconds is None:
        return NOTHING
    precise = round(seconds) if seconds < 3600 else round(seconds / 60) * 60
    return format_duration(timedelta(seconds=precise))


def instants(forecast: Forecast, quantiles: Quantiles) -> tuple[str, str, str]:
    """Return P50, P90 and P95 of an instant."""
    return (
        instant(forecast, quantiles.p50_seconds),
        instant(forecast, quantiles.p90_seconds),
        instant(forecast, quantiles.p95_seconds),
    )


def lengths(quantiles: Quantiles) -> tuple[str, str, str]:
    """Return P50, P90 and P95 of a length of time."""
    return (length(quantiles.p50_seconds), length(quantiles.p90_seconds), length(quantiles.p95_seconds))


def share(value: float | None) -> str:
    """Return a share in per cent; what is not quite all or nothing never reads as that."""
    if value is None:
        return NOTHING
    if 0 < value < 0.001:
        return "under 0.1 %"
    if 0.999 < value < 1:
        return "over 99.9 %"
    return f"{value * 100:.3g} %"
