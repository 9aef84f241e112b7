"""Names of inventory objects: what is valid, and who has a name already."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.places import folder_kind
from hcx_sim.vcenter.faults import duplicate_name, invalid_name
from hcx_sim.vcenter.inventory import Inventory, managed_type
from hcx_sim.world.model import Placement

_LONGEST = 80
_ESCAPES = (("%", "%25"), ("/", "%2f"), ("\\", "%5c"))


def checked_name(name: str, target: Any | None = None) -> str:
    """Return a name as vCenter stores it (slash, backslash and per cent are escaped).

    Raises ``Faulted`` with an InvalidName for an empty name and for one of more than 80 characters.
    """
    if not name.strip() or len(name) > _LONGEST:
        raise invalid_name(name, target)
    for plain, escaped in _ESCAPES:
        name = name.replace(plain, escaped) if plain != "%" else _escape_percent(name)
    return name


def _escape_percent(name: str) -> str:
    """Escape per cent signs, but not those of a name that is escaped already."""
    for escaped in ("%25", "%2f", "%5c", "%2F", "%5C"):
        if escaped in name:
            return name
    return name.replace("%", "%25")


def refuse_duplicate(inventory: Inventory, folder_moref: str | None, name: str, own_id: str = "") -> None:
    """Raise ``Faulted`` with a DuplicateName when another object of the folder has the name."""
    for child in inventory.children(folder_moref or ""):
        if child.name == name and child.moref != own_id:
            raise duplicate_name(name, managed_type(child.type_name)(child.moref))
    for vm in inventory.index.by_folder.get(folder_moref or "", ()):
        if vm.name == name and vm.moref != own_id:
            raise duplicate_name(name, vim.VirtualMachine(vm.moref))


def refuse_duplicate_network(inventory: Inventory, name: str, own_id: str) -> None:
    """Raise ``Faulted`` with a DuplicateName when another network of the site has the name."""
    for network in inventory.networks():
        if network.name == name and network.moref != own_id:
            raise duplicate_name(name, inventory.network_reference(network))


def is_vm_folder(inventory: Inventory, folder: Placement) -> bool:
    """Tell whether VMs may be in a folder."""
    return folder.type_name == "Folder" and folder_kind(inventory, folder) == "vm"
