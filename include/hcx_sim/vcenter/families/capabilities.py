"""What objects can do, and settings that every vCenter shows: plausible, and the same for all. [I nsx-vsphere 4.1]"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.convert import to_typed
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.places import cluster_summary
from hcx_sim.vcenter.families.vm_config import vm_allocation, vm_config, vm_path_name
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.plain import filled
from hcx_sim.world.model import Placement, Vm

_VM_CAN = (
    "snapshotOperationsSupported", "multipleSnapshotsSupported", "poweredOffSnapshotsSupported",
    "memorySnapshotsSupported", "revertToSnapshotSupported", "quiescedSnapshotsSupported", "swapPlacementSupported",
    "bootOptionsSupported", "changeTrackingSupported", "diskSharesSupported", "multipleCoresPerSocketSupported",
    "toolsSyncTimeSupported", "settingVideoRamSizeSupported", "nestedHVSupported", "cpuFeatureMaskSupported",
)  # fmt: skip


@provides("VirtualMachine", "capability")
def _vm_capability(_inventory: Inventory, _vm: Vm) -> Any:
    return filled(vim.vm.Capability, **dict.fromkeys(_VM_CAN, True))


@provides("VirtualMachine", "resourceConfig")
def _vm_resources(_inventory: Inventory, vm: Vm) -> Any:
    return vim.ResourceConfigSpec(
        entity=vim.VirtualMachine(vm.moref),
        cpuAllocation=vm_allocation(vm, memory=False),
        memoryAllocation=vm_allocation(vm, memory=True),
    )


@provides("VirtualMachine", "layout")
def _vm_layout(inventory: Inventory, vm: Vm) -> Any:
    """Return the files as the older form of ``layoutEx`` names them."""
    directory, _, name = vm_path_name(inventory, vm).rpartition("/")
    layout = vim.vm.FileLayout
    disks = []
    for number, disk in enumerate(vm.disks):
        stem = f"{directory}/{vm.uid}" + ("" if number == 0 else f"_{number}")
        disks.append(layout.DiskLayout(key=disk.key, diskFile=[f"{stem}.vmdk", f"{stem}-flat.vmdk"]))
    return layout(configFile=[name], logFile=["vmware.log"], disk=disks)


@provides("VirtualMachineSnapshot", "config")
def _snapshot_config(inventory: Inventory, record: Any) -> Any:
    return vm_config(inventory, record.vm)


@provides("ClusterComputeResource", "summaryEx")
def _summary_ex(inventory: Inventory, cluster: Placement) -> Any:
    return cluster_summary(inventory, cluster)


@provides("ClusterComputeResource", "configuration")
def _configuration(_inventory: Inventory, cluster: Placement) -> Any:
    """The older form of ``configurationEx``, with the same rules."""
    info = vim.cluster.ConfigInfo
    rules = cluster.properties.get("configurationEx.rule", [])
    return info(
        dasConfig=vim.cluster.DasConfigInfo(enabled=True, failoverLevel=1),
        drsConfig=vim.cluster.DrsConfigInfo(enabled=True, vmotionRate=3),
        rule=[to_typed(vim.cluster.RuleInfo, rule) for rule in rules],
    )


@provides("VmwareDistributedVirtualSwitch", "capability")
def _switch_capability(_inventory: Inventory, _switch: Placement) -> Any:
    switch = vim.DistributedVirtualSwitch
    return switch.Capability(
        dvsOperationSupported=True, dvPortGroupOperationSupported=True, dvPortOperationSupported=True
    )


@provides("VmwareDistributedVirtualSwitch", "runtime")
def _switch_runtime(inventory: Inventory, _switch: Placement) -> Any:
    member = vim.dvs.HostMember.RuntimeInfo
    hosts = inventory.placements("HostSystem")
    up = [member(host=vim.HostSystem(host.moref), status="up") for host in hosts]
    return vim.DistributedVirtualSwitch.RuntimeInfo(hostMemberRuntime=up)
