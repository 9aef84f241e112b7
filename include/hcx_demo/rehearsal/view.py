"""The view of a series of rehearsals: a line for each that has ended, below them those in progress."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hcx_demo.rehearsal.progress import RehearsalRun
from hcx_demo.texts import duration

_BAR_WIDTH = 40
_MOST_SHOWN = 8


class RehearsalsView:
    """Prints rehearsals as they end; on a terminal also draws those in progress.

    :param total: number of rehearsals.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._printed: set[str] = set()
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

    def show(self, rehearsals: Sequence[RehearsalRun], wall_seconds: float) -> None:
        """Print the rehearsals that have ended since the last call, and redraw the others."""
        ended = [one for one in rehearsals if one.is_finished]
        for one in ended:
            if one.run_id not in self._printed:
                self._printed.add(one.run_id)
                count = f"{len(self._printed):3d}/{self._total}"
                self._console.print(
                    Text(f"{count}  {line_of(one)}", style=_style(one)), highlight=False, soft_wrap=True
                )
        if self._live is not None:
            active = [one for one in rehearsals if one.is_running]
            parts = Group(_clock(ended, active, self._total, wall_seconds), _in_progress(active))
            self._live.update(parts, refresh=True)


def line_of(rehearsal: RehearsalRun) -> str:
    """Return the result of a rehearsal in one line."""
    record = rehearsal.record
    faults = f" [{', '.join(record.faults)}]" if record is not None and record.faults else ""
    verdict = "no record; see the log of its run" if record is None else record.verdict
    outcome = rehearsal.state if record is None else record.outcome.value
    return f"{rehearsal.night}{faults}  {outcome}: {verdict}  ({duration(rehearsal.wall_seconds)} wall)"


def _style(rehearsal: RehearsalRun) -> str:
    if rehearsal.record is None:
        return "bold red"
    return "green" if rehearsal.record.outcome.is_green else "yellow"


def _clock(ended: Sequence[RehearsalRun], active: Sequence[RehearsalRun], total: int, wall_seconds: float) -> Table:
    table = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=total, completed=len(ended), width=_BAR_WIDTH)
    words = f"{len(ended)} of {total} nights, {len(active)} in progress, {duration(wall_seconds)}"
    if ended and len(ended) < total:
        words += f", about {duration(wall_seconds / len(ended) * (total - len(ended)))} left"
    table.add_row(bar, Text(words, style="bold"))
    return table


def _in_progress(active: Sequence[RehearsalRun]) -> Table:
    table = Table.grid(padding=(0, 2))
    for one in active[:_MOST_SHOWN]:
        took = f"{duration(one.wall_seconds)} wall"
        table.add_row(Text("▶", style="cyan"), Text(str(one.night)), Text(one.activity), Text(took, style="dim"))
    return table
