"""Reading requests the way the managers do: leniently in form, with vendor-shaped refusals."""

from __future__ import annotations

from typing import Any

from hcx_sim.hcx.lenient import LenientJsonError, parse
from hcx_sim.hcx.wire import HcxError, Style
from hcx_sim.http.context import Call


def body_of(call: Call, style: Style = Style.NEWER) -> dict[str, Any]:
    """Return the request's object; an absent body is an empty one. [C hcx 4.5]

    Raises :class:`HcxError` 400 in the given style when the body is no object, however leniently read.
    """
    if not call.body.strip():
        return {}
    try:
        value = parse(call.body.decode())
    except (LenientJsonError, UnicodeDecodeError) as error:
        raise HcxError(400, f"Malformed JSON: {error}", code="BAD_REQUEST", style=style) from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise HcxError(400, "Malformed JSON: expected an object", code="BAD_REQUEST", style=style)
    return value


def section(value: Any, *names: str) -> dict[str, Any]:
    """Return the object at a path of names, an empty one when anything on the way is no object."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def as_text(value: Any) -> str:
    """Return a value as text; null and structures give the empty string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def as_bool(value: Any, default: bool = False) -> bool:
    """Return a boolean; the strings "true" and "false" count, in any case. [C hcx 1]"""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.strip().lower() == "true"
    return default


def as_int(value: Any, default: int = 0) -> int:
    """Return a whole number; strings of digits count, everything else gives the default."""
    try:
        return int(value) if isinstance(value, int | float | str) else default
    except (ValueError, OverflowError):
        return default


def as_list(value: Any) -> list[Any]:
    """Return a list; a single value counts as a list of one, null as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def texts(value: Any) -> list[str]:
    """Return a list of texts; see :func:`as_list`."""
    return [as_text(item) for item in as_list(value)]
