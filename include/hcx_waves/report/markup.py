"""Write Markdown: headings, lists, tables, code and fences that no name or message can break out of.

Whatever is given as plain text is escaped, so that it is shown as it is. What these functions return is
:class:`Markdown`, which is taken as it is; so they can be nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hcx_waves.model.outside import shown, shown_lines

_ANYWHERE = re.compile(r"[\\`*\[\]|~$]")
# Between letters or digits an underscore is one; names would be hard to read in the file if each were escaped.
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_AT_THE_START = re.compile(r"\A([-+=]+|#{1,6})(?=\s|\Z)")
_NUMBER_AT_THE_START = re.compile(r"\A(\d{1,9})([.)])(?=\s|\Z)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ADDRESS = re.compile(r"(?i)((?:\b[a-z][a-z0-9+.-]{0,20}://|\bwww\.|\bmailto:)[^\s<>\"'()|]+)")
_LONGEST = 8000
_PIPE = re.compile(r"(\\*)\|")


class Markdown(str):
    """A text that is Markdown already, and safe."""

    __slots__ = ()


def escape(text: str) -> Markdown:
    """Keep a text on one line and from being read as Markdown or HTML."""
    plain = _inline(text)
    if isinstance(text, Markdown):
        return plain
    plain = Markdown(_AT_THE_START.sub(r"\\\1", plain, count=1))
    return Markdown(_NUMBER_AT_THE_START.sub(r"\1\\\2", plain, count=1))


def code(text: str) -> Markdown:
    """Return a text as code within a line; nothing for an empty one."""
    flat = shown(text)
    ticks = "`" * (_longest_run(flat) + 1)
    space = " " if "`" in flat else ""
    return Markdown(f"{ticks}{space}{flat}{space}{ticks}" if flat else "")


def bold(text: str) -> Markdown:
    """Return a text in bold."""
    return Markdown(f"**{escape(text)}**")


def fence(text: str, language: str = "") -> Markdown:
    """Return a text of several lines as it is, such as instructions or a vendor's message.

    :param language: for highlighting.
    """
    ticks = "`" * max(3, _longest_run(text) + 1)
    return Markdown(f"{ticks}{language}\n{shown_lines(text, _LONGEST)}\n{ticks}")


def link(text: str, address: str) -> Markdown:
    """Return a text that leads to an address; the text alone if there is no address or it could end the link."""
    safe = bool(address) and not set(address) & set("()<>[] \t\n")
    return Markdown(f"[{escape(text)}]({address})") if safe else escape(text)


def bullets(lines: Iterable[str]) -> Markdown:
    """Return a list, a line each; nothing without lines."""
    return Markdown("\n".join(f"- {escape(line)}" for line in lines))


def facts(pairs: Iterable[tuple[str, str]]) -> Markdown:
    """Return a list of names with their values."""
    return bullets(Markdown(f"{escape(name)}: {escape(value)}") for name, value in pairs)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, most: int | None = None, rest: str = "") -> Markdown:
    """Return a table; nothing without rows.

    :param most: how many rows are shown; below the table it is said how many more there are.
    :param rest: where the other rows can be found, for that sentence.
    """
    found = list(rows)
    if not found:
        return Markdown()
    lines = [_row(header), f"|{'---|' * len(header)}", *map(_row, found[:most])]
    more = 0 if most is None else len(found) - most
    if more > 0:
        lines += ["", f"and {more} more{f'; {escape(rest)}' if rest else ''}."]
    return Markdown("\n".join(lines))


def section(title: str, body: str, *, level: int = 2) -> Markdown:
    """Return a heading with its body; nothing without a body."""
    return Markdown(f"{'#' * level} {escape(title)}\n\n{escape(body)}") if body else Markdown()


def document(*parts: str) -> Markdown:
    """Return paragraphs, sections and tables one below the other, without those that are empty."""
    return Markdown("\n\n".join(escape(part) for part in parts if part))


def _inline(text: str) -> Markdown:
    if isinstance(text, Markdown):
        return text
    # Readers make links of bare addresses, escaped or not; in code they do not.
    pieces = _ADDRESS.split(shown(text, _LONGEST))
    return Markdown("".join(code(piece) if at % 2 else _escaped(piece) for at, piece in enumerate(pieces)))


def _escaped(text: str) -> str:
    plain = _UNDERSCORE.sub(r"\\_", _ANYWHERE.sub(r"\\\g<0>", text))
    return "".join(_ENTITIES.get(one, one) for one in plain)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_PIPE.sub(_escaped_pipe, _inline(cell)) for cell in cells)} |"


def _escaped_pipe(found: re.Match[str]) -> str:
    """Escape a pipe that is not: also within code it would end the cell."""
    slashes = found[1]
    return f"{slashes}|" if len(slashes) % 2 else f"{slashes}\\|"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
