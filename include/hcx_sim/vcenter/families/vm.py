"""``VirtualMachine``: the properties of nsx-vsphere 4.1 that are cheap, and the summary."""

from __future__ import annotations

from typing import Any

from pyVmomi import VmomiSupport, vim

from hcx_sim.engine.clock import seconds, to_datetime
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.vm_config import managed_by, vm_path_name
from hcx_sim.vcenter.families.vm_guest import primary_address, tools_running_status, tools_status
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.state import vcenter_of
from hcx_sim.world.model import Power, Snapshot, Vm

VM = "VirtualMachine"
_MIB = 1024 * 1024
CURRENT_SNAPSHOT = "current_snapshot"  # a fact of a VM's properties: the id of the snapshot it was returned to
_LONG_RUNNING_SECONDS = 30 * 86_400


@provides(VM, "name")
def _name(_inventory: Inventory, vm: Vm) -> Any:
    return vm.name


@provides(VM, "parent")
def _parent(inventory: Inventory, vm: Vm) -> Any:
    return vim.Folder(vm.folder_moref) if inventory.placement(vm.folder_moref) else None


@provides(VM, "resourcePool")
def _pool(_inventory: Inventory, vm: Vm) -> Any:
    return vim.ResourcePool(vm.pool_moref) if vm.pool_moref and not vm.template else None


@provides(VM, "network")
def _network(inventory: Inventory, vm: Vm) -> Any:
    morefs = dict.fromkeys(nic.network_moref for nic in vm.nics)
    networks = (inventory.network(moref) for moref in morefs)
    return [inventory.network_reference(network) for network in networks if network is not None]


@provides(VM, "datastore")
def _datastore(_inventory: Inventory, vm: Vm) -> Any:
    return [vim.Datastore(moref) for moref in dict.fromkeys(disk.datastore_moref for disk in vm.disks)]


@provides(VM, "runtime.powerState")
def power_state(_inventory: Inventory, vm: Vm) -> Any:
    """The power state as vSphere names it."""
    return vim.VirtualMachine.PowerState(vm.power.value)


@provides(VM, "runtime.host")
def _host(_inventory: Inventory, vm: Vm) -> Any:
    return vim.HostSystem(vm.host_moref)


@provides(VM, "runtime")
def runtime(inventory: Inventory, vm: Vm) -> Any:
    """Build the whole runtime information; question, consolidation and the like come as overrides."""
    machine = vim.VirtualMachine
    started_us = booted_us(inventory, vm)
    return vim.vm.RuntimeInfo(
        host=vim.HostSystem(vm.host_moref),
        connectionState=machine.ConnectionState.connected,
        powerState=power_state(inventory, vm),
        faultToleranceState=machine.FaultToleranceState.notConfigured,
        toolsInstallerMounted=False,
        bootTime=None if started_us is None else to_datetime(started_us),
        maxCpuUsage=vm.num_cpu * 2300,
        maxMemoryUsage=vm.memory_mb,
        numMksConnections=0,
        recordReplayState=machine.RecordReplayState.inactive,
        onlineStandby=False,
        consolidationNeeded=False,
        cryptoState="noEncryption",
    )


def booted_us(inventory: Inventory, vm: Vm) -> int | None:
    """Return when a running VM was powered on; one that ran when the world began did so a month earlier."""
    if vm.power is not Power.ON:
        return None
    known = vcenter_of(inventory.world).booted_us.get(vm.uid)
    return known if known is not None else inventory.world_started_us - seconds(_LONG_RUNNING_SECONDS)


def current_snapshot(vm: Vm) -> str | None:
    """Return the snapshot that the VM was last returned to, else the newest; None when there is none."""
    known = [snapshot.moref for snapshot in vm.snapshots]
    chosen = vm.properties.get(CURRENT_SNAPSHOT)
    return str(chosen) if chosen in known else known[-1] if known else None


@provides(VM, "snapshot")
def snapshot_info(_inventory: Inventory, vm: Vm) -> Any:
    """Build the snapshot tree, unset when there is none."""
    if not vm.snapshots:
        return None
    return vim.vm.SnapshotInfo(
        currentSnapshot=vim.vm.Snapshot(current_snapshot(vm)),
        rootSnapshotList=[_tree(vm, snapshot) for snapshot in vm.snapshots if snapshot.parent_moref is None],
    )


def _tree(vm: Vm, snapshot: Snapshot) -> Any:
    return vim.vm.SnapshotTree(
        snapshot=vim.vm.Snapshot(snapshot.moref),
        vm=vim.VirtualMachine(vm.moref),
        name=snapshot.name,
        description=snapshot.description,
        id=1 + vm.snapshots.index(snapshot),
        createTime=to_datetime(snapshot.created_us),
        state=vim.VirtualMachine.PowerState(vm.power.value),
        quiesced=False,
        replaySupported=False,
        childSnapshotList=[_tree(vm, child) for child in vm.snapshots if child.parent_moref == snapshot.moref],
    )


@provides(VM, "rootSnapshot")
def _root_snapshot(_inventory: Inventory, vm: Vm) -> Any:
    return [vim.vm.Snapshot(each.moref) for each in vm.snapshots if each.parent_moref is None]


@provides(VM, "summary.storage.committed")
def committed(_inventory: Inventory, vm: Vm) -> Any:
    """What the VM takes on its datastores, in bytes: disks, and swap while it runs."""
    swap = vm.memory_mb * _MIB if vm.power is Power.ON else 0
    return sum(disk.used_bytes for disk in vm.disks) + swap


@provides(VM, "summary.storage")
def _storage_summary(inventory: Inventory, vm: Vm) -> Any:
    used = committed(inventory, vm)
    return vim.vm.Summary.StorageSummary(
        committed=used,
        uncommitted=max(0, sum(disk.capacity_bytes for disk in vm.disks) - used),
        unshared=used,
        timestamp=to_datetime(inventory.world.now_us),
    )


@provides(VM, "summary.config")
def _config_summary(_inventory: Inventory, vm: Vm) -> Any:
    return vim.vm.Summary.ConfigSummary(
        name=vm.name,
        template=vm.template,
        vmPathName=vm_path_name(_inventory, vm),
        memorySizeMB=vm.memory_mb,
        numCpu=vm.num_cpu,
        numEthernetCards=len(vm.nics),
        numVirtualDisks=len(vm.disks),
        uuid=vm.bios_uuid,
        instanceUuid=vm.instance_uuid,
        guestId=vm.guest_id,
        guestFullName=vm.guest_name,
        annotation="",
        managedBy=managed_by(_inventory, vm),
        hwVersion=vm.hardware_version,
    )


@provides(VM, "summary.guest")
def _guest_summary(inventory: Inventory, vm: Vm) -> Any:
    running = tools_running_status(inventory, vm)
    return vim.vm.Summary.GuestSummary(
        guestId=vm.guest_id if vm.tools_running else None,
        guestFullName=vm.guest_name if vm.tools_running else None,
        toolsStatus=tools_status(inventory, vm),
        toolsVersionStatus2=vm.tools_version_status,
        toolsRunningStatus=running,
        hostName=vm.host_name if vm.tools_running else None,
        ipAddress=primary_address(inventory, vm),
    )


@provides(VM, "summary.quickStats")
def _quick_stats(inventory: Inventory, vm: Vm) -> Any:
    started_us = booted_us(inventory, vm)
    running = started_us is not None
    uptime_seconds = 0 if started_us is None else (inventory.world.now_us - started_us) // 1_000_000
    return vim.vm.Summary.QuickStats(
        overallCpuUsage=vm.num_cpu * 100 if running else 0,
        guestMemoryUsage=vm.memory_mb // 4 if running else 0,
        hostMemoryUsage=vm.memory_mb if running else 0,
        guestHeartbeatStatus=heartbeat(inventory, vm),
        uptimeSeconds=uptime_seconds,
    )


@provides(VM, "summary")
def _summary(inventory: Inventory, vm: Vm) -> Any:
    return vim.vm.Summary(
        vm=vim.VirtualMachine(vm.moref),
        runtime=runtime(inventory, vm),
        guest=_guest_summary(inventory, vm),
        config=_config_summary(inventory, vm),
        storage=_storage_summary(inventory, vm),
        quickStats=_quick_stats(inventory, vm),
        overallStatus=vim.ManagedEntity.Status.green,
    )


@provides(VM, "guestHeartbeatStatus")
def heartbeat(_inventory: Inventory, vm: Vm) -> Any:
    """Green while Tools run, gray otherwise."""
    status = vim.ManagedEntity.Status
    return status.green if vm.tools_running and vm.power is Power.ON else status.gray


@provides(VM, "storage")
def _storage(inventory: Inventory, vm: Vm) -> Any:
    used: dict[str, int] = {}
    for disk in vm.disks:
        used[disk.datastore_moref] = used.get(disk.datastore_moref, 0) + disk.used_bytes
    usage = vim.vm.StorageInfo.UsageOnDatastore
    return vim.vm.StorageInfo(
        perDatastoreUsage=[
            usage(datastore=vim.Datastore(moref), committed=size, uncommitted=0, unshared=size)
            for moref, size in used.items()
        ],
        timestamp=to_datetime(inventory.world.now_us),
    )


@provides(VM, "layoutEx")
def _layout(inventory: Inventory, vm: Vm) -> Any:
    info, directory = vim.vm.FileLayoutEx.FileInfo, vm_path_name(inventory, vm).rpartition("/")[0]
    files = [info(key=0, name=vm_path_name(inventory, vm), type="config", size=4096, uniqueSize=4096, accessible=True)]
    disks = []
    for number, disk in enumerate(vm.disks):
        descriptor, extent = 2 * number + 1, 2 * number + 2
        stem = f"{directory}/{vm.uid}" + ("" if number == 0 else f"_{number}")
        size = VmomiSupport.long(disk.used_bytes)
        files.append(info(key=descriptor, name=f"{stem}.vmdk", type="diskDescriptor", size=1024, accessible=True))
        files.append(info(key=extent, name=f"{stem}-flat.vmdk", type="diskExtent", size=size, accessible=True))
        unit = vim.vm.FileLayoutEx.DiskUnit(fileKey=[descriptor, extent])
        disks.append(vim.vm.FileLayoutEx.DiskLayout(key=disk.key, chain=[unit]))
    return vim.vm.FileLayoutEx(file=files, disk=disks, timestamp=to_datetime(inventory.world.now_us))
