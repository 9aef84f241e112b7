"""Draw a forecast: the median night, VM by VM, above the distribution of the end."""

from __future__ import annotations

import io
import itertools
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hcx_waves.forecast.results.axis import day, number, time_axis
from hcx_waves.forecast.results.document import PICTURE_FORMATS, Forecast
from hcx_waves.forecast.results.timeline import CUTOVER_WINDOW, INK, SWITCHOVER_WINDOW, SYNC, NightDrawing
from hcx_waves.model.expectation import TITLES
from hcx_waves.model.formatting import clock_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MINUTE = 1 / 1440
_FARTHEST = 6.0
"""A window's edge that is farther away than so many widths of the distribution is named, not drawn."""
_WIDTH_INCHES, _DOTS_PER_INCH = 12.0, 110
_BESIDES_INCHES, _DISTRIBUTION_INCHES, _WITHOUT_END_INCHES = 1.6, 1.8, 0.6
_LONGEST_LINE = 150


def draw_forecast(forecast: Forecast, suffix: str = ".svg") -> bytes:
    """Return the picture of a forecast.

    :param suffix: one of :data:`~hcx_waves.forecast.results.document.PICTURE_FORMATS`.
    :raises ValueError: if it is another.
    """
    if suffix not in PICTURE_FORMATS:
        raise ValueError(f"{suffix}: a picture is one of {', '.join(PICTURE_FORMATS)}")
    content = io.BytesIO()
    # No date in the file: the same forecast makes the same picture.
    metadata = {"Date": None} if suffix == ".svg" else {"CreationDate": None} if suffix == ".pdf" else {}
    with _settings():
        forecast_figure(forecast).savefig(content, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=metadata)
    return content.getvalue()


def forecast_figure(forecast: Forecast) -> Figure:
    """Return the picture as matplotlib's figure."""
    with _settings():
        above = NightDrawing(forecast)
        below = _DISTRIBUTION_INCHES if forecast.ends.counts else _WITHOUT_END_INCHES
        figure = Figure(figsize=(_WIDTH_INCHES, above.inches + below + _BESIDES_INCHES), layout="constrained")
        FigureCanvasAgg(figure)
        timeline, distribution = figure.subplots(2, 1, height_ratios=[above.inches, below])
        above.draw(timeline)
        _draw_distribution(forecast, distribution)
        figure.legend(handles=list(above.legend()), loc="outside lower center", ncols=8, fontsize=8, frameon=False)
    return figure


def _settings() -> AbstractContextManager[None]:
    # The same forecast makes the same picture, and no name in it is read as a formula.
    return rc_context({"svg.hashsalt": "hcx-waves", "text.parse_math": False})


def _draw_distribution(forecast: Forecast, axes: Axes) -> None:
    """Draw how many nights end when, with the quantiles and the window that closes last."""
    edges, counts = forecast.ends.edges_seconds, forecast.ends.counts
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_yticks([])
    axes.set_title(TITLES["end"], loc="left", fontsize=10)
    if not counts:
        axes.text(0.0, 0.9, _no_end(forecast), ha="left", va="top", fontsize=8, transform=axes.transAxes)
        axes.set_axis_off()
        return
    days = [day(forecast, edge) for edge in edges]
    widths = [after - before for before, after in itertools.pairwise(days)]
    axes.bar(days[:-1], counts, width=widths, align="edge", color=SYNC, linewidth=0)
    axes.set_ylim(0, max(counts) * 1.45)
    spread = max(days[-1] - days[0], _MINUTE)
    axes.set_xlim(days[0] - spread * 0.08, days[-1] + spread * 0.25)
    for level, (label, seconds) in enumerate(_marks(forecast)):
        at = day(forecast, seconds)
        axes.axvline(at, color=INK, linewidth=1, linestyle="--", ymax=0.97 - level * 0.12)
        axes.text(at, 0.97 - level * 0.12, f" {label} {_exact(forecast, seconds)}", fontsize=8, va="top", color=INK,
                  transform=axes.get_xaxis_transform())  # fmt: skip
    _draw_last_window(forecast, axes, spread)
    time_axis(forecast, axes)


def _no_end(forecast: Forecast) -> str:
    """Return what stands where a wave completes in no night."""
    fit = "" if forecast.window_fit is None else " ".join(forecast.window_fit.sentences(forecast.time_zone))
    return "\n".join(["The wave completes in no night.", *textwrap.wrap(fit, _LONGEST_LINE)])


def _marks(forecast: Forecast) -> Iterator[tuple[str, float]]:
    end = forecast.end
    for label, seconds in (("P50", end.p50_seconds), ("P90", end.p90_seconds), ("P95", end.p95_seconds)):
        if seconds is not None:
            yield label, seconds


def _exact(forecast: Forecast, seconds: float) -> str:
    return clock_time(forecast.instant(seconds), forecast.time_zone, seconds=True)


def _draw_last_window(forecast: Forecast, axes: Axes, spread: float) -> None:
    """Shade the window in which the end should lie; where it closes far off, say so at the edge."""
    windows = [one.window for one in forecast.segments] + [forecast.switchover_window]
    window = max((one for one in windows if one is not None), key=lambda one: one.closes, default=None)
    if window is None:
        return
    begin, end = axes.get_xlim()
    opens, closes = number(window.opens), number(window.closes)
    if end < closes <= begin + spread * _FARTHEST:
        end = closes + spread * 0.1
    if begin > closes > end - spread * _FARTHEST:
        begin = closes - spread * 0.1
    colour = CUTOVER_WINDOW if forecast.segments else SWITCHOVER_WINDOW
    axes.axvspan(opens, closes, color=colour, alpha=0.1, linewidth=0, zorder=0)
    axes.set_xlim(begin, end)
    # Below the quantiles, which have the upper third.
    text = f"window closes {clock_time(window.closes, forecast.time_zone, on=forecast.starts_at)}"
    if begin <= closes <= end:
        axes.axvline(closes, color=colour, linewidth=1.5)
        is_left = closes < begin + (end - begin) / 2
        axes.text(closes, 0.5, f" {text}" if is_left else f"{text} ", ha="left" if is_left else "right", va="center",
                  fontsize=8, color=colour, transform=axes.get_xaxis_transform())  # fmt: skip
    else:
        side, text = ("right", f"{text} \u2192") if closes > end else ("left", f"\u2190 {text}")
        axes.text(0.995 if side == "right" else 0.005, 0.5, text, ha=side, va="center", fontsize=9, color=colour,
                  transform=axes.transAxes)  # fmt: skip
