"""``RelocateVM_Task``: another host, pool, folder or datastore of the same vCenter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.faults import faulted, invalid_argument, not_supported
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.methods.device_changes import apply_changes
from hcx_sim.vcenter.methods.lifecycle import least_loaded_host, pool_of
from hcx_sim.vcenter.naming import is_vm_folder
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import Disk, Placement, Vm

VM = "VirtualMachine"


def _place(inventory: Inventory, reference: Any, type_name: str, argument: str) -> Placement:
    found = inventory.require_reference(reference)
    if found.type_name != type_name:
        raise invalid_argument(argument)
    placement: Placement = found.record
    return placement


def _compute(job: Job, spec: Any) -> dict[str, Any]:
    """Return host, pool and cluster after the move; a pool without a host gets its cluster's least loaded one."""
    inventory, vm = job.inventory, job.entity
    changes: dict[str, Any] = {}
    if spec.host is not None:
        host = _place(inventory, spec.host, "HostSystem", "spec.host")
        changes.update(host_moref=host.moref, cluster_moref=host.parent_moref)
    if spec.pool is not None:
        pool = pool_of(inventory, spec.pool)
        cluster = inventory.enclosing(pool.moref, "ClusterComputeResource")
        if cluster is None or changes.get("cluster_moref", cluster.moref) != cluster.moref:
            raise invalid_argument("spec.pool")
        changes.update(pool_moref=pool.moref, cluster_moref=cluster.moref)
        if spec.host is None and cluster.moref != vm.cluster_moref:
            changes["host_moref"] = least_loaded_host(inventory, cluster)
    elif changes.get("cluster_moref", vm.cluster_moref) != vm.cluster_moref:
        raise invalid_argument("spec.pool")
    return changes


def _storage(job: Job, spec: Any, disks: list[Disk]) -> list[Disk]:
    """Return the disks after the move; NoDiskSpace when a datastore has no room for what comes."""
    inventory = job.inventory
    wanted = {each.diskId: each.datastore for each in spec.disk}
    moved = []
    for disk in disks:
        reference = wanted.get(disk.key, spec.datastore)
        if reference is None:
            moved.append(disk)
            continue
        target = inventory.require_reference(reference).record
        if target.moref != disk.datastore_moref and disk.used_bytes > target.free_bytes:
            text = f"Insufficient disk space on datastore '{target.name}'."
            raise faulted(vim.fault.NoDiskSpace, text, file=f"[{target.name}]", datastore=target.name)
        moved.append(replace(disk, datastore_moref=target.moref))
    return moved


def _changes(job: Job) -> dict[str, Any]:
    spec, vm = job.argument("spec"), job.entity
    if spec.service is not None:
        raise not_supported("Moves to another vCenter are HCX's here.")
    changes = {**_compute(job, spec), **apply_changes(job.inventory, vm, spec.deviceChange)}
    if spec.folder is not None:
        folder = _place(job.inventory, spec.folder, "Folder", "spec.folder")
        if not is_vm_folder(job.inventory, folder):
            raise invalid_argument("spec.folder")
        changes["folder_moref"] = folder.moref
    disks = list(changes.get("disks", vm.disks))
    moved = _storage(job, spec, disks)
    return {**changes, "disks": moved} if moved != vm.disks else changes


def _check(job: Job) -> None:
    _changes(job)


@operation("relocateVM", _check, cancelable=True)
def _relocate(job: Job) -> None:
    vm: Vm = job.entity
    changes = _changes(job)
    for before, after in zip(vm.disks, changes.get("disks", vm.disks), strict=False):
        if before.datastore_moref != after.datastore_moref:
            _book(job, before, -before.used_bytes)
            _book(job, after, after.used_bytes)
    job.world.update(vm, **changes, change_version=vm.change_version + 1)


def _book(job: Job, disk: Disk, used_bytes: int) -> None:
    """Take space on a disk's datastore, or give it back."""
    store = job.inventory.datastore(disk.datastore_moref)
    if store is not None:
        free_bytes = max(0, min(store.capacity_bytes, store.free_bytes - used_bytes))
        job.world.update(store, free_bytes=free_bytes)


@method(VM, "RelocateVM_Task", mutating=True)
@method(VM, "MigrateVM_Task", mutating=True, note="as RelocateVM_Task with a host or a pool")
def relocate(context: Context) -> Any:
    """Move a VM within the vCenter; InvalidArgument, NoDiskSpace and the like are the task's error."""
    arguments = context.arguments
    if "spec" not in arguments:
        arguments["spec"] = vim.vm.RelocateSpec(host=arguments["host"], pool=arguments["pool"])
    return run_task(context, "relocateVM")
