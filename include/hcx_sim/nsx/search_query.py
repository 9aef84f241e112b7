"""The query language of the search API. [D nsx-vsphere 2.1]

``field:value`` terms with AND (``&&``), OR (``||``), NOT (``!``) and parentheses, also around the values of one field;
terms side by side mean AND; values may be quoted or have reserved characters escaped by a backslash; ``*`` and ``?``
are wildcards outside of quotes; a field may name a nested one by dots; ``field:>=7`` compares. ``[a TO b]``,
``_exists_:field`` and the signs ``+`` and ``-`` in front of a term are inferred. Whatever cannot be read is refused:
an empty answer would say that nothing is there.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hcx_sim.nsx.errors import NsxError, invalid

Test = Callable[[dict[str, Any]], bool]
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<phrase>"(?:\\.|[^"\\])*")
    | (?P<mark>&&|\|\||>=|<=|[()\[\]{}<>:!]|[+-](?=[^\s]))
    | (?P<word>(?:\\.|&(?!&)|\|(?!\|)|[^\s()\[\]{}"<>:!^~/=\\&|+-])
               (?:\\.|&(?!&)|\|(?!\|)|[^\s()\[\]{}"<>:!^~/=\\&|])*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"AND": "&&", "OR": "||", "NOT": "!"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_WILDCARDS = {"*": ".*", "?": "."}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ANY = "*"
_EXISTS = "_exists_"
_TYPE = "resource_type"


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: the test of a body, and the resource types it can match, None when it does not say."""

    test: Test
    types: frozenset[str] | None = None


def parse_query(text: str) -> Query:
    """Return what a query means; raises 400/255 for one that cannot be read."""
    parser = _Parser(_tokens(text), text)
    query = parser.any_of("")
    if parser.peek() is not None:
        raise parser.error()
    return query


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "word", "phrase", or the mark itself
    text: str


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, text[position:].strip())
        kind = str(match.lastgroup)
        value = match[kind]
        if kind == "word" and value in _WORDS:
            kind = _WORDS[value]
        tokens.append(_Token(value if kind == "mark" else kind, value))
        position = match.end()
    return tokens


def _unreadable(text: str, where: str) -> NsxError:
    return invalid([f"query: {text!r} cannot be read at {where!r}; reserved characters need a backslash"])


class _Parser:
    def __init__(self, tokens: list[_Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._position = 0

    def peek(self, ahead: int = 0) -> str | None:
        """Return the kind of the next token, None at the end."""
        place = self._position + ahead
        return self._tokens[place].kind if place < len(self._tokens) else None

    def error(self) -> NsxError:
        """Return the refusal of what comes next."""
        at_end = self._position >= len(self._tokens)
        return _unreadable(self._text, "its end" if at_end else self._tokens[self._position].text)

    def _take(self, *kinds: str) -> _Token:
        if self.peek() not in kinds:
            raise self.error()
        self._position += 1
        return self._tokens[self._position - 1]

    def any_of(self, field: str) -> Query:
        """Read terms joined by OR; terms without a field of their own are values of ``field``."""
        parts = [self._all_of(field)]
        while self.peek() == "||":
            self._take("||")
            parts.append(self._all_of(field))
        if len(parts) == 1:
            return parts[0]
        known = [part.types for part in parts if part.types is not None]
        types = frozenset[str]().union(*known) if len(known) == len(parts) else None
        return Query(lambda body: any(part.test(body) for part in parts), types)

    def _all_of(self, field: str) -> Query:
        parts = [self._one(field)]
        while self.peek() not in (None, "||", ")"):
            if self.peek() == "&&":
                self._take("&&")
            parts.append(self._one(field))
        if len(parts) == 1:
            return parts[0]
        known = [part.types for part in parts if part.types is not None]
        types = known[0].intersection(*known[1:]) if known else None
        return Query(lambda body: all(part.test(body) for part in parts), types)

    def _one(self, field: str) -> Query:
        kind = self.peek()
        if kind in ("!", "-"):
            self._take("!", "-")
            test = self._one(field).test
            return Query(lambda body: not test(body))
        if kind == "+":
            self._take("+")
            return self._one(field)
        if kind in ("word", "phrase") and self.peek(1) == ":":
            name = self._field()
            return self._value(name)
        return self._value(field)

    def _field(self) -> str:
        name = _plain(self._take("word").text)
        self._take(":")
        if name != _ANY and any(mark in name for mark in _WILDCARDS):
            raise invalid([f"query: a field's name cannot have wildcards: {name!r}"])
        return name

    def _value(self, field: str) -> Query:
        kind = self.peek()
        if kind == "(":
            self._take("(")
            inner = self.any_of(field)
            self._take(")")
            return inner
        if kind in _COMPARE and field:
            compare = _COMPARE[self._take(*_COMPARE).text]
            bound = self._bound()
            return Query(lambda body: any(_holds(compare, each, bound) for each in _of(body, field)))
        if kind in ("[", "{") and field:
            return self._range(field)
        token = self._take("word", "phrase")
        if field == _EXISTS:
            path = _plain(token.text).split(".")
            return Query(lambda body: _exists(body, path))
        return _term(field, token)

    def _bound(self) -> str:
        token = self._take("word", "phrase", "-")
        if token.kind == "-":
            return "-" + self._take("word").text
        return _plain(token.text)

    def _range(self, field: str) -> Query:
        low = _COMPARE[">=" if self._take("[", "{").text == "[" else ">"]
        first = self._bound()
        if self._take("word").text != "TO":
            raise self.error()
        last = self._bound()
        high = _COMPARE["<=" if self._take("]", "}").text == "]" else "<"]
        ends = [(compare, bound) for compare, bound in ((low, first), (high, last)) if bound != _ANY]
        return Query(
            lambda body: any(all(_holds(compare, each, bound) for compare, bound in ends) for each in _of(body, field))
        )


def _plain(text: str) -> str:
    """Return a word or phrase without quotes and escapes."""
    return _ESCAPE.sub(r"\1", text[1:-1] if text.startswith('"') else text)


def _term(field: str, token: _Token) -> Query:
    if token.kind == "phrase":
        wanted = re.escape(_plain(token.text))
    else:
        parts = re.findall(r"\\.|[^\\]", token.text, re.DOTALL)
        wanted = "".join(_WILDCARDS.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    pattern = re.compile(wanted, re.IGNORECASE | re.DOTALL)
    exact = field == _TYPE and (token.kind == "phrase" or not any(mark in token.text for mark in _WILDCARDS))
    types = frozenset({_plain(token.text).lower()}) if exact else None
    return Query(lambda body: any(pattern.fullmatch(_text(each)) for each in _of(body, field)), types)


def _holds(compare: Callable[[Any, Any], bool], value: Any, bound: str) -> bool:
    """Compare as numbers when both are, else as texts."""
    try:
        return compare(float(value), float(bound))
    except (TypeError, ValueError):
        return compare(_text(value), bound)


def _of(body: dict[str, Any], field: str) -> list[Any]:
    """Return the values of a field, all values of a body without one."""
    return _leaves(body) if field in ("", _ANY) else _values(body, field.split("."))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(value: Any, path: list[str]) -> list[Any]:
    if isinstance(value, list):
        return [found for each in value for found in _values(each, path)]
    if not path:
        return [] if value is None or isinstance(value, dict) else [value]
    return _values(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def _exists(value: Any, path: list[str]) -> bool:
    if isinstance(value, list):
        return any(_exists(each, path) for each in value)
    if not path:
        return value is not None
    return isinstance(value, dict) and _exists(value.get(path[0]), path[1:])


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]
