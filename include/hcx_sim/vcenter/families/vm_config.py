"""``VirtualMachine.config``: identity, hardware, and what the preflight reads of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyVmomi import vim

from hcx_sim.engine.clock import MICROSECONDS, to_datetime
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.vm_devices import devices
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.world.model import Vm, VmRole

VM = "VirtualMachine"
_CHANGES_SINCE_US = 1_735_689_600 * MICROSECONDS  # each change of the configuration adds a second
_ANNOTATION = "annotation"


def annotation_of(vm: Vm) -> str:
    """Return the notes of a VM, which are kept with its property overrides."""
    return str(vm.properties.get(f"config.{_ANNOTATION}", ""))


def change_version(vm: Vm) -> str:
    """Return the configuration's version in the shape that vCenter gives it: an instant."""
    return _changed(vm).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _changed(vm: Vm) -> datetime:
    return to_datetime(_CHANGES_SINCE_US + vm.change_version * MICROSECONDS)


@provides(VM, "config.name")
def _name(_inventory: Inventory, vm: Vm) -> Any:
    return vm.name


@provides(VM, "config.instanceUuid")
def _instance_uuid(_inventory: Inventory, vm: Vm) -> Any:
    return vm.instance_uuid


@provides(VM, "config.uuid")
def _bios_uuid(_inventory: Inventory, vm: Vm) -> Any:
    return vm.bios_uuid


@provides(VM, "config.template")
def _template(_inventory: Inventory, vm: Vm) -> Any:
    return vm.template


@provides(VM, "config.version")
def _version(_inventory: Inventory, vm: Vm) -> Any:
    return vm.hardware_version


@provides(VM, "config.guestId")
def _guest_id(_inventory: Inventory, vm: Vm) -> Any:
    return vm.guest_id


@provides(VM, "config.guestFullName")
def _guest_name(_inventory: Inventory, vm: Vm) -> Any:
    return vm.guest_name


@provides(VM, "config.changeVersion")
def _change_version(_inventory: Inventory, vm: Vm) -> Any:
    return change_version(vm)


@provides(VM, "config.changeTrackingEnabled")
def _change_tracking(_inventory: Inventory, _vm: Vm) -> Any:
    return False


@provides(VM, "config.managedBy")
def managed_by(_inventory: Inventory, vm: Vm) -> Any:
    """HCX marks its own appliances. [I nsx-vsphere 4.1]"""
    if vm.role is not VmRole.HCX_APPLIANCE:
        return None
    return vim.ext.ManagedByInfo(extensionKey="com.vmware.hybridity", type="HCX appliance")


@provides(VM, "config.files.vmPathName")
def vm_path_name(inventory: Inventory, vm: Vm) -> str:
    """Return the path of the configuration file; a rename does not move files."""
    moref = vm.disks[0].datastore_moref if vm.disks else ""
    datastore = inventory.datastore(moref) or next(iter(inventory.datastores()), None)
    return f"[{datastore.name if datastore else 'datastore'}] {vm.uid}/{vm.uid}.vmx"


@provides(VM, "config.hardware.device")
def _devices(inventory: Inventory, vm: Vm) -> Any:
    return devices(inventory, vm)


@provides(VM, "config.hardware.numCPU")
def _cpus(_inventory: Inventory, vm: Vm) -> Any:
    return vm.num_cpu


@provides(VM, "config.hardware.memoryMB")
def _memory(_inventory: Inventory, vm: Vm) -> Any:
    return vm.memory_mb


def vm_allocation(vm: Vm, *, memory: bool) -> Any:
    """Return the shares of a VM: normal ones, without reservation and limit."""
    amount = vm.memory_mb * 10 if memory else vm.num_cpu * 1000
    shares = vim.SharesInfo(shares=amount, level=vim.SharesInfo.Level.normal)
    return vim.ResourceAllocationInfo(reservation=0, expandableReservation=False, limit=-1, shares=shares)


@provides(VM, "config")
def vm_config(inventory: Inventory, vm: Vm) -> Any:
    """Return the whole configuration of a VM."""
    changed = _changed(vm)
    directory = vm_path_name(inventory, vm).rpartition("/")[0] + "/"
    return vim.vm.ConfigInfo(
        changeVersion=change_version(vm),
        modified=changed,
        name=vm.name,
        guestFullName=vm.guest_name,
        version=vm.hardware_version,
        uuid=vm.bios_uuid,
        instanceUuid=vm.instance_uuid,
        template=vm.template,
        guestId=vm.guest_id,
        alternateGuestName="",
        annotation=annotation_of(vm),
        files=vim.vm.FileInfo(
            vmPathName=vm_path_name(inventory, vm),
            snapshotDirectory=directory,
            suspendDirectory=directory,
            logDirectory=directory,
        ),
        tools=vim.vm.ToolsConfigInfo(
            toolsVersion=12389,
            toolsUpgradePolicy="manual",
            syncTimeWithHost=False,
            lastInstallInfo=vim.vm.ToolsConfigInfo.ToolsLastInstallInfo(counter=0),
        ),
        cpuAllocation=vm_allocation(vm, memory=False),
        memoryAllocation=vm_allocation(vm, memory=True),
        flags=vim.vm.FlagInfo(enableLogging=True, diskUuidEnabled=False, faultToleranceType="unset"),
        defaultPowerOps=vim.vm.DefaultPowerOpInfo(powerOffType="soft", suspendType="hard", resetType="soft"),
        hardware=vim.vm.VirtualHardware(
            numCPU=vm.num_cpu, numCoresPerSocket=1, memoryMB=vm.memory_mb, device=devices(inventory, vm)
        ),
        memoryHotAddEnabled=False,
        cpuHotAddEnabled=False,
        swapPlacement="inherit",
        bootOptions=vim.vm.BootOptions(bootDelay=0, efiSecureBootEnabled=False),
        vAssertsEnabled=False,
        changeTrackingEnabled=False,
        firmware="bios",
        managedBy=managed_by(inventory, vm),
        nestedHVEnabled=False,
        migrateEncryption="opportunistic",
        ftEncryptionMode="ftEncryptionOpportunistic",
        sevEnabled=False,
    )
