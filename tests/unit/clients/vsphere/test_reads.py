"""The two passes, paging, unset and unreadable properties, and the rest of the inventory."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from hcx_waves.clients.errors import MalformedResponse, NotFound, ValidationFailed
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.models import UnreadableProperty
from support.scripted_vcenter import ScriptedVcenter, SoapCall
from support.soap_contents import content, result, vm
from support.threads import Threads


def test_the_light_pass_reads_every_vm_with_leaf_paths_only(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    web = vm(
        "vm-1",
        "web%2f01",
        config__instanceUuid="5000-1",
        config__uuid="4200-1",
        config__template=False,
        runtime__powerState=vim.VirtualMachine.PowerState.poweredOn,
        runtime__host=vim.HostSystem("host-1"),
        network=[vim.Network("network-1")],
        parent=vim.Folder("group-v1"),
        resourcePool=vim.ResourcePool("resgroup-1"),
    )
    vcenter.on("RetrievePropertiesEx", lambda call: result(web, vm("vm-2", "template", config__template=True)))
    first, second = client.list_virtual_machines()
    assert (first.moref, first.name, first.instance_uuid, first.bios_uuid) == (
        "vm-1",
        "web/01",
        "5000-1",
        "4200-1",
    )
    assert (first.power_state, first.host, first.networks) == ("poweredOn", "host-1", ("network-1",))
    assert (first.folder, first.resource_pool, first.is_template) == ("group-v1", "resgroup-1", False)
    assert second.is_template
    assert (second.instance_uuid, second.power_state, second.resource_pool) == (None, None, None)
    call = next(call for call in vcenter.calls if call.method == "RetrievePropertiesEx")
    assert not {"config", "summary", "runtime", "guest", "config.hardware"} & set(call.all("pathSet"))
    assert call.this.startswith("collector-")
    assert vcenter.count("DestroyView") == 1
    assert vcenter.count("Fetch") == 0


def test_pages_are_read_to_the_end_and_split_objects_joined(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    later = iter([result(content(vim.VirtualMachine("vm-1"), config__uuid="u1"), token="t2"), result(vm("vm-2", "b"))])
    vcenter.on("RetrievePropertiesEx", lambda call: result(vm("vm-1", "a"), token="t1"))
    vcenter.on("ContinueRetrievePropertiesEx", lambda call: next(later))
    assert [(found.moref, found.name, found.bios_uuid) for found in client.list_virtual_machines()] == [
        ("vm-1", "a", "u1"),
        ("vm-2", "b", None),
    ]
    tokens = [call.all("token") for call in vcenter.calls if call.method == "ContinueRetrievePropertiesEx"]
    assert tokens == [["t1"], ["t2"]]


def test_a_server_that_pages_without_end_is_not_followed(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.on("RetrievePropertiesEx", lambda call: result(vm("vm-1", "a"), token="again"))
    vcenter.on("ContinueRetrievePropertiesEx", lambda call: result(vm("vm-1", "a"), token="again"))
    with pytest.raises(MalformedResponse, match="pages without end"):
        client.list_virtual_machines()
    assert vcenter.count("DestroyView") == 1


def test_nothing_found_is_an_empty_list(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.on("RetrievePropertiesEx", lambda call: None)
    assert client.list_virtual_machines() == []


def test_withheld_properties_are_named(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    denied = vim.fault.NoPermission(object=vim.VirtualMachine("vm-1"), privilegeId="System.Read")
    secret = content(vim.VirtualMachine("vm-1"), {"name": denied, "config.uuid": denied})
    vcenter.on("RetrievePropertiesEx", lambda call: result(secret))
    (found,) = client.list_virtual_machines()
    assert found.name == ""
    assert set(found.unreadable) == {
        UnreadableProperty("name", "NoPermission"),
        UnreadableProperty("config.uuid", "NoPermission"),
    }


def test_a_session_lost_between_pages_starts_the_read_over(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    pages = iter([result(vm("vm-1", "a"), token="t1"), result(vm("vm-1", "a"), vm("vm-2", "b"))])
    vcenter.on("RetrievePropertiesEx", lambda call: next(pages))

    def lost(call: SoapCall) -> Any:
        vcenter.expire_sessions()
        raise vim.fault.NotAuthenticated(object=vim.Folder("group-d1"), privilegeId="System.View")

    vcenter.on("ContinueRetrievePropertiesEx", lost)
    assert [found.moref for found in client.list_virtual_machines()] == ["vm-1", "vm-2"]
    assert vcenter.logins == 2
    assert vcenter.count("CreateContainerView") == 2


def test_a_destroyed_view_counts_as_a_lost_session(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    answers: list[Any] = [vmodl.fault.ManagedObjectNotFound(obj=vim.view.ContainerView("view-1")), None]

    def answer(call: SoapCall) -> Any:
        found = answers.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    vcenter.on("RetrievePropertiesEx", answer)
    assert client.list_virtual_machines() == []
    assert vcenter.logins == 2


def test_an_optional_path_that_this_vcenter_does_not_know_is_left_out(
    vcenter: ScriptedVcenter, client: VsphereClient
) -> None:
    def answer(call: SoapCall) -> Any:
        if "config.keyId" in call.all("pathSet"):
            raise vmodl.query.InvalidProperty(msg="unknown", name="config.keyId")
        return result(vm("vm-1", "a"))

    vcenter.on("RetrievePropertiesEx", answer)
    assert client.read_virtual_machines(["vm-1"])[0].is_encrypted is False
    assert vcenter.count("RetrievePropertiesEx") == 2
    client.read_virtual_machines(["vm-1"])
    assert vcenter.count("RetrievePropertiesEx") == 3


def test_a_required_path_that_is_unknown_is_an_error(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    def answer(call: SoapCall) -> Any:
        raise vmodl.query.InvalidProperty(msg="unknown", name="config.instanceUuid")

    vcenter.on("RetrievePropertiesEx", answer)
    with pytest.raises(ValidationFailed, match="InvalidProperty") as caught:
        client.list_virtual_machines()
    assert "config.instanceUuid" in str(caught.value)


def test_deleted_vms_are_all_named_or_skipped(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    def refuse_vm_2(call: SoapCall) -> Any:
        if "vm-2" in call.all("obj"):
            raise vmodl.fault.ManagedObjectNotFound(msg="gone", obj=vim.VirtualMachine("vm-2"))
        return vim.view.ListView("view-9")

    vcenter.on("CreateListView", refuse_vm_2)
    vcenter.on("RetrievePropertiesEx", lambda call: result(vm("vm-1", "a")))
    with pytest.raises(NotFound, match="no such virtual machine: vm-2, vm-3") as caught:
        client.read_virtual_machines(["vm-1", "vm-2", "vm-3"])
    assert caught.value.details == {"morefs": ["vm-2", "vm-3"]}
    found = client.read_virtual_machines(["vm-1", "vm-2", "vm-3"], skip_missing=True)
    assert [detail.moref for detail in found] == ["vm-1"]


def test_reading_no_vm_asks_nothing(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    assert client.read_virtual_machines([]) == []
    assert vcenter.calls == []


def test_each_thread_has_its_own_collector(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.on("RetrievePropertiesEx", lambda call: None)
    client.list_virtual_machines()
    client.list_virtual_machines()
    with Threads() as threads:
        threads.submit(client.list_virtual_machines).result()
    used = [call.this for call in vcenter.calls if call.method == "RetrievePropertiesEx"]
    assert used[0] == used[1]
    assert used[2] != used[0]
    assert vcenter.logins == 1
