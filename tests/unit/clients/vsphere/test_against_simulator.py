"""The vSphere client and the simulated vCenters, over TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyVmomi import vim

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ConflictError,
    EndpointMismatch,
    MalformedResponse,
    NotFound,
    OutcomeUnknownError,
    StaleRevisionError,
    TlsError,
    ValidationFailed,
    VendorFault,
)
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network
from support.site_pair import SitePair

# Tasks take virtual time; at this speed nobody waits for them.
WORKLOADS = ("web01", "web02", "app01", "db01")
WORKLOAD = "web01"
FAST = {"mode": "scaled", "speed": 600.0}


@pytest.fixture
def connect(site_pair: SitePair) -> Iterator[Callable[..., VsphereClient]]:
    made: list[VsphereClient] = []

    def make(site: str = "source", password: str | None = None, **options: object) -> VsphereClient:
        login = site_pair.login("vcenter", site)
        tls = TlsSettings(ca_file=Path(str(site_pair.ca_file)))
        client = VsphereClient(
            site_pair.url("vcenter", site),
            login.username,
            password or login.password,
            **{"tls": tls, **options},  # type: ignore[arg-type]
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., VsphereClient]) -> VsphereClient:
    return connect()


def moref_of(client: VsphereClient, name: str) -> str:
    found = client.find_vm(name=name)
    assert found is not None
    return found.moref


def port_group(client: VsphereClient, name: str) -> DistributedVirtualPortgroup:
    found = next(network for network in client.list_networks() if network.name == name)
    assert isinstance(found, DistributedVirtualPortgroup)
    return found


def test_the_simulator_says_who_it_is(site_pair: SitePair, client: VsphereClient) -> None:
    identity = client.identity()
    assert (identity.simulated, identity.world_id, identity.role) == (True, site_pair.world_id, "site")
    assert client.about().api_type == "VirtualCenter"
    assert client.server_time() == site_pair.now


def test_both_passes_agree_with_the_world(site_pair: SitePair, client: VsphereClient) -> None:
    by_name = {vm.name: vm for vm in client.list_virtual_machines()}
    details = client.read_virtual_machines([by_name[name].moref for name in WORKLOADS])
    assert [detail.name for detail in details] == list(WORKLOADS)
    for detail in details:
        vm = site_pair.vm(detail.name)
        assert detail.macs == {nic.mac for nic in vm.nics}
        assert detail.power_state == "poweredOn"
        assert detail.tools_running == "guestToolsRunning"
        shown = {address.address for nic in detail.nics for address in detail.addresses_of(nic)}
        assert shown == {ip for nic in vm.nics for ip in nic.ip_addresses}
        assert detail.disks
        assert not detail.unreadable
    assert client.find_vm(instance_uuid=details[0].instance_uuid) == by_name[WORKLOAD]


def test_networks_folders_and_places_fit_together(client: VsphereClient) -> None:
    segment = port_group(client, "seed-net")
    assert segment.is_nsx
    assert segment.segment_id == "/infra/tier-1s/cgw/segments/seed-net"
    vms = {vm.moref: vm for vm in client.list_virtual_machines()}
    on_segment = client.virtual_machines_on(segment.moref)
    assert set(on_segment) == {moref for moref, vm in vms.items() if segment.moref in vm.networks}
    folders = {folder.moref: folder.path for folder in client.list_folders()}
    pools = {pool.moref for pool in client.list_resource_pools()}
    hosts = {host.moref for host in client.list_hosts()}
    for vm in vms.values():
        assert folders[str(vm.folder)].startswith("/SDDC-Datacenter/vm")
        assert vm.resource_pool in pools
        assert vm.host in hosts
    (cluster,) = client.list_clusters()
    assert set(cluster.hosts) == hosts
    assert all(store.free_bytes and store.capacity_bytes for store in client.list_datastores())
    privileges = client.held_privileges()
    assert privileges is not None
    assert all(privileges.values())


@pytest.mark.world(**FAST)
def test_a_vm_lives_through_all_operations(site_pair: SitePair, client: VsphereClient) -> None:
    sibling = client.find_vm(name=WORKLOAD)
    assert sibling is not None
    store = client.list_datastores()[0].name
    config = vim.vm.ConfigSpec(
        name="probe/1",
        guestId="other3xLinux64Guest",
        numCPUs=1,
        memoryMB=512,
        files=vim.vm.FileInfo(vmPathName=f"[{store}]"),
    )
    made = client.vms.create_virtual_machine(str(sibling.folder), str(sibling.resource_pool), config)
    moref = str(made.result)
    assert client.read_virtual_machines([moref])[0].power_state == "poweredOff"

    client.vms.power_on(moref)
    with pytest.raises(ConflictError) as caught:
        client.vms.power_on(moref)
    assert caught.value.vendor_code == "InvalidPowerState"
    snapshot = str(client.vms.create_snapshot(moref, "before", description="by test").result)
    assert client.read_virtual_machines([moref])[0].snapshots[0].moref == snapshot
    client.vms.remove_snapshot(snapshot)
    assert client.read_virtual_machines([moref])[0].snapshots == ()
    client.vms.rename(moref, "probe/2")
    assert client.find_vm(name="probe/2") is not None
    with pytest.raises(ConflictError):
        client.vms.destroy(moref)
    client.vms.power_off(moref)
    client.vms.destroy(moref)
    assert client.find_vm(name="probe/2") is None
    with pytest.raises(NotFound):
        client.read_virtual_machines([moref])
    with pytest.raises(NotFound) as gone:
        client.vms.power_on(moref)
    assert gone.value.vendor_code == "ManagedObjectNotFound"
    calls = [entry["data"]["operation"] for entry in site_pair.calls()]
    for operation in ("CreateVM_Task", "CreateSnapshot_Task", "Rename_Task", "Destroy_Task"):
        assert operation in calls


@pytest.mark.world(**FAST)
def test_an_iso_goes_in_and_out(client: VsphereClient) -> None:
    moref = moref_of(client, WORKLOAD)
    store = client.list_datastores()[0].name
    client.vms.mount_iso(moref, f"[{store}] iso/tools.iso")
    (drive,) = client.read_virtual_machines([moref])[0].cdroms
    assert (drive.path, drive.is_mounted) == (f"[{store}] iso/tools.iso", True)
    client.vms.unmount_iso(moref)
    (drive,) = client.read_virtual_machines([moref])[0].cdroms
    assert (drive.path, drive.is_mounted) == (None, False)


@pytest.mark.world(scenario="physical", **FAST)
def test_a_vlan_port_group_is_blocked_isolated_and_restored(client: VsphereClient) -> None:
    group = port_group(client, "vlan-120")
    before = client.port_groups.read_policy(group.moref)
    assert (before.blocked, before.vlan_id) == (False, 120)
    client.port_groups.set_blocked(group.moref, blocked=True)
    blocked = client.port_groups.read_policy(group.moref)
    assert (blocked.blocked, blocked.vlan_id) == (True, 120)
    assert blocked.config_version != before.config_version
    with pytest.raises(StaleRevisionError):
        client.port_groups.set_blocked(group.moref, blocked=False, config_version=before.config_version)
    client.port_groups.set_uplinks(group.moref, active=[])
    assert client.port_groups.read_policy(group.moref).active_uplinks == ()
    client.port_groups.restore_policy(group.moref, before.saved)
    after = client.port_groups.read_policy(group.moref)
    assert (after.blocked, after.vlan_id, after.active_uplinks) == (False, 120, before.active_uplinks)
    vms = {connection.entity for connection in client.port_groups.connections(group.moref)}
    assert set(client.virtual_machines_on(group.moref)) <= vms
    client.rename_network(group.moref, "vlan-120 (moved)")
    assert port_group(client, "vlan-120 (moved)").moref == group.moref
    kinds = {network.name: type(network) for network in client.list_networks()}
    assert kinds["vswitch-net"] is Network


def test_an_nsx_port_group_is_left_to_nsx(site_pair: SitePair, client: VsphereClient) -> None:
    group = port_group(client, "seed-net")
    with pytest.raises(ValidationFailed, match="change the segment in NSX"):
        client.port_groups.set_blocked(group.moref, blocked=True)
    assert site_pair.calls("ReconfigureDVPortgroup_Task") == []


def test_a_session_that_the_server_ends_is_renewed(site_pair: SitePair, client: VsphereClient) -> None:
    client.about()
    site_pair.advance(31 * 60)
    assert client.list_virtual_machines()
    assert len(site_pair.calls("Login")) == 2


def test_a_wrong_password_is_refused(connect: Callable[..., VsphereClient]) -> None:
    with pytest.raises(AuthenticationFailed, match="InvalidLogin"):
        connect(password="wrong").about()


def test_without_the_authority_nothing_is_sent(site_pair: SitePair, connect: Callable[..., VsphereClient]) -> None:
    before = site_pair.mark()
    with pytest.raises(TlsError):
        connect(tls=TlsSettings()).about()
    assert site_pair.calls(after=before) == []


@pytest.mark.world(role="twin", **FAST)
def test_a_client_for_the_real_thing_does_not_touch_a_twin(
    site_pair: SitePair, connect: Callable[..., VsphereClient]
) -> None:
    client = connect(allowed_roles=frozenset({"real", "site"}))
    moref = moref_of(client, WORKLOAD)
    with pytest.raises(EndpointMismatch, match="simulated twin"):
        client.vms.power_off(moref)
    assert site_pair.calls("PowerOffVM_Task") == []
    assert connect(allowed_roles=frozenset({"twin"})).vms.power_off(moref).task_id


@pytest.mark.world(**FAST)
def test_a_lost_answer_is_resolved_by_looking_and_not_by_repeating(site_pair: SitePair, client: VsphereClient) -> None:
    moref = moref_of(client, WORKLOAD)
    site_pair.fault(product="vcenter", call="Rename_Task", behaviour="reset_after", count=1)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.vms.rename(moref, "renamed")
    lookup = caught.value.lookup
    assert lookup is not None
    tasks = getattr(client, lookup.method)(**lookup.arguments)
    (task,) = [task for task in tasks if task.description_id == "VirtualMachine.rename"]
    client.wait_for_task(task.task_id)
    assert moref_of(client, "renamed") == moref
    assert len(site_pair.calls("Rename_Task")) == 1


@pytest.mark.parametrize("behaviour", ["malformed", "wrong_schema"])
def test_an_answer_that_is_no_soap_is_never_an_empty_inventory(
    behaviour: str, site_pair: SitePair, client: VsphereClient
) -> None:
    client.about()
    site_pair.fault(product="vcenter", call="RetrievePropertiesEx", behaviour=behaviour)
    with pytest.raises((MalformedResponse, VendorFault)):
        client.list_virtual_machines()
