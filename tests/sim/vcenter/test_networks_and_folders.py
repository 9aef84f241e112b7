"""Port groups and their ports, folders, and the search index."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from support.site_pair import SitePair

SWITCH = vim.dvs.VmwareDistributedVirtualSwitch
GROUP = vim.dvs.DistributedVirtualPortgroup
physical = pytest.mark.world(scenario="physical")


def _group(client: Any, pair: SitePair) -> tuple[Any, Any]:
    """A VLAN port group with a physical gateway and VMs, and the world's record of it."""
    world = pair.world
    network = next(
        n for n in world.networks.values() if n.site == "source" and n.gateway and not n.segment_id and world.vms_on(n)
    )
    return GROUP(network.moref, client.service._stub), network


def _spec(client: Any, group: Any, **more: Any) -> Any:
    read = client.read(group, "config.configVersion", "config.defaultPortConfig")
    return GROUP.ConfigSpec(
        configVersion=read["config.configVersion"], defaultPortConfig=read["config.defaultPortConfig"], **more
    )


@physical
def test_blocking_a_port_group_cuts_its_vms_off(client: Any, site_pair: SitePair) -> None:
    group, network = _group(client, site_pair)
    spec = _spec(client, group)
    spec.defaultPortConfig.blocked = vim.BoolPolicy(inherited=False, value=True)
    client.succeed(group.ReconfigureDVPortgroup_Task(spec))
    assert network.blocked
    assert client.read(group, "config.defaultPortConfig.blocked")["config.defaultPortConfig.blocked"].value is True
    name = next(vm.name for vm in site_pair.world.vms_on(network) if vm.power == "poweredOn")
    assert site_pair.oracle()["vms"][name]["outage"][-1]["detail"]["reason"] == "blocked"
    change = site_pair.audit("change", subject=f"network:source/{network.moref}")[-1]
    assert change["data"]["after"]["blocked"] is True


@physical
def test_stale_config_version_is_concurrent_access(client: Any, site_pair: SitePair) -> None:
    group, _ = _group(client, site_pair)
    spec = _spec(client, group)
    client.succeed(group.ReconfigureDVPortgroup_Task(spec))
    assert isinstance(client.fail(group.ReconfigureDVPortgroup_Task(spec)), vim.fault.ConcurrentAccess)
    spec.configVersion = None
    assert isinstance(client.fail(group.ReconfigureDVPortgroup_Task(spec)), vmodl.fault.InvalidArgument)


@physical
def test_unset_members_of_the_policy_stay_as_they_are(client: Any, site_pair: SitePair) -> None:
    group, network = _group(client, site_pair)
    version = client.read(group, "config.configVersion")["config.configVersion"]
    policy = SWITCH.VmwarePortConfigPolicy(blocked=vim.BoolPolicy(inherited=False, value=True))
    client.succeed(group.ReconfigureDVPortgroup_Task(GROUP.ConfigSpec(configVersion=version, defaultPortConfig=policy)))
    after = client.read(group, "config.defaultPortConfig")["config.defaultPortConfig"]
    assert after.blocked.value is True
    assert after.vlan.vlanId == network.vlan_id
    assert after.uplinkTeamingPolicy.uplinkPortOrder.activeUplinkPort == ["uplink1", "uplink2"]
    assert after.securityPolicy.allowPromiscuous.value is False


@physical
def test_a_group_without_uplinks_is_isolated_and_can_be_rolled_back(client: Any, site_pair: SitePair) -> None:
    group, network = _group(client, site_pair)
    assert isinstance(client.fail(group.DVPortgroupRollback_Task(None)), vim.fault.RollbackFailure)
    spec = _spec(client, group)
    order = spec.defaultPortConfig.uplinkTeamingPolicy.uplinkPortOrder
    order.activeUplinkPort, order.standbyUplinkPort = [], []
    client.succeed(group.ReconfigureDVPortgroup_Task(spec))
    assert network.blocked
    shown = client.read(group, "config.defaultPortConfig")["config.defaultPortConfig"]
    assert shown.blocked.value is False
    assert shown.uplinkTeamingPolicy.uplinkPortOrder.activeUplinkPort == []
    client.succeed(group.DVPortgroupRollback_Task(None))
    assert not network.blocked
    shown = client.read(group, "config.defaultPortConfig")["config.defaultPortConfig"]
    assert shown.uplinkTeamingPolicy.uplinkPortOrder.activeUplinkPort == ["uplink1", "uplink2"]


@physical
def test_names_and_vlans_of_port_groups(client: Any, site_pair: SitePair) -> None:
    group, network = _group(client, site_pair)
    other = next(n for n in site_pair.world.networks.values() if n.site == "source" and n.moref != network.moref)
    fault = client.fail(group.ReconfigureDVPortgroup_Task(_spec(client, group, name=other.name)))
    assert isinstance(fault, vim.fault.DuplicateName)
    assert isinstance(client.fail(group.Rename(other.name)), vim.fault.DuplicateName)
    spec = _spec(client, group, name="vlan-77")
    spec.defaultPortConfig.vlan = SWITCH.VlanIdSpec(inherited=False, vlanId=77)
    client.succeed(group.ReconfigureDVPortgroup_Task(spec))
    assert (network.name, network.vlan_id) == ("vlan-77", 77)
    client.succeed(group.Rename("back"))
    assert network.name == "back"


def test_nsx_port_groups_are_not_changed_here(client: Any, site_pair: SitePair) -> None:
    group = client.read(client.vm("web01"), "network")["network"][0]
    for task in (group.ReconfigureDVPortgroup_Task(_spec(client, group)), group.Rename("x"), group.Destroy()):
        assert isinstance(client.fail(task), vim.fault.DvsFault)


@physical
def test_fetch_ports_tells_who_is_connected(client: Any, site_pair: SitePair) -> None:
    group, network = _group(client, site_pair)
    switch = client.view(vim.DistributedVirtualSwitch).view[0]
    criteria = vim.dvs.PortCriteria(portgroupKey=[network.portgroup_key], inside=True, connected=True)
    ports = switch.FetchDVPorts(criteria)
    expected = {(vm.moref, str(nic.key)) for vm in site_pair.world.vms_on(network) for nic in vm.nics
                if nic.network_moref == network.moref}  # fmt: skip
    assert {(each.connectee.connectedEntity._moId, each.connectee.nicKey) for each in ports} == expected
    assert {each.portgroupKey for each in ports} == {group.key}
    assert not any(each.config.setting.blocked.value for each in ports)
    assert any(each.state.runtimeInfo.linkUp for each in ports)
    one = switch.FetchDVPorts(vim.dvs.PortCriteria(portKey=[ports[0].key]))
    assert ports[0].key in {each.key for each in one}
    outside = switch.FetchDVPorts(vim.dvs.PortCriteria(portgroupKey=[network.portgroup_key], inside=False))
    assert group.key not in {each.portgroupKey for each in outside}
    assert all(each.connectee is None for each in switch.FetchDVPorts(vim.dvs.PortCriteria(connected=False)))
    spec = _spec(client, group)
    spec.defaultPortConfig.blocked = vim.BoolPolicy(inherited=False, value=True)
    client.succeed(group.ReconfigureDVPortgroup_Task(spec))
    assert all(each.state.runtimeInfo.blocked for each in switch.FetchDVPorts(criteria))


@physical
def test_a_port_group_in_use_cannot_be_destroyed(client: Any, site_pair: SitePair) -> None:
    group, network = _group(client, site_pair)
    fault = client.fail(group.Destroy())
    assert isinstance(fault, vim.fault.ResourceInUse)
    assert fault.name == network.name
    for vm in list(site_pair.world.vms_on(network)):
        nics = [nic for nic in vm.nics if nic.network_moref != network.moref]
        site_pair.run(lambda vm=vm, nics=nics: site_pair.world.update(vm, nics=nics))
    client.succeed(group.Destroy())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        client.read(group, "name")


def test_a_segment_renamed_in_nsx_is_renamed_here(client: Any, site_pair: SitePair) -> None:
    from hcx_sim.world.operations import change_segment

    group = client.read(client.vm("web01"), "network")["network"][0]
    segment = next(
        s for s in site_pair.world.segments.values() if s.site == "source" and s.network_moref == group._moId
    )
    site_pair.run(lambda: change_segment(site_pair.world, segment, display_name="renamed"))
    site_pair.advance(60)
    assert client.read(group, "name") == {"name": "renamed"}


# Folders ---------------------------------------------------------------------------------------------------


def test_folders_are_created_filled_and_destroyed(client: Any, site_pair: SitePair) -> None:
    root = client.view(vim.Datacenter).view[0].vmFolder
    folder = root.CreateFolder("Migrated VMs")
    assert folder._moId.startswith("group-v")
    assert (folder.name, folder.parent, folder.childEntity) == ("Migrated VMs", root, [])
    with pytest.raises(vim.fault.DuplicateName) as caught:
        root.CreateFolder("Migrated VMs")
    assert (caught.value.name, caught.value.object) == ("Migrated VMs", folder)
    with pytest.raises(vim.fault.InvalidName):
        root.CreateFolder("")
    inner = folder.CreateFolder("inner")
    client.succeed(folder.MoveIntoFolder_Task([client.vm("web01")]))
    assert site_pair.vm("web01").folder_moref == folder._moId
    fault = client.fail(inner.MoveIntoFolder_Task([folder]))
    assert isinstance(fault, vim.fault.InvalidFolder)
    host = client.view(vim.HostSystem).view[0]
    assert isinstance(client.fail(folder.MoveIntoFolder_Task([host])), vmodl.fault.NotSupported)
    assert isinstance(client.fail(folder.Destroy()), vim.fault.InvalidPowerState)
    client.succeed(client.vm("web01").PowerOff())
    client.succeed(folder.Rename("old"))
    client.succeed(folder.Destroy())
    assert not any(vm.name == "web01" and vm.site == "source" for vm in site_pair.world.vms.values())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        client.read(inner, "name")
    assert isinstance(client.fail(root.Destroy()), vmodl.fault.NotSupported)
    assert site_pair.calls("CreateFolder")[0]["data"]["summary"]["created"] == folder._moId


def test_moving_where_the_name_is_taken(client: Any, site_pair: SitePair) -> None:
    root = client.view(vim.Datacenter).view[0].vmFolder
    folder = root.CreateFolder("twice")
    client.succeed(folder.MoveIntoFolder_Task([client.vm("web01")]))
    client.succeed(client.vm("web02").Rename("free"))
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("free"), name="web01"))
    second = next(vm for vm in site_pair.world.vms.values() if vm.name == "web01" and vm.folder_moref != folder._moId)
    fault = client.fail(folder.MoveIntoFolder_Task([vim.VirtualMachine(second.moref)]))
    assert isinstance(fault, vim.fault.DuplicateName)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        folder.MoveIntoFolder_Task([vim.VirtualMachine("vm-4711")])


# Search ----------------------------------------------------------------------------------------------------


def test_search_index(client: Any, site_pair: SitePair) -> None:
    index, record = client.content.searchIndex, site_pair.vm("web01")
    vm, datacenter = client.vm("web01"), client.view(vim.Datacenter).view[0]
    assert index.FindByUuid(None, record.instance_uuid, True, True) == vm
    assert index.FindByUuid(datacenter, record.bios_uuid.upper(), True, False) == vm
    assert index.FindByUuid(None, record.instance_uuid, True, False) is None
    assert index.FindAllByUuid(None, record.bios_uuid, True) == [vm]
    assert index.FindByIp(None, record.nics[0].ip_addresses[0], True) == vm
    assert index.FindAllByIp(None, "203.0.113.1", True) == []
    assert index.FindByDnsName(None, "WEB01", True) == vm
    assert index.FindAllByDnsName(None, "web01", True) == [vm]
    host = client.view(vim.HostSystem).view[0]
    assert index.FindByDnsName(None, host.name, False) == host
    assert index.FindByUuid(None, host.summary.hardware.uuid, False) == host
    assert index.FindByInventoryPath("SDDC-Datacenter/vm/Workloads/web01") == vm
    assert index.FindByInventoryPath("/SDDC-Datacenter/host/Cluster-1/Resources/Compute-ResourcePool").name.startswith(
        "Comp"
    )
    assert index.FindByInventoryPath("SDDC-Datacenter/network/seed-net") == client.read(vm, "network")["network"][0]
    assert index.FindByInventoryPath("SDDC-Datacenter/vm/nowhere/web01") is None
    assert index.FindChild(client.named(vim.Folder, "Workloads"), "web01") == vm
    assert index.FindChild(client.named(vim.Folder, "Workloads"), "nobody") is None
    assert index.FindByDatastorePath(datacenter, "[WorkloadDatastore] web01/web01.vmx") == vm
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        index.FindByIp(vim.Datacenter("datacenter-99"), "192.168.1.11", True)
