"""Every object that is served, against pyVmomi's own type information: required means always there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyVmomi import VmomiSupport, vim, vmodl

from support.pyvmomi_client import PC

# Present on every vCenter, although the types call them optional.
ALWAYS = {
    "VirtualMachine": (
        "config.tools.lastInstallInfo", "config.cpuAllocation", "config.memoryAllocation", "layout", "resourceConfig",
    ),
    "HostSystem": ("config", "hardware", "capability", "runtime.healthSystemRuntime", "configManager.networkSystem"),
    "ClusterComputeResource": ("configurationEx.dpmConfigInfo", "configurationEx.vsanConfigInfo"),
    "DistributedVirtualPortgroup": (
        "config.defaultPortConfig.macManagementPolicy", "config.defaultPortConfig.inShapingPolicy",
    ),
    "VmwareDistributedVirtualSwitch": ("config.linkDiscoveryProtocolConfig", "runtime"),
    "AuthorizationManager": ("roleList", "privilegeList"),
    "ExtensionManager": ("extensionList",),
    "EventManager": ("latestEvent",),
}  # fmt: skip


def _required(kind: Any) -> list[Any]:
    return [info for info in kind._GetPropertyList() if not info.flags & VmomiSupport.F_OPTIONAL]


def _references(value: Any) -> Iterator[Any]:
    if isinstance(value, VmomiSupport.ManagedObject):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, VmomiSupport.DataObject):
        for info in value._GetPropertyList():
            yield from _references(getattr(value, info.name))


def _gaps(value: Any, path: str) -> Iterator[str]:
    """Yield the required members that a value lacks, at any depth."""
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from _gaps(each, f"{path}[{position}]")
    elif isinstance(value, VmomiSupport.DataObject):
        for info in value._GetPropertyList():
            member = getattr(value, info.name)
            if member is None and not info.flags & VmomiSupport.F_OPTIONAL and info.type is not object:
                yield f"{path}.{info.name}"
            yield from _gaps(member, f"{path}.{info.name}")


def _all_of(client: Any, targets: list[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Read every property of some objects."""
    kinds = {type(target) for target in targets}
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=target) for target in targets],
        propSet=[PC.PropertySpec(type=kind, all=True) for kind in kinds],
    )
    for content in client.read_all(spec):
        yield content.obj, {each.name: each.val for each in content.propSet}


@pytest.fixture
def walked(client: Any) -> dict[Any, dict[str, Any]]:
    """Every object that can be reached from the service instance, with all of its properties."""
    client.succeed(client.vm("web01").CreateSnapshot("before", "", False, False))
    client.view(vim.VirtualMachine)
    found: dict[Any, dict[str, Any]] = {}
    pending = {client.service, *client.content.viewManager.viewList}
    while pending:
        news = set()
        for target, values in _all_of(client, sorted(pending, key=lambda each: (type(each).__name__, each._moId))):
            found[target] = values
            for value in values.values():
                news.update(_references(value))
        pending = news - set(found)
    return found


def test_every_object_has_what_its_type_requires(walked: dict[Any, dict[str, Any]]) -> None:
    kinds = {type(target)._wsdlName for target in walked}
    assert len(kinds) > 60, sorted(kinds)
    for target, values in walked.items():
        missing = [info.name for info in _required(type(target)) if info.name not in values]
        assert not missing, (target, missing)
        for name, value in values.items():
            assert not list(_gaps(value, name)), target


def test_a_property_that_is_asked_for_alone_is_there_too(client: Any, walked: dict[Any, dict[str, Any]]) -> None:
    for kind, target in {type(target): target for target in walked}.items():
        names = [info.name for info in _required(kind)]
        if names:
            assert set(client.read(target, *names)) == set(names), target
            for name in names:
                value = getattr(target, name)
                assert value is not None, (target, name)


def test_what_every_vcenter_shows_is_there(client: Any, walked: dict[Any, dict[str, Any]]) -> None:
    for target in walked:
        names = ALWAYS.get(type(target)._wsdlName, ())
        if names:
            assert set(client.read(target, *names)) == set(names), target


def test_the_service_content_names_every_manager(client: Any) -> None:
    content = client.content
    unset = [info.name for info in content._GetPropertyList() if getattr(content, info.name) is None]
    # Local accounts are those of a host; direct path profiles are newer than this vCenter; the rest is pyVmomi's own.
    assert set(unset) == {"dynamicType", "accountManager", "directPathProfileManager"}
    assert content.perfManager.perfCounter == []
    assert content.setting.setting == []
    assert content.alarmManager.GetAlarm(None) == []
    assert content.guestOperationsManager.processManager is not None


def test_the_account_is_in_a_role_that_exists(client: Any) -> None:
    manager = client.content.authorizationManager
    roles = {role.roleId: role for role in manager.roleList}
    (granted,) = manager.RetrieveEntityPermissions(client.vm("web01"), True)
    assert set(client.vm("web01").effectiveRole) == {granted.roleId}
    assert "VirtualMachine.Interact.PowerOff" in roles[granted.roleId].privilege
    assert manager.RetrieveEntityPermissions(client.vm("web01"), False) == []


def test_hcx_has_registered_itself(client: Any) -> None:
    (extension,) = client.content.extensionManager.extensionList
    assert extension.key == "com.vmware.hybridity"
    assert client.content.extensionManager.FindExtension(extension.key).key == extension.key
    assert client.content.extensionManager.FindExtension("com.example") is None


def test_every_value_has_the_type_that_its_property_declares(walked: dict[Any, dict[str, Any]]) -> None:
    for target, values in walked.items():
        declared = {info.name: info.type for info in type(target)._GetPropertyList()}
        for name, value in values.items():
            kind = declared[name]
            listed = isinstance(value, list) and issubclass(kind, list)
            assert listed or isinstance(value, kind), (target, name, type(value))
            # The name of a type is read as the type.
            fits = not listed or kind.Item is type or all(isinstance(each, kind.Item) for each in value)
            assert fits, (target, name)


def test_what_scripts_ask_of_empty_managers_is_answered(client: Any) -> None:
    content, vm = client.content, client.vm("web01")
    performance = content.perfManager
    assert performance.QueryPerfProviderSummary(vm).currentSupported is False
    assert performance.QueryAvailablePerfMetric(vm, None, None, None) == []
    assert content.scheduledTaskManager.RetrieveEntityScheduledTask(vm) == []
    assert content.diagnosticManager.QueryDescriptions(None) == []
    assert content.customizationSpecManager.DoesCustomizationSpecExist("x") is False
    assert content.licenseManager.QuerySupportedFeatures(None) == []
    assert content.hostProfileManager.FindAssociatedProfile(vm) == []
    with pytest.raises(vim.fault.NotFound):
        content.customizationSpecManager.GetCustomizationSpec("x")
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        performance.QueryPerfProviderSummary(vim.VirtualMachine("vm-0", client.service._stub))
    switch = client.view(vim.DistributedVirtualSwitch).view[0]
    assert content.dvSwitchManager.QueryDvsByUuid(switch.uuid) == switch
    (me,) = content.userDirectory.RetrieveUserGroups(None, "admin", None, None, False, True, False)
    assert "administrator" in me.principal.lower()
