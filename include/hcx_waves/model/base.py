"""The base of all models: frozen, closed, and able to report several broken rules at once, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

Location = tuple[str | int, ...]
RULES_ERROR = "broken_rules"


class DomainModel(BaseModel):
    """A frozen value with a closed set of fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class BrokenRule:
    """A rule between fields that does not hold.

    :param location: the field to blame, seen from the model whose rule it is.
    :param message: what is wrong and what to write instead.
    """

    location: Location
    message: str


def refuse(broken: Sequence[BrokenRule]) -> None:
    """Raise one validation error that carries all broken rules, unless there is none.

    :raises PydanticCustomError: of type ``broken_rules``; ``ctx["broken"]`` holds the rules.
    """
    if broken:
        raise PydanticCustomError(
            RULES_ERROR, "{text}", {"text": "; ".join(rule.message for rule in broken), "broken": tuple(broken)}
        )


def problems_in(error: ValidationError, most: int | None = None) -> str:
    """Return the problems with their places: ``vms.0.name: Field required; ...``. Values are not shown.

    :param most: how many are listed before ``and 12 more``; all unless given.
    """
    found = [_problem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_input=False)]
    more = [] if most is None or len(found) <= most else [f"and {len(found) - most} more"]
    return "; ".join([*found[:most], *more])


def _problem(place: str, message: str) -> str:
    return f"{place}: {message}" if place else message


def without_unknown(document: Any, error: ValidationError) -> Any:
    """Return a stored document without the fields that its model does not know; None if anything else is wrong with it.

    A newer release may have left them, before it was rolled back.
    """
    problems = error.errors(include_input=False)
    if any(one["type"] != "extra_forbidden" for one in problems):
        return None
    known = deepcopy(document)
    for one in problems:
        *path, field = one["loc"]
        try:
            del reduce(lambda found, part: found[part], path, known)[field]
        except (KeyError, IndexError, TypeError):
            # A union puts the name of its member into the place.
            return None
    return known
