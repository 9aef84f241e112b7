"""Checklist: while HCX extends a network, the destination is OFF and an appliance's port is on both sides."""

from __future__ import annotations

from typing import Any

from hcx_sim.world.model import SiteName, VmRole
from support.nsx_wire import FIXED, Manager, connectivity_patch, refused, world_of
from support.site_pair import SitePair

pytestmark = world_of(realisation_seconds=1)
APP = f"{FIXED}/app-net"
VIFS = "/infra/realized-state/enforcement-points/vmc-enforcementpoint/vifs"
VMS = "/infra/realized-state/virtual-machines"


def _vm_names_on(nsx: Manager) -> list[str]:
    """Follow the chain port, network card, VM over the wire."""
    owners = []
    for port in nsx.read(f"{APP}/ports")["results"]:
        vif = nsx.read(VIFS, lport_attachment_id=port["attachment"]["id"])["results"][0]
        owners.append(nsx.read(VMS, external_id=vif["owner_vm_id"])["results"][0]["display_name"])
    return sorted(owners)


def test_destination_reads_disconnected_never_extended(source_nsx: Manager, destination_nsx: Manager) -> None:
    there = destination_nsx.read(APP)
    assert (there["type"], there["advanced_config"]["connectivity"]) == ("DISCONNECTED", "OFF")
    assert there["subnets"][0]["gateway_address"] == "10.1.1.1/24", "the gateway given at extension time"
    assert source_nsx.read(APP)["type"] == "ROUTED"


def test_an_appliance_port_is_on_both_sides(source_nsx: Manager, destination_nsx: Manager, site_pair: SitePair) -> None:
    appliances = {vm.name for vm in site_pair.world.vms.values() if vm.role is VmRole.HCX_APPLIANCE}
    here, there = _vm_names_on(source_nsx), _vm_names_on(destination_nsx)
    assert set(here) - appliances == {"app01", "app02"}
    assert len(set(here) & appliances) == 1
    assert len(there) == 1
    assert set(there) <= appliances
    classes = [port.port_class for port in site_pair.world.ports.values() if port.segment_id == "app-net"]
    assert sorted(classes) == ["appliance", "appliance", "vm", "vm"]


def test_appliance_port_goes_when_the_appliance_is_unplugged(destination_nsx: Manager, site_pair: SitePair) -> None:
    world = site_pair.world

    def unplug() -> None:
        bridge = next(iter(world.bridges.values()))
        network = world.networks[bridge.destination_network_key]
        appliance = next(vm for vm in world.vms_on(network) if vm.role is VmRole.HCX_APPLIANCE)
        world.update(appliance, nics=[nic for nic in appliance.nics if nic.network_moref != network.moref])

    site_pair.run(unplug)
    refused(destination_nsx.delete(APP), 400, 503040)
    site_pair.run_until_idle()
    assert destination_nsx.read(f"{APP}/ports")["results"] == []


def test_a_forgotten_connect_is_repaired_by_a_patch(destination_nsx: Manager, site_pair: SitePair) -> None:
    body = destination_nsx.read(APP)
    assert destination_nsx.patch(APP, connectivity_patch(body, "ON")).status_code == 200
    site_pair.run_until_idle()
    assert destination_nsx.read(APP)["type"] == "ROUTED"
    assert site_pair.oracle()["segments"]["app-net"]["two_gateways"], "the source still routes as well"


def _answers_for_gateway(nsx: Manager) -> list[str]:
    rows: list[dict[str, Any]] = nsx.read(f"{APP}/gateway-interface-arp-table")["results"]
    return [row["mac_address"] for row in rows if row["ip"] == "10.1.1.1"]


def test_the_tables_tell_who_answers_for_the_gateway(
    source_nsx: Manager, destination_nsx: Manager, site_pair: SitePair
) -> None:
    at_source = _answers_for_gateway(source_nsx)
    assert len(at_source) == 1
    assert _answers_for_gateway(destination_nsx) == at_source, "over the stretch the source's gateway answers"

    destination_nsx.patch(APP, connectivity_patch(destination_nsx.read(APP), "ON"))
    site_pair.run_until_idle()
    both = _answers_for_gateway(destination_nsx)
    assert len(both) == 2, "two gateways on one subnet"

    source_nsx.patch(APP, connectivity_patch(source_nsx.read(APP), "OFF"))
    site_pair.run_until_idle()
    assert _answers_for_gateway(source_nsx) == [mac for mac in both if mac not in at_source]


def test_remote_macs_are_learned_over_the_stretch_only(destination_nsx: Manager, site_pair: SitePair) -> None:
    mac = site_pair.vm("app01").nics[0].mac
    macs = [row["mac_address"] for row in destination_nsx.read(f"{APP}/mac-table")["results"]]
    assert mac in macs
    assert site_pair.vm("app02").nics[0].mac not in macs, "it is powered off"
    bridge = next(iter(site_pair.world.bridges.values()))
    site_pair.run(lambda: site_pair.world.update(bridge, up=False))
    assert mac not in [row["mac_address"] for row in destination_nsx.read(f"{APP}/mac-table")["results"]]
    assert _answers_for_gateway(destination_nsx) == []


def test_arp_table_lists_the_running_vms(source_nsx: Manager) -> None:
    rows = source_nsx.read(f"{APP}/arp-table")["results"]
    assert [row["ip"] for row in rows] == ["10.1.1.1", "10.1.1.11"]


def test_ports_follow_a_vm_to_the_other_site(
    source_nsx: Manager, destination_nsx: Manager, site_pair: SitePair
) -> None:
    from hcx_sim.world.operations import Destination, relocate

    world, vm = site_pair.world, site_pair.vm("app01")
    there = world.networks[next(iter(world.bridges.values())).destination_network_key]
    target = Destination(
        site=SiteName.DESTINATION, folder_moref=vm.folder_moref, pool_moref=vm.pool_moref,
        cluster_moref=vm.cluster_moref, datacenter_moref=vm.datacenter_moref, host_moref=vm.host_moref,
        datastore_moref=vm.disks[0].datastore_moref, networks={vm.nics[0].mac: there.moref},
    )  # fmt: skip
    site_pair.run(lambda: relocate(world, vm, target))
    assert "app01" in _vm_names_on(destination_nsx)
    old = [port for port in source_nsx.read(f"{APP}/ports")["results"] if "app01" in port["display_name"]]
    assert len(old) == 1, "not released yet"
    site_pair.run_until_idle()
    assert not [port for port in source_nsx.read(f"{APP}/ports")["results"] if "app01" in port["display_name"]]
    assert "app01" in _vm_names_on(destination_nsx)
