"""Pieces of Markdown: headings, lists and tables whose cells cannot break out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def section(title: str, body: str) -> str:
    """Return a heading with its body; nothing without a body."""
    return f"## {title}\n\n{body}" if body else ""


def bullets(lines: Iterable[str]) -> str:
    """Return a list, escaped."""
    return "\n".join(f"- {escape(line)}" for line in lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table, its cells escaped; nothing without rows."""
    return "\n".join(_lines(header, rows)) if rows else ""


def escape(text: str) -> str:
    """Keep a text on its line and in its cell, and from being read as markup."""
    plain = " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
    return plain.replace("<", "&lt;").replace("`", "\\`").replace("[", "\\[")


def code(text: str) -> str:
    """Return a text as code."""
    return f"`{text.replace('`', '')}`"


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(escape(cell) for cell in row)} |"
