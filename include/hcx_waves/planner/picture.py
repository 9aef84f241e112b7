"""The picture of a plan, as SVG: waves over time, the span of each network, slots in use, GiB of each wave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import escape

from hcx_waves.planner.document import PlanDocument, PlannedNetwork

_LEFT, _RIGHT, _TOP, _ROW, _CHART = 150, 30, 110, 12, 70
_WIDTH = 1200
_MOST_ROWS = 200
_FONT = 'font-family="sans-serif" font-size="10"'
_COLOURS = {"span": "#3b6ea5", "held": "#b5482f", "slots": "#6b6b6b", "gib": "#8aa17a", "grid": "#d9d9d9"}


def plan_picture(plan: PlanDocument) -> str:
    """Return a plan as SVG. Of more than two hundred networks the longest stretched are drawn."""
    networks = sorted(plan.networks, key=lambda one: (-one.days, one.name))[:_MOST_ROWS]
    networks.sort(key=lambda one: (one.first_day, one.last_day, one.name))
    height = _TOP + _ROW * len(networks) + 2 * (_CHART + 40) + 30
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT}>',
            f"<title>{escape(plan.rules.name)}</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
            *_Picture(plan, networks).parts(),
            "</svg>\n",
        ]
    )


class _Picture:
    def __init__(self, plan: PlanDocument, networks: list[PlannedNetwork]) -> None:
        self._plan, self._networks = plan, networks
        days = [date.fromisoformat(wave.night).toordinal() for wave in plan.waves]
        self._days, self._first, self._last = days, min(days, default=0), max(days, default=1) + 1
        self._bottom = _TOP + _ROW * len(networks)

    def parts(self) -> Iterator[str]:
        figures = self._plan.figures
        most = len(self._networks)
        drawn = "" if most == len(self._plan.networks) else f", {most} longest drawn"
        title = f"{self._plan.rules.name}: {figures.waves} waves, {len(self._plan.networks)} networks{drawn}"
        days = f"{figures.plain_days} days stretched in all, at most {figures.peak_slots} networks at once"
        yield self._text(_LEFT, 24, title, 16)
        yield self._text(_LEFT, 42, f"{days}, last night {figures.last_night}", 12)
        yield from self._grid()
        for row, network in enumerate(self._networks):
            yield from self._network(network, _TOP + _ROW * row)
        yield from self._bars("slots in use", self._bottom + 40, [wave.slots for wave in self._plan.waves], "slots")
        yield from self._bars("GiB", self._bottom + _CHART + 80, [wave.gib for wave in self._plan.waves], "gib")

    def _x(self, day: int) -> float:
        return round(_LEFT + (day - self._first) / (self._last - self._first) * (_WIDTH - _LEFT - _RIGHT), 1)

    def _grid(self) -> Iterator[str]:
        free = 0.0
        for wave, day in zip(self._plan.waves, self._days, strict=True):
            x = self._x(day)
            yield f'<line x1="{x}" x2="{x}" y1="{_TOP - 6}" y2="{self._bottom}" stroke="{_COLOURS["grid"]}"/>'
            # Labels that would overlap are left out.
            if x >= free:
                free = x + 12
                words = f"{wave.name.rpartition('-')[2]} {wave.night[5:]}"
                yield f'<text transform="translate({x + 3},{_TOP - 10}) rotate(-60)">{escape(words)}</text>'

    def _network(self, network: PlannedNetwork, y: int) -> Iterator[str]:
        begin, end = (date.fromisoformat(day).toordinal() for day in (network.first_day, network.last_day))
        begin, x = max(begin, self._first), self._x(max(begin, self._first))
        width = max(2.0, round(self._x(min(end + 1, self._last)) - x, 1))
        colour = _COLOURS["held" if not network.last_wave else "span"]
        ends = f"{network.first_wave or 'extended already'} to {network.last_wave or 'never'}"
        tip = escape(f"{network.name}: {network.days} days, {ends}")
        yield f'<text x="{_LEFT - 6}" y="{y + 9}" text-anchor="end">{escape(network.name[:24])}</text>'
        bar = f'x="{x}" y="{y + 2}" width="{width}" height="8" fill="{colour}"'
        yield f"<rect {bar}><title>{tip}</title></rect>"

    def _bars(self, title: str, top: int, values: list[int], colour: str) -> Iterator[str]:
        most = max([*values, 1])
        yield self._text(_LEFT - 6, top + 10, f"{title}, most {most}", 10, anchor="end")
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{top + _CHART}" y2="{top + _CHART}" stroke="#333"/>'
        for wave, day, value in zip(self._plan.waves, self._days, values, strict=True):
            height = round(_CHART * value / most, 1)
            x, y = self._x(day), round(top + _CHART - height, 1)
            bar = f'x="{x}" y="{y}" width="6" height="{height}" fill="{_COLOURS[colour]}"'
            yield f"<rect {bar}><title>{escape(wave.name)}: {value}</title></rect>"

    def _text(self, x: float, y: float, words: str, size: int, anchor: str = "start") -> str:
        return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'
