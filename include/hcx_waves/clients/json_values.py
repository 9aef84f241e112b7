"""Reading members of JSON answers whose shape nobody guarantees: another type counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a list; what is no object is left out."""
    return tuple(one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else ()


def as_text(value: Any) -> str | None:
    """Return a scalar as text; None for null and for an empty text."""
    return None if value is None or value == "" else str(value)
