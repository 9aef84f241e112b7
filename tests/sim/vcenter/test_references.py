"""A reference names an object by its type and its value together. [D nsx-vsphere 4.2]"""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from support.pyvmomi_client import PC

GONE = vmodl.fault.ManagedObjectNotFound


@pytest.fixture
def group(client: Any) -> Any:
    (found,) = client.view(vim.dvs.DistributedVirtualPortgroup).view[:1]
    return found


def _as(kind: Any, target: Any) -> Any:
    return kind(target._moId, target._stub)


def test_no_base_type_of_any_object_stands_for_it(client: Any) -> None:
    seen = set()
    for target in client.view().view:
        kind = type(target)
        if kind in seen:
            continue
        seen.add(kind)
        for base in kind.__mro__[1:]:
            if getattr(base, "_wsdlName", None) and issubclass(base, vim.ManagedEntity):
                with pytest.raises(GONE) as caught:
                    client.collector.RetrievePropertiesEx(
                        [client.spec_of(_as(base, target), "name")], PC.RetrieveOptions()
                    )
                assert (type(caught.value.obj), caught.value.obj._moId) == (base, target._moId)
                with pytest.raises(GONE):
                    _ = _as(base, target).name
    assert len(seen) >= 7


def test_what_is_missing_can_be_reported_instead(client: Any, group: Any) -> None:
    spec = client.spec_of(_as(vim.Network, group), "name")
    spec.reportMissingObjectsInResults = True
    (found,) = client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions()).objects
    assert isinstance(found.missingSet[0].fault, GONE)


def test_arguments_are_resolved_the_same_way(client: Any, group: Any) -> None:
    network = _as(vim.Network, group)
    with pytest.raises(GONE):
        client.content.viewManager.CreateListView([network])
    view = client.content.viewManager.CreateListView([group])
    assert view.ModifyListView(add=[network]) == [network]
    authorization = client.content.authorizationManager
    with pytest.raises(GONE):
        authorization.FetchUserPrivilegeOnEntities([network], "administrator@vsphere.local")
    vm = client.vm("web01")
    with pytest.raises(GONE):
        client.content.searchIndex.FindChild(_as(vim.ManagedEntity, vm.parent), vm.name)


def test_a_task_that_is_given_another_type_fails(client: Any) -> None:
    vm = client.vm("web01")
    config = vim.vm.ConfigSpec(name="new", files=vim.vm.FileInfo(vmPathName="[vsan]"))
    fault = client.fail(vm.parent.CreateVM_Task(config, _as(vim.VirtualApp, vm.resourcePool)))
    assert isinstance(fault, GONE)
