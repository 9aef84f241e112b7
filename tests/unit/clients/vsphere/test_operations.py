"""Tasks, operations on VMs, and port groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType

from hcx_waves.clients.errors import (
    ConflictError,
    NotFound,
    OutcomeUnknownError,
    ServiceUnavailable,
    StaleRevisionError,
    TimedOut,
    ValidationFailed,
    VendorFault,
)
from hcx_waves.clients.vsphere import VsphereClient, Waiting
from support.scripted_vcenter import ScriptedVcenter, SoapCall

Collector = vmodl.query.PropertyCollector
Vmware = vim.dvs.VmwareDistributedVirtualSwitch
INFO = vim.TaskInfo.State


def update(version: str, kind: str = "modify", **values: Any) -> Any:
    """One update of a task; keyword names are those below ``info``."""
    changes = [Collector.Change(name=f"info.{name}", op="assign", val=value) for name, value in values.items()]
    changed = Collector.ObjectUpdate(kind=kind, obj=vim.Task("task-1"), changeSet=changes)
    filter_update = Collector.FilterUpdate(filter=Collector.Filter("filter-1"), objectSet=[changed])
    return Collector.UpdateSet(version=version, filterSet=[filter_update], truncated=False)


def script_task(vcenter: ScriptedVcenter, method: str, *updates: Any) -> None:
    """Let a method return ``task-1``, which then goes through the given updates."""
    pending = list(updates)
    vcenter.on(method, lambda call: vim.Task("task-1"))
    vcenter.on("WaitForUpdatesEx", lambda call: pending.pop(0) if pending else None)


def script_success(vcenter: ScriptedVcenter, method: str, result: Any = None) -> None:
    done = {"result": result} if result is not None else {}
    script_task(vcenter, method, update("1", state=INFO.running), update("2", state=INFO.success, **done))


def calls_of(vcenter: ScriptedVcenter, method: str) -> list[SoapCall]:
    return [call for call in vcenter.calls if call.method == method]


def test_an_operation_waits_for_its_task_and_tells_progress(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_task(
        vcenter,
        "CreateSnapshot_Task",
        update("1", "enter", state=INFO.queued),
        None,
        update("2", state=INFO.running, progress=10),
        update("3", progress=10),
        update("4", state=INFO.success, progress=100, result=vim.vm.Snapshot("snapshot-9")),
    )
    started: list[str] = []
    progress: list[int] = []
    waiting = Waiting(on_started=started.append, on_progress=progress.append)
    result = client.vms.create_snapshot("vm-1", "before the wave", description="by hand", waiting=waiting)
    assert (result.task_id, result.result) == ("task-1", "snapshot-9")
    assert started == ["task-1"]
    assert progress == [10, 100]
    (call,) = calls_of(vcenter, "CreateSnapshot_Task")
    assert (call.this, call.all("name"), call.all("memory"), call.all("quiesce")) == (
        "vm-1",
        ["before the wave"],
        ["false"],
        ["false"],
    )
    versions = [call.all("version") for call in calls_of(vcenter, "WaitForUpdatesEx")]
    assert versions == [[""], ["1"], ["1"], ["2"], ["3"]]
    assert vcenter.count("DestroyPropertyFilter") == 1


def test_the_watched_properties_are_leaves(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_success(vcenter, "PowerOnVM_Task")
    client.vms.power_on("vm-1")
    (call,) = calls_of(vcenter, "CreateFilter")
    assert call.all("pathSet") == ["info.state", "info.error", "info.result", "info.progress"]


def test_a_failed_task_raises_its_own_fault(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    fault = vim.fault.InvalidPowerState(
        msg="The attempted operation cannot be performed in the current state (Powered off).",
        existingState="poweredOff",
        requestedState="poweredOff",
    )
    script_task(vcenter, "PowerOffVM_Task", update("1", state=INFO.error, error=fault))
    with pytest.raises(ConflictError, match="InvalidPowerState") as caught:
        client.vms.power_off("vm-1")
    assert (caught.value.method, caught.value.path) == ("PowerOffVM_Task", "task-1")
    assert "Powered off" in str(caught.value)


def test_a_task_that_outlasts_the_wait_has_an_unknown_outcome_with_its_look_up(
    vcenter: ScriptedVcenter, client: VsphereClient, fake_time: Any
) -> None:
    script_task(vcenter, "Destroy_Task", update("1", state=INFO.running, progress=40))
    with pytest.raises(OutcomeUnknownError, match="accepted the call as task-1") as caught:
        client.vms.destroy("vm-1", Waiting(seconds=30))
    assert fake_time.now >= 1030
    assert isinstance(caught.value.cause, TimedOut)
    assert "still running at 40 %" in str(caught.value.cause)
    lookup = caught.value.lookup
    assert lookup is not None
    assert (lookup.method, lookup.arguments) == ("wait_for_task", {"task_id": "task-1"})
    assert vcenter.count("Destroy_Task") == 1
    with pytest.raises(TimedOut, match="after 5 s"):
        client.wait_for_task("task-1", timeout_seconds=5)


def test_a_wait_survives_a_lost_connection_and_a_lost_session(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_success(vcenter, "PowerOnVM_Task")
    vcenter.misbehave("WaitForUpdatesEx", "reset_after")
    assert client.vms.power_on("vm-1").task_id == "task-1"
    script_success(vcenter, "PowerOnVM_Task")
    answer = vcenter._answers["PowerOnVM_Task"]

    def start_and_expire(call: SoapCall) -> Any:
        vcenter.expire_sessions()
        return answer(call)

    vcenter.on("PowerOnVM_Task", start_and_expire)
    assert client.vms.power_on("vm-1").task_id == "task-1"
    assert vcenter.count("PowerOnVM_Task") == 2
    assert vcenter.logins == 2


def test_a_wait_that_cannot_go_on_names_the_task(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.on("PowerOnVM_Task", lambda call: vim.Task("task-1"))
    vcenter.misbehave("WaitForUpdatesEx", *["http_503"] * 8)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.vms.power_on("vm-1")
    assert isinstance(caught.value.cause, ServiceUnavailable)
    assert vcenter.count("PowerOnVM_Task") == 1


def test_a_task_that_vcenter_has_forgotten_is_not_found(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_task(vcenter, "PowerOnVM_Task", update("1", "leave"))
    with pytest.raises(NotFound, match="no longer knows the task"):
        client.wait_for_task("task-1")


def test_recent_tasks_resolve_an_unknown_outcome(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    def retrieve(call: SoapCall) -> Any:
        if "recentTask" in call.all("pathSet"):
            return _found(vim.VirtualMachine("vm-1"), [("recentTask", _array("vim.Task[]", [vim.Task("task-1")]))])
        return _found(
            vim.Task("task-1"),
            [("info.descriptionId", "VirtualMachine.rename"), ("info.state", INFO.success)],
        )

    vcenter.on("RetrievePropertiesEx", retrieve)
    (task,) = client.recent_tasks("vm-1")
    assert (task.task_id, task.description_id, task.state) == ("task-1", "VirtualMachine.rename", "success")


def test_renaming_encodes_the_name(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_success(vcenter, "Rename_Task")
    client.vms.rename("vm-1", "50%/a\\b")
    client_network = "dvportgroup-1"
    script_success(vcenter, "Rename_Task")
    client.rename_network(client_network, "192.168.1.0/24")
    first, second = calls_of(vcenter, "Rename_Task")
    assert (first.this, first.all("newName")) == ("vm-1", ["50%25%2fa%5cb"])
    assert (second.this, second.all("newName")) == (client_network, ["192.168.1.0%2f24"])


def test_shutting_down_a_guest_makes_no_task(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.on("ShutdownGuest", lambda call: None)
    client.vms.shut_down_guest("vm-1")
    fault = vim.fault.ToolsUnavailable(msg="Tools are not running.")
    vcenter.on("ShutdownGuest", _raising(fault))
    with pytest.raises(VendorFault, match="ToolsUnavailable"):
        client.vms.shut_down_guest("vm-1")


def test_snapshots_are_removed_one_or_all(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_success(vcenter, "RemoveSnapshot_Task")
    client.vms.remove_snapshot("snapshot-1", with_children=True)
    script_success(vcenter, "RemoveAllSnapshots_Task")
    client.vms.remove_all_snapshots("vm-1")
    (one,) = calls_of(vcenter, "RemoveSnapshot_Task")
    assert (one.this, one.all("removeChildren"), one.all("consolidate")) == ("snapshot-1", ["true"], ["true"])
    assert calls_of(vcenter, "RemoveAllSnapshots_Task")[0].this == "vm-1"


def test_an_iso_is_mounted_and_taken_out_again(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    device = vim.vm.device
    drive = device.VirtualCdrom(
        key=3000,
        controllerKey=200,
        unitNumber=0,
        backing=device.VirtualCdrom.RemotePassthroughBackingInfo(deviceName="", exclusive=False),
    )
    devices = _array("vim.vm.device.VirtualDevice[]", [drive])
    values = [("config.hardware.device", devices)]
    vcenter.on("RetrievePropertiesEx", lambda call: _found(vim.VirtualMachine("vm-1"), values))
    script_success(vcenter, "ReconfigVM_Task")
    client.vms.mount_iso("vm-1", "[ds] tools.iso")
    script_success(vcenter, "ReconfigVM_Task")
    client.vms.unmount_iso("vm-1", key=3000)
    mount, unmount = calls_of(vcenter, "ReconfigVM_Task")
    assert (mount.all("fileName"), mount.all("connected"), mount.all("operation")) == (
        ["[ds] tools.iso"],
        ["true"],
        ["edit"],
    )
    assert (mount.all("key"), mount.all("controllerKey")) == (["3000"], ["200"])
    assert (unmount.all("fileName"), unmount.all("connected"), unmount.all("exclusive")) == (
        [],
        ["false"],
        ["false"],
    )
    with pytest.raises(NotFound, match="no CD-ROM drive with key 3001"):
        client.vms.unmount_iso("vm-1", key=3001)


def test_a_vm_is_created_for_tests(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_success(vcenter, "CreateVM_Task", vim.VirtualMachine("vm-77"))
    spec = vim.vm.ConfigSpec(name="probe", files=vim.vm.FileInfo(vmPathName="[ds]"))
    made = client.vms.create_virtual_machine("group-v1", "resgroup-1", spec, host="host-1")
    assert made.result == "vm-77"
    (call,) = calls_of(vcenter, "CreateVM_Task")
    assert (call.this, call.all("pool"), call.all("host")) == ("group-v1", ["resgroup-1"], ["host-1"])


def _setting(*, blocked: bool = False, active: tuple[str, ...] = ("uplink1",)) -> Any:
    order = Vmware.UplinkPortOrderPolicy(inherited=False, activeUplinkPort=list(active), standbyUplinkPort=["uplink2"])
    return Vmware.VmwarePortConfigPolicy(
        blocked=vim.BoolPolicy(inherited=False, value=blocked),
        vlan=Vmware.VlanIdSpec(inherited=False, vlanId=120),
        uplinkTeamingPolicy=Vmware.UplinkPortTeamingPolicy(inherited=False, uplinkPortOrder=order),
        securityPolicy=Vmware.SecurityPolicy(
            inherited=False, forgedTransmits=vim.BoolPolicy(inherited=False, value=True)
        ),
    )


def script_port_group(vcenter: ScriptedVcenter, setting: Any, backing: str = "standard") -> None:
    group = vim.dvs.DistributedVirtualPortgroup("dvportgroup-1")
    values = [
        ("config.configVersion", "7"),
        ("config.defaultPortConfig", setting),
        ("config.backingType", backing),
        ("config.key", "dvportgroup-1"),
        ("config.distributedVirtualSwitch", Vmware("dvs-1")),
    ]
    vcenter.on("RetrievePropertiesEx", lambda call: _found(group, values))


def test_blocking_a_port_group_sends_the_whole_policy_back(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting())
    script_success(vcenter, "ReconfigureDVPortgroup_Task")
    client.port_groups.set_blocked("dvportgroup-1", blocked=True)
    (call,) = calls_of(vcenter, "ReconfigureDVPortgroup_Task")
    assert call.all("configVersion") == ["7"]
    assert call.all("vlanId") == ["120"]
    assert call.all("activeUplinkPort") == ["uplink1"]
    assert _value_of(call, "blocked") == "true"
    assert _value_of(call, "forgedTransmits") == "true"


def test_a_port_group_that_is_blocked_already_is_left_alone(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting(blocked=True))
    assert client.port_groups.set_blocked("dvportgroup-1", blocked=True) is None
    assert client.port_groups.set_uplinks("dvportgroup-1", active=["uplink1"], standby=["uplink2"]) is None
    assert vcenter.count("ReconfigureDVPortgroup_Task") == 0


def test_a_port_group_is_isolated_by_taking_its_uplinks(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting())
    script_success(vcenter, "ReconfigureDVPortgroup_Task")
    client.port_groups.set_uplinks("dvportgroup-1", active=[])
    (call,) = calls_of(vcenter, "ReconfigureDVPortgroup_Task")
    assert (call.all("activeUplinkPort"), call.all("standbyUplinkPort"), call.all("vlanId")) == (
        [],
        [],
        ["120"],
    )


def test_a_saved_policy_is_restored_in_full(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting())
    policy = client.port_groups.read_policy("dvportgroup-1")
    assert (policy.config_version, policy.blocked, policy.vlan_id) == ("7", False, 120)
    assert (policy.active_uplinks, policy.standby_uplinks) == (("uplink1",), ("uplink2",))
    script_port_group(vcenter, _setting(blocked=True, active=()))
    script_success(vcenter, "ReconfigureDVPortgroup_Task")
    client.port_groups.restore_policy("dvportgroup-1", policy.saved)
    (call,) = calls_of(vcenter, "ReconfigureDVPortgroup_Task")
    assert _value_of(call, "blocked") == "false"
    assert (call.all("activeUplinkPort"), call.all("vlanId")) == (["uplink1"], ["120"])
    for nonsense in ("", "<no>", '<obj xmlns="urn:vim25">text</obj>'):
        with pytest.raises(ValidationFailed, match="saved"):
            client.port_groups.restore_policy("dvportgroup-1", nonsense)


def test_a_change_by_somebody_else_is_surfaced(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting())
    with pytest.raises(StaleRevisionError, match="at version 7, not 6"):
        client.port_groups.set_blocked("dvportgroup-1", blocked=True, config_version="6")
    assert vcenter.count("ReconfigureDVPortgroup_Task") == 0
    error = vim.fault.ConcurrentAccess(msg="Modified by another.")
    script_task(vcenter, "ReconfigureDVPortgroup_Task", update("1", state=INFO.error, error=error))
    with pytest.raises(StaleRevisionError, match="Modified by another") as caught:
        client.port_groups.set_blocked("dvportgroup-1", blocked=True)
    assert caught.value.vendor_code == "ConcurrentAccess"


def test_an_nsx_port_group_is_never_reconfigured(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting(), backing="nsx")
    for change in (
        lambda: client.port_groups.set_blocked("dvportgroup-1", blocked=True),
        lambda: client.port_groups.set_uplinks("dvportgroup-1", active=[]),
        lambda: client.port_groups.restore_policy("dvportgroup-1", "x"),
    ):
        with pytest.raises(ValidationFailed, match="change the segment in NSX"):
            change()
    assert vcenter.count("ReconfigureDVPortgroup_Task") == 0


def test_connected_ports_are_read_from_the_switch(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    script_port_group(vcenter, _setting())
    runtime = vim.dvs.DistributedVirtualPort.RuntimeInfo(linkUp=True, blocked=False, macAddress="00:50:56:AA:00:01")
    zero = dict.fromkeys((info.name for info in vim.dvs.PortStatistics._GetPropertyList()[2:]), 0)
    stats = vim.dvs.PortStatistics(**zero)
    port = vim.dvs.DistributedVirtualPort(
        key="12",
        config=vim.dvs.DistributedVirtualPort.ConfigInfo(configVersion="0"),
        dvsUuid="50",
        conflict=False,
        lastStatusChange=datetime(2026, 3, 1, tzinfo=UTC),
        connectee=vim.dvs.PortConnectee(connectedEntity=vim.VirtualMachine("vm-1"), nicKey="4000", type="vmVnic"),
        state=vim.dvs.DistributedVirtualPort.State(runtimeInfo=runtime, stats=stats),
    )
    vcenter.on("FetchDVPorts", lambda call: [port])
    (found,) = client.port_groups.connections("dvportgroup-1")
    assert (found.port_key, found.entity, found.nic_key, found.mac) == (
        "12",
        "vm-1",
        "4000",
        "00:50:56:aa:00:01",
    )
    (call,) = calls_of(vcenter, "FetchDVPorts")
    assert (call.this, call.all("portgroupKey"), call.all("inside")) == ("dvs-1", ["dvportgroup-1"], ["true"])


def _array(name: str, items: list[Any]) -> Any:
    return GetVmodlType(name)(items)


def _found(reference: Any, values: list[tuple[str, Any]]) -> Any:
    properties = [vmodl.DynamicProperty(name=name, val=value) for name, value in values]
    return Collector.RetrieveResult(objects=[Collector.ObjectContent(obj=reference, propSet=properties)])


def _raising(fault: BaseException) -> Callable[[SoapCall], Any]:
    def answer(call: SoapCall) -> Any:
        raise fault

    return answer


def _value_of(call: SoapCall, policy: str) -> str | None:
    """The value of a Boolean policy in a request."""
    tree = ElementTree.fromstring(call.text)  # noqa: S314  (our own client wrote it)
    node = tree.find(f".//{{urn:vim25}}{policy}/{{urn:vim25}}value")
    return None if node is None else node.text
