"""Showing the nights: a line for each that has ended, and below them those that are under way."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hcx_demo.rehearse.progress import Night
from hcx_demo.words import duration

_BAR_WIDTH = 40
_LATELY = 8


class NightsView:
    """Prints nights as they end; on a terminal also draws those that are under way.

    :param total: how many nights there are.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._told: set[str] = set()
        self._live = (
            Live(console=console, auto_refresh=False, vertical_overflow="crop") if console.is_terminal else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, nights: Sequence[Night], wall_seconds: float) -> None:
        """Tell the nights that have ended since the last time, and draw the others anew."""
        ended = [night for night in nights if night.is_finished]
        for night in ended:
            if night.run_id not in self._told:
                self._told.add(night.run_id)
                how_many = f"{len(self._told):3d}/{self._total}"
                self._console.print(
                    Text(f"{how_many}  {line_of(night)}", style=_style(night)), highlight=False, soft_wrap=True
                )
        if self._live is not None:
            active = [night for night in nights if night.is_running]
            parts = Group(_clock(ended, active, self._total, wall_seconds), _under_way(active))
            self._live.update(parts, refresh=True)


def line_of(night: Night) -> str:
    """Return what became of a night, in one line."""
    record = night.record
    faults = f" [{', '.join(record.faults)}]" if record is not None and record.faults else ""
    said = "no record: its log says why" if record is None else record.verdict
    outcome = "" if record is None else record.outcome.value
    return f"{night.date}{faults}  {outcome or night.state}: {said}  ({duration(night.wall_seconds)} wall)"


def _style(night: Night) -> str:
    if night.record is None:
        return "bold red"
    return "green" if night.record.outcome.is_green else "yellow"


def _clock(ended: Sequence[Night], active: Sequence[Night], total: int, wall_seconds: float) -> Table:
    table = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=total, completed=len(ended), width=_BAR_WIDTH)
    words = f"{len(ended)} of {total} nights, {len(active)} under way, {duration(wall_seconds)}"
    if ended and len(ended) < total:
        words += f", about {duration(wall_seconds / len(ended) * (total - len(ended)))} to go"
    table.add_row(bar, Text(words, style="bold"))
    return table


def _under_way(active: Sequence[Night]) -> Table:
    table = Table.grid(padding=(0, 2))
    for night in active[:_LATELY]:
        took = f"{duration(night.wall_seconds)} wall"
        table.add_row(Text("▶", style="cyan"), Text(str(night.date)), Text(night.doing), Text(took, style="dim"))
    return table
