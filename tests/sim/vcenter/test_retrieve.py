"""Views, one-time reads, traversal and paging."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from support.site_pair import SitePair

PC = vmodl.query.PropertyCollector
LIGHT = ("name", "config.instanceUuid", "runtime.powerState", "network", "parent")
pytestmark = pytest.mark.world(scenario="three-tier")


def _names(objects: list[Any]) -> list[str]:
    return sorted(each.val for content in objects for each in content.propSet if each.name == "name")


def _expected(pair: SitePair) -> list[str]:
    return sorted(vm.name for vm in pair.world.vms.values() if vm.site == "source")


def test_container_view_reads_all_vms_with_light_properties(client: Any, site_pair: SitePair) -> None:
    objects = client.read_all(client.spec(client.view(vim.VirtualMachine), vim.VirtualMachine, *LIGHT))
    assert _names(objects) == _expected(site_pair)
    by_name = {p["name"]: p for p in ({each.name: each.val for each in o.propSet} for o in objects)}
    vm = next(each for each in site_pair.world.vms.values() if each.site == "source" and len(each.nics) > 1)
    read = by_name[vm.name]
    assert read["config.instanceUuid"] == vm.instance_uuid
    assert read["runtime.powerState"] == vm.power.value
    assert sorted(each._moId for each in read["network"]) == sorted({nic.network_moref for nic in vm.nics})
    assert read["parent"]._moId == vm.folder_moref
    call = site_pair.calls("RetrievePropertiesEx")[-1]
    assert (call["subject"], call["data"]["status"]) == ("source/vcenter", 200)
    assert call["data"]["user"] == site_pair.login("vcenter").username


def test_pages_by_max_objects_and_token(client: Any, site_pair: SitePair) -> None:
    spec = client.spec(client.view(vim.VirtualMachine), vim.VirtualMachine, "name")
    mark = site_pair.mark()
    objects = client.read_all(spec, page_size=7)
    assert _names(objects) == _expected(site_pair)
    pages = len(site_pair.calls("ContinueRetrievePropertiesEx", after=mark))
    assert pages == (len(objects) - 1) // 7
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        client.collector.ContinueRetrievePropertiesEx("no-such-token")
    assert caught.value.invalidProperty == "token"


def test_a_cancelled_retrieval_cannot_be_continued(client: Any) -> None:
    spec = client.spec(client.view(vim.VirtualMachine), vim.VirtualMachine, "name")
    token = client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=1)).token
    client.collector.CancelRetrievePropertiesEx(token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        client.collector.ContinueRetrievePropertiesEx(token)


def test_older_form_never_pages(client: Any, site_pair: SitePair) -> None:
    spec = client.spec(client.view(vim.VirtualMachine), vim.VirtualMachine, "name")
    assert _names(client.collector.RetrieveProperties([spec])) == _expected(site_pair)


def test_list_view_of_the_few_with_their_devices(client: Any) -> None:
    few = [client.vm(name) for name in ("app01", "db01", "edge-router")]
    view = client.content.viewManager.CreateListView(few)
    objects = client.read_all(client.spec(view, vim.VirtualMachine, "name", "config.hardware.device"))
    assert {each.obj._moId for each in objects} == {each._moId for each in few}
    assert view.ModifyListView([client.content.rootFolder], few[:1]) == []
    assert {each._moId for each in view.view} == {*(each._moId for each in few[1:]), "group-d1"}
    gone = vim.VirtualMachine("vm-99999", client.service._stub)
    assert view.ResetListView([few[0], gone]) == [gone]
    assert view.view == [few[0]]
    view.Destroy()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = view.view


def test_views_are_per_type_container_and_depth(client: Any, site_pair: SitePair) -> None:
    datacenter = client.named(vim.Datacenter, "DC-East")
    folder = client.named(vim.Folder, "Workloads")
    every, templates = len(_expected(site_pair)), 1
    assert len(client.view(vim.VirtualMachine, container=datacenter).view) == every
    assert len(client.view(vim.VirtualMachine, container=folder, recursive=False).view) == every - templates
    assert client.view(vim.VirtualMachine, recursive=False).view == []
    assert client.view(recursive=False).view == [datacenter]
    kinds = {type(each) for each in client.view(vim.Network).view}
    assert kinds == {vim.dvs.DistributedVirtualPortgroup}
    assert client.view(vim.HostSystem, vim.Datastore).view
    pools = [each for each in client.view(vim.ResourcePool).view if each.name != "Resources"]
    assert sum(len(client.view(vim.VirtualMachine, container=pool).view) for pool in pools) == every - templates
    with pytest.raises(vmodl.fault.InvalidArgument):
        client.view(container=few_vm(client))


def few_vm(client: Any) -> Any:
    return client.view(vim.VirtualMachine).view[0]


def test_views_belong_to_their_session(client: Any, connect: Any) -> None:
    view = client.view(vim.VirtualMachine)
    other = connect()
    stranger = vim.view.ContainerView(view._moId, other._stub)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        stranger.Destroy()


def test_recursive_traversal_by_named_specs(client: Any, site_pair: SitePair) -> None:
    """The classic way, without a view: from the root folder down by spec names that refer to each other."""
    walk, again = PC.TraversalSpec, PC.SelectionSpec
    folders = walk(
        name="folders",
        type=vim.Folder,
        path="childEntity",
        skip=False,
        selectSet=[again(name="folders"), again(name="datacenters")],
    )
    datacenters = walk(
        name="datacenters", type=vim.Datacenter, path="vmFolder", skip=False, selectSet=[again(name="folders")]
    )
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=client.content.rootFolder, skip=False, selectSet=[folders, datacenters])],
        propSet=[PC.PropertySpec(type=vim.ManagedEntity, pathSet=["name"]),
                 PC.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.powerState"])],
    )  # fmt: skip
    objects = client.read_all(spec)
    vms = [each for each in objects if isinstance(each.obj, vim.VirtualMachine)]
    assert _names(vms) == _expected(site_pair)
    assert all({p.name for p in each.propSet} == {"name", "runtime.powerState"} for each in vms)
    assert "Datacenters" in _names(objects)
    bad = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=client.content.rootFolder, selectSet=[again(name="nowhere")])],
        propSet=[PC.PropertySpec(type=vim.Folder, pathSet=["name"])],
    )
    with pytest.raises(vmodl.fault.InvalidArgument):
        client.read_all(bad)


def test_unknown_path_is_invalid_property_for_the_whole_call(client: Any, site_pair: SitePair) -> None:
    view = client.view(vim.VirtualMachine)
    for path in ("config.noSuchThing", "nothing", "name.length", "config..name", "network[0]x"):
        with pytest.raises(vmodl.query.InvalidProperty) as caught:
            client.read_all(client.spec(view, vim.VirtualMachine, "name", path))
        assert caught.value.name == path
    assert site_pair.calls("RetrievePropertiesEx")[-1]["data"]["status"] == 500


def test_deleted_object_named_explicitly_fails_the_call(client: Any, site_pair: SitePair) -> None:
    vm = few_vm(client)
    site_pair.run(lambda: site_pair.world.remove(site_pair.world.vms[f"source/{vm._moId}"]))
    with pytest.raises(vmodl.fault.ManagedObjectNotFound) as caught:
        client.read(vm, "name")
    assert caught.value.obj._moId == vm._moId
    assert "has already been deleted or has not been completely created" in caught.value.msg
    spec = client.spec_of(vm, "name")
    spec.reportMissingObjectsInResults = True
    content = client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions()).objects[0]
    assert isinstance(content.missingSet[0].fault, vmodl.fault.ManagedObjectNotFound)


def test_object_that_vanishes_between_pages_is_left_out(client: Any, site_pair: SitePair) -> None:
    spec = client.spec(client.view(vim.VirtualMachine), vim.VirtualMachine, "name")
    first = client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=2))
    shown = {each.obj._moId for each in first.objects}
    victim = next(vm for vm in site_pair.world.vms.values() if vm.site == "source" and vm.moref not in shown)
    site_pair.run(lambda: site_pair.world.remove(victim))
    names = _names(first.objects)
    result = first
    while result.token:
        result = client.collector.ContinueRetrievePropertiesEx(result.token)
        names += _names(result.objects)
    assert sorted(names) == _expected(site_pair)
    assert victim.name not in names


def test_what_may_not_be_read_is_in_the_missing_set(client: Any, site_pair: SitePair) -> None:
    record = next(vm for vm in site_pair.world.vms.values() if vm.site == "source" and not vm.template)
    denied = {"denied:config.keyId": "Cryptographer.ReadKeyServersInfo", "denied:guest": "VirtualMachine.Guest"}
    site_pair.run(lambda: site_pair.world.update(record, properties=denied))
    vm = vim.VirtualMachine(record.moref, client.service._stub)
    spec = client.spec_of(vm, "name", "config.keyId", "guest.hostName")
    content = client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions()).objects[0]
    assert [each.name for each in content.propSet] == ["name"]
    missing = {each.path: each.fault for each in content.missingSet}
    assert set(missing) == {"config.keyId", "guest.hostName"}
    assert isinstance(missing["config.keyId"], vim.fault.NoPermission)
    assert missing["config.keyId"].privilegeId == "Cryptographer.ReadKeyServersInfo"
    assert missing["config.keyId"].object._moId == record.moref


def test_all_properties_of_every_object_can_be_read(client: Any) -> None:
    spec = PC.FilterSpec(
        objectSet=client.spec(client.view(), vim.ManagedEntity).objectSet,
        propSet=[PC.PropertySpec(type=vim.ManagedEntity, all=True)],
    )
    objects = client.read_all(spec)
    kinds = {type(each.obj).__name__ for each in objects}
    assert {"vim.VirtualMachine", "vim.HostSystem", "vim.Datastore", "vim.ResourcePool", "vim.Folder"} <= kinds
    assert all(not each.missingSet for each in objects)


def test_reads_change_nothing(client: Any, site_pair: SitePair) -> None:
    mark = site_pair.mark()
    client.read_all(client.spec(client.view(vim.VirtualMachine), vim.VirtualMachine, *LIGHT, "config", "summary"))
    assert site_pair.audit("change", after=mark) == []


def test_lazy_attributes_work_too(client: Any, site_pair: SitePair) -> None:
    vm = few_vm(client)
    record = site_pair.world.vms[f"source/{vm._moId}"]
    assert (vm.name, vm.config.uuid, vm.runtime.powerState) == (record.name, record.bios_uuid, record.power.value)
    assert vm.parent.name == "Workloads"
    assert vm.parent.parent.parent.name == "DC-East"
    assert client.content.rootFolder.childEntity[0].vmFolder.childType[0] == "Folder"


def test_lazy_attributes_of_a_narrower_type_than_declared(client: Any) -> None:
    cluster = client.view(vim.ClusterComputeResource).view[0]
    assert isinstance(cluster.summary, vim.ClusterComputeResource.Summary)
    assert cluster.configurationEx.drsConfig.enabled
    switch = client.view(vim.DistributedVirtualSwitch).view[0]
    assert isinstance(switch.config, vim.dvs.VmwareDistributedVirtualSwitch.ConfigInfo)
