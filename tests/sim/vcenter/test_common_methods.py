"""Methods that scripts around a wave use: revert, relocate, new port groups, custom attributes, events, ports."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from hcx_sim.world.model import Power
from support.site_pair import SitePair


@pytest.fixture
def switch(client: Any) -> Any:
    return client.view(vim.dvs.VmwareDistributedVirtualSwitch).view[0]


@pytest.mark.parametrize("memory", [True, False])
def test_a_vm_returns_to_a_snapshot(client: Any, site_pair: SitePair, memory: bool) -> None:
    vm = client.vm("web01")
    first = client.succeed(vm.CreateSnapshot("first", "", memory, False))
    second = client.succeed(vm.CreateSnapshot("second", "", memory, False))
    assert vm.snapshot.currentSnapshot == second
    client.succeed(first.Revert())
    assert site_pair.vm("web01").power is (Power.ON if memory else Power.OFF)
    assert vm.snapshot.currentSnapshot == first
    third = client.succeed(vm.CreateSnapshot("third", "", False, False))
    (root,) = vm.snapshot.rootSnapshotList
    assert {child.snapshot for child in root.childSnapshotList} == {second, third}
    assert vm.snapshot.currentSnapshot == third
    client.succeed(vm.RevertToCurrentSnapshot())
    assert isinstance(client.fail(client.vm("web02").RevertToCurrentSnapshot()), vim.fault.NotFound)


def test_a_vm_is_relocated_within_its_vcenter(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    host = next(each for each in client.view(vim.HostSystem).view if each != vm.runtime.host)
    folder = vm.parent.parent
    client.succeed(vm.Relocate(vim.vm.RelocateSpec(host=host, folder=folder)))
    assert (vm.runtime.host, vm.parent) == (host, folder)
    assert site_pair.vm("web01").power is Power.ON
    other = vim.vm.RelocateSpec(service=vim.ServiceLocator(instanceUuid="x", url="https://x", credential=_credential()))
    assert isinstance(client.fail(vm.Relocate(other)), vmodl.fault.NotSupported)
    gone = vim.vm.RelocateSpec(host=vim.HostSystem("host-none"))
    assert isinstance(client.fail(vm.Relocate(gone)), vmodl.fault.ManagedObjectNotFound)


def _credential() -> Any:
    return vim.ServiceLocator.NamePassword(username="a", password="b")


def test_port_groups_are_made(client: Any, switch: Any) -> None:
    kind = vim.dvs.DistributedVirtualPortgroup.ConfigSpec
    vlan = vim.dvs.VmwareDistributedVirtualSwitch.VlanIdSpec(inherited=False, vlanId=77)
    policy = vim.dvs.VmwareDistributedVirtualSwitch.VmwarePortConfigPolicy(vlan=vlan)
    specs = [kind(name=name, type="ephemeral", defaultPortConfig=policy) for name in ("new-a", "new-b")]
    client.succeed(switch.AddDVPortgroup_Task(specs))
    made = client.named(vim.dvs.DistributedVirtualPortgroup, "new-a")
    assert made in switch.portgroup
    assert (made.config.type, made.config.defaultPortConfig.vlan.vlanId) == ("ephemeral", 77)
    assert isinstance(client.fail(switch.AddDVPortgroup_Task(specs[:1])), vim.fault.DuplicateName)
    assert client.succeed(switch.CreateDVPortgroup_Task(kind(name="new-c"))).name == "new-c"


def test_custom_attributes_are_defined_and_set(client: Any, site_pair: SitePair) -> None:
    manager, vm = client.content.customFieldsManager, client.vm("web01")
    field = manager.AddCustomFieldDef(name="wave", moType=vim.VirtualMachine)
    assert (field.name, field.managedObjectType) == ("wave", vim.VirtualMachine)
    assert field.key in {each.key for each in manager.field}
    manager.SetField(entity=vm, key=field.key, value="7")
    assert site_pair.vm("web01").custom_attributes["wave"] == "7"
    assert (field.key, "7") in {(each.key, each.value) for each in vm.customValue}
    with pytest.raises(vim.fault.DuplicateName):
        manager.AddCustomFieldDef(name="wave")
    with pytest.raises(vmodl.fault.InvalidArgument):
        manager.SetField(entity=vm, key=1, value="7")


def test_events_tell_of_log_ins_and_tasks(client: Any) -> None:
    vm = client.vm("web01")
    client.succeed(vm.Rename("web01-x"))
    manager = client.content.eventManager
    every = manager.QueryEvents(vim.event.EventFilterSpec())
    assert {type(event) for event in every} == {vim.event.UserLoginSessionEvent, vim.event.TaskEvent}
    assert [event.createdTime for event in every] == sorted(event.createdTime for event in every)
    by_entity = vim.event.EventFilterSpec.ByEntity(entity=vm, recursion="self")
    (renamed,) = manager.QueryEvents(vim.event.EventFilterSpec(entity=by_entity))
    assert renamed.info.descriptionId == "VirtualMachine.rename"
    assert manager.QueryEvents(vim.event.EventFilterSpec(eventTypeId=["vim.event.VmPoweredOnEvent"])) == []
    assert manager.latestEvent.key == every[-1].key


def test_the_message_of_the_administrator_is_shown(client: Any) -> None:
    client.content.sessionManager.UpdateServiceMessage("down at noon")
    assert client.content.sessionManager.message == "down at noon"


def test_the_ports_of_a_switch_agree_with_its_groups(client: Any, switch: Any) -> None:
    criteria = vim.dvs.PortCriteria
    every = {port.key: port for port in switch.FetchDVPorts(None)}
    assert set(switch.FetchDVPortKeys(criteria())) == set(every)
    connected = {port.key for port in switch.FetchDVPorts(criteria(connected=True))}
    free = {port.key for port in switch.FetchDVPorts(criteria(connected=False))}
    assert connected
    assert free
    assert connected | free == set(every)
    assert not connected & free
    assert all((every[key].connectee is None) == (key in free) for key in every)
    for group in switch.portgroup:
        keys = [key for key, port in every.items() if port.portgroupKey == group.key]
        assert sorted(group.portKeys) == sorted(keys)
        assert group.config.numPorts == len(keys)
        inside = switch.FetchDVPorts(criteria(portgroupKey=[group.key], inside=True))
        assert sorted(port.key for port in inside) == sorted(keys)
    assert switch.summary.numPorts == switch.config.numPorts == len(every)
    backings = {
        device.backing.port.portKey
        for vm in client.view(vim.VirtualMachine).view
        for device in vm.config.hardware.device
        if isinstance(device, vim.vm.device.VirtualEthernetCard)
    }
    assert backings == connected
