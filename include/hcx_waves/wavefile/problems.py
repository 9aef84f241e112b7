"""Problems of a wave file, with their position."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from hcx_waves.model.base import RULES_ERROR, BrokenRule, Location
from hcx_waves.model.outside import shown
from hcx_waves.wavefile.hints import unknown_field

MOST_PROBLEMS = 100
"""How many problems of one file are listed."""
_LONGEST_FIELD = 200
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a wave file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    field: str
    message: str

    def __post_init__(self) -> None:
        """What was written in the file may be anything; what is shown of it is not."""
        object.__setattr__(self, "field", shown(self.field, _LONGEST_FIELD))
        object.__setattr__(self, "message", shown(self.message, _LONGEST_MESSAGE))

    def __str__(self) -> str:
        """Write it as editors read it."""
        return f"{self.file}:{self.line}:{self.column} {self.field}: {self.message}"


class WaveFileError(ValueError):
    """A wave file that cannot be used; the message lists every problem, one a line, up to a hundred."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = _first_ones(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _first_ones(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return as many problems as a person can read, and how many more there are."""
    more = len(problems) - MOST_PROBLEMS
    if more <= 0:
        return tuple(problems)
    last = problems[MOST_PROBLEMS - 1]
    message = f"at least {more} more problems follow; correct these first"
    rest = Problem(last.file, last.line, last.column, "wave", message)
    return (*problems[:MOST_PROBLEMS], rest)


def spoken(location: Location) -> str:
    """Write a field's place in the file: ``vms[2].options.retain_mac``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return shown(text, _LONGEST_FIELD) or "wave"


def broken_rules_of(error: ValidationError, model: type[BaseModel]) -> list[BrokenRule]:
    """Return what a model refuses, in our words: fields that are wrong by themselves and rules between fields.

    :param model: the model that was asked, for the names of fields that would have been known.
    """
    found: list[BrokenRule] = []
    for detail in error.errors(include_url=False):
        if len(found) > 2 * MOST_PROBLEMS:
            break  # Nobody reads them all, and to word them takes long.
        location = tuple(detail["loc"])
        if detail["type"] == "too_short" and detail["input"]:
            continue  # Only its invalid items, which are told by themselves, make the list too short.
        if detail["type"] == RULES_ERROR:
            for rule in detail["ctx"]["broken"]:
                found.append(BrokenRule((*location, *rule.location), rule.message))
        else:
            found.append(BrokenRule(location, _message(detail, model)))
    return found


def _message(detail: Any, model: type[BaseModel]) -> str:
    kind, context, given = str(detail["type"]), detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        return unknown_field(str(detail["loc"][-1]), given, model, tuple(detail["loc"][:-1]))
    if kind in _OF_TYPE:
        return f"{_OF_TYPE[kind]}, {_of_input(given)}"
    if kind == "string_type":
        return f"must be text{_quoted(given)}"
    if kind == "enum":
        return f"must be one of {str(context['expected']).replace(chr(39), '')}, {_of_input(given)}"
    if kind in _OF_SIZE:
        return _OF_SIZE[kind].format(**context)
    return str(detail["msg"]) if kind not in _FIXED else _FIXED[kind]


_OF_TYPE = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping of fields to values",
    "model_attributes_type": "must be a mapping of fields to values",
}
_OF_SIZE = {
    "string_too_short": "must not be empty",
    "string_too_long": "is longer than {max_length} characters",
    "too_short": "must not be an empty list",
    "too_long": "has more than {max_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
_FIXED = {
    "missing": "is required",
    "string_pattern_mismatch": "is not a UUID: use the instanceUuid, such as 5012a3c4-0f1e-2d3c-4b5a-69788796a5b4",
}


def _of_input(given: Any) -> str:
    if given is None:
        return "not left blank"
    if isinstance(given, dict):
        return "not a mapping"
    if isinstance(given, list):
        return "not a list"
    if isinstance(given, str) and len(given) > 60:
        return "not text"
    return f'not "{given}"' if isinstance(given, str) else f"not {str(given).lower()}"


def _quoted(given: Any) -> str:
    if isinstance(given, bool | int | float):
        return f'; put it in quotes: "{str(given).lower() if isinstance(given, bool) else given}"'
    return f", {_of_input(given)}"
