"""The query language of the search API, as far as clients use it.

``field:value`` terms with ``AND``, ``OR``, ``NOT`` and parentheses; terms side by side mean AND; values may be quoted
or have their special characters escaped by a backslash; ``*`` and ``?`` are wildcards outside of quotes; a field may
name a nested one by dots. [D nsx-vsphere 2.1]; everything beyond ``field:value AND field:value`` is inferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hcx_sim.nsx.errors import invalid

Test = Callable[[dict[str, Any]], bool]
_TOKEN = re.compile(r"""\s*(?:(?P<paren>[()])|(?P<word>(?:\\.|"(?:\\.|[^"\\])*"|[^\s()\\"])+))""")
_WILDCARDS = {"*": ".*", "?": "."}
_ESCAPE = re.compile(r"\\(.)")


def compile_query(text: str) -> Test:
    """Return a test of bodies; raises 400/255 for a query that does not parse."""
    parser = _Parser(_lexemes(text), text)
    test = parser.any_of()
    if parser.peek() is not None:
        raise parser.error()
    return test


def resource_types(text: str) -> set[str] | None:
    """Return the resource types that a query can match, None when it does not restrict them.

    It only spares the rendering of what cannot match: a query with OR or NOT counts as unrestricted.
    """
    lexemes = _lexemes(text)
    if any(lexeme.upper() in ("OR", "NOT") for lexeme in lexemes):
        return None
    names = [lexeme.partition(":")[2].strip('"') for lexeme in lexemes if lexeme.startswith("resource_type:")]
    return set(names) if names and not any("*" in name or "?" in name for name in names) else None


def _lexemes(text: str) -> list[str]:
    lexemes = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise invalid([f"query: cannot be read from {text[position:]!r}"])
        lexemes.append(match["paren"] or match["word"])
        position = match.end()
    return lexemes


class _Parser:
    def __init__(self, lexemes: list[str], text: str) -> None:
        self._lexemes = lexemes
        self._text = text
        self._position = 0

    def peek(self) -> str | None:
        return self._lexemes[self._position] if self._position < len(self._lexemes) else None

    def error(self) -> Exception:
        return invalid([f"query: {self._text!r} cannot be read at {self.peek() or 'its end'!r}"])

    def _take(self) -> str:
        lexeme = self.peek()
        if lexeme is None:
            raise self.error()
        self._position += 1
        return lexeme

    def any_of(self) -> Test:
        tests = [self._all_of()]
        while self.peek() == "OR":
            self._take()
            tests.append(self._all_of())
        return lambda body: any(test(body) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self.peek() not in (None, "OR", ")"):
            if self.peek() == "AND":
                self._take()
            tests.append(self._one())
        return lambda body: all(test(body) for test in tests)

    def _one(self) -> Test:
        lexeme = self._take()
        if lexeme == "NOT":
            test = self._one()
            return lambda body: not test(body)
        if lexeme == "(":
            test = self.any_of()
            if self._take() != ")":
                raise self.error()
            return test
        if lexeme in ("AND", "OR", ")"):
            raise self.error()
        return _term(lexeme)


def _term(lexeme: str) -> Test:
    field, colon, value = lexeme.partition(":")
    if not colon or '"' in field:
        field, value = "", lexeme
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    if quoted:
        wanted = re.escape(_ESCAPE.sub(r"\1", value[1:-1]))
    else:
        wanted = "".join(
            _WILDCARDS.get(part) or re.escape(part.removeprefix("\\")) for part in re.findall(r"\\.|[^\\]", value)
        )
    pattern = re.compile(wanted, re.IGNORECASE | re.DOTALL)
    if not field:
        return lambda body: any(pattern.fullmatch(str(each)) for each in _leaves(body))
    path = field.split(".")
    return lambda body: any(pattern.fullmatch(_text(each)) for each in _values(body, path))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(value: Any, path: list[str]) -> list[Any]:
    if isinstance(value, list):
        return [found for each in value for found in _values(each, path)]
    if not path:
        return [] if value is None or isinstance(value, dict) else [value]
    return _values(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]
