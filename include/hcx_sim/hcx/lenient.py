"""The managers' forgiving JSON parser.

The product reads what Gson reads in lenient mode: names and strings without quotes or with single ones, ``=`` or
``=>`` for the colon, ``;`` for the comma, comments, and an empty array element for null. Two public clients rely
on it. [C hcx 1]
"""

from __future__ import annotations

from typing import Any

from hcx_sim.http.json_text import MAX_DEPTH, TooDeepError, strict_json

_LONGEST = 256 * 1024
_BLANKS = " \t\n\r\f"
_ENDS_LITERAL = frozenset(_BLANKS + "/\\;#={}[]:,")
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_WORDS = {"true": True, "false": False, "null": None}


class LenientJsonError(ValueError):
    """The text is not JSON, however leniently it is read; the message says where."""


def parse(text: str) -> Any:
    """Return the value of a JSON text, read strictly first and leniently when that fails.

    Raises :class:`LenientJsonError` when neither succeeds, when something follows the value, or when arrays and
    objects are nested more than ``MAX_DEPTH`` deep.
    """
    try:
        return strict_json(text)
    except TooDeepError as error:
        raise LenientJsonError(str(error)) from None
    except ValueError:
        if len(text) > _LONGEST:
            raise LenientJsonError(f"not JSON, and too long ({_LONGEST} characters) to be read leniently") from None
        return _Reader(text).document()


class _Reader:
    """Reads one document from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def document(self) -> Any:
        value = self._value()
        self._skip()
        if self._at < len(self._text):
            raise self._error("unexpected text after the value")
        return value

    def _error(self, problem: str) -> LenientJsonError:
        line = self._text.count("\n", 0, self._at) + 1
        column = self._at - self._text.rfind("\n", 0, self._at)
        return LenientJsonError(f"{problem} at line {line} column {column}")

    def _peek(self) -> str:
        self._skip()
        if self._at >= len(self._text):
            raise self._error("end of input")
        return self._text[self._at]

    def _skip(self) -> None:
        """Pass blanks and comments."""
        text = self._text
        while self._at < len(text):
            if text[self._at] in _BLANKS:
                self._at += 1
            elif text[self._at] == "#" or text.startswith("//", self._at):
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif text.startswith("/*", self._at):
                end = text.find("*/", self._at + 2)
                if end < 0:
                    raise self._error("unterminated comment")
                self._at = end + 2
            else:
                return

    def _value(self) -> Any:
        start = self._peek()
        if start in "{[":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise self._error(f"nested more than {MAX_DEPTH} deep")
            self._at += 1
            value = self._object() if start == "{" else self._array()
            self._depth -= 1
            return value
        if start in "\"'":
            return self._quoted()
        return _meaning(self._literal("value"))

    def _object(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if self._peek() == "}":
            self._at += 1
            return result
        while True:
            name = self._quoted() if self._peek() in "\"'" else self._literal("name")
            self._separator()
            result[name] = self._value()
            end = self._peek()
            self._at += 1
            if end == "}":
                return result
            if end not in ",;":
                raise self._error("unterminated object")

    def _separator(self) -> None:
        mark = self._peek()
        if mark not in ":=":
            raise self._error("expected ':'")
        self._at += 1
        if mark == "=" and self._text.startswith(">", self._at):
            self._at += 1

    def _array(self) -> list[Any]:
        result: list[Any] = []
        if self._peek() == "]":
            self._at += 1
            return result
        while True:
            result.append(None if self._peek() in ",;]" else self._value())
            end = self._peek()
            self._at += 1
            if end == "]":
                return result
            if end not in ",;":
                raise self._error("unterminated array")

    def _quoted(self) -> str:
        quote = self._text[self._at]
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == quote:
                return "".join(parts)
            parts.append(self._escape() if char == "\\" else char)
        raise self._error("unterminated string")

    def _escape(self) -> str:
        if self._at >= len(self._text):
            raise self._error("unterminated escape sequence")
        char = self._text[self._at]
        self._at += 1
        if char != "u":
            return _ESCAPES.get(char, char)
        digits = self._text[self._at : self._at + 4]
        try:
            code = int(digits, 16) if len(digits) == 4 else -1
        except ValueError:
            code = -1
        if code < 0:
            raise self._error("invalid \\u escape")
        self._at += 4
        return chr(code)

    def _literal(self, what: str) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _ENDS_LITERAL:
            self._at += 1
        if self._at == start:
            raise self._error(f"expected {what}")
        return self._text[start : self._at]


def _meaning(word: str) -> Any:
    """Return what an unquoted word stands for: a constant, a number, else itself as a string."""
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
