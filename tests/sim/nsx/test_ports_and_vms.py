"""Who is still on a segment: ports, their state, network cards and VMs. nsx-vsphere 3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hcx_sim.world.model import Power
from support.nsx_wire import FIXED, FLEXIBLE, Manager, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of()
APP = f"{FIXED}/app-net"
DB = f"{FIXED}/db-net"
POINT = "/infra/realized-state/enforcement-points/vmc-enforcementpoint"
VMS = "/infra/realized-state/virtual-machines"


def _port(nsx: Manager, segment: str, vm_name: str) -> dict[str, Any]:
    ports = nsx.read(f"{segment}/ports")["results"]
    return next(port for port in ports if port["display_name"].startswith(f"{vm_name}/"))


def _state(nsx: Manager, segment: str, vm_name: str) -> dict[str, Any]:
    state: dict[str, Any] = nsx.read(_port(nsx, segment, vm_name)["path"] + "/state")
    return state


def test_a_vm_port_joins_with_its_card_and_its_vm(source_nsx: Manager, site_pair: SitePair) -> None:
    vm = site_pair.vm("db01")
    port = _port(source_nsx, DB, "db01")
    assert (port["resource_type"], port["parent_path"], port["admin_state"]) == ("SegmentPort", DB, "UP")
    assert source_nsx.read(port["path"]) == port
    assert "type" not in port["attachment"]
    vif = source_nsx.read(f"{POINT}/vifs", lport_attachment_id=port["attachment"]["id"])["results"][0]
    assert (vif["mac_address"], vif["device_key"], vif["owner_vm_type"]) == (vm.nics[0].mac, "4000", "REGULAR")
    assert vif["ip_address_info"] == [{"source": "VM_TOOLS", "ip_addresses": ["10.1.2.11"]}]
    for path in (VMS, f"{POINT}/virtual-machines"):
        body = source_nsx.read(path, external_id=vif["owner_vm_id"])["results"][0]
        assert (body["display_name"], body["power_state"], body["type"]) == ("db01", "VM_RUNNING", "REGULAR")
        assert f"instanceUuid:{vm.instance_uuid}" in body["compute_ids"]
        assert f"uuid:{vm.bios_uuid}" in body["compute_ids"]
        assert f"moIdOnHost:{vm.moref.removeprefix('vm-')}" in body["compute_ids"]


@pytest.mark.parametrize(
    ("power", "nsx_state"),
    [(Power.ON, "VM_RUNNING"), (Power.OFF, "VM_STOPPED"), (Power.SUSPENDED, "VM_SUSPENDED")],
)
def test_power_states(source_nsx: Manager, site_pair: SitePair, power: Power, nsx_state: str) -> None:
    vm = site_pair.vm("db01")
    site_pair.run(lambda: site_pair.world.update(vm, power=power))
    assert source_nsx.read(VMS, display_name="db01")["results"][0]["power_state"] == nsx_state


def test_port_state_of_running_and_of_powered_off_vms(source_nsx: Manager, site_pair: SitePair) -> None:
    running = _state(source_nsx, APP, "app01")
    assert running["attachment"]["state"] == "ATTACHED"
    mac = site_pair.vm("app01").nics[0].mac
    assert running["realized_bindings"] == running["discovered_bindings"]
    assert running["discovered_bindings"][0]["binding"] == {"ip_address": "10.1.1.11", "mac_address": mac, "vlan": 0}
    assert running["duplicate_bindings"] == []
    off = _state(source_nsx, APP, "app02")
    assert off["attachment"]["state"] == "DETACHED"
    assert off["discovered_bindings"] == []


def test_two_vms_with_one_address_show_duplicate_bindings(source_nsx: Manager, site_pair: SitePair) -> None:
    vm = site_pair.vm("app02")
    nics = [replace(vm.nics[0], ip_addresses=["10.1.1.11"])]
    site_pair.run(lambda: site_pair.world.update(vm, power=Power.ON, nics=nics))
    duplicates = _state(source_nsx, APP, "app01")["duplicate_bindings"]
    assert [each["binding"]["ip_address"] for each in duplicates] == ["10.1.1.11"]
    assert duplicates[0]["conflicting_port"] == _port(source_nsx, APP, "app02")["path"]


def test_a_card_that_changes_its_network_changes_its_port(source_nsx: Manager, site_pair: SitePair) -> None:
    world, vm = site_pair.world, site_pair.vm("db01")
    spare = world.segments["source/spare-net"].network_moref
    old = _port(source_nsx, DB, "db01")
    site_pair.run(lambda: world.update(vm, nics=[replace(vm.nics[0], network_moref=spare)]))
    assert _port(source_nsx, f"{FIXED}/spare-net", "db01")["id"] != old["id"]
    assert _state(source_nsx, DB, "db01")["attachment"]["state"] == "DETACHED"
    site_pair.run_until_idle()
    refused(source_nsx.get(old["path"]), 404, 202)


def test_free_and_child_ports_are_no_vm_ports(source_nsx: Manager, site_pair: SitePair) -> None:
    spare = f"{FIXED}/spare-net/ports"
    assert source_nsx.patch(f"{spare}/free", {"display_name": "free"}).status_code == 200
    attachment = {"id": "c-1", "type": "CHILD", "context_id": "parent-vif", "traffic_tag": 7, "app_id": "pod"}
    assert source_nsx.put(f"{spare}/child", {"attachment": attachment}).json()["attachment"] == attachment
    assert source_nsx.read(f"{spare}/free/state")["attachment"] == {"state": "FREE"}
    assert "attachment" not in source_nsx.read(f"{spare}/free")
    assert source_nsx.read(f"{spare}/child/state")["attachment"]["state"] == "ATTACHED"
    assert source_nsx.read(f"{POINT}/vifs", lport_attachment_id="c-1")["results"] == []
    classes = {port.port_id: port.port_class for port in site_pair.world.ports.values()}
    assert (classes["free"], classes["child"]) == ("free", "unknown")
    assert "free" in related(refused(source_nsx.delete(f"{FIXED}/spare-net"), 400, 503040))
    for port in ("free", "child"):
        assert source_nsx.delete(f"{spare}/{port}").status_code == 200
    assert source_nsx.delete(f"{FIXED}/spare-net").status_code == 200


def test_wrong_ports_are_refused(source_nsx: Manager) -> None:
    spare = f"{FIXED}/spare-net/ports"
    refused(source_nsx.get(f"{spare}/none"), 404, 202)
    refused(source_nsx.get(f"{FIXED}/none/ports"), 404, 202)
    assert "attachment.type" in related(refused(source_nsx.put(f"{spare}/x", {"attachment": {"type": "X"}}), 400))
    refused(source_nsx.delete(_port(source_nsx, DB, "db01")["path"]), 400, 500030)


def test_cards_can_be_asked_by_owner_and_all_at_once(source_nsx: Manager, site_pair: SitePair) -> None:
    vm = site_pair.vm("db01")
    mine = source_nsx.read(f"{POINT}/vifs", owner_vm_id=vm.instance_uuid)["results"]
    assert [vif["mac_address"] for vif in mine] == [vm.nics[0].mac]
    total = sum(len(each.nics) for each in site_pair.world.vms.values() if each.site == "source")
    assert source_nsx.read(f"{POINT}/vifs")["result_count"] == total
    host = source_nsx.read(VMS, display_name="db01")["results"][0]["host_id"]
    names = [each["display_name"] for each in source_nsx.read(VMS, host_id=host)["results"]]
    assert "db01" in names
    assert len(names) < source_nsx.read(VMS)["result_count"]


def test_another_enforcement_point_is_404(source_nsx: Manager) -> None:
    refused(source_nsx.get("/infra/realized-state/enforcement-points/default/vifs"), 404, 202)


def test_fabric_is_closed_in_the_cloud(source_nsx: Manager) -> None:
    refused(source_nsx.get("/api/v1/fabric/vifs"), 403)
    refused(source_nsx.get("/api/v1/fabric/virtual-machines"), 403)


@world_of(source="onprem")
def test_fabric_on_premises(source_nsx: Manager, site_pair: SitePair) -> None:
    vm = site_pair.vm("db01")
    port = _port(source_nsx, f"{FLEXIBLE}/db-net", "db01")
    vifs = source_nsx.read("/api/v1/fabric/vifs", lport_attachment_id=port["attachment"]["id"])["results"]
    assert [vif["owner_vm_id"] for vif in vifs] == [vm.instance_uuid]
    found = source_nsx.read("/api/v1/fabric/virtual-machines", external_id=vm.instance_uuid)["results"]
    assert [each["display_name"] for each in found] == ["db01"]
    assert source_nsx.read("/api/v1/fabric/virtual-machines", exclude_vm_type="REGULAR")["results"] == []
    assert source_nsx.read("/infra/realized-state/enforcement-points/default/vifs")["result_count"] > 0
