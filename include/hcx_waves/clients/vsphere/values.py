"""Convert pyvmomi's values to plain Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def text(value: Any) -> str | None:
    """Return an enumeration value (a pyvmomi string) as plain text; None stays None."""
    return None if value is None else str(value)


def instant(value: datetime | None) -> datetime | None:
    """Return a vCenter time as an instant in UTC; None stays None. vCenter means UTC where it names no zone."""
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
