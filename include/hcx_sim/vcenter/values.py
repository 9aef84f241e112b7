"""Reading one property of one object: computed from the world, then overlaid with the scenario's own values.

Entities may carry ``properties``: a vSphere property path and its plain value. A key that ends in ``+`` appends to
an array (``config.hardware.device+``), ``denied:PATH`` names the privilege that the account lacks to read a path.
Keys that are no path of the type (a scenario's own facts) are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pyVmomi import VmomiSupport

from hcx_sim.vcenter.convert import to_typed
from hcx_sim.vcenter.families.base import Provider, providers_of
from hcx_sim.vcenter.inventory import Found, Inventory, managed_type
from hcx_sim.vcenter.plain import plain, required_of
from hcx_sim.vcenter.schema import Path, Step, members_of, parse_loosely, parse_path

_APPEND = "+"
_DENIED = "denied:"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to get at a path: the provider of ``base``, and the steps from there on."""

    path: Path
    base: Path
    provider: Provider | None
    rest: tuple[Step, ...]


@cache
def plan_of(type_name: str, text: str) -> Plan:
    """Return the plan for a path; an unknown path raises ``Faulted`` with an InvalidProperty."""
    kind = managed_type(type_name)
    path = parse_path(kind, text)
    providers = providers_of(type_name)
    for length in range(len(path.steps), 0, -1):
        base = ".".join(step.name for step in path.steps[:length])
        if base in providers:
            return Plan(path, parse_path(kind, base), providers[base], _rest(path, length))
    first = path.steps[0].name
    missing = dict(required_of(kind)).get(first)
    return Plan(path, parse_path(kind, first), _plainly(missing) if missing is not None else None, _rest(path, 1))


def _plainly(kind: Any) -> Provider:
    """Return the provider of a property that is required and of which this simulation knows nothing."""
    return lambda _inventory, _record: plain(kind)


def _rest(path: Path, length: int) -> tuple[Step, ...]:
    """Return what is left after ``length`` steps; a key of the last of them still has to be looked up."""
    key = path.steps[length - 1].key
    rest = path.steps[length:]
    return (Step("", key), *rest) if key is not None else rest


def read(inventory: Inventory, found: Found, plan: Plan) -> Any:
    """Return the value of a property, None when it is unset."""
    record = found.record
    value = plan.provider(inventory, record) if plan.provider is not None else None
    properties = getattr(record, "properties", None)
    if properties:
        value = _overlay(found.type_name, plan.base, value, properties)
    return _walk(value, plan.rest) if plan.rest else value


def denied_privilege(found: Found, text: str) -> str | None:
    """Return the privilege whose lack hides a property of this object, None when it may be read."""
    properties = getattr(found.record, "properties", None)
    if not properties:
        return None
    for key, privilege in properties.items():
        path = key.removeprefix(_DENIED)
        if path != key and (text == path or text.startswith(f"{path}.")):
            return str(privilege)
    return None


def _walk(value: Any, steps: tuple[Step, ...]) -> Any:
    for step in steps:
        if value is None:
            return None
        if step.name:
            value = getattr(value, step.name, None)
        if step.key is not None:
            value = next((item for item in value or () if str(item.key) == step.key), None)
    return value


@cache
def _override(type_name: str, key: str) -> Path | None:
    return parse_loosely(managed_type(type_name), key.removesuffix(_APPEND))


def _overlay(type_name: str, base: Path, value: Any, properties: dict[str, Any]) -> Any:
    """Apply the overrides that concern ``base``: those of it, of what is above it, and of what is below."""
    for key in sorted(properties, key=len):
        path = _override(type_name, key)
        if path is None:
            continue
        plain, appends = properties[key], key.endswith(_APPEND)
        if path.steps == base.steps[: len(path.steps)] and not appends:
            value = _walk(to_typed(path.kind, plain), base.steps[len(path.steps) :])
        elif _is_below(path, base):
            value = _set_below(value, base, path, plain, appends)
    return value


def _is_below(path: Path, base: Path) -> bool:
    count = len(base.steps)
    names = tuple(step.name for step in path.steps[:count])
    return names == tuple(step.name for step in base.steps)


def _set_below(value: Any, base: Path, path: Path, plain: Any, appends: bool) -> Any:
    """Return ``value`` with the member at ``path`` set or extended; a missing parent is made."""
    steps = _rest(path, len(base.steps))
    if not steps:
        typed = to_typed(path.kind, plain)
        return [*(value or ()), *typed] if appends else typed
    if value is None and issubclass(base.kind, VmomiSupport.DataObject):
        value = base.kind()
    holder = _walk(value, steps[:-1])
    if holder is None:
        return value
    last = steps[-1]
    holder_type: Any = type(holder)
    kind = members_of(holder_type).get(last.name)
    if kind is not None:
        typed = to_typed(kind, plain)
        setattr(holder, last.name, [*(getattr(holder, last.name) or ()), *typed] if appends else typed)
    return value
