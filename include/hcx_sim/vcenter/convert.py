"""Plain data of a scenario as typed vSphere values.

The type is taken from pyVmomi's type information; ``"_type"`` in an object names a narrower one by its wire name
(``{"_type": "VirtualUSB", "key": 7000, "connected": true}``). A reference is written ``"HostSystem:host-9"``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyVmomi import VmomiSupport

from hcx_sim.vcenter.schema import members_of


def to_typed(kind: Any, value: Any) -> Any:
    """Return ``value`` as an instance of the pyVmomi type ``kind``; None and typed values stay as they are.

    Raises :class:`ValueError` for a value that the type cannot hold.
    """
    if value is None or isinstance(value, VmomiSupport.DataObject | VmomiSupport.ManagedObject):
        return value
    try:
        return _typed(kind, value)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{value!r} is no {getattr(kind, '__name__', kind)}: {error}") from error


def _typed(kind: Any, value: Any) -> Any:
    if kind is object:
        return _typed(VmomiSupport.GuessWsdlType(value["_type"]), value) if isinstance(value, dict) else value
    if issubclass(kind, list):
        return kind([to_typed(kind.Item, item) for item in value])
    if issubclass(kind, VmomiSupport.ManagedObject):
        type_name, _, object_id = value.partition(":")
        return VmomiSupport.GuessWsdlType(type_name)(object_id)
    if issubclass(kind, VmomiSupport.DataObject):
        return _object(kind, value)
    if issubclass(kind, datetime):
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if kind is bool:
        if not isinstance(value, bool):
            raise TypeError("not a boolean")
        return value
    if kind is type:
        return VmomiSupport.GuessWsdlType(value)
    return kind(value)


def _object(kind: Any, value: dict[str, Any]) -> Any:
    name = value.get("_type")
    actual = VmomiSupport.GuessWsdlType(name) if name else kind
    members = members_of(actual)
    return actual(**{key: to_typed(members[key], item) for key, item in value.items() if key != "_type"})
