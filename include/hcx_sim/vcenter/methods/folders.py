"""Folders and names: rename, create, move, destroy folders and port groups."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.network import backing_type
from hcx_sim.vcenter.families.places import folder_kind
from hcx_sim.vcenter.faults import Faulted, faulted, invalid_power_state, not_supported, object_not_found
from hcx_sim.vcenter.inventory import Found, Inventory, managed_type
from hcx_sim.vcenter.methods.lifecycle import destroy_vm
from hcx_sim.vcenter.naming import checked_name, is_vm_folder, refuse_duplicate, refuse_duplicate_network
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.selection import contained
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import Datastore, Placement, Power, VcNetwork, Vm

ENTITY = "ManagedEntity"
_PREFIXES = {"vm": "group-v", "host": "group-h", "network": "group-n", "datastore": "group-s", "root": "group-d"}
_RENAMED_PLACES = ("Folder", "Datacenter", "ClusterComputeResource", "ResourcePool", "VmwareDistributedVirtualSwitch")


def managed_by_nsx() -> Faulted:
    """NSX owns the port groups of its segments: they are changed in NSX. [I nsx-vsphere 4.6]"""
    return faulted(vim.fault.DvsFault, "The distributed port group is managed by NSX and cannot be changed here.")


# Rename ----------------------------------------------------------------------------------------------------


def _check_rename(job: Job) -> None:
    name, entity = checked_name(job.argument("newName"), job.target.reference), job.entity
    if isinstance(entity, Vm):
        refuse_duplicate(job.inventory, entity.folder_moref, name, entity.moref)
    elif isinstance(entity, VcNetwork):
        _check_network_rename(job.inventory, entity, name)
    elif isinstance(entity, Placement):
        if entity.type_name not in _RENAMED_PLACES:
            raise not_supported()
        refuse_duplicate(job.inventory, entity.parent_moref, name, entity.moref)


def _check_network_rename(inventory: Inventory, network: VcNetwork, name: str) -> None:
    if network.segment_id is not None:
        raise managed_by_nsx()
    refuse_duplicate_network(inventory, name, network.moref)


@operation("rename", _check_rename)
def _rename(job: Job) -> None:
    entity, changes = job.entity, {"name": checked_name(job.argument("newName"))}
    if isinstance(entity, Vm):
        job.world.update(entity, **changes, change_version=entity.change_version + 1)
    elif isinstance(entity, Placement | VcNetwork | Datastore):
        job.world.update(entity, **changes)


@method(ENTITY, "Rename_Task", mutating=True)
def rename(context: Context) -> Any:
    """Rename; DuplicateName and InvalidName are the task's error."""
    return run_task(context, "rename")


# Folders ---------------------------------------------------------------------------------------------------


@method("Folder", "CreateFolder", mutating=True)
def create_folder(context: Context) -> Any:
    """Create a folder inside a folder; DuplicateName and InvalidName at once."""
    inventory, parent = context.inventory, context.target.record
    name = checked_name(context.arguments["name"], context.target.reference)
    refuse_duplicate(inventory, parent.moref, name)
    prefix = _PREFIXES[folder_kind(inventory, parent)]
    moref = prefix + context.world.next_moref(prefix, inventory.site).rpartition("-")[2]
    context.world.put(Placement(f"{inventory.site}/{moref}", inventory.site, moref, "Folder", name, parent.moref))
    context.call.summary = {"object": parent.moref, "name": name, "created": moref}
    return vim.Folder(moref)


def _moved(job: Job) -> list[Found]:
    moved = []
    for reference in job.argument("list"):
        found = job.inventory.find_reference(reference)
        if found is None:
            raise object_not_found(reference)
        moved.append(found)
    return moved


def _check_move(job: Job) -> None:
    target: Placement = job.entity
    for found in _moved(job):
        record = found.record
        fits = isinstance(record, Vm) or (isinstance(record, Placement) and record.type_name == "Folder")
        if not fits or not is_vm_folder(job.inventory, target):
            raise not_supported("Objects of this type cannot be moved into the folder.")
        if isinstance(record, Placement) and _inside(job.inventory, target, record):
            text = "The target folder is the folder itself or one of its descendants."
            raise faulted(vim.fault.InvalidFolder, text, target=vim.Folder(target.moref))
        refuse_duplicate(job.inventory, target.moref, record.name, record.moref)


def _inside(inventory: Inventory, folder: Placement | None, other: Placement) -> bool:
    while folder is not None:
        if folder.moref == other.moref:
            return True
        folder = inventory.placement(folder.parent_moref)
    return False


@operation("moveIntoFolder", _check_move)
def _move(job: Job) -> None:
    for found in _moved(job):
        if isinstance(found.record, Vm):
            job.world.update(found.record, folder_moref=job.entity.moref)
        else:
            job.world.update(found.record, parent_moref=job.entity.moref)


@method("Folder", "MoveIntoFolder_Task", mutating=True)
def move_into_folder(context: Context) -> Any:
    """Move VMs and folders into a VM folder."""
    for reference in context.arguments["list"]:
        if context.inventory.find_reference(reference) is None:
            raise object_not_found(reference)
    return run_task(context, "moveIntoFolder")


# Destroy ---------------------------------------------------------------------------------------------------


def _check_destroy(job: Job) -> None:
    entity = job.entity
    if isinstance(entity, Vm):
        _refuse_running(entity)
    elif isinstance(entity, VcNetwork):
        _check_destroy_network(job.inventory, entity)
    elif isinstance(entity, Placement) and is_vm_folder(job.inventory, entity):
        if folder_parent_is_datacenter(job.inventory, entity):
            raise not_supported("The folder belongs to its datacenter.")
        for found in contained(job.inventory, job.target, recursive=True):
            if isinstance(found.record, Vm):
                _refuse_running(found.record)
    else:
        raise not_supported("Objects of this type are not destroyed by this simulation.")


def folder_parent_is_datacenter(inventory: Inventory, folder: Placement) -> bool:
    """Tell whether a folder is one of the four that every datacenter has."""
    parent = inventory.placement(folder.parent_moref)
    return parent is None or parent.type_name == "Datacenter"


def _refuse_running(vm: Vm) -> None:
    if vm.power is Power.ON:
        raise invalid_power_state(Power.OFF.value, vm.power.value)


def _check_destroy_network(inventory: Inventory, network: VcNetwork) -> None:
    if backing_type(inventory, network) == "nsx":
        raise managed_by_nsx()
    attached = inventory.world.vms_on(network)
    if attached:
        text = f"The resource '{network.name}' is in use."
        raise faulted(vim.fault.ResourceInUse, text, type=managed_type("Network"), name=network.name)


@operation("destroy", _check_destroy)
def _destroy(job: Job) -> None:
    entity = job.entity
    if isinstance(entity, Vm):
        destroy_vm(job.world, entity)
    elif isinstance(entity, VcNetwork):
        job.world.remove(entity)
    else:
        inside = contained(job.inventory, job.target, recursive=True)
        for found in inside:
            if isinstance(found.record, Vm):
                destroy_vm(job.world, found.record)
        for found in reversed(inside):
            if isinstance(found.record, Placement):
                job.world.remove(found.record)
        job.world.remove(entity)


@method(ENTITY, "Destroy_Task", mutating=True)
def destroy(context: Context) -> Any:
    """Destroy a VM with its files, a VM folder with what is in it, or a port group; a running VM is refused."""
    return run_task(context, "destroy")


@method(ENTITY, "Reload")
def reload(context: Context) -> None:
    """Accept; there is nothing to reload."""
