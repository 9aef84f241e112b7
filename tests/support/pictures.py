"""Look at a picture as a reader does: which of its texts lie over each other or beyond its edge."""

from __future__ import annotations

from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text

_TOUCHING_PIXELS = 1.0
"""Boxes of texts have a little air around their letters."""


def illegible(figure: Figure) -> list[str]:
    """Return each text that is printed over another or leaves the picture, in words."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    hidden = _not_drawn(figure)
    boxes = []
    for text in figure.findobj(Text):
        if not (isinstance(text, Text) and text.get_visible() and text.get_text().strip()):
            continue
        if text in hidden:
            continue
        boxes.append((text.get_text(), text.get_window_extent(renderer)))
    page = figure.bbox
    found = [
        f"{words!r} leaves the picture"
        for words, box in boxes
        if box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1 or box.y1 > page.y1 + 1
    ]
    for (one, a), (other, b) in combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > _TOUCHING_PIXELS and high > _TOUCHING_PIXELS:
            found.append(f"{one!r} and {other!r}")
    return found


def _not_drawn(figure: Figure) -> list[object]:
    """Return labels that matplotlib keeps and does not draw: of axes that are off, and of ticks outside the limits."""
    hidden: list[object] = []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (axes.axison and low <= tick.get_loc() <= high):
                    hidden += [tick.label1, tick.label2]
            if not axes.axison:
                hidden += [axis.label, axis.get_offset_text()]
    return hidden


def words_of(figure: Figure) -> list[str]:
    """Return all texts of a picture."""
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text().strip()]
