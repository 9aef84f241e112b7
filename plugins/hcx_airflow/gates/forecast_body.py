"""The forecast as gates show it: rounded, and the same text for the same forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from hcx_waves.model.expectation import TITLES, Expectation
from hcx_waves.model.formatting import instant, listed, rough_duration, share
from hcx_waves.model.schedule import WaveClock
from hcx_waves.report.markup import Markdown, bold, bullets, document, escape, table

UNKNOWN_OUTAGE = "no forecast; usually a few minutes, from the disconnect until HCX has unextended the network"
_MOST_VMS = 5
_HALF_A_MINUTE = timedelta(seconds=30)


def forecast_part(forecast: Expectation | None, clock: WaveClock, why_none: str = "") -> Markdown:
    """Return when each step is expected to end, and how likely the wave stays within its windows.

    :param why_none: why there is no forecast; empty if that is not known.
    """
    if forecast is None:
        return escape(f"No forecast: {why_none}." if why_none else "No forecast. The log of run_preflight says why.")
    return document(
        f"Based on {forecast.nights} simulated nights. P50: half of the nights were faster. P90: 9 of 10 were faster.",
        table(("Quantity", "P50", "P90"), _rows(forecast, clock)),
        Markdown(" ".join(_sentences(forecast, clock))),
        bullets(forecast.notes),
    )


def chance_text(
    forecast: Expectation | None, clock: WaveClock, why_none: str = "", *, before_start: bool = False
) -> Markdown:
    """Return how likely the wave stays within its windows, in one line.

    :param before_start: whether the wave has started since the forecast was made.
    """
    if forecast is None:
        return escape(f"unknown, as there is no forecast: {why_none or 'the log of run_preflight says why'}")
    if forecast.window_chance is None:
        return Markdown("no windows to stay within")
    said = f"{bold(share(forecast.window_chance))} to stay within the windows"
    if before_start:
        return Markdown(f"{said}, as forecast before the start")
    safe = forecast.last_safe_start
    return Markdown(said if safe is None else f"{said}; last safe start {_instant(safe, clock)}")


def end_text(forecast: Expectation, clock: WaveClock) -> str:
    """Return when the wave is expected to be complete."""
    half, most = (
        _instant(forecast.instant(one), clock) for one in (forecast.end.p50_seconds, forecast.end.p90_seconds)
    )
    return f"complete by {half} (P50), {most} (P90)"


def longest_outage(forecast: Expectation | None, segments: list[str]) -> tuple[str, str]:
    """Return the segment with the longest expected outage and that outage; no name without a forecast."""
    known = [(spread.p90_seconds, one) for one in segments if forecast and (spread := forecast.outage_of(one))]
    name = max(known)[1] if known else ""
    return name, outage_text(forecast, name)


def outage_text(forecast: Expectation | None, segment: str) -> str:
    """Return how long a segment is expected to be without a gateway."""
    spread = None if forecast is None else forecast.outage_of(segment)
    if spread is None:
        return UNKNOWN_OUTAGE
    figures = (("P50", spread.p50_seconds), ("P90", spread.p90_seconds), ("P95", spread.p95_seconds))
    return ", ".join(f"{_length(seconds)} ({name})" for name, seconds in figures)


def _rows(forecast: Expectation, clock: WaveClock) -> Iterator[tuple[str, ...]]:
    for name, title in TITLES.items():
        spread = getattr(forecast, name)
        if spread is None:
            continue
        figures = (spread.p50_seconds, spread.p90_seconds)
        is_length = name == "switchover_queue"
        yield (title, *(_length(one) if is_length else _instant(forecast.instant(one), clock) for one in figures))


def _sentences(forecast: Expectation, clock: WaveClock) -> Iterator[str]:
    if forecast.window_chance is not None:
        yield f"Chance of staying within the windows: {bold(share(forecast.window_chance))}."
    if forecast.window_fit is not None:
        yield from map(escape, forecast.window_fit.sentences(clock.time_zone))
    if forecast.last_safe_start is not None:
        yield f"Last safe start: {_instant(forecast.last_safe_start, clock)}."
    if forecast.critical_vms:
        yield f"VMs that determine the end: {escape(listed(list(forecast.critical_vms), _MOST_VMS))}."


def _instant(moment: datetime, clock: WaveClock) -> str:
    """Return an instant to the minute, in the wave's zone."""
    return instant(moment + _HALF_A_MINUTE, clock.time_zone)


def _length(seconds: float) -> str:
    """Return a length of time: to the minute above an hour, to ten seconds below."""
    return rough_duration(max(seconds, 1), step_seconds=10)
