"""``ReconfigVM_Task`` and what else changes a VM's configuration."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.coverage import Confidence
from hcx_sim.vcenter.families.vm_config import change_version
from hcx_sim.vcenter.faults import concurrent_access, faulted, invalid_power_state
from hcx_sim.vcenter.methods.device_changes import apply_changes
from hcx_sim.vcenter.naming import checked_name, refuse_duplicate
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import Datastore, Power, Vm

VM = "VirtualMachine"
_INSTALLER = "runtime.toolsInstallerMounted"
# Members of a ConfigSpec that are kept with the VM's property overrides, by the property that shows them.
_KEPT = {
    "annotation": "config.annotation",
    "changeTrackingEnabled": "config.changeTrackingEnabled",
    "migrateEncryption": "config.migrateEncryption",
    "firmware": "config.firmware",
}


def _check(job: Job) -> None:
    """Refuse a stale version, a bad name and devices that do not fit, before anything is changed."""
    _changes(job)


def _changes(job: Job) -> dict[str, Any]:
    vm, spec = job.entity, job.argument("spec")
    if spec.changeVersion and spec.changeVersion != change_version(vm):
        raise concurrent_access()
    changes = {**_identity(job, vm, spec), **_size(vm, spec), **apply_changes(job.inventory, vm, spec.deviceChange)}
    kept = {path: getattr(spec, name) for name, path in _KEPT.items() if getattr(spec, name) is not None}
    if spec.extraConfig:
        kept["config.extraConfig"] = _extra_config(vm, spec)
    if kept:
        changes["properties"] = {**changes.get("properties", vm.properties), **kept}
    return changes


def _identity(job: Job, vm: Vm, spec: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if spec.name:
        name = checked_name(spec.name, vim.VirtualMachine(vm.moref))
        refuse_duplicate(job.inventory, vm.folder_moref, name, vm.moref)
        changes["name"] = name
    for member, field_name in (("guestId", "guest_id"), ("instanceUuid", "instance_uuid"), ("uuid", "bios_uuid")):
        if getattr(spec, member):
            changes[field_name] = getattr(spec, member)
    return changes


def _size(vm: Vm, spec: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    running = vm.power is not Power.OFF
    if spec.numCPUs and spec.numCPUs != vm.num_cpu:
        if running:
            raise faulted(vim.fault.CpuHotPlugNotSupported, "CPU hot plug is not supported for this virtual machine.")
        changes["num_cpu"] = spec.numCPUs
    if spec.memoryMB and spec.memoryMB != vm.memory_mb:
        if running:
            text = "Memory hot plug is not supported for this virtual machine."
            raise faulted(vim.fault.MemoryHotPlugNotSupported, text)
        changes["memory_mb"] = int(spec.memoryMB)
    return changes


def _extra_config(vm: Vm, spec: Any) -> list[dict[str, Any]]:
    """Return the advanced settings with the given ones set; an empty value removes one."""
    options = {each["key"]: each["value"] for each in vm.properties.get("config.extraConfig", ())}
    options.update({each.key: each.value for each in spec.extraConfig})
    return [{"_type": "OptionValue", "key": key, "value": value} for key, value in options.items() if value != ""]


@operation("reconfigure", _check)
def _reconfigure(job: Job) -> None:
    vm: Vm = job.entity
    changes = _changes(job)
    if "disks" in changes:
        _free_space(job, vm, changes["disks"])
    job.world.update(vm, **changes, change_version=vm.change_version + 1)


def _free_space(job: Job, vm: Vm, disks: list[Any]) -> None:
    """Give back the space of disks that were removed."""
    kept = {disk.key for disk in disks}
    for disk in vm.disks:
        datastore: Datastore | None = job.inventory.datastore(disk.datastore_moref)
        if disk.key not in kept and datastore is not None:
            free_bytes = min(datastore.capacity_bytes, datastore.free_bytes + disk.used_bytes)
            job.world.update(datastore, free_bytes=free_bytes)


@method(VM, "ReconfigVM_Task", mutating=True, note="name, notes, size, advanced settings, network cards, disks, CD-ROM")
def reconfigure(context: Context) -> Any:
    """Change the configuration; wrong devices, names and states are the task's error."""
    return run_task(context, "reconfigure")


def _set_installer(context: Context, mounted: bool) -> None:
    vm: Vm = context.target.record
    if vm.power is not Power.ON:
        raise invalid_power_state(Power.ON.value, vm.power.value)
    context.world.update(vm, properties={**vm.properties, _INSTALLER: mounted})


@method(VM, "MountToolsInstaller", Confidence.DOCUMENTED, "PYV", mutating=True)
def mount_tools_installer(context: Context) -> None:
    """Mount the Tools installer; InvalidPowerState unless the VM runs."""
    _set_installer(context, mounted=True)


@method(VM, "UnmountToolsInstaller", Confidence.DOCUMENTED, "PYV", mutating=True)
def unmount_tools_installer(context: Context) -> None:
    """Unmount the Tools installer."""
    _set_installer(context, mounted=False)
