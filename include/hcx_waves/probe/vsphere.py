"""vCenter's side of the contract: the vendor's own type information, and what the samples ask of an object.

pyvmomi carries the type of each property, whether it may be unset, and the words of each enumeration
[D nsx-vsphere 4.1]. It reads what comes without holding it against these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyVmomi import VmomiSupport

from hcx_waves.probe.compare import AnswerComparison, Difference
from hcx_waves.probe.contract import CallFacts, Contract

_CALLS = {
    "VirtualMachine": "vcenter.virtual_machine.properties",
    "DistributedVirtualPortgroup": "vcenter.port_group.properties",
    "OpaqueNetwork": "vcenter.opaque_network.properties",
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def facts_of_kind(kind: Any, contract: Contract) -> CallFacts:
    """Return the contract of reading objects of a kind; what no sample shows rests on the type information alone."""
    return facts_of_type(str(kind.__name__).rpartition(".")[2], contract)


def facts_of_type(name: str, contract: Contract) -> CallFacts:
    """Return the same by the vendor's name of the type."""
    known = contract.calls.get(_CALLS.get(name, ""))
    if known is not None:
        return known
    return CallFacts(
        system="vcenter",
        call=f"{_HUMP.sub('_', name).lower()}.properties",
        method="SOAP",
        path="/sdk",
        section="nsx-vsphere 4.1",
        confidence="documented",
        sources=("PYV",),
        content_type="text/xml",
    )


def compare_objects(
    comparison: AnswerComparison, kind: Any, paths: Sequence[str], objects: Sequence[Mapping[str, Any]]
) -> None:
    """Compare the properties of objects with their declared types.

    A property that may be unset differs only if the samples ask for it and no object at all has it.
    """
    asked_by_samples = {path.removeprefix("propSet.").split("[")[0] for path in comparison.facts.required}
    for path in paths:
        declared, may_be_unset = _declared(kind, path)
        values = [one["values"][path] for one in objects if path in one["values"]]
        lacking = len(objects) - len(values)
        must_be_there = any(one == path or one.startswith(f"{path}.") for one in asked_by_samples)
        if lacking and (not may_be_unset or (must_be_there and not values)):
            often = "" if not values else f" in {lacking} of {len(objects)}"
            comparison.add(Difference(f"propSet.{path}", f"missing{often}"))
        for problem in {one for value in values for one in _problems(value, declared)}:
            comparison.add(Difference(f"propSet.{path}", *problem))


def sample_body(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as the contract samples show it: dotted paths become nested members."""
    body: dict[str, Any] = {}
    for path, value in one["values"].items():
        *parents, last = path.split(".")
        holder = body
        for name in parents:
            holder = holder.setdefault(name, {})
        holder[last] = plain(value)
    return {"obj": one["obj"], "propSet": body}


def plain(value: Any) -> Any:
    """Return one of pyvmomi's values as JSON: references as MoRefs, unset members left out."""
    if isinstance(value, VmomiSupport.ManagedObject):
        return str(value._moId)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, VmomiSupport.DataObject):
        members = {info.name: getattr(value, info.name) for info in value._GetPropertyList()}
        return {name: plain(each) for name, each in members.items() if each is not None and not _is_empty(each)}
    if isinstance(value, bool | int | float):
        return value
    return str(value)


def _declared(kind: Any, path: str) -> tuple[Any, bool]:
    """Return the declared type of a property path, and whether something on the way may be unset.

    A member that only a derived type has, such as those of an opaque network's summary, has no declared type here.
    """
    may_be_unset = False
    for name in path.split("."):
        try:
            info = kind._GetPropertyInfo(name)
        except AttributeError:
            return object, True
        may_be_unset = may_be_unset or bool(info.flags & VmomiSupport.F_OPTIONAL)
        kind = info.type
    return kind, may_be_unset or issubclass(kind, list)


def _problems(value: Any, declared: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and issubclass(declared, list):
        for item in value:
            yield from _problems(item, declared.Item)
        return
    words = getattr(declared, "values", None)
    if isinstance(words, list) and isinstance(value, str):
        if value not in words:
            yield f'unknown word "{str(value)[:64]}"', str(value)[:64]
    elif declared is not type and not isinstance(value, declared):
        yield f"{declared.__name__} expected, {type(value).__name__} found", ""


def _is_empty(value: Any) -> bool:
    return isinstance(value, list) and not value
