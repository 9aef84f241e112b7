"""The vSphere client and the simulated vCenters, over TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    MalformedResponse,
    TlsError,
    VendorFault,
)
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network
from support.site_pair import SitePair

WORKLOADS = ("web01", "web02", "app01", "db01")
WORKLOAD = "web01"


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
    assert details[0].instance_uuid == by_name[WORKLOAD].instance_uuid


def test_networks_folders_and_places_fit_together(client: VsphereClient) -> None:
    segment = next(network for network in client.list_networks() if network.name == "seed-net")
    assert isinstance(segment, DistributedVirtualPortgroup)
    assert segment.is_nsx
    assert segment.segment_id == "/infra/tier-1s/cgw/segments/seed-net"
    vms = {vm.moref: vm for vm in client.list_virtual_machines()}
    on_segment = client.virtual_machines_on(segment.moref)
    assert set(on_segment) == {moref for moref, vm in vms.items() if segment.moref in vm.networks}
    assert on_segment
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


@pytest.mark.world(scenario="physical")
def test_networks_outside_nsx_are_told_apart(client: VsphereClient) -> None:
    kinds = {network.name: type(network) for network in client.list_networks()}
    assert (kinds["vswitch-net"], kinds["vlan-120"]) == (Network, DistributedVirtualPortgroup)


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


@pytest.mark.parametrize("behaviour", ["malformed", "wrong_schema"])
def test_an_answer_that_is_no_soap_is_never_an_empty_inventory(
    behaviour: str, site_pair: SitePair, client: VsphereClient
) -> None:
    client.about()
    site_pair.fault(product="vcenter", call="RetrievePropertiesEx", behaviour=behaviour)
    with pytest.raises((MalformedResponse, VendorFault)):
        client.list_virtual_machines()
