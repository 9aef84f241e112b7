"""What a scripted vCenter answers when properties are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType, ManagedObject

from support.scripted_vcenter import SoapCall

Collector = vmodl.query.PropertyCollector


def content(reference: Any, missing: dict[str, Any] | None = None, **values: Any) -> Any:
    """An object's answer; underscores in keyword names stand for dots."""
    return Collector.ObjectContent(
        obj=reference,
        propSet=[
            vmodl.DynamicProperty(name=name.replace("__", "."), val=typed(value)) for name, value in values.items()
        ],
        missingSet=[Collector.MissingProperty(path=path, fault=fault) for path, fault in (missing or {}).items()],
    )


def typed(value: Any) -> Any:
    """Give a list the array type that vCenter would name on the wire."""
    if not isinstance(value, list):
        return value
    known = (ManagedObject, vim.vm.device.VirtualDevice, vim.cluster.RuleInfo)
    base = next((kind for kind in known if isinstance(value[0], kind)), type(value[0]))
    return GetVmodlType(f"{base.__name__}[]")(value)


def result(*contents: Any, token: str | None = None) -> Any:
    """A page of answers; with a token there are more."""
    return Collector.RetrieveResult(token=token, objects=list(contents))


def vm(moref: str, name: str, **values: Any) -> Any:
    """A VM's answer."""
    return content(vim.VirtualMachine(moref), name=name, **values)


def by_kind(**answers: Any) -> Callable[[SoapCall], Any]:
    """Answer RetrievePropertiesEx by the kind that the property spec names."""

    def answer(call: SoapCall) -> Any:
        found = answers.get(call.all("type")[0], ())
        return result(*found) if found else None

    return answer
