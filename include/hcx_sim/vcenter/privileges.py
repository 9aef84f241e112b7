"""Which privilege a method needs: pyVmomi knows most; the rest by what the method does."""

from __future__ import annotations

from functools import cache
from typing import Any

from hcx_sim.vcenter.inventory import managed_type
from hcx_sim.vcenter.registry import method_names
from hcx_sim.vcenter.soap import methods_of

ANONYMOUS = "System.Anonymous"
OTHER_PRIVILEGES = ("System.Anonymous", "System.View", "System.Read")
# Methods for which the type information names none. [I nsx-vsphere 4.1]
_BY_METHOD = {
    ("VirtualMachine", "Rename_Task"): "VirtualMachine.Config.Rename",
    ("VirtualMachine", "Destroy_Task"): "VirtualMachine.Inventory.Delete",
    ("VirtualMachine", "ReconfigVM_Task"): "VirtualMachine.Config.EditDevice",
    ("Folder", "Rename_Task"): "Folder.Rename",
    ("Folder", "Destroy_Task"): "Folder.Delete",
    ("Folder", "MoveIntoFolder_Task"): "VirtualMachine.Inventory.Move",
    ("DistributedVirtualPortgroup", "ReconfigureDVPortgroup_Task"): "DVPortgroup.Modify",
    ("DistributedVirtualPortgroup", "DVPortgroupRollback_Task"): "DVPortgroup.Modify",
    ("DistributedVirtualPortgroup", "Rename_Task"): "DVPortgroup.Modify",
    ("DistributedVirtualPortgroup", "Destroy_Task"): "DVPortgroup.Delete",
}


def privilege_of(type_name: str, info: Any) -> str | None:
    """Return the privilege that a method of an object needs, None for one that everybody may call."""
    privilege: str | None = info.privId or _BY_METHOD.get((type_name, info.wsdlName))
    return None if privilege == ANONYMOUS else privilege


@cache
def known_privileges() -> tuple[str, ...]:
    """Return every privilege that some method of this simulation needs, sorted."""
    names = set(_BY_METHOD.values())
    for type_name, name in method_names():
        info = methods_of(managed_type(type_name)).get(name)
        if info is not None and info.privId:
            names.add(info.privId)
    return tuple(sorted(names - set(OTHER_PRIVILEGES)))
