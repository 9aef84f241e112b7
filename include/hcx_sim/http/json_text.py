"""JSON that clients send: strict, and never nested deeper than what walks through it can stand."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 100


class TooDeepError(ValueError):
    """Arrays and objects are nested deeper than they may be."""

    def __init__(self) -> None:
        super().__init__(f"nested more than {MAX_DEPTH} deep")


def strict_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises :class:`TooDeepError`, or another :class:`ValueError` when it is not JSON.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise TooDeepError from None
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return value
        level = [
            member
            for one in level
            for member in (one.values() if isinstance(one, dict) else one)
            if isinstance(member, dict | list)
        ]
    if level:
        raise TooDeepError
    return value
