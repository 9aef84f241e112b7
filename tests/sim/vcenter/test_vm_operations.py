"""Operations on VMs as tasks: what they do, and the typed faults of wrong states."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from hcx_sim.vcenter import tasks
from hcx_sim.world.model import Power, SiteName
from support.site_pair import SitePair

pytestmark = pytest.mark.world(scenario="three-tier")
DEVICE = vim.vm.device


def _cdrom(client: Any, name: str) -> Any:
    devices = client.read(client.vm(name), "config.hardware.device")["config.hardware.device"]
    return next(each for each in devices if isinstance(each, DEVICE.VirtualCdrom))


def _card(client: Any, name: str) -> Any:
    devices = client.read(client.vm(name), "config.hardware.device")["config.hardware.device"]
    return next(each for each in devices if isinstance(each, DEVICE.VirtualEthernetCard))


def _edit(device: Any, operation: str = "edit", **more: Any) -> Any:
    return vim.vm.ConfigSpec(deviceChange=[DEVICE.VirtualDeviceSpec(operation=operation, device=device, **more)])


# Tasks -----------------------------------------------------------------------------------------------------


def test_a_task_goes_from_queued_over_running_with_progress_to_success(client: Any, site_pair: SitePair) -> None:
    task = client.vm("web01").Rename("web01-new")
    seen = [client.read(task, "info.state", "info.progress")]
    for _ in range(40):
        site_pair.advance(0.25)
        read = client.read(task, "info.state", "info.progress")
        if read != seen[-1]:
            seen.append(read)
    states = [each["info.state"] for each in seen]
    assert states[0] == "queued"
    assert states[-1] == "success"
    assert [each.get("info.progress") for each in seen] == [None, 0, 25, 50, 75, 100]
    info = task.info
    assert info.descriptionId == "VirtualMachine.rename"
    assert info.queueTime < info.startTime < info.completeTime
    assert info.reason.userName == site_pair.login("vcenter").username
    assert info.entity == client.vm("web01-new")
    assert info.name.info.wsdlName == "Rename_Task" if hasattr(info.name, "info") else info.name == "Rename_Task"
    call = site_pair.calls("Rename_Task")[-1]
    assert call["data"]["summary"] == {"object": info.entity._moId, "name": "web01", "task": task._moId}
    change = site_pair.audit("change", subject=f"vm:source/{info.entity._moId}")[-1]
    assert change["data"]["after"]["name"] == "web01-new"
    assert change["cause"].startswith("event:vcenter.task_done:")


def test_recent_tasks_are_shown_by_the_object_and_the_manager(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    task = vm.Rename("other")
    assert client.content.taskManager.recentTask == [task]
    assert vm.recentTask == [task]
    client.succeed(task)
    assert client.content.taskManager.recentTask == []


def test_cancelling(client: Any, site_pair: SitePair) -> None:
    snapshot = client.vm("web01").CreateSnapshot("s", "", False, False)
    site_pair.advance(0.2)
    snapshot.Cancel()
    info = client.read(snapshot, "info.state", "info.error", "info.cancelled")
    assert (info["info.state"], info["info.cancelled"]) == ("error", True)
    assert isinstance(info["info.error"], vmodl.fault.RequestCanceled)
    with pytest.raises(vim.fault.InvalidState):
        snapshot.Cancel()
    rename = client.vm("web01").Rename("other")
    with pytest.raises(vmodl.fault.NotSupported):
        rename.Cancel()
    site_pair.run_until_idle(60)
    assert site_pair.vm("other").snapshots == []


def test_another_task_on_the_same_vm_is_task_in_progress(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    first = vm.CreateSnapshot("s", "", False, False)
    site_pair.advance(0.2)
    fault = client.fail(vm.Rename("other"))
    assert isinstance(fault, vim.fault.TaskInProgress)
    assert fault.task == first


def test_a_task_of_another_product_holds_the_vm(client: Any, site_pair: SitePair) -> None:
    world, moref = site_pair.world, site_pair.vm("web01").moref
    task_id = site_pair.run(
        lambda: tasks.begin_external(world, SiteName.SOURCE, moref, "RelocateVM_Task", "hcx@vsphere.local")
    )
    fault = client.fail(client.vm("web01").PowerOff())
    assert isinstance(fault, vim.fault.TaskInProgress)
    assert fault.task._moId == task_id
    site_pair.run(lambda: tasks.end_external(world, SiteName.SOURCE, task_id))
    client.succeed(client.vm("web01").PowerOff())


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ({"behaviour": "fail", "code": "FileFault", "message": "cannot write"}, "error"),
        ({"behaviour": "stall"}, "running"),
        ({"behaviour": "delay", "seconds": 600}, "running"),
    ],
)
def test_engine_faults_strike_tasks(client: Any, site_pair: SitePair, rule: dict[str, Any], state: str) -> None:
    site_pair.fault(product="engine", call="vcenter.task.rename", object="web01", count=1, **rule)
    task = client.vm("web01").Rename("other")
    info = client.settle(task)
    assert info["info.state"] == state
    if state == "error":
        assert isinstance(info["info.error"], vim.fault.FileFault)
        assert info["info.error"].msg == "cannot write"
        assert site_pair.vm("web01").name == "web01"


# Names -----------------------------------------------------------------------------------------------------


def test_rename_faults(client: Any, site_pair: SitePair) -> None:
    fault = client.fail(client.vm("web01").Rename("web02"))
    assert isinstance(fault, vim.fault.DuplicateName)
    assert (fault.name, fault.object) == ("web02", client.vm("web02"))
    assert isinstance(client.fail(client.vm("web01").Rename("  ")), vim.fault.InvalidName)
    assert isinstance(client.fail(client.vm("web01").Rename("x" * 81)), vim.fault.InvalidName)
    client.succeed(client.vm("web01").Rename("a/b"))
    assert site_pair.vm("a%2fb")
    notes = [each["data"].get("fault") for each in site_pair.audit("note", subject="vcenter-task")]
    assert notes == ["DuplicateName", "InvalidName", "InvalidName", None]


# Power -----------------------------------------------------------------------------------------------------


def test_power_cycle_and_wrong_states(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    fault = client.fail(vm.PowerOn())
    assert isinstance(fault, vim.fault.InvalidPowerState)
    assert (fault.requestedState, fault.existingState) == ("poweredOn", "poweredOn")
    client.succeed(vm.Suspend())
    assert site_pair.vm("web01").power is Power.SUSPENDED
    fault = client.fail(vm.Suspend())
    assert (fault.requestedState, fault.existingState) == ("suspended", "suspended")
    client.succeed(vm.PowerOn())
    client.succeed(vm.Reset())
    client.succeed(vm.PowerOff())
    fault = client.fail(vm.PowerOff())
    assert fault.msg == "The attempted operation cannot be performed in the current state (Powered off)."
    assert isinstance(client.fail(vm.Reset()), vim.fault.InvalidPowerState)
    assert site_pair.oracle()["vms"]["web01"]["power_off"][-1]["to"] is None
    assert isinstance(client.fail(client.vm("golden-image").PowerOn()), vmodl.fault.NotSupported)


def test_guest_shutdown_and_reboot(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    booted = client.read(vm, "runtime.bootTime")["runtime.bootTime"]
    vm.RebootGuest()
    site_pair.run_until_idle(120)
    assert client.read(vm, "runtime.bootTime")["runtime.bootTime"] > booted
    vm.ShutdownGuest()
    assert site_pair.vm("web01").power is Power.ON
    site_pair.run_until_idle(120)
    assert site_pair.vm("web01").power is Power.OFF
    with pytest.raises(vim.fault.InvalidPowerState) as caught:
        vm.ShutdownGuest()
    assert (caught.value.requestedState, caught.value.existingState) == ("poweredOff", "poweredOff")
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web02"), tools_running=False))
    with pytest.raises(vim.fault.ToolsUnavailable):
        client.vm("web02").ShutdownGuest()


# Snapshots -------------------------------------------------------------------------------------------------


def test_snapshot_tree(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    first = client.succeed(vm.CreateSnapshot("first", "text", False, False))
    client.succeed(vm.CreateSnapshotEx("second", None, False, None))
    third = client.succeed(vm.CreateSnapshot("third", "", False, False))
    tree = client.read(vm, "snapshot")["snapshot"]
    assert tree.currentSnapshot == third
    root = tree.rootSnapshotList[0]
    assert (root.name, root.description, root.snapshot) == ("first", "text", first)
    assert root.childSnapshotList[0].childSnapshotList[0].name == "third"
    assert vm.rootSnapshot == [first]
    second = root.childSnapshotList[0].snapshot
    assert second.childSnapshot == [third]
    client.succeed(second.RemoveSnapshot_Task(removeChildren=False))
    assert [each.name for each in site_pair.vm("web01").snapshots] == ["first", "third"]
    assert client.read(vm, "snapshot")["snapshot"].rootSnapshotList[0].childSnapshotList[0].name == "third"
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        second.RemoveSnapshot_Task(removeChildren=False)
    client.succeed(first.RemoveSnapshot_Task(removeChildren=True))
    assert "snapshot" not in client.read(vm, "snapshot")
    client.succeed(vm.RemoveAllSnapshots())
    assert isinstance(client.fail(vm.CreateSnapshot("", "", False, False)), vim.fault.InvalidName)


# Reconfigure -----------------------------------------------------------------------------------------------


def test_mount_disconnect_and_unmount_an_iso(client: Any, site_pair: SitePair) -> None:
    vm, drive = client.vm("web01"), _cdrom(client, "web01")
    drive.backing = DEVICE.VirtualCdrom.IsoBackingInfo(fileName="[WorkloadDatastore] iso/tools.iso")
    drive.connectable = DEVICE.VirtualDevice.ConnectInfo(connected=True, startConnected=True, allowGuestControl=True)
    client.succeed(vm.Reconfigure(_edit(drive)))
    shown = _cdrom(client, "web01")
    assert shown.backing.fileName == "[WorkloadDatastore] iso/tools.iso"
    assert shown.backing.datastore is not None
    assert shown.connectable.connected is True
    shown.connectable.connected = False
    client.succeed(vm.Reconfigure(_edit(shown)))
    assert (site_pair.vm("web01").iso_path, site_pair.vm("web01").iso_connected) == (shown.backing.fileName, False)
    shown.backing = DEVICE.VirtualCdrom.RemotePassthroughBackingInfo(deviceName="", exclusive=False)
    client.succeed(vm.Reconfigure(_edit(shown)))
    assert site_pair.vm("web01").iso_path is None
    shown.backing = DEVICE.VirtualCdrom.IsoBackingInfo(fileName="[nowhere] x.iso")
    fault = client.fail(vm.Reconfigure(_edit(shown)))
    assert isinstance(fault, vim.fault.InvalidDatastorePath)
    assert fault.datastorePath == "[nowhere] x.iso"


def test_network_card_moves_and_disconnects(client: Any, site_pair: SitePair) -> None:
    vm, card = client.vm("web01"), _card(client, "web01")
    target = next(n for n in site_pair.world.networks.values() if n.site == "source" and n.name == "shared")
    card.backing.port.portgroupKey = target.portgroup_key
    card.backing.port.portKey = None
    client.succeed(vm.Reconfigure(_edit(card)))
    assert [nic.network_moref for nic in site_pair.vm("web01").nics] == [target.moref]
    assert [each._moId for each in vm.network] == [target.moref]
    card.connectable.connected = False
    client.succeed(vm.Reconfigure(_edit(card)))
    assert site_pair.vm("web01").nics[0].connected is False
    assert site_pair.oracle()["vms"]["web01"]["outage"]
    card.backing.port.portgroupKey = "dvportgroup-nowhere"
    fault = client.fail(vm.Reconfigure(_edit(card)))
    assert isinstance(fault, vim.fault.InvalidDeviceBacking)
    card.key = 4711
    assert isinstance(client.fail(vm.Reconfigure(_edit(card))), vim.fault.InvalidDeviceSpec)
    card.key, card.backing, card.macAddress = 4000, None, "00:50:56:11:22:33"
    assert isinstance(client.fail(vm.Reconfigure(_edit(card))), vim.fault.InvalidDeviceSpec)


def test_cards_and_disks_come_and_go(client: Any, site_pair: SitePair) -> None:
    vm, card = client.vm("web01"), _card(client, "web01")
    new = DEVICE.VirtualE1000(key=-1, backing=card.backing)
    client.succeed(vm.Reconfigure(_edit(new, "add")))
    added = site_pair.vm("web01").nics[1]
    assert (added.key, added.adapter, added.mac[:9]) == (4001, "VirtualE1000", "00:50:56:")
    client.succeed(vm.Reconfigure(_edit(DEVICE.VirtualE1000(key=4001), "remove")))
    disk = DEVICE.VirtualDisk(
        key=-2,
        capacityInKB=1024 * 1024,
        backing=DEVICE.VirtualDisk.FlatVer2BackingInfo(fileName="", diskMode="independent_persistent"),
    )
    client.succeed(vm.Reconfigure(_edit(disk, "add", fileOperation="create")))
    assert [(d.key, d.mode) for d in site_pair.vm("web01").disks][1] == (2001, "independent_persistent")
    disk.key, disk.capacityInKB = 2001, 2 * 1024 * 1024
    client.succeed(vm.Reconfigure(_edit(disk)))
    assert site_pair.vm("web01").disks[1].capacity_bytes == 2 * 1024**3
    disk.capacityInKB = 1024
    assert isinstance(client.fail(vm.Reconfigure(_edit(disk))), vim.fault.InvalidDeviceSpec)
    client.succeed(vm.Reconfigure(_edit(disk, "remove", fileOperation="destroy")))
    assert len(site_pair.vm("web01").disks) == len(site_pair.vm("web01").nics) == 1
    huge = DEVICE.VirtualDisk(key=-3, capacityInKB=2**50)
    assert isinstance(client.fail(vm.Reconfigure(_edit(huge, "add"))), vim.fault.NoDiskSpace)
    client.succeed(vm.CreateSnapshot("s", "", False, False))
    disk.key, disk.capacityInKB = 2000, 2**40
    assert isinstance(client.fail(vm.Reconfigure(_edit(disk))), vim.fault.GenericVmConfigFault)


def test_notes_size_settings_and_versions(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    before = client.read(vm, "config.changeVersion")["config.changeVersion"]
    option = vim.option.OptionValue(key="guestinfo.wave", value="7")
    spec = vim.vm.ConfigSpec(annotation="moved by wave 7", extraConfig=[option], changeVersion=before)
    client.succeed(vm.Reconfigure(spec))
    read = client.read(vm, "config.annotation", "config.changeVersion", "config.extraConfig")
    assert read["config.annotation"] == "moved by wave 7"
    assert {each.key: each.value for each in read["config.extraConfig"]} == {"guestinfo.wave": "7"}
    assert read["config.changeVersion"] > before
    assert isinstance(client.fail(vm.Reconfigure(spec)), vim.fault.ConcurrentAccess)
    assert isinstance(client.fail(vm.Reconfigure(vim.vm.ConfigSpec(numCPUs=16))), vim.fault.CpuHotPlugNotSupported)
    fault = client.fail(vm.Reconfigure(vim.vm.ConfigSpec(memoryMB=2048)))
    assert isinstance(fault, vim.fault.MemoryHotPlugNotSupported)
    client.succeed(vm.PowerOff())
    client.succeed(vm.Reconfigure(vim.vm.ConfigSpec(numCPUs=16, memoryMB=2048, name="web01-big")))
    record = site_pair.vm("web01-big")
    assert (record.num_cpu, record.memory_mb) == (16, 2048)
    assert isinstance(client.fail(vm.Reconfigure(vim.vm.ConfigSpec(name="web02"))), vim.fault.DuplicateName)


def test_a_device_given_as_data_can_be_removed(client: Any, site_pair: SitePair) -> None:
    extra = {"config.hardware.device+": [{"_type": "VirtualUSB", "key": 7000, "connected": True}]}
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), properties=extra))
    vm, usb = client.vm("web01"), DEVICE.VirtualUSB(key=7000, connected=True)
    client.succeed(vm.Reconfigure(_edit(usb, "remove")))
    assert isinstance(client.fail(vm.Reconfigure(_edit(usb, "remove"))), vim.fault.InvalidDeviceSpec)


def test_tools_installer(client: Any) -> None:
    vm = client.vm("web01")
    vm.MountToolsInstaller()
    assert client.read(vm, "runtime.toolsInstallerMounted")["runtime.toolsInstallerMounted"] is True
    vm.UnmountToolsInstaller()
    assert client.read(vm, "runtime.toolsInstallerMounted")["runtime.toolsInstallerMounted"] is False
    with pytest.raises(vim.fault.InvalidPowerState):
        client.vm("batch01").MountToolsInstaller()


# Coming and going ------------------------------------------------------------------------------------------


def _config(client: Any, name: str) -> Any:
    backing = _card(client, "web01").backing
    changes = [
        DEVICE.VirtualDeviceSpec(
            operation="add", device=DEVICE.ParaVirtualSCSIController(key=1000, sharedBus="noSharing")
        ),
        DEVICE.VirtualDeviceSpec(operation="add", device=DEVICE.VirtualDisk(key=-1, capacityInKB=1024 * 1024)),
        DEVICE.VirtualDeviceSpec(operation="add", device=DEVICE.VirtualVmxnet3(key=-2, backing=backing)),
    ]
    return vim.vm.ConfigSpec(name=name, guestId="ubuntu64Guest", numCPUs=2, memoryMB=4096, deviceChange=changes)


def test_create_and_destroy(client: Any, site_pair: SitePair) -> None:
    folder = client.named(vim.Folder, "Workloads")
    pool = client.named(vim.ResourcePool, "Compute-ResourcePool")
    vm = client.succeed(folder.CreateVm(_config(client, "fresh01"), pool, None))
    record = site_pair.vm("fresh01")
    assert (record.moref, record.power, record.num_cpu) == (vm._moId, Power.OFF, 2)
    assert (len(record.disks), len(record.nics)) == (1, 1)
    assert vm in folder.childEntity
    assert vm in pool.vm
    fault = client.fail(folder.CreateVm(_config(client, "fresh01"), pool, None))
    assert isinstance(fault, vim.fault.DuplicateName)
    client.succeed(vm.PowerOn())
    fault = client.fail(vm.Destroy())
    assert isinstance(fault, vim.fault.InvalidPowerState)
    assert (fault.requestedState, fault.existingState) == ("poweredOff", "poweredOn")
    client.succeed(vm.PowerOff())
    client.succeed(vm.Destroy())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        client.read(vm, "name")
    datacenter_folder = client.named(vim.Folder, "host")
    assert isinstance(
        client.fail(datacenter_folder.CreateVm(_config(client, "x"), pool, None)), vmodl.fault.NotSupported
    )


def test_destroying_gives_the_space_back(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("batch01")
    store = site_pair.world.datastores[f"source/{record.disks[0].datastore_moref}"]
    free = store.free_bytes
    client.succeed(client.vm("batch01").Destroy())
    assert store.free_bytes == free + sum(disk.used_bytes for disk in record.disks)


def test_unregister_and_templates(client: Any, site_pair: SitePair) -> None:
    with pytest.raises(vim.fault.InvalidPowerState):
        client.vm("web01").Unregister()
    pool = client.named(vim.ResourcePool, "Compute-ResourcePool")
    vm = client.vm("batch01")
    vm.MarkAsTemplate()
    assert client.read(vm, "config.template", "resourcePool") == {"config.template": True}
    with pytest.raises(vim.fault.InvalidState):
        vm.MarkAsTemplate()
    vm.MarkAsVirtualMachine(pool)
    assert client.read(vm, "resourcePool") == {"resourcePool": pool}
    with pytest.raises(vim.fault.InvalidState):
        vm.MarkAsVirtualMachine(pool)
    vm.Unregister()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        vm.PowerOn()


def test_an_object_that_goes_while_its_task_waits(client: Any, site_pair: SitePair) -> None:
    task = client.vm("web01").Rename("other")
    record = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.remove(record))
    assert isinstance(client.fail(task), vmodl.fault.ManagedObjectNotFound)


def _without(privilege: str) -> Any:
    settings = {"vcenter": {"denied_privileges": [privilege]}}
    return pytest.mark.world(scenario={"name": "limited", "settings": settings, "vms": [{"name": "web01"}]})


@pytest.mark.parametrize(
    ("privilege", "call"),
    [
        pytest.param(name, call, marks=_without(name))
        for name, call in (
            ("VirtualMachine.Interact.PowerOff", lambda vm: vm.PowerOff()),
            ("VirtualMachine.Config.Rename", lambda vm: vm.Rename("x")),
            ("VirtualMachine.State.CreateSnapshot", lambda vm: vm.CreateSnapshot("s", "", False, False)),
        )
    ],
)
def test_a_missing_privilege_is_no_permission(client: Any, site_pair: SitePair, privilege: str, call: Any) -> None:
    vm, manager = client.vm("web01"), client.content.authorizationManager
    with pytest.raises(vim.fault.NoPermission) as caught:
        call(vm)
    assert (caught.value.privilegeId, caught.value.object) == (privilege, vm)
    session, asked = client.content.sessionManager.currentSession, [privilege, "System.Read"]
    assert manager.HasPrivilegeOnEntity(vm, session.key, asked) == [False, True]
    answer = manager.HasPrivilegeOnEntities([vm], session.key, asked)[0]
    assert {each.privId: each.isGranted for each in answer.privAvailability} == {privilege: False, "System.Read": True}
    answer = manager.HasUserPrivilegeOnEntities([vm], session.userName, asked)[0]
    assert [each.isGranted for each in answer.privAvailability] == [False, True]
    granted = manager.FetchUserPrivilegeOnEntities([vm], session.userName)[0].privileges
    assert privilege not in granted
    assert "VirtualMachine.Interact.PowerOn" in granted
    refusals = [call["data"] for call in site_pair.calls() if call["data"]["status"] == 500]
    assert refusals
    assert all(call.get("summary") is None for call in refusals)
