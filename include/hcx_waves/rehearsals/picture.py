"""Draw a wave's rehearsals: a row for each night with its windows, and the outage of each segment."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hcx_waves.model.expectation import Spread
from hcx_waves.model.formatting import counted as number_of
from hcx_waves.model.outside import shown
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.markdown import counted, fitting, length
from hcx_waves.rehearsals.summary import NightRow, Quantity, RehearsalSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

FORMATS = ("png", "svg", "pdf")
_COLOURS = {
    WaveOutcome.AS_PLANNED: "#2e7d32",
    WaveOutcome.INCOMPLETE: "#e08e00",
    WaveOutcome.REJECTED: "#6a51a3",
    WaveOutcome.BLOCKED: "#757575",
    WaveOutcome.DRIFTED: "#1f78b4",
    WaveOutcome.STRANDED: "#c62828",
}
_MARKERS = {
    WaveOutcome.AS_PLANNED: "o",
    WaveOutcome.INCOMPLETE: "s",
    WaveOutcome.REJECTED: "D",
    WaveOutcome.BLOCKED: "x",
    WaveOutcome.DRIFTED: "^",
    WaveOutcome.STRANDED: "X",
}
_WINDOW = "#d7e8f7"
_TRANSFERS = "#90a4ae"
_QUEUE = "#3f7fbf"
_MOST_NIGHTS, _MOST_OUTAGES = 120, 40
_LONGEST_LABEL = 48
_HOUR = 3600.0


class PictureError(ValueError):
    """A picture of a kind that cannot be drawn."""


def can_draw() -> bool:
    """Whether matplotlib is installed, which the extra ``forecast`` brings."""
    return find_spec("matplotlib") is not None


def draw_summary(summary: RehearsalSummary, kind: str = "png") -> bytes:
    """Return the picture: at most the latest 120 nights, and the 40 segments with the longest outages.

    :param kind: ``png``, ``svg`` or ``pdf``.
    :raises PictureError: for another kind.
    :raises ModuleNotFoundError: if matplotlib is not installed, see :func:`can_draw`.
    """
    if kind not in FORMATS:
        raise PictureError(f'a picture ends in {", ".join(f".{one}" for one in FORMATS)}, not in ".{kind}"')
    written = io.BytesIO()
    stamps = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with _settings(summary):
        summary_figure(summary).savefig(written, format=kind, dpi=110, metadata=stamps[kind])
    return written.getvalue()


def summary_figure(summary: RehearsalSummary) -> Figure:
    """Return the picture as matplotlib's figure.

    :raises ModuleNotFoundError: if matplotlib is not installed, see :func:`can_draw`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, outages = summary.nights[-_MOST_NIGHTS:], _longest(summary.outages)
    night_height = 2.0 + 0.24 * len(rows)
    outage_height = 1.3 + 0.42 * len(outages) if outages else 0.0
    with _settings(summary):
        figure = Figure(figsize=(11, night_height + outage_height), layout="constrained")
        FigureCanvasAgg(figure)
        ratios = [night_height, outage_height] if outage_height else [night_height]
        panels = figure.subplots(len(ratios), 1, squeeze=False, height_ratios=ratios)[:, 0]
        _nights(panels[0], rows, summary)
        if outage_height:
            _outages(panels[1], outages, summary)
        figure.legend(handles=_legend(rows), loc="outside lower center", ncols=4, frameon=False)
        figure.suptitle(_title(summary), fontsize=12)
    return figure


def _settings(summary: RehearsalSummary) -> AbstractContextManager[None]:
    from matplotlib import rc_context

    # Ids in SVG are random unless they are salted; no name is read as a formula.
    return rc_context({"svg.hashsalt": summary.wave, "font.size": 9, "text.parse_math": False})


def _longest(outages: Sequence[Quantity]) -> list[Quantity]:
    """Return the segments that are shown, in their order: those with the longest outages, if there are too many."""
    chosen = {one.name for one in sorted(outages, key=lambda one: -one.spread.p95_seconds)[:_MOST_OUTAGES]}
    return [one for one in outages if one.name in chosen]


def picture_kind(path: Path) -> str:
    """Return the kind that a file's name asks for; ``draw_summary`` refuses what it does not know."""
    return path.suffix.removeprefix(".").lower()


def _title(summary: RehearsalSummary) -> str:
    fits = fitting(summary)
    if not fits:
        return f"Rehearsals of wave {summary.wave}\n{counted(summary)}"
    others = len(summary.nights) - len(summary.counted)
    apart = f"; {number_of(others, 'night')} with faults" if others else ""
    return f"Rehearsals of wave {summary.wave}\n{fits} as planned and within the windows{apart}"


def _nights(axes: Axes, rows: Sequence[NightRow], summary: RehearsalSummary) -> None:
    from matplotlib.ticker import MaxNLocator

    for place, row in enumerate(rows):
        _windows(axes, place, row)
        _course(axes, place, row)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(f"Hours after the start of each night (dates in {summary.time_zone})")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True))
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)


def _windows(axes: Axes, place: int, row: NightRow) -> None:
    """Draw the switchover window as a band, and the closing of the last window as a line across it."""
    if row.switchover_window is not None:
        opens, closes = (_hours(row, one) for one in (row.switchover_window.opens, row.switchover_window.closes))
        axes.barh(place, closes - opens, left=opens, height=0.86, color=_WINDOW, linewidth=0, zorder=1)
    if row.closes_at is not None:
        closing = _hours(row, row.closes_at)
        axes.plot([closing, closing], [place - 0.43, place + 0.43], color="#c62828", linewidth=1.6, zorder=3)


def _course(axes: Axes, place: int, row: NightRow) -> None:
    """Draw transfers and switchovers as thin bars, from the cutover to the end as a thick one, the end as a mark."""
    colour = _COLOURS[row.outcome]
    if row.transfer_ended_at is not None:
        axes.barh(place, _hours(row, row.transfer_ended_at), height=0.22, color=_TRANSFERS, linewidth=0, zorder=2)
    if row.switchovers is not None:
        began, over = (_hours(row, one) for one in (row.switchovers.opens, row.switchovers.closes))
        axes.barh(place, over - began, left=began, height=0.22, color=_QUEUE, linewidth=0, zorder=2)
    if row.cutover_began_at is not None and row.ended_at is not None:
        began = _hours(row, row.cutover_began_at)
        width = _hours(row, row.ended_at) - began
        axes.barh(place, width, left=began, height=0.5, color=colour, alpha=0.35, linewidth=0, zorder=2)
    if row.expected_end_seconds is not None:
        expected = row.expected_end_seconds / _HOUR
        axes.plot([expected, expected], [place - 0.3, place + 0.3], color="#333333", linewidth=1, zorder=3)
    end = 0.0 if row.ended_at is None else _hours(row, row.ended_at)
    axes.scatter([end], [place], color=colour, marker=_MARKERS[row.outcome], s=30, zorder=4, clip_on=False)


def _legend(rows: Sequence[NightRow]) -> list[Line2D | Patch]:
    """Return what the colours and marks of some nights mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Line2D | Patch] = [
        Patch(color=_TRANSFERS, label="Transfers"),
        Patch(color=_QUEUE, label="Switchovers"),
        Patch(color=_WINDOW, label="Switchover window"),
        Line2D([], [], color="#c62828", linewidth=1.6, label="Last window closes"),
    ]
    if any(row.expected_end_seconds is not None for row in rows):
        handles.append(Line2D([], [], color="#333333", linewidth=1, label="Forecast P50 of completion"))
    seen = {row.outcome for row in rows}
    handles += [
        Line2D(
            [],
            [],
            color=_COLOURS[one],
            marker=_MARKERS[one],
            linestyle="none",
            label=f"End: {one.label.lower()}",
        )
        for one in WaveOutcome
        if one in seen
    ]
    return handles


def _outages(axes: Axes, outages: Sequence[Quantity], summary: RehearsalSummary) -> None:
    """Draw a point a night for each segment, with P50 and P95 as rehearsed and as forecast."""
    nights = {night: row for row in summary.nights for night in (row.night,)}
    for place, quantity in enumerate(outages):
        seconds = [nights[night].outages.get(quantity.name) for night in summary.counted]
        known = [one for one in seconds if one is not None]
        axes.scatter(known, [place] * len(known), color="#1f78b4", alpha=0.45, s=20, linewidths=0, zorder=3)
        _bracket(axes, place - 0.22, quantity.spread, "#1f78b4")
        if quantity.expected is not None:
            _bracket(axes, place + 0.22, quantity.expected, "#333333")
    axes.set_yticks(range(len(outages)), [_outage_label(one) for one in outages])
    axes.set_ylim(len(outages) - 0.5, -0.5)
    axes.set_xlim(left=0)
    hidden = len(summary.outages) - len(outages)
    axes.set_xlabel(
        "Outage in seconds: one point for each night; P50 to P95 as rehearsed (blue) and as forecast (black)"
        + (f"\n{number_of(hidden, 'segment')} with shorter outages not shown" if hidden else "")
    )
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)


def _bracket(axes: Axes, place: float, spread: Spread, colour: str) -> None:
    axes.plot([spread.p50_seconds, spread.p95_seconds], [place, place], color=colour, linewidth=1.4, zorder=2)
    for one in (spread.p50_seconds, spread.p95_seconds):
        axes.plot([one, one], [place - 0.08, place + 0.08], color=colour, linewidth=1.4, zorder=2)


def _label(row: NightRow) -> str:
    return shown(f"{row.night}" + (f" ({', '.join(row.faults)})" if row.faults else ""), _LONGEST_LABEL)


def _outage_label(quantity: Quantity) -> str:
    spread = quantity.spread
    return f"{shown(quantity.name, _LONGEST_LABEL)}\nP50 {length(spread.p50_seconds)}, P95 {length(spread.p95_seconds)}"


def _hours(row: NightRow, moment: datetime) -> float:
    return (moment - row.starts_at).total_seconds() / _HOUR
