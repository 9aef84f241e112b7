"""Clean what comes from outside before anybody sees it: vendors' words, names, notes, conf, change references.

A text that others wrote can hold escape sequences that a terminal obeys, marks that turn the order of letters round,
characters that nobody sees, and more of everything than a page can show. Each of them is shown as a replacement
character here, so that a reader sees that something was there. This is for showing only: what is looked up or compared
stays as it came.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

LONGEST = 2000
"""Characters of one text that are shown, unless a place has less room."""
MOST_LINES = 200
_ELLIPSIS = "…"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Operating system commands (titles, links, clipboard) with all they carry, then control sequences, then the rest.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]?"
    r"|\x1b[ -/]{0,4}[0-~]?"
)
# Letters, marks and symbols by category that look like nothing at all: fillers, joiners, selectors, blank braille.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_MOST_MARKS = 4


def shown(text: object, longest: int = LONGEST) -> str:
    """Return a text as it may be shown: on one line, without anything that is obeyed or not seen, and not too long.

    :param longest: characters; a longer text ends in an ellipsis.
    """
    # A little more than is shown is enough to look at: nothing here makes a text longer.
    raw = str(text)
    plain = printable(" ".join(_ESCAPES.sub(_REPLACEMENT, raw[: longest * 8]).split()))
    if len(plain) > longest or len(raw) > longest * 8:
        return plain[: longest - 1].rstrip() + _ELLIPSIS
    return plain


def shown_lines(text: str, longest: int = LONGEST, most_lines: int = MOST_LINES) -> str:
    """Return a text of several lines as it may be shown; indentation stays.

    :param longest: characters of a line.
    :param most_lines: the last line says how many more there were.
    """
    lines = _ESCAPES.sub(_REPLACEMENT, text).splitlines()
    kept = [_line(line.expandtabs(), longest) for line in lines[:most_lines]]
    if len(lines) > most_lines:
        kept.append(f"{_ELLIPSIS} and {len(lines) - most_lines} more lines")
    return "\n".join(kept)


def shown_values(value: Any, longest: int = LONGEST) -> Any:
    """Return JSON primitives whose texts may be shown; the structure stays."""
    if isinstance(value, str):
        return shown(value, longest)
    if isinstance(value, Mapping):
        return {shown(key, longest): shown_values(member, longest) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [shown_values(member, longest) for member in value]
    return value


def printable(text: str) -> str:
    """Return a text in which every character can be seen; what cannot be is shown as a replacement character."""
    if text.isascii() and text.isprintable():
        return text
    seen = _UNSEEN.sub(_REPLACEMENT, text)
    seen = "".join(one if one.isprintable() else _REPLACEMENT for one in seen)
    return seen if seen.isascii() else _without_towers(seen)


def _without_towers(text: str) -> str:
    """Return a text whose letters carry a few marks at most: more of them cover the lines around."""
    kept: list[str] = []
    marks = 0
    for one in text:
        marks = marks + 1 if unicodedata.combining(one) else 0
        if marks <= _MOST_MARKS:
            kept.append(one)
    return "".join(kept)


def _line(text: str, longest: int) -> str:
    plain = printable(text[: longest + 1])
    return plain if len(plain) <= longest else plain[: longest - 1] + _ELLIPSIS
