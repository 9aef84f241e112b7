"""A forecast as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hcx_waves.forecast.results import words
from hcx_waves.forecast.results.document import Forecast, Quantiles

_MOST_VMS = 10
_GOOD, _FAIR = 0.95, 0.8


def print_forecast(forecast: Forecast, console: Console) -> None:
    """Print all of a forecast."""
    console.print(_headline(forecast))
    console.print(_verdict(forecast))
    console.print()
    console.print(_milestones(forecast))
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
    table = _table("", "as planned P50", "P95", "what if P50", "P95")
    for name, before, after in _compared(planned, changed):
        table.add_row(Text(name), *map(Text, (*before, *after)))
    console.print(table)


def _compared(planned: Forecast, changed: Forecast) -> Iterator[tuple[str, tuple[str, str], tuple[str, str]]]:
    def at(forecast: Forecast, quantiles: Quantiles) -> tuple[str, str]:
        p50, _, p95 = words.instants(forecast, quantiles)
        return p50, p95

    def lasts(quantiles: Quantiles) -> tuple[str, str]:
        p50, _, p95 = words.lengths(quantiles)
        return p50, p95

    yield "base syncs end", at(planned, planned.transfer_end), at(changed, changed.transfer_end)
    yield "switchover queue lasts", lasts(planned.queue.lasts), lasts(changed.queue.lasts)
    yield "last VM has moved", at(planned, planned.migrated), at(changed, changed.migrated)
    yield "first gateway off", at(planned, planned.cutover_start), at(changed, changed.cutover_start)
    yield "everything done", at(planned, planned.end), at(changed, changed.end)
    chances = [(words.share(one.window_chance), "") for one in (planned, changed)]
    yield "within its windows", chances[0], chances[1]
    starts = [
        (words.NOTHING if one.last_safe_start is None else words.moment(one, one.last_safe_start), "")
        for one in (planned, changed)
    ]
    yield "last safe start", starts[0], starts[1]


def _headline(forecast: Forecast) -> Text:
    kinds: dict[str, int] = {}
    for vm in forecast.vms:
        kinds[vm.migration] = kinds.get(vm.migration, 0) + 1
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    begin = words.moment(forecast, forecast.starts_at)
    head = Text(forecast.wave, style="bold")
    vms, segments = len(forecast.vms), len(forecast.segments)
    head.append(f": {vms} VM{'s'[: vms != 1]} ({listed}), {segments} segment{'s'[: segments != 1]} to cut over")
    head.append(f", from {begin}")
    source = (
        "default parameters" if forecast.parameters_digest is None else f"parameters {forecast.parameters_digest[:12]}"
    )
    return head.append(f"\n{forecast.nights} nights, seed {forecast.seed}, {source}", style="not bold")


def _verdict(forecast: Forecast) -> Text:
    text = Text()
    chance = forecast.window_chance
    if chance is None:
        text.append(f"No windows. Everything gets done in {words.share(forecast.end.share)} of the nights.")
        return text
    style = "green" if chance >= _GOOD else "yellow" if chance >= _FAIR else "bold red"
    text.append(f"Fits its windows in {words.share(chance)} of the nights", style=style)
    text.append(f"; everything gets done in {words.share(forecast.end.share)}.")
    if forecast.safe_chance is not None:
        wanted = words.share(forecast.safe_chance)
        if forecast.last_safe_start is None:
            text.append(f"\nNo start fits with a chance of {wanted}.", style="bold red")
        else:
            latest = words.moment(forecast, forecast.last_safe_start)
            late = forecast.last_safe_start < forecast.starts_at
            text.append(f"\nLast safe start ({wanted}): {latest}", style="bold red" if late else "")
    return text


def _milestones(forecast: Forecast) -> Table:
    table = _table("", "P50", "P90", "P95", "of nights")
    queue = forecast.queue
    rows: list[tuple[str, tuple[str, str, str], Quantiles]] = [
        ("migrations start", words.instants(forecast, forecast.submitted), forecast.submitted),
        ("base syncs end", words.instants(forecast, forecast.transfer_end), forecast.transfer_end),
        ("switchover queue begins", words.instants(forecast, queue.begins), queue.begins),
        ("  lasts", words.lengths(queue.lasts), queue.lasts),
        ("  longest wait for a turn", words.lengths(queue.longest_wait), queue.longest_wait),
        ("  ends", words.instants(forecast, queue.ends), queue.ends),
        ("last VM has moved", words.instants(forecast, forecast.migrated), forecast.migrated),
        ("first gateway off", words.instants(forecast, forecast.cutover_start), forecast.cutover_start),
        ("everything done", words.instants(forecast, forecast.end), forecast.end),
    ]
    for name, cells, quantiles in rows:
        if quantiles.share:
            table.add_row(Text(name), *map(Text, (*cells, words.share(quantiles.share))))
    return table


def _segments(forecast: Forecast) -> Table:
    table = _table(
        "segment", "window", "gateway off P50", "outage P50", "P90", "P95", "routed P95", "cut over", "in window"
    )
    for one in forecast.segments:
        window = words.NOTHING
        if one.window is not None:
            edges = [(edge - forecast.starts_at).total_seconds() for edge in (one.window.opens, one.window.closes)]
            window = " to ".join(words.instant(forecast, edge) for edge in edges)
        cells = (
            one.name,
            window,
            words.instant(forecast, one.begins.p50_seconds),
            *words.lengths(one.outage),
            words.instant(forecast, one.ends.p95_seconds),
            words.share(one.cut_chance),
            words.share(one.window_chance),
        )
        table.add_row(*map(Text, cells))
    return table


def _deciders(forecast: Forecast) -> Iterator[Text]:
    if forecast.deciders:
        listed = "; ".join(f"{one.what} ({words.share(one.share)})" for one in forecast.deciders)
        yield Text(f"The end waits for: {listed}.")


def _critical(forecast: Forecast) -> Table:
    critical = forecast.critical_vms
    table = _table("VMs that decide when the last one has moved", "type", "mesh", "of nights", "its own part")
    for vm in critical[:_MOST_VMS]:
        cells = (vm.name, vm.migration, vm.mesh, words.share(vm.decides_share), words.length(vm.decides_seconds))
        table.add_row(*map(Text, cells))
    if len(critical) > _MOST_VMS:
        table.add_row(Text(f"and {len(critical) - _MOST_VMS} more", style="dim"))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=bool(number))
    return table
