"""Reads of whole VMs, networks, folders and places."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyVmomi import vim

from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import GuestAddress
from support.missing_members import defaults, plain
from support.scripted_vcenter import ScriptedVcenter
from support.soap_contents import by_kind, content, result, vm

_TAKEN = datetime(2026, 2, 1, tzinfo=UTC)
# Properties that vCenter leaves unset where there is nothing, so that absence says so.
_ABSENT_IS_NONE = {
    "snapshot", "runtime.question", "config.hardware.device", "config.keyId", "tag", "datastore", "guest.net",
    "network",
}  # fmt: skip


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


def _whole() -> Any:
    """A VM of which everything is told."""
    tree = vim.vm.SnapshotTree
    taken = _TAKEN

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
    return vm(
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


def test_the_full_pass_shows_what_proofs_and_preflight_need(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.on("RetrievePropertiesEx", lambda call: result(_whole()))
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

    assert [(drive.path, drive.is_mounted) for drive in found.media if drive.kind == "cdrom"] == [
        ("[ds] tools.iso", True),
        (None, False),
    ]
    assert [(drive.kind, drive.is_mounted) for drive in found.media][2] == ("floppy", False)
    assert [(device.key, device.kind) for device in found.passthrough] == [(9000, "usb"), (9001, "pci")]
    assert found.snapshot_count == 2
    assert found.snapshots[0].children[0].moref == "snapshot-2"
    assert found.snapshots[0].created == _TAKEN
    assert (found.is_encrypted, found.migrate_encryption, found.consolidation_needed) == (
        True,
        "required",
        True,
    )
    assert found.question is not None
    assert found.question.text == "CD-ROM is locked"
    assert (found.hardware_version, found.datastores, found.tags) == ("vmx-19", ("datastore-1",), ("tier-1",))


def test_a_property_that_is_not_told_is_unknown_or_named(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    """Each in turn: an inaccessible VM, or an account that may not read it."""
    paths = [each.name for each in _whole().propSet]
    assert len(paths) > 10

    def read(path: str) -> Any:
        content = _whole()
        content.propSet = [each for each in content.propSet if each.name != path]
        vcenter.on("RetrievePropertiesEx", lambda call: result(content))
        try:
            return client.read_virtual_machines(["vm-1"])
        except ClientError as error:
            return None if path in str(error) else [str(error)]

    (bare,) = read("config.hardware.device")
    assert [each.path for each in bare.unreadable] == ["config.hardware.device"], "its cards are not known"
    whole = plain(read(""))
    taken = {path: list(defaults(whole, plain(read(path)), "")) for path in paths if path not in _ABSENT_IS_NONE}
    assert {path: found for path, found in taken.items() if found} == {}


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


def test_the_vms_on_a_network_are_asked_by_the_type_of_the_network(
    vcenter: ScriptedVcenter, client: VsphereClient
) -> None:
    on_it = [vim.VirtualMachine("vm-1"), vim.VirtualMachine("vm-2")]
    group = content(
        vim.dvs.DistributedVirtualPortgroup("dvportgroup-13"),
        name="web",
        config__key="dvportgroup-13",
        config__type="ephemeral",
        vm=on_it,
    )
    opaque = content(
        vim.OpaqueNetwork("network-o2"),
        name="db",
        summary__opaqueNetworkId="ls-2",
        summary__opaqueNetworkType="nsx.LogicalSwitch",
        vm=on_it,
    )
    plain = content(vim.Network("network-1"), name="VM Network", vm=on_it)
    vcenter.on(
        "RetrievePropertiesEx",
        by_kind(Network=(plain, group, opaque), DistributedVirtualPortgroup=(group,), OpaqueNetwork=(opaque,)),
    )
    for moref, kind in (
        ("dvportgroup-13", "DistributedVirtualPortgroup"),
        ("network-o2", "OpaqueNetwork"),
        ("network-1", "Network"),
    ):
        assert client.virtual_machines_on(moref) == ("vm-1", "vm-2")
        assert f'<obj type="{kind}">{moref}</obj>' in vcenter.calls[-1].text
    # The kinds are listed once, whatever is asked afterwards.
    assert vcenter.count("CreateContainerView") == 3


def test_what_a_port_group_does_not_say_stays_unset(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    group = content(vim.dvs.DistributedVirtualPortgroup("dvportgroup-1"), name="web")
    vcenter.on("RetrievePropertiesEx", by_kind(DistributedVirtualPortgroup=(group,)))
    (found,) = client.list_networks()
    assert isinstance(found, DistributedVirtualPortgroup)
    assert (found.config_version, found.binding, found.switch, found.segment_id) == (None, None, None, None)
