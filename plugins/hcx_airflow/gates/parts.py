"""Pieces of what gates show: tables, and texts that cannot be read as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MOST_ROWS = 200


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; of very many rows the first ones."""
    listed = list(rows)
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in listed[:MOST_ROWS]]
    more = len(listed) - MOST_ROWS
    return "\n".join(lines) + (f"\n\nand {more} more; the plan holds all of them." if more > 0 else "")


def cell(text: str) -> str:
    """Keep names from the inventory from being read as Markdown or HTML."""
    flat = " ".join(str(text).split())
    for mark in "\\`*_[]<>|":
        flat = flat.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return flat


def fenced(text: str) -> str:
    """Return a text of several lines as it was written, which nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"
