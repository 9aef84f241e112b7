"""Data objects whose required members are all there, with nothing in those that nobody named. [D nsx-vsphere 4.2]"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from pyVmomi import VmomiSupport

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def required_of(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Return name and type of the members of a data or managed object that are not optional."""
    return tuple((info.name, info.type) for info in kind._GetPropertyList() if not info.flags & VmomiSupport.F_OPTIONAL)


def filled(kind: Any, **members: Any) -> Any:
    """Return a data object with ``members``, and a plain value in every other required member."""
    missing = {
        # pyVmomi takes no empty list for a required one: it is left as the constructor makes it.
        name: plain(member)
        for name, member in required_of(kind)
        if name not in members and not issubclass(member, list)
    }
    return kind(**missing, **members)


def plain(kind: Any) -> Any:
    """Return the plainest value of a type: false, zero, an empty text or list; None for a reference."""
    if issubclass(kind, VmomiSupport.ManagedObject):
        return None
    if issubclass(kind, VmomiSupport.DataObject):
        return filled(kind)
    if issubclass(kind, VmomiSupport.Enum):
        return kind(kind.values[0])
    if issubclass(kind, datetime):
        return _NEVER
    return kind()
