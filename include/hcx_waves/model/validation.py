"""What pydantic finds wrong, in one line."""

from __future__ import annotations

from pydantic import ValidationError


def problems_in(error: ValidationError) -> str:
    """Return every problem with its place: ``vms.0.name: Field required; ...``. Values are not shown."""
    return "; ".join(_problem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_input=False))


def _problem(place: str, message: str) -> str:
    return f"{place}: {message}" if place else message
