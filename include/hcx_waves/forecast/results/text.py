"""Print a forecast for people, alone or beside what other circumstances would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hcx_waves.forecast.results.document import Forecast, Quantiles
from hcx_waves.model.expectation import TITLES
from hcx_waves.model.formatting import MISSING, clock_time, counted, instant, period, rough_duration, share

_MOST_VMS = 10
_GOOD, _FAIR = 0.95, 0.8
_Cells = tuple[str, str, str]


def print_forecast(forecast: Forecast, console: Console) -> None:
    """Print all of a forecast."""
    console.print(_headline(forecast))
    console.print(_verdict(forecast))
    console.print()
    console.print(_milestone_table(forecast))
    if forecast.segments:
        console.print()
        console.print(_segments(forecast))
    console.print()
    for line in _deciders(forecast):
        console.print(line)
    if forecast.critical_vms:
        console.print(_critical(forecast))
    for note in forecast.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def print_comparison(planned: Forecast, changed: Forecast, flags: Sequence[str], console: Console) -> None:
    """Print what other circumstances would change.

    :param flags: what was changed, in words.
    """
    console.print()
    console.print(Text(f"What if: {', '.join(flags)}", style="bold"))
    table = _table("Milestone", "As planned P50", "P95", "What if P50", "P95")
    for name, before, after in _compared(planned, changed):
        table.add_row(Text(name), *map(Text, (*before, *after)))
    console.print(table)


def clock(forecast: Forecast, seconds: float | None) -> str:
    """Return an instant of a forecast as a local clock time, with the date where it is not that of the start.

    :param seconds: after the forecast's start.
    """
    if seconds is None:
        return MISSING
    return clock_time(forecast.instant(seconds), forecast.time_zone, on=forecast.starts_at)


def _clocks(forecast: Forecast, quantiles: Quantiles) -> _Cells:
    p50, p90, p95 = (
        clock(forecast, one) for one in (quantiles.p50_seconds, quantiles.p90_seconds, quantiles.p95_seconds)
    )
    return p50, p90, p95


def _durations(quantiles: Quantiles) -> _Cells:
    p50, p90, p95 = (
        MISSING if one is None else rough_duration(one)
        for one in (quantiles.p50_seconds, quantiles.p90_seconds, quantiles.p95_seconds)
    )
    return p50, p90, p95


def _compared(planned: Forecast, changed: Forecast) -> Iterator[tuple[str, tuple[str, str], tuple[str, str]]]:
    """Yield name, P50 and P95 as planned, P50 and P95 as changed."""
    for (name, before, _), (_, after, _) in zip(_milestones(planned), _milestones(changed), strict=True):
        if name in _COMPARED:
            yield _COMPARED[name], (before[0], before[2]), (after[0], after[2])
    chances = [(share(one.window_chance), "") for one in (planned, changed)]
    yield "Within its windows", chances[0], chances[1]
    starts = [(_start(one) or MISSING, "") for one in (planned, changed)]
    yield "Last safe start", starts[0], starts[1]


def _start(forecast: Forecast) -> str:
    return instant(forecast.last_safe_start, forecast.time_zone, weekday=True)


def _headline(forecast: Forecast) -> Text:
    kinds: dict[str, int] = {}
    for vm in forecast.vms:
        kinds[vm.migration] = kinds.get(vm.migration, 0) + 1
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    head = Text(forecast.wave, style="bold")
    head.append(f": {counted(len(forecast.vms), 'VM')} ({listed}), ")
    head.append(f"{counted(len(forecast.segments), 'segment')} to cut over, ")
    head.append(f"starting {instant(forecast.starts_at, forecast.time_zone, weekday=True)}")
    source = (
        "default parameters" if forecast.parameters_digest is None else f"parameters {forecast.parameters_digest[:12]}"
    )
    return head.append(f"\n{counted(forecast.nights, 'night')}, seed {forecast.seed}, {source}", style="not bold")


def _verdict(forecast: Forecast) -> Text:
    chance, complete = forecast.window_chance, share(forecast.end.share)
    if chance is None:
        return Text(f"No windows. The wave completes in {complete} of the nights.")
    style = "green" if chance >= _GOOD else "yellow" if chance >= _FAIR else "bold red"
    text = Text().append(f"Fits its windows in {share(chance)} of the nights", style=style)
    text.append(f"; completes in {complete}.")
    if forecast.window_fit is not None:
        for sentence in forecast.window_fit.sentences(forecast.time_zone):
            text.append(f"\n{sentence}", style="bold")
    if forecast.safe_chance is not None:
        wanted = share(forecast.safe_chance)
        if forecast.last_safe_start is None:
            text.append(f"\nNo safe start: none fits the windows in {wanted} of the nights.", style="bold red")
        else:
            late = forecast.last_safe_start < forecast.starts_at
            text.append(f"\nLast safe start ({wanted}): {_start(forecast)}", style="bold red" if late else "")
    return text


_COMPARED = {
    TITLES["transfer_end"]: TITLES["transfer_end"],
    "  duration": TITLES["switchover_queue"],
    "Last VM moved": "Last VM moved",
    TITLES["cutover_start"]: TITLES["cutover_start"],
    TITLES["end"]: TITLES["end"],
}
"""The milestones that are compared: what they are called among the others, and alone."""


def _milestones(forecast: Forecast) -> list[tuple[str, _Cells, Quantiles]]:
    queue = forecast.queue
    return [
        ("Migrations start", _clocks(forecast, forecast.submitted), forecast.submitted),
        (TITLES["transfer_end"], _clocks(forecast, forecast.transfer_end), forecast.transfer_end),
        ("Switchover queue begins", _clocks(forecast, queue.begins), queue.begins),
        ("  duration", _durations(queue.lasts), queue.lasts),
        ("  longest wait for a turn", _durations(queue.longest_wait), queue.longest_wait),
        ("  ends", _clocks(forecast, queue.ends), queue.ends),
        ("Last VM moved", _clocks(forecast, forecast.migrated), forecast.migrated),
        (TITLES["cutover_start"], _clocks(forecast, forecast.cutover_start), forecast.cutover_start),
        (TITLES["end"], _clocks(forecast, forecast.end), forecast.end),
    ]


def _milestone_table(forecast: Forecast) -> Table:
    table = _table("Milestone", "P50", "P90", "P95", "Share of nights")
    for name, cells, quantiles in _milestones(forecast):
        if quantiles.share:
            table.add_row(Text(name), *map(Text, (*cells, share(quantiles.share))))
    return table


def _segments(forecast: Forecast) -> Table:
    table = _table(
        "Segment", "Window", "Gateway off P50", "Outage P50", "P90", "P95", "Routed P95", "Cut over", "In window"
    )
    for one in forecast.segments:
        window = MISSING
        if one.window is not None:
            window = period(one.window.opens, one.window.closes, forecast.time_zone, on=forecast.starts_at)
        cells = (
            one.name,
            window,
            clock(forecast, one.begins.p50_seconds),
            *_durations(one.outage),
            clock(forecast, one.ends.p95_seconds),
            share(one.cut_chance),
            share(one.window_chance),
        )
        table.add_row(*map(Text, cells))
    return table


def _deciders(forecast: Forecast) -> Iterator[Text]:
    if forecast.deciders:
        listed = "; ".join(f"{one.what} ({share(one.share)})" for one in forecast.deciders)
        yield Text(f"The end depends on: {listed}.")


def _critical(forecast: Forecast) -> Table:
    critical = forecast.critical_vms
    table = _table("VMs on the critical path", "Type", "Mesh", "Share of nights", "Own time")
    for vm in critical[:_MOST_VMS]:
        cells = (vm.name, vm.migration, vm.mesh, share(vm.decides_share), rough_duration(vm.decides_seconds))
        table.add_row(*map(Text, cells))
    if len(critical) > _MOST_VMS:
        table.add_row(Text(f"and {len(critical) - _MOST_VMS} more", style="dim"))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=bool(number))
    return table
