"""Property paths against pyVmomi's type information.

``config.hardware.device[4000].connectable`` is a path: names joined by dots, an element of a keyed array chosen by
its key in brackets. A path that the type does not have is the vendor's InvalidProperty. [D nsx-vsphere 4.2]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyVmomi import VmomiSupport, vim

from hcx_sim.vcenter.faults import Faulted, invalid_property

_STEP = re.compile(r'^([A-Za-z]\w*)(?:\[(?:"([^"]*)"|(-?\w[\w.:-]*))\])?$')


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path; ``key`` chooses an element of a keyed array, None means the whole property."""

    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A checked path; ``kind`` is the pyVmomi type of its value."""

    text: str
    steps: tuple[Step, ...]
    kind: Any


@cache
def _narrower() -> dict[tuple[str, str], Any]:
    """Members whose values are always of a narrower type than declared, so that paths may go deeper."""
    switch = vim.dvs.VmwareDistributedVirtualSwitch
    return {
        ("OpaqueNetwork", "summary"): vim.OpaqueNetwork.Summary,
        ("ClusterComputeResource", "summary"): vim.ClusterComputeResource.Summary,
        ("ClusterComputeResource", "configurationEx"): vim.cluster.ConfigInfoEx,
        ("VmwareDistributedVirtualSwitch", "config"): switch.ConfigInfo,
        ("DistributedVirtualPortgroup", "config.defaultPortConfig"): switch.VmwarePortConfigPolicy,
        ("Datastore", "info"): vim.host.VmfsDatastoreInfo,
    }


@cache
def members_of(kind: Any) -> dict[str, Any]:
    """Return the types of a data or managed object's members by name."""
    return {info.name: info.type for info in kind._GetPropertyList()}


@cache
def parse_path(managed_type: Any, text: str) -> Path:
    """Check a path; raises :class:`~hcx_sim.vcenter.faults.Faulted` with an InvalidProperty."""
    kind, steps, walked = managed_type, [], []
    for part in _split(text):
        match = _STEP.match(part)
        members = members_of(kind) if _has_members(kind) else {}
        if match is None or match.group(1) not in members:
            raise invalid_property(text)
        name, key = match.group(1), match.group(2) if match.group(2) is not None else match.group(3)
        walked.append(name)
        kind = _narrower().get((managed_type._wsdlName, ".".join(walked)), members[name])
        if key is not None:
            if not issubclass(kind, list):
                raise invalid_property(text)
            kind = kind.Item
        steps.append(Step(name, key))
    if not steps:
        raise invalid_property(text)
    return Path(text, tuple(steps), kind)


@cache
def parse_loosely(managed_type: Any, text: str) -> Path | None:
    """Parse the path of an override; None when it is no path of the type.

    Below a chosen element of an array the members depend on the element's own type
    (``config.hardware.device[1000].sharedBus``): such a path has no ``kind``.
    """
    try:
        return parse_path(managed_type, text)
    except Faulted:
        matches = [_STEP.match(part) for part in _split(text)]
    if None in matches or not matches or matches[0] is None or matches[0].group(1) not in members_of(managed_type):
        return None
    steps = tuple(Step(m.group(1), m.group(2) if m.group(2) is not None else m.group(3)) for m in matches if m)
    return Path(text, steps, None) if any(step.key is not None for step in steps) else None


def _split(text: str) -> list[str]:
    """Split at dots outside brackets."""
    return re.findall(r'(?:[^.\[\]]|\[(?:"[^"]*"|[^\]]*)\])+', text) if ".." not in text else [""]


def _has_members(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, VmomiSupport.DataObject | VmomiSupport.ManagedObject)
