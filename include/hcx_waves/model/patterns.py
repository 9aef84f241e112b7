"""Which regular expressions may be matched against what users type: those that cannot take for ever.

Python, Airflow's own checks and browsers match by trying. Where two ways through an expression fit the same text, all
of them are tried before it does not match: ``(A+)+`` takes seconds for 26 letters. So an expression is read like a
grammar: wherever it can go on in two ways, the next character must decide between them. In a repeated group that holds
without exception; elsewhere two exceptions are allowed (``.*CHG[0-9]+.*``), each of which costs at most the length of
the text once more. This looks at the expression alone, and takes as long as it is long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from re import _constants as op  # type: ignore[attr-defined]  # the only description of expressions there is
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST_UNDECIDED = 2
_MOST_REPEATS = 1000
_SINGLE = (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}
_SAMPLES = "azAZ09_ \t\n-.!\u00e9\u0660\u2003\U0010fffe"

Letters = frozenset[str]


def why_not_bounded(pattern: str) -> str | None:
    """Return why an expression could take too long, in words that follow its name; None if it cannot.

    :raises re.error: if it is no expression.
    """
    tree = parser.parse(pattern)
    look = _Look(
        frozenset(_SAMPLES) | _neighbours(pattern), ignore_case=re.search(r"\(\?[a-zA-Z]*i", pattern) is not None
    )
    try:
        look.sequence(list(tree), frozenset(), in_loop=False)
    except _RefusedError as refusal:
        return str(refusal)
    if look.undecided > _MOST_UNDECIDED:
        return "can match the same text in too many ways, which can take very long: let the next character decide"
    return None


class _RefusedError(Exception):
    """The expression is not bounded; says why."""


def _neighbours(pattern: str) -> Letters:
    """Return the characters that an expression tells apart: its own, and those beside them, where ranges end."""
    codes = {code + step for code in map(ord, _named(pattern)) for step in (-1, 0, 1)}
    letters = {chr(code) for code in codes if 0 <= code <= 0x10FFFF}
    return frozenset(letters | {one.swapcase() for one in letters if len(one.swapcase()) == 1})


def _named(pattern: str) -> set[str]:
    found: set[str] = set()
    pending: list[Any] = [parser.parse(pattern)]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple | list | parser.SubPattern):
            pending.extend(node)
        elif isinstance(node, int) and not isinstance(node, op._NamedIntConstant) and 0 <= node <= 0x10FFFF:
            found.add(chr(node))
    return found


@dataclass
class _Look:
    """Reads an expression from right to left: what can follow is known when a part is looked at."""

    alphabet: Letters
    ignore_case: bool
    undecided: int = 0

    def sequence(self, items: list[Any], after: Letters, *, in_loop: bool) -> tuple[Letters, bool]:
        """Return the first letters of a sequence, and whether it can be empty.

        :param after: the letters that can follow it.
        """
        first: Letters = frozenset()
        can_be_empty = True
        for kind, value in reversed(items):
            begins, skipped = self._item(kind, value, after, in_loop)
            after = begins | after if skipped else begins
            first = begins | first if skipped else begins
            can_be_empty = can_be_empty and skipped
        return first, can_be_empty

    def _item(self, kind: Any, value: Any, after: Letters, in_loop: bool) -> tuple[Letters, bool]:
        if kind in _SINGLE:
            return self._letters(kind, value), False
        if kind in _REPEATS:
            return self._repeat(value, after, in_loop)
        if kind is op.SUBPATTERN:
            return self.sequence(list(value[-1]), after, in_loop=in_loop)
        if kind is op.ATOMIC_GROUP:
            return self.sequence(list(value), after, in_loop=in_loop)
        if kind is op.BRANCH:
            return self._branch(value[1], after, in_loop)
        if kind is op.AT:
            return frozenset(), True
        raise _RefusedError("looks ahead, behind or back (?=, ?!, ?<, \\1), which is not supported here")

    def _repeat(self, value: Any, after: Letters, in_loop: bool) -> tuple[Letters, bool]:
        least, most, body = int(value[0]), int(value[1]), value[2]
        if most != int(op.MAXREPEAT) and most > _MOST_REPEATS:
            raise _RefusedError(f"repeats something more than {_MOST_REPEATS} times")
        loops = most > 1
        first, can_be_empty = self._begins(body)
        if loops and can_be_empty:
            raise _RefusedError("repeats what can be empty, which can take for ever")
        self.sequence(list(body), first | after if loops else after, in_loop=in_loop or loops)
        if least != most and first & after:
            self._undecided(in_loop)
        return first, least == 0 or can_be_empty

    def _branch(self, alternatives: list[Any], after: Letters, in_loop: bool) -> tuple[Letters, bool]:
        first: Letters = frozenset()
        empty = 0
        for one in alternatives:
            begins, can_be_empty = self.sequence(list(one), after, in_loop=in_loop)
            if first & begins:
                self._undecided(in_loop)
            first, empty = first | begins, empty + can_be_empty
        if empty > 1 or (empty and first & after):
            self._undecided(in_loop)
        return first, empty > 0

    def _begins(self, items: Any) -> tuple[Letters, bool]:
        """Return the first letters of a sequence, and whether it can be empty, whatever follows."""
        first: Letters = frozenset()
        for kind, value in items:
            begins, empty = self._begins_item(kind, value)
            first |= begins
            if not empty:
                return first, False
        return first, True

    def _begins_item(self, kind: Any, value: Any) -> tuple[Letters, bool]:
        if kind in _SINGLE:
            return self._letters(kind, value), False
        if kind in _REPEATS:
            first, empty = self._begins(value[2])
            return first, empty or value[0] == 0
        if kind is op.BRANCH:
            found = [self._begins(one) for one in value[1]]
            return frozenset().union(*(first for first, _ in found)), any(empty for _, empty in found)
        if kind in (op.SUBPATTERN, op.ATOMIC_GROUP):
            return self._begins(value[-1] if kind is op.SUBPATTERN else value)
        return frozenset(), True

    def _undecided(self, in_loop: bool) -> None:
        if in_loop:
            raise _RefusedError(
                "repeats a group that can match the same text in several ways, which can take for ever: let each "
                "round begin with a character that nothing else in it matches"
            )
        self.undecided += 1

    def _letters(self, kind: Any, value: Any) -> Letters:
        if kind is op.ANY:
            return self.alphabet
        if kind is op.LITERAL:
            return self._either_case(chr(value))
        if kind is op.NOT_LITERAL:
            return self.alphabet - self._either_case(chr(value))
        negated = bool(value) and value[0][0] is op.NEGATE
        found: Letters = frozenset().union(*(self._part(*one) for one in value[negated:]))
        return self.alphabet - found if negated else found

    def _part(self, kind: Any, value: Any) -> Letters:
        if kind is op.RANGE:
            return frozenset().union(
                *(self._either_case(one) for one in self.alphabet if value[0] <= ord(one) <= value[1])
            )
        if kind is op.CATEGORY:
            return frozenset(one for one in self.alphabet if re.match(_CATEGORIES[value], one))
        return self._either_case(chr(value))

    def _either_case(self, letter: str) -> Letters:
        return frozenset((letter, letter.swapcase())) if self.ignore_case else frozenset((letter,))
