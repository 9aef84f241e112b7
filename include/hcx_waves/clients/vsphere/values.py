r"""Convert pyvmomi's values to plain Python, and names of inventory objects to those that a person writes.

vCenter escapes ``%``, ``/`` and ``\``, and only these, in the names of managed entities. [D nsx-vsphere 4.1]
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hcx_waves.model.spelling import one_spelling


def text(value: Any) -> str | None:
    """Return an enumeration value (a pyvmomi string) as plain text; None stays None."""
    return None if value is None else str(value)


def instant(value: datetime | None) -> datetime | None:
    """Return a vCenter time as an instant in UTC; None stays None. vCenter means UTC where it names no zone."""
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_DECODE = (("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\"), ("%25", "%"))


def decoded(name: str) -> str:
    """Return a name as a person typed it, in the one spelling that names are compared in.

    The percent sign comes last, so that nothing is decoded twice.
    """
    for code, character in _DECODE:
        name = name.replace(code, character)
    return one_spelling(name)
