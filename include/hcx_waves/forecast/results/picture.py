"""Draw a forecast: the median night, VM by VM, above the distribution of the end."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hcx_waves.forecast.results.document import PICTURE_FORMATS, Bar, Forecast
from hcx_waves.model.expectation import TITLES
from hcx_waves.model.formatting import clock_time, counted, rough_duration, share

_SYNC, _WAIT, _QUEUE, _SWITCH, _OUTAGE, _FAILED = "#4477AA", "#BBCCDD", "#DDAA33", "#228833", "#CC3311", "#882255"
_SWITCHOVER_WINDOW, _CUTOVER_WINDOW = "#228833", "#CC3311"
_INK = "#333333"
_MOST_NAMES = 60
_MINUTE = 1 / 1440
_SECONDS_A_DAY = 86400
_FARTHEST = 6.0
"""A window's edge that is farther away than so many widths of the distribution is named, not drawn."""
_WIDTH_INCHES, _DOTS_PER_INCH = 12.0, 110


def draw_forecast(forecast: Forecast, suffix: str = ".svg") -> bytes:
    """Return the picture of a forecast.

    :param suffix: one of :data:`~hcx_waves.forecast.results.document.PICTURE_FORMATS`.
    :raises ValueError: if it is another.
    """
    if suffix not in PICTURE_FORMATS:
        raise ValueError(f"{suffix}: a picture is one of {', '.join(PICTURE_FORMATS)}")
    rows = len(forecast.typical.vms)
    height = min(14.0, 2.2 + (0.2 * rows if rows <= _MOST_NAMES else 7.0))
    figure = Figure(figsize=(_WIDTH_INCHES, height + 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    timeline, distribution = figure.subplots(2, 1, height_ratios=[height, 2.2])
    _Timeline(forecast, timeline).draw()
    _draw_distribution(forecast, distribution)
    content = io.BytesIO()
    # No date in the file: the same forecast makes the same picture.
    metadata = {"Date": None} if suffix == ".svg" else {"CreationDate": None} if suffix == ".pdf" else {}
    with rc_context({"svg.hashsalt": "hcx-waves"}):
        figure.savefig(content, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=metadata)
    return content.getvalue()


class _Timeline:
    """The median night from top to bottom: VMs by mesh in the order of their switchovers, then the segments."""

    def __init__(self, forecast: Forecast, axes: Axes) -> None:
        self.forecast, self.axes = forecast, axes
        night = forecast.typical
        self.vms = sorted(night.vms, key=lambda bar: (bar.mesh, *_turn(bar), bar.name))
        self.labels: list[tuple[float, str]] = []
        self.bars: dict[str, list[list[tuple[float, float]]]] = {}

    def draw(self) -> None:
        """Draw all of it."""
        forecast, axes = self.forecast, self.axes
        for row, bar in enumerate(self.vms):
            self._draw_vm(row, bar)
        self._draw_meshes()
        gap = max(1.0, len(self.vms) * 0.02)
        bottom = self._draw_segments(len(self.vms) + gap)
        self._draw_bars()
        _shade(forecast, axes)
        axes.set_ylim(bottom, -1)
        axes.set_yticks([at for at, _ in self.labels], [label for _, label in self.labels], fontsize=7)
        axes.tick_params(axis="y", length=0)
        _time_axis(forecast, axes)
        axes.set_title(_title(forecast), loc="left", fontsize=11)
        figure = axes.get_figure()
        if isinstance(figure, Figure):
            figure.legend(handles=list(self._legend()), loc="outside lower center", ncols=8, fontsize=8, frameon=False)
        axes.set_xlim(_day(forecast, 0.0), axes.get_xlim()[1])
        self._draw_safe_start()
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)

    def _draw_vm(self, row: int, bar: Bar) -> None:
        if len(self.vms) <= _MOST_NAMES:
            self.labels.append((row, bar.name))
        if bar.base_sync is not None:
            self._bar(row, bar.base_sync, _SYNC)
        begun = bar.switchover[0] if bar.switchover is not None else None
        since = bar.base_sync[1] if bar.base_sync is not None else None
        if since is not None and begun is not None:
            ready = begun if bar.ready is None else max(bar.ready, since)
            self._bar(row, (since, ready), _WAIT)
            self._bar(row, (ready, begun), _QUEUE)
        elif since is not None:
            self._bar(row, (since, self._end()), _WAIT)
        elif begun is not None and bar.ready is not None:
            self._bar(row, (bar.ready, begun), _QUEUE)
        if bar.switchover is not None:
            self._bar(row, bar.switchover, _FAILED if bar.outcome == "failed" else _SWITCH)
        if bar.outcome != "arrived":
            self.axes.text(_day(self.forecast, self._end()), row, f" {bar.outcome}", va="center", fontsize=6,
                           color=_FAILED)  # fmt: skip

    def _end(self) -> float:
        """Return the last instant of the night, for what goes on for ever."""
        known = [bar.switchover[1] for bar in self.vms if bar.switchover is not None]
        known += [bar.base_sync[1] for bar in self.vms if bar.base_sync is not None]
        known += [edge for one in self.forecast.typical.segments if one.outage is not None for edge in one.outage]
        return max(known, default=3600.0)

    def _bar(self, row: float, span: tuple[float, float], colour: str, height: float = 0.8) -> None:
        """Remember a bar; they are drawn together, as many single ones take long."""
        if span[0] >= span[1]:
            return
        begin, end = (_day(self.forecast, edge) for edge in span)
        if len(self.vms) > _MOST_NAMES and height < 1:
            height = 1.0
        top, bottom = row - height / 2, row + height / 2
        self.bars.setdefault(colour, []).append([(begin, top), (end, top), (end, bottom), (begin, bottom)])

    def _draw_bars(self) -> None:
        for colour, bars in self.bars.items():
            self.axes.add_collection(PolyCollection(bars, facecolor=colour, linewidth=0))
        self.axes.autoscale_view()

    def _draw_meshes(self) -> None:
        """Name the meshes beside their VMs where there are several, or where VMs are too many to be named."""
        meshes = sorted({bar.mesh for bar in self.vms})
        if len(meshes) < 2 and len(self.vms) <= _MOST_NAMES:
            return
        for mesh in meshes:
            rows = [row for row, bar in enumerate(self.vms) if bar.mesh == mesh]
            if rows[0]:
                self.axes.axhline(rows[0] - 0.5, color="#999999", linewidth=0.6)
            middle = (rows[0] + rows[-1]) / 2
            self.axes.text(1.005, middle, f"{mesh}\n{len(rows)} VMs", transform=self.axes.get_yaxis_transform(),
                           va="center", fontsize=8)  # fmt: skip

    def _draw_segments(self, top: float) -> float:
        """Draw the outages below the VMs and return where the picture ends."""
        night, forecast = self.forecast.typical, self.forecast
        height = max(1.0, len(self.vms) * 0.022)
        row = top
        for one in night.segments:
            self.labels.append((row, one.name))
            if one.window is not None:
                self._bar(row, one.window, "#F3D5CE", height * 0.9)
            if one.outage is not None:
                self._bar(row, one.outage, _OUTAGE, height * 0.9)
                text = f"  outage {rough_duration(one.outage[1] - one.outage[0])}"
                self.axes.text(_day(forecast, one.outage[1]), row, text, va="center", fontsize=7, color=_OUTAGE)
                self.axes.plot(_day(forecast, one.outage[0]), row, marker="|", color=_OUTAGE, markersize=7)
            else:
                self.axes.text(0.99, row, "not cut over", va="center", ha="right", fontsize=7, color=_FAILED,
                               transform=self.axes.get_yaxis_transform())  # fmt: skip
            row += height * 1.2
        return row

    def _draw_safe_start(self) -> None:
        """Mark the last safe start, if it lies within the picture."""
        latest = self.forecast.last_safe_start
        begin, end = self.axes.get_xlim()
        if latest is None or not begin <= _number(latest) <= end:
            return
        at = _number(latest)
        self.axes.axvline(at, color=_INK, linewidth=1, linestyle=":")
        text = f" last safe start {clock_time(latest, self.forecast.time_zone, on=self.forecast.starts_at)}"
        self.axes.text(at, -0.7, text, fontsize=8, va="center", color=_INK)

    def _legend(self) -> Iterator[Patch]:
        used = [("Base sync", _SYNC), ("Waiting, with delta syncs", _WAIT), ("Waiting for its turn", _QUEUE)]
        for label, colour in (*used, ("Switchover", _SWITCH), ("Failed switchover", _FAILED)):
            if colour in self.bars:
                yield Patch(color=colour, label=label)
        if self.forecast.segments:
            yield Patch(color=_OUTAGE, label="Segment outage")
        if self.forecast.switchover_window is not None:
            yield Patch(facecolor=_SWITCHOVER_WINDOW, alpha=0.1, label="Switchover window")
        if any(one.window is not None for one in self.forecast.segments):
            yield Patch(color="#F3D5CE", label="Cutover window")


def _turn(bar: Bar) -> tuple[float, float]:
    begun = bar.switchover[0] if bar.switchover is not None else float("inf")
    synced = bar.base_sync[1] if bar.base_sync is not None else float("inf")
    return begun, synced


def _title(forecast: Forecast) -> str:
    chance = "" if forecast.window_chance is None else f"; fits its windows in {share(forecast.window_chance)} of them"
    nights = counted(forecast.nights, "night")
    return f"{forecast.wave}: the median of {nights}{chance} (times in {forecast.time_zone})"


def _day(forecast: Forecast, seconds: float) -> float:
    """Return an instant in matplotlib's days, as a local time."""
    return _number(forecast.starts_at) + seconds / _SECONDS_A_DAY


def _number(at: datetime) -> float:
    return float(mdates.date2num(at))  # type: ignore[no-untyped-call]


def _time_axis(forecast: Forecast, axes: Axes) -> None:
    zone = ZoneInfo(forecast.time_zone)
    locator = mdates.AutoDateLocator(tz=zone, minticks=5, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=8)


def _shade(forecast: Forecast, axes: Axes) -> None:
    """Shade the switchover window, of which no more is shown than the night needs."""
    window = forecast.switchover_window
    if window is None:
        return
    begin, end = axes.get_xlim()
    opens, closes = _number(window.opens), _number(window.closes)
    axes.axvspan(opens, closes, color=_SWITCHOVER_WINDOW, alpha=0.1, linewidth=0, zorder=0)
    axes.set_xlim(begin, max(end, min(closes, end + (end - begin) * 0.25)))


def _draw_distribution(forecast: Forecast, axes: Axes) -> None:
    """Draw how many nights end when, with the quantiles and the window that closes last."""
    edges, counts = forecast.ends.edges_seconds, forecast.ends.counts
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_yticks([])
    axes.set_title(TITLES["end"], loc="left", fontsize=10)
    if not counts:
        axes.text(0.5, 0.5, "The wave completes in no night.", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    days = [_day(forecast, edge) for edge in edges]
    widths = [after - before for before, after in itertools.pairwise(days)]
    axes.bar(days[:-1], counts, width=widths, align="edge", color=_SYNC, linewidth=0)
    axes.set_ylim(0, max(counts) * 1.45)
    spread = max(days[-1] - days[0], _MINUTE)
    axes.set_xlim(days[0] - spread * 0.08, days[-1] + spread * 0.25)
    for level, (label, seconds) in enumerate(_marks(forecast)):
        at = _day(forecast, seconds)
        axes.axvline(at, color=_INK, linewidth=1, linestyle="--", ymax=0.95 - level * 0.1)
        axes.text(at, 0.95 - level * 0.1, f" {label} {_exact(forecast, seconds)}", fontsize=8, va="top", color=_INK,
                  transform=axes.get_xaxis_transform())  # fmt: skip
    _draw_last_window(forecast, axes, spread)
    _time_axis(forecast, axes)


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
    opens, closes = _number(window.opens), _number(window.closes)
    if end < closes <= begin + spread * _FARTHEST:
        end = closes + spread * 0.1
    if begin > closes > end - spread * _FARTHEST:
        begin = closes - spread * 0.1
    colour = _CUTOVER_WINDOW if forecast.segments else _SWITCHOVER_WINDOW
    axes.axvspan(opens, closes, color=colour, alpha=0.1, linewidth=0, zorder=0)
    axes.set_xlim(begin, end)
    text = f"window closes {clock_time(window.closes, forecast.time_zone, on=forecast.starts_at)}"
    if begin <= closes <= end:
        axes.axvline(closes, color=colour, linewidth=1.5)
        axes.text(closes, 0.5, f"{text} ", rotation=90, ha="right", va="center", fontsize=8, color=colour,
                  transform=axes.get_xaxis_transform())  # fmt: skip
    else:
        side, text = ("right", f"{text} \u2192") if closes > end else ("left", f"\u2190 {text}")
        axes.text(0.995 if side == "right" else 0.005, 0.5, text, ha=side, va="center", fontsize=9, color=colour,
                  transform=axes.transAxes)  # fmt: skip
