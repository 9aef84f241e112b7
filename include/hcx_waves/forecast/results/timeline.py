"""The upper part of a forecast's picture: the median night, VM by VM, and the outage of each segment.

Few VMs have a row and a name each. Of many only groups are named, and of many segments those that matter most, so that
no text is printed over another whatever the size of the wave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from hcx_waves.forecast.results.axis import day, number, time_axis
from hcx_waves.forecast.results.document import Bar, Forecast, SegmentBar
from hcx_waves.model.formatting import clock_time, counted, rough_duration, share
from hcx_waves.model.outside import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SYNC, OUTAGE, INK = "#4477AA", "#CC3311", "#333333"
SWITCHOVER_WINDOW, CUTOVER_WINDOW = "#228833", "#CC3311"
_WAIT, _QUEUE, _SWITCH, _FAILED, _PALE = "#BBCCDD", "#DDAA33", "#228833", "#882255", "#F3D5CE"
_MOST_NAMES, _MOST_SEGMENTS = 60, 40
_LONGEST_NAME, _LONGEST_MESH = 36, 24
_ROW_INCHES, _ALL_ROWS_INCHES, _SEGMENT_INCHES, _GAP_INCHES = 0.2, 7.0, 0.22, 0.25
_LINE_INCHES = 0.17
"""What a line of small letters takes, with some air."""
_ROOM_FOR_OUTCOMES, _FAR_RIGHT = 0.1, 0.75


class NightDrawing:
    """The median night from top to bottom: VMs by mesh in the order of their switchovers, then the segments."""

    def __init__(self, forecast: Forecast) -> None:
        self.forecast = forecast
        self.vms = sorted(forecast.typical.vms, key=lambda bar: (bar.mesh, *_turn(bar), bar.name))
        self.segments, self.unnamed = _most_important(forecast.typical.segments)
        self.names_each = len(self.vms) <= _MOST_NAMES
        self.row_inches = _ROW_INCHES if self.names_each else _ALL_ROWS_INCHES / len(self.vms)
        self.labels: list[tuple[float, str]] = []
        self.bars: dict[str, list[list[tuple[float, float]]]] = {}

    @property
    def inches(self) -> float:
        """How high it has to be."""
        segment_rows = len(self.segments) + bool(self.unnamed)
        return 2 * _GAP_INCHES + self.row_inches * len(self.vms) + _SEGMENT_INCHES * segment_rows

    def draw(self, axes: Axes) -> None:
        """Draw all of it."""
        self.axes = axes
        for row, bar in enumerate(self.vms):
            self._collect_vm(row, bar)
        self._draw_meshes()
        top = len(self.vms) - 0.5 + self._units(_GAP_INCHES)
        for place, one in enumerate(self.segments):
            self._collect_segment(top + self._units((place + 0.5) * _SEGMENT_INCHES), one)
        bottom = top + self._units(len(self.segments) * _SEGMENT_INCHES)
        if self.unnamed:
            self.labels.append(
                (bottom + self._units(_SEGMENT_INCHES / 2), f"and {counted(len(self.unnamed), 'more segment')}")
            )
            bottom += self._units(_SEGMENT_INCHES)
        for colour, bars in self.bars.items():
            axes.add_collection(PolyCollection(bars, facecolor=colour, linewidth=0))
        axes.autoscale_view()
        self._set_axes(bottom)
        self._draw_outcomes()
        for place, one in enumerate(self.segments):
            self._name_outage(top + self._units((place + 0.5) * _SEGMENT_INCHES), one)
        self._draw_safe_start()

    def legend(self) -> Iterator[Patch]:
        """Yield what the colours mean that were used."""
        used = [("Base sync", SYNC), ("Waiting, with delta syncs", _WAIT), ("Waiting for its turn", _QUEUE)]
        used += [("Switchover", _SWITCH), ("Failed switchover", _FAILED), ("Segment outage", OUTAGE)]
        for label, colour in used:
            if colour in self.bars:
                yield Patch(color=colour, label=label)
        if self.forecast.switchover_window is not None:
            yield Patch(facecolor=SWITCHOVER_WINDOW, alpha=0.1, label="Switchover window")
        if any(one.window is not None for one in self.forecast.segments):
            yield Patch(color=_PALE, label="Cutover window")

    def _units(self, inches: float) -> float:
        """Return a height in rows of VMs."""
        return inches / self.row_inches

    def _set_axes(self, bottom: float) -> None:
        axes = self.axes
        begin, end = day(self.forecast, 0.0), axes.get_xlim()[1]
        axes.set_xlim(begin, end + (end - begin) * _ROOM_FOR_OUTCOMES)
        self._shade()
        axes.set_ylim(bottom, -0.5 - self._units(_GAP_INCHES))
        axes.set_yticks([at for at, _ in self.labels], [label for _, label in self.labels], fontsize=7)
        axes.tick_params(axis="y", length=0)
        time_axis(self.forecast, axes)
        axes.set_title(_title(self.forecast), loc="left", fontsize=10)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)

    def _collect_vm(self, row: int, bar: Bar) -> None:
        if self.names_each:
            self.labels.append((row, shown(bar.name, _LONGEST_NAME)))
        if bar.base_sync is not None:
            self._bar(row, bar.base_sync, SYNC)
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

    def _end(self) -> float:
        """Return the last instant of the night, for what goes on for ever."""
        known = [bar.switchover[1] for bar in self.vms if bar.switchover is not None]
        known += [bar.base_sync[1] for bar in self.vms if bar.base_sync is not None]
        known += [edge for one in self.forecast.typical.segments if one.outage is not None for edge in one.outage]
        return max(known, default=3600.0)

    def _bar(self, row: float, span: tuple[float, float], colour: str, height: float | None = None) -> None:
        """Remember a bar; they are drawn together, as many single ones take long."""
        if span[0] >= span[1]:
            return
        high = height or (0.8 if self.names_each else 1.0)
        begin, end = (day(self.forecast, edge) for edge in span)
        top, bottom = row - high / 2, row + high / 2
        self.bars.setdefault(colour, []).append([(begin, top), (end, top), (end, bottom), (begin, bottom)])

    def _collect_segment(self, row: float, one: SegmentBar) -> None:
        self.labels.append((row, shown(one.name, _LONGEST_NAME)))
        height = self._units(_SEGMENT_INCHES * 0.75)
        if one.window is not None:
            self._bar(row, one.window, _PALE, height)
        if one.outage is not None:
            self._bar(row, one.outage, OUTAGE, height)

    def _name_outage(self, row: float, one: SegmentBar) -> None:
        if one.outage is None:
            self.axes.text(0.99, row, "not cut over", va="center", ha="right", fontsize=7, color=_FAILED,
                           transform=self.axes.get_yaxis_transform())  # fmt: skip
            return
        begins, ends = (day(self.forecast, edge) for edge in one.outage)
        text, is_far = f"outage {rough_duration(one.outage[1] - one.outage[0])}", self._is_far_right(ends)
        self.axes.plot(begins, row, marker="|", color=OUTAGE, markersize=7)
        self.axes.text(begins if is_far else ends, row, f"{text}  " if is_far else f"  {text}", va="center",
                       ha="right" if is_far else "left", fontsize=7, color=OUTAGE)  # fmt: skip

    def _draw_outcomes(self) -> None:
        """Name what became of VMs that did not arrive, where each has a row; the meshes' labels count the others."""
        if not self.names_each:
            return
        for row, bar in enumerate(self.vms):
            if bar.outcome != "arrived":
                self.axes.text(day(self.forecast, self._end()), row, f" {bar.outcome}", va="center", fontsize=7,
                               color=_FAILED)  # fmt: skip

    def _draw_meshes(self) -> None:
        """Name the meshes beside their VMs where there are several, or where VMs are too many to be named.

        Meshes with so few rows that their names would be printed over each other are named together.
        """
        by_mesh = [list(bars) for _, bars in groupby(self.vms, key=lambda bar: bar.mesh)]
        if len(by_mesh) < 2 and self.names_each:
            return
        row = 0
        for bars in by_mesh:
            if row:
                self.axes.axhline(row - 0.5, color="#999999", linewidth=0.6)
            row += len(bars)
        row = 0
        for bars in _high_enough(by_mesh, _LINE_INCHES / self.row_inches):
            lines = _mesh_lines(bars, with_outcomes=not self.names_each)
            has_room = len(lines) * _LINE_INCHES <= len(bars) * self.row_inches
            text = "\n".join(lines) if has_room else f"{lines[0]}: {', '.join(lines[1:])}"
            self.axes.text(1.005, row + (len(bars) - 1) / 2, text, va="center", fontsize=7,
                           transform=self.axes.get_yaxis_transform())  # fmt: skip
            row += len(bars)

    def _draw_safe_start(self) -> None:
        """Mark the last safe start, if it lies within the picture, with its name above the VMs."""
        latest = self.forecast.last_safe_start
        begin, end = self.axes.get_xlim()
        if latest is None or not begin <= number(latest) <= end:
            return
        at, zone = number(latest), self.forecast.time_zone
        is_far = self._is_far_right(at)
        self.axes.axvline(at, color=INK, linewidth=1, linestyle=":")
        text = f" last safe start {clock_time(latest, zone, on=self.forecast.starts_at)} "
        self.axes.text(at, -0.5 - self._units(_GAP_INCHES / 2), text, fontsize=8, va="center", color=INK,
                       ha="right" if is_far else "left")  # fmt: skip

    def _is_far_right(self, at: float) -> bool:
        begin, end = self.axes.get_xlim()
        return at > begin + (end - begin) * _FAR_RIGHT

    def _shade(self) -> None:
        """Shade the switchover window, of which no more is shown than the night needs."""
        window = self.forecast.switchover_window
        if window is None:
            return
        begin, end = self.axes.get_xlim()
        opens, closes = number(window.opens), number(window.closes)
        self.axes.axvspan(opens, closes, color=SWITCHOVER_WINDOW, alpha=0.1, linewidth=0, zorder=0)
        self.axes.set_xlim(begin, max(end, min(closes, end + (end - begin) * 0.25)))


def _turn(bar: Bar) -> tuple[float, float]:
    begun = bar.switchover[0] if bar.switchover is not None else float("inf")
    synced = bar.base_sync[1] if bar.base_sync is not None else float("inf")
    return begun, synced


def _most_important(segments: Sequence[SegmentBar]) -> tuple[list[SegmentBar], list[SegmentBar]]:
    """Return the segments that are shown and the others: those not cut over come first, then the longest outages."""
    if len(segments) <= _MOST_SEGMENTS:
        return list(segments), []
    ranked = sorted(segments, key=lambda one: -_length(one))
    chosen = {one.name for one in ranked[:_MOST_SEGMENTS]}
    return [one for one in segments if one.name in chosen], [one for one in segments if one.name not in chosen]


def _length(one: SegmentBar) -> float:
    return float("inf") if one.outage is None else one.outage[1] - one.outage[0]


def _high_enough(by_mesh: Sequence[list[Bar]], rows: float) -> Iterator[list[Bar]]:
    """Yield the VMs of neighbouring meshes together until they have as many rows as a line of text needs."""
    groups: list[list[Bar]] = []
    for bars in by_mesh:
        if groups and (len(groups[-1]) < rows or len(bars) < rows):
            groups[-1] = [*groups[-1], *bars]
        else:
            groups.append(list(bars))
    yield from groups


def _mesh_lines(bars: Sequence[Bar], *, with_outcomes: bool) -> list[str]:
    first, last = (shown(bar.mesh, _LONGEST_MESH) for bar in (bars[0], bars[-1]))
    lines = [first if first == last else f"{first} to {last}", counted(len(bars), "VM")]
    if with_outcomes:
        outcomes = Counter(bar.outcome for bar in bars if bar.outcome != "arrived")
        lines += [f"{count} {outcome}" for outcome, count in sorted(outcomes.items())]
    return lines


def _title(forecast: Forecast) -> str:
    chance = "" if forecast.window_chance is None else f"; fits its windows in {share(forecast.window_chance)} of them"
    fit = "" if forecast.window_fit is None else f". {forecast.window_fit.sentences(forecast.time_zone)[0]}"
    nights = counted(forecast.nights, "night")
    return f"{forecast.wave}\nThe median of {nights}{chance} (times in {forecast.time_zone}){fit}"
