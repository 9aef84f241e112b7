"""Which properties of which selected object are asked for, and their values as XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyVmomi import VmomiSupport

from hcx_sim.vcenter.families.base import providers_of
from hcx_sim.vcenter.faults import Faulted, invalid_property, no_permission
from hcx_sim.vcenter.inventory import Found, Inventory, ancestry, managed_type
from hcx_sim.vcenter.plain import required_of
from hcx_sim.vcenter.render import value_xml
from hcx_sim.vcenter.schema import parse_path
from hcx_sim.vcenter.soap import element
from hcx_sim.vcenter.values import Plan, denied_privilege, plan_of, read

ALL = "*"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selected object and the plans of its wanted properties."""

    object_id: str
    type_name: str
    plans: tuple[Plan, ...]


class PropertySets:
    """The property sets of one or more filter specs; checks every path when made.

    An unknown path raises ``Faulted`` with an InvalidProperty, whether or not an object of the type is selected.
    """

    def __init__(self, specs: Iterable[Any]) -> None:
        """Read the ``propSet`` of a FilterSpec."""
        self._specs: list[tuple[str, tuple[str, ...]]] = []
        self._plans: dict[str, tuple[Plan, ...] | None] = {}
        for spec in specs:
            if spec.type is None or not issubclass(spec.type, VmomiSupport.ManagedObject):
                raise invalid_property(str(spec.type))
            for path in spec.pathSet:
                parse_path(spec.type, path)
            self._specs.append((spec.type._wsdlName, (ALL,) if spec.all else tuple(spec.pathSet)))

    def plans_for(self, type_name: str) -> tuple[Plan, ...] | None:
        """Return the plans for objects of a type, None when no property set is meant for it."""
        if type_name not in self._plans:
            self._plans[type_name] = self._compile(type_name)
        return self._plans[type_name]

    def _compile(self, type_name: str) -> tuple[Plan, ...] | None:
        matching = [paths for wanted, paths in self._specs if wanted in ancestry(type_name)]
        if not matching:
            return None
        names: dict[str, None] = {}
        for paths in matching:
            names.update(dict.fromkeys(_every_property(type_name) if paths == (ALL,) else paths))
        return tuple(plan_of(type_name, name) for name in names)

    def wanted(self, selected: Iterable[Found]) -> list[Wanted]:
        """Return what to read of the selected objects; those without a property set are left out."""
        result = []
        for found in selected:
            plans = self.plans_for(found.type_name)
            if plans is not None:
                result.append(Wanted(found.object_id, found.type_name, plans))
        return result


def _every_property(type_name: str) -> list[str]:
    required = {name for name, _kind in required_of(managed_type(type_name))}
    return sorted(required | {path.partition(".")[0] for path in providers_of(type_name)})


def values_of(inventory: Inventory, found: Found, plans: Iterable[Plan], version: str) -> Iterator[tuple[str, str]]:
    """Yield path and ``<val>`` XML of every property that is set and may be read."""
    guarded = bool(getattr(found.record, "properties", None))
    for plan in plans:
        if guarded and denied_privilege(found, plan.path.text) is not None:
            continue
        value = read(inventory, found, plan)
        if value is not None:
            yield plan.path.text, value_xml(value, plan.path.kind, version)


def missing_of(found: Found, plans: Iterable[Plan], version: str) -> str:
    """Return the ``missingSet`` elements of an object: the properties that the account may not read."""
    if not getattr(found.record, "properties", None):
        return ""
    rows = []
    for plan in plans:
        privilege = denied_privilege(found, plan.path.text)
        if privilege is not None:
            rows.append(missing_xml(plan.path.text, no_permission(found.reference, privilege), version))
    return "".join(rows)


def missing_xml(path: str, error: Faulted, version: str) -> str:
    """Return one ``missingSet`` element."""
    fault = element("fault", error.fault, VmomiSupport.GetVmodlType("vmodl.MethodFault"), version)
    return f"<missingSet><path>{path}</path>{fault}</missingSet>"
