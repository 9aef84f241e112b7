"""Every property of nsx-vsphere 4.1 on a suitable object, and values that come as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from hcx_sim.world import operations
from hcx_sim.world.model import Power, SiteName
from support.site_pair import SitePair

VM_PATHS = {
    "name", "config.instanceUuid", "config.uuid", "config.template", "runtime.powerState", "runtime.connectionState",
    "runtime.consolidationNeeded", "runtime.faultToleranceState", "runtime.host", "resourcePool", "parent",
    "datastore", "config.files.vmPathName", "network", "config.hardware.device", "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2", "guest.toolsStatus", "guest.net", "guest.ipAddress", "guest.hostName",
    "guest.ipStack", "config.version", "config.guestId", "config.guestFullName", "config.changeVersion",
    "config.changeTrackingEnabled", "summary.storage.committed", "layoutEx", "runtime.toolsInstallerMounted",
}  # fmt: skip
OPAQUE = {
    "name": "opaque",
    "settings": {"vcenter": {"opaque_networks": True}},
    "networks": [{"name": "net-a", "subnet": "192.168.7.0/24"}],
    "vms": [{"name": "web01", "nics": [{"network": "net-a", "ips": ["192.168.7.11"]}]}],
}
# Set only on a VM that has one: given as data.
RARE_PATHS = {
    "config.managedBy": {"extensionKey": "com.example", "type": "appliance"},
    "config.keyId": {"keyId": "k1", "providerId": {"id": "p1"}},
    "runtime.question": {
        "id": "q1",
        "text": "Was it moved or copied?",
        "choice": {"_type": "ChoiceOption", "choiceInfo": [{"label": "moved", "summary": "moved", "key": "1"}]},
    },
    "parentVApp": "VirtualApp:resgroup-v77",
}


def _device(client: Any, vm: Any, kind: Any) -> list[Any]:
    return [
        each for each in client.read(vm, "config.hardware.device")["config.hardware.device"] if isinstance(each, kind)
    ]


def _override(pair: SitePair, name: str, **paths: Any) -> None:
    def change() -> None:
        vm = pair.vm(name)
        pair.world.update(vm, properties={**vm.properties, **paths})

    pair.run(change)


def test_every_property_of_a_running_vm(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("db01")
    read = client.read(client.vm("db01"), *VM_PATHS)
    assert set(read) == VM_PATHS
    assert read["config.instanceUuid"] == record.instance_uuid
    assert read["config.uuid"] == record.bios_uuid
    assert read["runtime.connectionState"] == "connected"
    assert read["runtime.host"]._moId == record.host_moref
    assert read["guest.toolsRunningStatus"] == "guestToolsRunning"
    assert read["guest.toolsStatus"] == "toolsOk"
    assert read["guest.ipAddress"] == record.nics[0].ip_addresses[0]
    assert read["config.version"] == record.hardware_version
    assert read["summary.storage.committed"] == sum(d.used_bytes for d in record.disks) + record.memory_mb * 1024**2
    assert read["config.files.vmPathName"] == "[WorkloadDatastore] db01/db01.vmx"
    assert [disk.key for disk in read["layoutEx"].disk] == [disk.key for disk in record.disks]


def test_guest_addresses_by_mac_with_the_link_local_one(client: Any, site_pair: SitePair) -> None:
    nic = site_pair.vm("web01").nics[0]
    shown = client.read(client.vm("web01"), "guest.net")["guest.net"][0]
    assert (shown.macAddress, shown.deviceConfigId, shown.connected) == (nic.mac, nic.key, True)
    assert shown.network == "seed-net"
    configured = {each.ipAddress: (each.prefixLength, each.state) for each in shown.ipConfig.ipAddress}
    assert configured[nic.ip_addresses[0]] == (24, "preferred")
    assert any(address.startswith("fe80::") for address in configured)
    route = client.read(client.vm("web01"), "guest.ipStack")["guest.ipStack"][0].ipRouteConfig.ipRoute[0]
    assert route.gateway.ipAddress == "192.168.1.1"


def test_a_stopped_guest_tells_nothing(client: Any, site_pair: SitePair) -> None:
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), power=Power.OFF, tools_running=False))
    read = client.read(client.vm("web01"), "guest.toolsRunningStatus", "guest.ipAddress", "guest.hostName", "guest.net")
    assert read == {"guest.toolsRunningStatus": "guestToolsNotRunning", "guest.net": []}


@pytest.mark.world(scenario="three-tier")
def test_a_template_has_no_pool(client: Any) -> None:
    read = client.read(client.vm("golden-image"), "config.template", "resourcePool", "runtime.powerState", "parent")
    assert read["config.template"] is True
    assert "resourcePool" not in read
    assert read["runtime.powerState"] == "poweredOff"


def test_unset_properties_are_absent(client: Any) -> None:
    read = client.read(client.vm("web01"), "name", "snapshot", *RARE_PATHS)
    assert set(read) == {"name"}


@pytest.mark.parametrize("path", sorted(RARE_PATHS))
def test_rare_properties_come_as_data(client: Any, site_pair: SitePair, path: str) -> None:
    _override(site_pair, "web01", **{path: RARE_PATHS[path]})
    read = client.read(client.vm("web01"), path)
    assert set(read) == {path}
    assert "q1" in str(read[path]) if path == "runtime.question" else read[path] is not None


def test_any_path_can_be_overridden_and_the_parents_show_it(client: Any, site_pair: SitePair) -> None:
    _override(site_pair, "web01", **{"runtime.consolidationNeeded": True, "runtime.connectionState": "inaccessible"})
    vm = client.vm("web01")
    read = client.read(vm, "runtime", "runtime.consolidationNeeded", "runtime.powerState")
    assert read["runtime"].consolidationNeeded is True
    assert read["runtime"].connectionState == "inaccessible"
    assert read["runtime.consolidationNeeded"] is True
    assert read["runtime.powerState"] == "poweredOn"


def test_network_card_on_a_port_group(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("web01")
    (card,) = _device(client, client.vm("web01"), vim.vm.device.VirtualEthernetCard)
    assert type(card) is vim.vm.device.VirtualVmxnet3
    assert (card.key, card.macAddress, card.addressType) == (4000, record.nics[0].mac, "assigned")
    assert (card.connectable.connected, card.connectable.startConnected) == (True, True)
    assert card.externalId == record.nics[0].external_id
    switch = client.view(vim.DistributedVirtualSwitch).view[0]
    assert card.backing.port.switchUuid == switch.uuid
    assert card.backing.port.portgroupKey == record.nics[0].network_moref


@pytest.mark.world(scenario=OPAQUE)
def test_opaque_networks_of_older_sddcs(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("web01")
    network = client.read(client.vm("web01"), "network")["network"][0]
    assert isinstance(network, vim.OpaqueNetwork)
    (card,) = _device(client, client.vm("web01"), vim.vm.device.VirtualEthernetCard)
    read = client.read(network, "name", "summary.opaqueNetworkId", "summary", "vm", "host")
    assert card.backing.opaqueNetworkId == read["summary.opaqueNetworkId"] == read["summary"].opaqueNetworkId
    assert card.backing.opaqueNetworkType == "nsx.LogicalSwitch"
    assert record.moref in {each._moId for each in read["vm"]}


def test_disks_controllers_and_cdrom(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("db01")
    disks = _device(client, client.vm("db01"), vim.vm.device.VirtualDisk)
    assert [(d.key, d.capacityInBytes) for d in disks] == [(d.key, d.capacity_bytes) for d in record.disks]
    assert {d.controllerKey for d in disks} == {1000}
    assert {(d.backing.diskMode, d.backing.sharing) for d in disks} == {("persistent", "sharingNone")}
    (cdrom,) = _device(client, client.vm("db01"), vim.vm.device.VirtualCdrom)
    assert isinstance(cdrom.backing, vim.vm.device.VirtualCdrom.RemotePassthroughBackingInfo)
    assert cdrom.connectable.connected is False


def test_special_devices_come_as_data(client: Any, site_pair: SitePair) -> None:
    _override(
        site_pair,
        "web01",
        **{
            "config.hardware.device+": [
                {"_type": "VirtualUSB", "key": 7000, "connected": True},
                {"_type": "VirtualPCIPassthrough", "key": 13000},
                {"_type": "VirtualSriovEthernetCard", "key": 4009, "macAddress": "00:50:56:aa:bb:cc"},
            ],
            "config.hardware.device[1000].sharedBus": "physicalSharing",
        },
    )
    vm, kinds = client.vm("web01"), vim.vm.device
    assert [each.key for each in _device(client, vm, kinds.VirtualUSB)] == [7000]
    assert _device(client, vm, kinds.VirtualPCIPassthrough)
    assert _device(client, vm, kinds.VirtualSriovEthernetCard)
    assert _device(client, vm, kinds.VirtualSCSIController)[0].sharedBus == "physicalSharing"
    assert client.read(vm, "config.hardware.device[7000]")["config.hardware.device[7000]"].connected is True
    assert len(vm.config.hardware.device) == len(_device(client, vm, kinds.VirtualDevice))


@pytest.mark.parametrize(("backing", "mode"), [("rdmPhysical", "physicalMode"), ("rdmVirtual", "virtualMode")])
def test_raw_device_mappings(client: Any, site_pair: SitePair, backing: str, mode: str) -> None:
    def change() -> None:
        vm = site_pair.vm("web01")
        disk = replace(vm.disks[0], backing=backing, sharing="sharingMultiWriter", mode="independent_persistent")
        site_pair.world.update(vm, disks=[disk])

    site_pair.run(change)
    (disk,) = _device(client, client.vm("web01"), vim.vm.device.VirtualDisk)
    assert isinstance(disk.backing, vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo)
    assert (disk.backing.compatibilityMode, disk.backing.sharing) == (mode, "sharingMultiWriter")
    assert disk.backing.diskMode == "independent_persistent"


def test_nsx_port_group(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("web01")
    group = client.read(client.vm("web01"), "network")["network"][0]
    paths = ("key", "backingType", "segmentId", "logicalSwitchUuid", "transportZoneUuid", "defaultPortConfig",
             "configVersion", "policy", "uplink")  # fmt: skip
    read = client.read(group, "name", "vm", "host", *(f"config.{path}" for path in paths))
    assert set(read) == {"name", "vm", "host", *(f"config.{path}" for path in paths)}
    segment = next(each for each in site_pair.world.segments.values() if each.network_moref == group._moId)
    assert read["config.key"] == group._moId
    assert read["config.backingType"] == "nsx"
    assert read["config.segmentId"] == f"/infra/tier-1s/cgw/segments/{segment.segment_id}"
    assert read["config.defaultPortConfig"].blocked.value is False
    assert record.moref in {each._moId for each in read["vm"]}


@pytest.mark.world(scenario="physical")
def test_vlan_port_group(client: Any, site_pair: SitePair) -> None:
    network = next(n for n in site_pair.world.networks.values() if n.vlan_id and n.gateway and n.site == "source")
    group = vim.dvs.DistributedVirtualPortgroup(network.moref, client.service._stub)
    read = client.read(
        group, "config.backingType", "config.segmentId", "config.logicalSwitchUuid", "config.defaultPortConfig.vlan"
    )
    assert read["config.backingType"] == "standard"
    assert read["config.defaultPortConfig.vlan"].vlanId == network.vlan_id
    assert set(read) == {"config.backingType", "config.defaultPortConfig.vlan"}


def test_places(client: Any, site_pair: SitePair) -> None:
    datacenter = client.view(vim.Datacenter).view[0]
    folders = client.read(datacenter, "name", "vmFolder", "hostFolder", "networkFolder", "datastoreFolder")
    assert len(folders) == 5
    cluster = client.view(vim.ClusterComputeResource).view[0]
    read = client.read(
        cluster, "name", "host", "resourcePool", "datastore", "network", "summary.numHosts", "summary.totalCpu"
    )
    assert (len(read["host"]), read["summary.numHosts"]) == (3, 3)
    host = client.read(
        read["host"][0],
        "name", "parent", "runtime.connectionState", "runtime.inMaintenanceMode", "config.product.version",
        "summary.hardware.cpuModel", "summary.hardware.memorySize", "vm",
    )  # fmt: skip
    assert (host["runtime.connectionState"], host["runtime.inMaintenanceMode"]) == ("connected", False)
    assert host["parent"] == cluster
    pool = client.read(
        client.named(vim.ResourcePool, "Compute-ResourcePool"), "name", "parent", "owner", "vm", "config"
    )
    assert pool["owner"] == cluster
    assert pool["parent"] == read["resourcePool"]
    assert {each._moId for each in pool["vm"]} >= {site_pair.vm("web01").moref}
    folder = client.read(folders["vmFolder"], "name", "parent", "childEntity", "childType")
    assert folder["name"] == "vm"
    assert "VirtualMachine" in folder["childType"]


def test_affinity_rules_and_host_states_come_as_data(client: Any, site_pair: SitePair) -> None:
    placements, moref = site_pair.world.placements, site_pair.vm("web01").moref
    rule = {
        "_type": "ClusterAntiAffinityRuleSpec", "key": 1, "name": "apart", "enabled": True,
        "vm": [f"VirtualMachine:{moref}"],
    }  # fmt: skip
    cluster = next(p for p in placements.values() if p.type_name == "ClusterComputeResource" and p.site == "source")
    host = next(p for p in placements.values() if p.type_name == "HostSystem" and p.site == "source")
    states = {"runtime.inMaintenanceMode": True, "summary.maxEVCModeKey": "intel-haswell"}

    def change() -> None:
        site_pair.world.update(cluster, properties={**cluster.properties, "configurationEx.rule": [rule]})
        site_pair.world.update(host, properties={**host.properties, **states})

    site_pair.run(change)
    shown = client.view(vim.ClusterComputeResource).view[0].configurationEx.rule[0]
    assert isinstance(shown, vim.cluster.AntiAffinityRuleSpec)
    assert [each._moId for each in shown.vm] == [moref]
    read = client.read(vim.HostSystem(host.moref), "runtime.inMaintenanceMode", "summary.maxEVCModeKey")
    assert read == states


def test_datastores(client: Any, site_pair: SitePair) -> None:
    record = next(each for each in site_pair.world.datastores.values() if each.site is SiteName.SOURCE)
    store = vim.Datastore(record.moref, client.service._stub)
    read = client.read(
        store, "name", "summary.capacity", "summary.freeSpace", "summary.type", "summary.accessible", "host", "vm"
    )
    assert (read["summary.capacity"], read["summary.freeSpace"]) == (record.capacity_bytes, record.free_bytes)
    assert (read["summary.type"], read["summary.accessible"]) == ("vsan", True)
    assert len(read["host"]) == 3
    assert len(read["vm"]) == len([vm for vm in site_pair.world.vms.values() if vm.site == "source"])


def test_custom_attributes_and_tags(client: Any, site_pair: SitePair) -> None:
    change = {"custom_attributes": {"owner": "team-a"}, "tags": ["wave-1"]}
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), **change))
    fields = {each.key: each.name for each in client.content.customFieldsManager.field}
    read = client.read(client.vm("web01"), "customValue", "tag")
    assert [(fields[each.key], each.value) for each in read["customValue"]] == [("owner", "team-a")]
    assert len(read["tag"]) == 1


def test_uptime_tells_a_live_migration_from_a_bulk_one(connect: Any, site_pair: SitePair) -> None:
    world, site = site_pair.world, SiteName.DESTINATION
    networks = {nic.mac: "dvportgroup-1001" for name in ("web01", "web02") for nic in site_pair.vm(name).nics}
    target = operations.Destination(
        site, "group-v201", "resgroup-101", "domain-c9", "datacenter-2", "host-16", "datastore-15", networks
    )
    site_pair.advance(100)
    site_pair.run(lambda: operations.relocate(world, site_pair.vm("web01"), target))
    retired = {"retired_name": "web02_old", "retired_folder_moref": "group-v201", "power": Power.ON}
    site_pair.run(lambda: operations.copy_arrival(world, site_pair.vm("web02"), target, **retired))
    site_pair.advance(10)
    content = connect("destination").content
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    uptimes = {vm.name: vm.summary.quickStats.uptimeSeconds for vm in view.view}
    assert (uptimes["web01"], uptimes["web02"]) == (30 * 86_400 + 110, 10)


def test_uptime_starts_again_with_a_power_cycle(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    before = client.read(vm, "summary.quickStats.uptimeSeconds")["summary.quickStats.uptimeSeconds"]
    assert before == 30 * 86_400
    client.succeed(vm.PowerOff())
    client.succeed(vm.PowerOn())
    site_pair.advance(5)
    after = client.read(vm, "summary.quickStats.uptimeSeconds", "runtime.bootTime")
    assert after["summary.quickStats.uptimeSeconds"] == 5
    assert (site_pair.now - after["runtime.bootTime"]).total_seconds() == 5


def test_older_clients_get_no_newer_members(site_pair: SitePair, client: Any) -> None:
    moref = site_pair.vm("web01").nics[0].network_moref
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        f'<Fetch xmlns="urn:vim25"><_this type="DistributedVirtualPortgroup">{moref}</_this><prop>config</prop></Fetch>'
        "</soapenv:Body></soapenv:Envelope>"
    )
    texts = {}
    for version in ("6.5", "8.0.3.0"):
        headers = {"Cookie": client.service._stub.cookie, "SOAPAction": f'"urn:vim25/{version}"'}
        texts[version] = site_pair.http().post(f"{site_pair.url('vcenter')}/sdk", data=body, headers=headers).text
    assert "<backingType>nsx</backingType>" in texts["8.0.3.0"]
    assert "<configVersion>" in texts["6.5"]
    assert "backingType" not in texts["6.5"]


def test_unknown_members_of_known_types_are_invalid(client: Any) -> None:
    with pytest.raises(vmodl.query.InvalidProperty):
        client.read(client.vm("web01"), "config.hardware.device.key")
