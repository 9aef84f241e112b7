"""What gates show of a forecast. Rounded, and the same for the same forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from hcx_airflow.gates.parts import cell, table
from hcx_waves.model.expectation import Expectation, Spread
from hcx_waves.model.schedule import WaveClock
from hcx_waves.model.times import format_duration

UNKNOWN_OUTAGE = "from the disconnect until HCX has unextended the network: usually some minutes"
_MOST_VMS = 5
_MINUTE = timedelta(minutes=1)


def forecast_part(forecast: Expectation | None, clock: WaveClock) -> str:
    """Return when what is expected to be over, and how likely it stays within the windows."""
    if forecast is None:
        return "There is none; the log of run_preflight says why."
    parts = [
        f"Of {forecast.nights} nights that were played with what is known of links, sizes and durations:",
        table(("What", "Half of the nights (P50)", "Nine in ten (P90)"), _rows(forecast, clock)),
        " ".join(_sentences(forecast, clock)),
        "\n".join(f"- {cell(note)}" for note in forecast.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def outage_text(forecast: Expectation | None, segment: str) -> str:
    """Return how long a segment is expected to have no gateway."""
    spread = None if forecast is None else forecast.outage_of(segment)
    if spread is None:
        return UNKNOWN_OUTAGE
    return (
        f"{_length(spread.p50_seconds)} (P50), {_length(spread.p90_seconds)} (P90), {_length(spread.p95_seconds)} (P95)"
    )


def _rows(forecast: Expectation, clock: WaveClock) -> Iterator[tuple[str, ...]]:
    instants = (
        ("All disks replicated", forecast.transfer_end),
        ("First gateway switched off", forecast.cutover_start),
        ("Everything over", forecast.end),
    )
    for what, spread in instants:
        if spread is not None:
            yield (what, *(_instant(forecast.instant(one), clock) for one in (spread.p50_seconds, spread.p90_seconds)))
    queue: Spread | None = forecast.switchover_queue
    if queue is not None:
        yield ("Switchovers one after the other take", _length(queue.p50_seconds), _length(queue.p90_seconds))


def _sentences(forecast: Expectation, clock: WaveClock) -> Iterator[str]:
    if forecast.window_chance is not None:
        yield f"Chance to stay within the windows: **{forecast.window_chance:.0%}**."
    if forecast.last_safe_start is not None:
        yield f"Last safe start: {_instant(forecast.last_safe_start, clock)} {clock.time_zone}."
    if forecast.critical_vms:
        named = ", ".join(cell(name) for name in forecast.critical_vms[:_MOST_VMS])
        yield f"When it ends is decided by {named}."


def _instant(moment: datetime, clock: WaveClock) -> str:
    """Return an instant to the minute, in the wave's zone."""
    return f"{clock.local(moment + _MINUTE / 2):%Y-%m-%d %H:%M}"


def _length(seconds: float) -> str:
    """Return a length of time: to the minute above an hour, to ten seconds below."""
    step = 60 if seconds >= 3600 else 10
    return format_duration(timedelta(seconds=max(step, round(seconds / step) * step)))
