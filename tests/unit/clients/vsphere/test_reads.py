"""The two passes, paging, unset and unreadable properties, and the rest of the inventory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType, ManagedObject

from hcx_waves.clients.errors import ConflictError, MalformedResponse, NotFound, ValidationFailed
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import GuestAddress, UnreadableProperty
from support.scripted_vcenter import ScriptedVcenter, SoapCall

Collector = vmodl.query.PropertyCollector


def content(reference: Any, missing: dict[str, Any] | None = None, **values: Any) -> Any:
    """An object's answer; underscores in keyword names stand for dots."""
    return Collector.ObjectContent(
        obj=reference,
        propSet=[
            vmodl.DynamicProperty(name=name.replace("__", "."), val=typed(value)) for name, value in values.items()
        ],
        missingSet=[Collector.MissingProperty(path=path, fault=fault) for path, fault in (missing or {}).items()],
    )


def typed(value: Any) -> Any:
    """Give a list the array type that vCenter would name on the wire."""
    if not isinstance(value, list):
        return value
    known = (ManagedObject, vim.vm.device.VirtualDevice, vim.cluster.RuleInfo)
    base = next((kind for kind in known if isinstance(value[0], kind)), type(value[0]))
    return GetVmodlType(f"{base.__name__}[]")(value)


def result(*contents: Any, token: str | None = None) -> Any:
    return Collector.RetrieveResult(token=token, objects=list(contents))


def vm(moref: str, name: str, **values: Any) -> Any:
    return content(vim.VirtualMachine(moref), name=name, **values)


def by_kind(**answers: Any) -> Callable[[SoapCall], Any]:
    """Answer RetrievePropertiesEx by the kind that the property spec names."""

    def answer(call: SoapCall) -> Any:
        found = answers.get(call.all("type")[0], ())
        return result(*found) if found else None

    return answer


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
    other = threading.Thread(target=client.list_virtual_machines)
    other.start()
    other.join()
    used = [call.this for call in vcenter.calls if call.method == "RetrievePropertiesEx"]
    assert used[0] == used[1]
    assert used[2] != used[0]
    assert vcenter.logins == 1


def test_a_vm_is_found_by_what_is_known_of_it(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vms = [
        vm("vm-1", "web", config__instanceUuid="5000-A", config__uuid="4200-1"),
        vm("vm-2", "web", config__instanceUuid="5000-b", config__uuid="4200-1"),
        vm("vm-3", "orphan"),
    ]
    vcenter.on("RetrievePropertiesEx", lambda call: result(*vms))
    found = client.find_vm(instance_uuid="5000-a")
    assert found is not None
    assert found.moref == "vm-1"
    assert client.find_vm(bios_uuid="4200-9") is None
    with pytest.raises(ConflictError, match="2 virtual machines fit: vm-1, vm-2") as caught:
        client.find_vm(bios_uuid="4200-1", name="web")
    assert caught.value.details["morefs"] == ["vm-1", "vm-2"]
    with pytest.raises(ValueError, match="at least one"):
        client.find_vm()


def _devices() -> list[Any]:
    device = vim.vm.device
    card = device.VirtualEthernetCard
    connectable = device.VirtualDevice.ConnectInfo(connected=True, startConnected=True, allowGuestControl=True)
    port = vim.dvs.PortConnection(switchUuid="50 1a", portgroupKey="dvportgroup-1", portKey="7")
    return [
        device.ParaVirtualSCSIController(key=1000, busNumber=0, sharedBus="physicalSharing"),
        device.VirtualNVMEController(key=31000, busNumber=0),
        device.VirtualVmxnet3(
            key=4000,
            deviceInfo=vim.Description(label="Network adapter 1", summary=""),
            macAddress="00:50:56:AA:BB:01",
            addressType="assigned",
            connectable=connectable,
            externalId="port-1",
            backing=card.DistributedVirtualPortBackingInfo(port=port),
        ),
        device.VirtualE1000(
            key=4001,
            macAddress="00:50:56:aa:bb:02",
            backing=card.OpaqueNetworkBackingInfo(opaqueNetworkId="ls-1", opaqueNetworkType="nsx.LogicalSwitch"),
        ),
        device.VirtualSriovEthernetCard(
            key=4002,
            macAddress="00:50:56:aa:bb:03",
            backing=card.NetworkBackingInfo(deviceName="VM Network", network=vim.Network("network-3")),
        ),
        device.VirtualDisk(
            key=2000,
            controllerKey=1000,
            capacityInKB=1024,
            backing=device.VirtualDisk.FlatVer2BackingInfo(
                fileName="[ds] a.vmdk",
                diskMode="independent_persistent",
                datastore=vim.Datastore("datastore-1"),
            ),
        ),
        device.VirtualDisk(
            key=2001,
            controllerKey=31000,
            capacityInKB=1,
            capacityInBytes=4096,
            backing=device.VirtualDisk.RawDiskMappingVer1BackingInfo(
                fileName="[ds] b.vmdk", compatibilityMode="physicalMode", sharing="sharingMultiWriter"
            ),
        ),
        device.VirtualCdrom(
            key=3000,
            connectable=connectable,
            backing=device.VirtualCdrom.IsoBackingInfo(fileName="[ds] tools.iso"),
        ),
        device.VirtualCdrom(
            key=3001,
            connectable=connectable,
            backing=device.VirtualCdrom.RemotePassthroughBackingInfo(deviceName="", exclusive=False),
        ),
        device.VirtualFloppy(key=8000, backing=device.VirtualFloppy.ImageBackingInfo(fileName="[ds] f.flp")),
        device.VirtualUSB(key=9000, connected=True),
        device.VirtualPCIPassthrough(key=9001),
    ]


def _guest_nics() -> list[Any]:
    nic, ip = vim.vm.GuestInfo.NicInfo, vim.net.IpConfigInfo
    addresses = [
        ip.IpAddress(ipAddress="192.168.1.11", prefixLength=24, state="preferred"),
        ip.IpAddress(ipAddress="fe80::1", prefixLength=64),
        ip.IpAddress(ipAddress="169.254.3.4", prefixLength=16),
    ]
    return [
        nic(
            macAddress="00:50:56:aa:bb:01",
            connected=True,
            deviceConfigId=4000,
            ipConfig=ip(ipAddress=addresses),
        ),
        nic(
            macAddress="00:50:56:AA:BB:02",
            connected=True,
            deviceConfigId=-1,
            ipAddress=["10.0.0.2", "fe80::2%eth0"],
        ),
    ]


def test_the_full_pass_shows_what_proofs_and_preflight_need(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    tree = vim.vm.SnapshotTree
    taken = datetime(2026, 2, 1, tzinfo=UTC)

    def snapshot(moref: str, children: list[Any]) -> Any:
        return tree(
            snapshot=vim.vm.Snapshot(moref),
            vm=vim.VirtualMachine("vm-1"),
            name=moref,
            description="",
            id=1,
            createTime=taken,
            state="poweredOn",
            quiesced=False,
            replaySupported=False,
            childSnapshotList=children,
        )

    top = snapshot("snapshot-1", [snapshot("snapshot-2", [])])
    yes = vim.ElementDescription(key="0", label="Yes", summary="")
    question = vim.vm.QuestionInfo(
        id="q1", text="CD-ROM is locked", choice=vim.option.ChoiceOption(choiceInfo=[yes], defaultIndex=0)
    )
    web = vm(
        "vm-1",
        "web",
        config__hardware__device=_devices(),
        config__version="vmx-19",
        config__keyId=vim.encryption.CryptoKeyId(keyId="k"),
        config__migrateEncryption="required",
        guest__net=_guest_nics(),
        guest__ipAddress="192.168.1.11",
        guest__toolsRunningStatus="guestToolsRunning",
        snapshot=vim.vm.SnapshotInfo(rootSnapshotList=[top]),
        runtime__question=question,
        runtime__consolidationNeeded=True,
        datastore=[vim.Datastore("datastore-1")],
        tag=[vim.Tag(key="tier-1")],
    )
    vcenter.on("RetrievePropertiesEx", lambda call: result(web))
    (found,) = client.read_virtual_machines(["vm-1"])

    first, second, third = found.nics
    assert (first.mac, first.address_type, first.connected) == ("00:50:56:aa:bb:01", "assigned", True)
    assert (first.backing, first.network_id, first.port_key) == ("distributed", "dvportgroup-1", "7")
    assert first.external_id == "port-1"
    assert (second.backing, second.network_id, second.network_type) == ("opaque", "ls-1", "nsx.LogicalSwitch")
    assert second.connected is None
    assert (third.backing, third.network_id, third.is_sriov) == ("standard", "network-3", True)
    assert found.macs == {"00:50:56:aa:bb:01", "00:50:56:aa:bb:02", "00:50:56:aa:bb:03"}

    assert found.addresses_of(first) == (GuestAddress("192.168.1.11", 24, "preferred", None),)
    assert found.addresses_of(second) == (GuestAddress("10.0.0.2"),)
    assert found.addresses_of(third) == ()
    assert found.guest_nics[1].device_key is None

    shared, mapped = found.disks
    assert (shared.capacity_bytes, shared.is_independent, shared.is_shared) == (1024 * 1024, True, True)
    assert (shared.bus_sharing, shared.controller) == ("physicalSharing", "ParaVirtualSCSIController")
    assert (mapped.capacity_bytes, mapped.raw_device_mapping, mapped.is_shared) == (
        4096,
        "physicalMode",
        True,
    )
    assert (mapped.controller, mapped.bus_sharing) == ("VirtualNVMEController", None)

    assert [(drive.path, drive.is_mounted) for drive in found.cdroms] == [
        ("[ds] tools.iso", True),
        (None, False),
    ]
    assert [(drive.kind, drive.is_mounted) for drive in found.media][2] == ("floppy", False)
    assert [(device.key, device.kind) for device in found.passthrough] == [(9000, "usb"), (9001, "pci")]
    assert found.snapshot_count == 2
    assert found.snapshots[0].children[0].moref == "snapshot-2"
    assert found.snapshots[0].created == taken
    assert (found.is_encrypted, found.migrate_encryption, found.consolidation_needed) == (
        True,
        "required",
        True,
    )
    assert found.question is not None
    assert found.question.text == "CD-ROM is locked"
    assert (found.hardware_version, found.datastores, found.tags) == ("vmx-19", ("datastore-1",), ("tier-1",))


def test_networks_are_told_apart_by_kind(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    group = content(
        vim.dvs.DistributedVirtualPortgroup("dvportgroup-1"),
        name="seg-web",
        config__key="dvportgroup-1",
        config__backingType="nsx",
        config__segmentId="/infra/tier-1s/cgw/segments/seg-web",
        config__distributedVirtualSwitch=vim.dvs.VmwareDistributedVirtualSwitch("dvs-1"),
        config__configVersion="3",
        config__type="ephemeral",
    )
    opaque = content(
        vim.OpaqueNetwork("network-o2"),
        name="seg-db",
        summary__opaqueNetworkId="ls-2",
        summary__opaqueNetworkType="nsx.LogicalSwitch",
    )
    plain = content(vim.Network("network-1"), name="VM Network")
    vcenter.on(
        "RetrievePropertiesEx",
        by_kind(Network=(plain, group, opaque), DistributedVirtualPortgroup=(group,), OpaqueNetwork=(opaque,)),
    )
    networks = client.list_networks()
    assert [type(network) for network in networks] == [Network, DistributedVirtualPortgroup, OpaqueNetwork]
    found = networks[1]
    assert isinstance(found, DistributedVirtualPortgroup)
    assert (found.key, found.is_nsx, found.switch, found.binding) == (
        "dvportgroup-1",
        True,
        "dvs-1",
        "ephemeral",
    )
    assert found.segment_id == "/infra/tier-1s/cgw/segments/seg-web"
    assert isinstance(networks[2], OpaqueNetwork)
    assert networks[2].opaque_id == "ls-2"


def test_folders_have_paths_as_people_write_them(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    folders = [
        content(vim.Folder("group-v1"), name="vm", parent=vim.Datacenter("datacenter-1")),
        content(vim.Folder("group-v2"), name="a%2fb%2525", parent=vim.Folder("group-v1")),
    ]
    datacenter = content(vim.Datacenter("datacenter-1"), name="DC", parent=vim.Folder("group-d1"))
    vcenter.on("RetrievePropertiesEx", by_kind(Folder=folders, Datacenter=(datacenter,)))
    assert [folder.path for folder in client.list_folders()] == ["/DC/vm", "/DC/vm/a/b%25"]


def test_places_and_room_are_read(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    rule = vim.cluster.AntiAffinityRuleSpec(
        name="apart", enabled=True, mandatory=False, vm=[vim.VirtualMachine("vm-1")]
    )
    vcenter.on(
        "RetrievePropertiesEx",
        by_kind(
            ResourcePool=(
                content(
                    vim.ResourcePool("resgroup-2"),
                    name="Compute",
                    parent=vim.ResourcePool("resgroup-1"),
                    owner=vim.ClusterComputeResource("domain-c1"),
                ),
            ),
            HostSystem=(content(vim.HostSystem("host-1"), name="esx1", runtime__connectionState="connected"),),
            ClusterComputeResource=(
                content(
                    vim.ClusterComputeResource("domain-c1"),
                    name="Cluster-1",
                    host=[vim.HostSystem("host-1")],
                    configuration__rule=[rule],
                    summary__numHosts=1,
                ),
            ),
            Datastore=(
                content(
                    vim.Datastore("datastore-1"),
                    name="ds",
                    summary__capacity=10**13,
                    summary__freeSpace=10**12,
                ),
            ),
        ),
    )
    (pool,) = client.list_resource_pools()
    assert (pool.parent, pool.owner) == ("resgroup-1", "domain-c1")
    (host,) = client.list_hosts()
    assert (host.name, host.connection_state, host.in_maintenance_mode) == ("esx1", "connected", None)
    (cluster,) = client.list_clusters()
    assert (cluster.hosts, cluster.host_count) == (("host-1",), 1)
    assert [(found.kind, found.vms) for found in cluster.rules] == [("AntiAffinityRuleSpec", ("vm-1",))]
    (datastore,) = client.list_datastores()
    assert (datastore.capacity_bytes, datastore.free_bytes) == (10**13, 10**12)


def test_the_vms_on_a_network_are_read_without_a_view(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    on_it = content(vim.Network("network-1"), vm=[vim.VirtualMachine("vm-1"), vim.VirtualMachine("vm-2")])
    vcenter.on("RetrievePropertiesEx", lambda call: result(on_it))
    assert client.virtual_machines_on("network-1") == ("vm-1", "vm-2")
    assert vcenter.count("CreateContainerView") == 0
