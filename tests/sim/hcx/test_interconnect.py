"""Service meshes, appliances, tasks and underlay over the wire: hcx 6 and its rows of hcx 7."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hcx_sim.world.model import Power
from support.hcx_wire import Manager, error_of, scenario
from support.site_pair import SitePair, SiteServer

MESHES = "/interconnect/serviceMesh"
APPLIANCES = "/interconnect/appliances"


def only_mesh(manager: Manager) -> dict[str, Any]:
    (mesh,) = manager.get(MESHES)["items"]
    found: dict[str, Any] = mesh
    return found


def task(manager: Manager, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = manager.get(f"/interconnect/tasks/{task_id}")
    return found


def extension_appliance(manager: Manager) -> dict[str, Any]:
    (found,) = manager.post(f"{APPLIANCES}/query", {"filter": {"applianceType": "HCX-NET-EXT"}})["items"]
    appliance: dict[str, Any] = found
    return appliance


def destroy_vm(pair: SitePair, name: str) -> None:
    vm = pair.vm(name)
    pair.run(lambda: pair.world.remove(vm))


def test_mesh_fields(site_pair: SitePair) -> None:
    mesh = only_mesh(Manager(site_pair))
    assert mesh["name"] == "seed-mesh"
    assert mesh["serviceMeshId"].startswith("servicemesh-")
    assert (mesh["state"], mesh["isLocalMesh"], mesh["updateAvailable"]) == ("COMMITTED", True, False)
    assert [each["name"] for each in mesh["services"]] == [
        "INTERCONNECT", "VMOTION", "BULK_MIGRATION", "RAV", "NETWORK_EXTENSION",
    ]  # fmt: skip
    assert {each["status"] for each in mesh["status"]["services"]} == {"up"}
    assert mesh["status"]["timestamp"] == 1767600000000
    assert mesh["switchPairCount"][0]["l2cApplianceCount"] == 1
    assert {"wanoptConfig", "trafficEnggCfg", "backingApplianceType"} <= set(mesh)
    assert only_mesh(Manager(site_pair, "destination"))["isLocalMesh"] is False


def test_vc_guid_must_be_the_local_vcenter(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    guid = manager.get("/metainfo/context/interconnect")[0]["cloudManagementPlatforms"][0]["cmpId"]
    assert len(manager.get(MESHES, vcGuid=guid)["items"]) == 1
    assert error_of(manager.call("GET", f"{MESHES}?vcGuid=other"))[:2] == (400, "UNKNOWN_VC")


@pytest.mark.world(scenario=scenario({"task_status_stuck": True}))
def test_last_task_details_may_stay_running_while_the_task_has_ended(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    details = only_mesh(manager)["lastTaskDetails"]
    assert details["status"] == "RUNNING"
    assert task(manager, details["interconnectTaskId"])["status"] == "SUCCESS"


def test_last_task_details_follow_the_task_otherwise(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    mesh_id = only_mesh(manager)["serviceMeshId"]
    task_id = manager.post(f"{MESHES}/{mesh_id}/resync")["data"]["interconnectTaskId"]
    assert only_mesh(manager)["lastTaskDetails"] == {
        "interconnectTaskId": task_id, "type": "RESYNC_SERVICE_MESH", "status": "QUEUED",
    }  # fmt: skip
    site_pair.run_until_idle()
    assert only_mesh(manager)["lastTaskDetails"]["status"] == "SUCCESS"


def test_task_is_queued_runs_with_steps_and_succeeds(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    mesh = only_mesh(manager)
    task_id = manager.post(f"{MESHES}/{mesh['serviceMeshId']}/resync")["data"]["interconnectTaskId"]
    queued = task(manager, task_id)
    assert (queued["status"], queued["progress"], queued["endTime"]) == ("QUEUED", 0, 0)
    assert {step["status"] for step in queued["steps"]} == {"QUEUED"}
    site_pair.advance(32)
    running = task(manager, task_id)
    assert (running["status"], running["progress"]) == ("RUNNING", 50)
    assert [step["status"] for step in running["steps"]] == ["SUCCESS", "RUNNING", "QUEUED"]
    assert running["entityDetails"] == {"id": mesh["serviceMeshId"], "type": "ServiceMesh", "name": "seed-mesh"}
    site_pair.advance(30)
    done = task(manager, task_id)
    assert (done["status"], done["progress"], done["errorMessage"]) == ("SUCCESS", 100, "")
    assert done["endTime"] - done["startTime"] == 60_000
    listed = manager.get("/interconnect/tasks", pageSize="1")
    assert [each["interconnectTaskId"] for each in listed["items"]] == [task_id], "newest first"
    assert listed["paging"] == {"offset": 0, "pageSize": 1, "totalSize": 2}
    assert error_of(manager.call("GET", "/interconnect/tasks/none"))[:2] == (404, "TASK_NOT_FOUND")
    notes = [entry["data"]["state"] for entry in site_pair.audit("note", subject=f"hcx.task:{task_id}")]
    assert notes == ["started", "done"]


def test_deleted_appliance_fails_resync_and_only_forced_delete_clears_the_mesh(site_server: SiteServer) -> None:
    document = scenario(networks=[{"name": "net-b", "subnet": "10.1.2.0/24"}], vms=[])
    pair = site_server.make_world(scenario=document)
    manager = Manager(pair)
    mesh_id = only_mesh(manager)["serviceMeshId"]
    destroy_vm(pair, "mesh-1-IX-I1")
    down = {each["serviceName"]: each for each in only_mesh(manager)["status"]["services"]}
    assert down["RAV"]["status"] == "down"
    assert "was not found" in down["RAV"]["reason"][0]
    assert down["NETWORK_EXTENSION"]["status"] == "up"
    resync = manager.post(f"{MESHES}/{mesh_id}/resync")["data"]["interconnectTaskId"]
    pair.run_until_idle()
    failed = task(manager, resync)
    assert (failed["status"], failed["errorMessage"]) == (
        "FAILED", "Appliance VM mesh-1-IX-I1 was not found in the inventory.",
    )  # fmt: skip
    assert any(step["errors"] for step in failed["steps"])
    assert only_mesh(manager)["state"] == "UPDATE_FAILED"
    plain = manager.call("DELETE", f"{MESHES}/{mesh_id}").json()["data"]["interconnectTaskId"]
    pair.run_until_idle()
    assert task(manager, plain)["status"] == "FAILED"
    receiving = Manager(pair, "destination").call("DELETE", f"{MESHES}/{mesh_id}?force=true")
    assert error_of(receiving)[:2] == (400, "NOT_INITIATOR")
    forced = manager.call("DELETE", f"{MESHES}/{mesh_id}?force=true").json()["data"]["interconnectTaskId"]
    pair.advance(170)
    assert len(manager.get(MESHES)["items"]) == 1, "takes about three minutes"
    pair.advance(15)
    assert manager.get(MESHES)["items"] == []
    assert task(manager, forced)["status"] == "SUCCESS"
    assert not [vm for vm in pair.world.vms.values() if vm.name.startswith("mesh-1-")]
    pair.assert_no_bugs()
    site_server.drop(pair)


def test_mesh_with_extensions_is_not_deleted(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.call("DELETE", f"{MESHES}/{only_mesh(manager)['serviceMeshId']}?force=true")
    assert error_of(answer)[:2] == (409, "MESH_IN_USE")
    assert site_pair.audit("change") == []


def test_interconnect_task_may_be_failed_by_a_fault(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="interconnect.task", behaviour="fail", message="disk full")
    mesh_id = only_mesh(manager)["serviceMeshId"]
    task_id = manager.post(f"{MESHES}/{mesh_id}/resync")["data"]["interconnectTaskId"]
    site_pair.run_until_idle()
    assert (task(manager, task_id)["status"], task(manager, task_id)["errorMessage"]) == ("FAILED", "disk full")


def test_new_mesh_needs_a_migration_service_on_nine_one(site_server: SiteServer) -> None:
    wish = {"name": "mesh-2", "services": [{"name": "INTERCONNECT"}]}
    pair = site_server.make_world(scenario=scenario({"version": "9.1.1"}))
    status, code, message = error_of(Manager(pair).call("POST", MESHES, wish))
    assert (status, code) == (400, "NO_MIGRATION_SERVICE")
    assert "requires at least one migration service" in message
    site_server.drop(pair)


WISH: dict[str, Any] = {
    "name": "mesh-2",
    "services": [{"name": "INTERCONNECT"}, {"name": "RAV"}, {"name": "NETWORK_EXTENSION"}],
    "switchPairCount": [{"switches": [], "l2cApplianceCount": 2}],
    "wanoptConfig": {"uplinkMaxBandwidth": 500_000},
}


@pytest.mark.world(scenario=scenario())
def test_new_mesh_deploys_appliances_that_carry_extensions(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.post(MESHES, WISH)["data"]
    site_pair.advance(300)
    assert task(manager, answer["interconnectTaskId"])["status"] == "RUNNING"
    assert len(manager.get(MESHES)["items"]) == 1
    site_pair.run_until_idle()
    assert task(manager, answer["interconnectTaskId"])["status"] == "SUCCESS"
    mesh = manager.get(MESHES)["items"][1]
    assert (mesh["serviceMeshId"], mesh["name"]) == (answer["serviceMeshId"], "mesh-2")
    assert mesh["wanoptConfig"] == {"uplinkMaxBandwidth": 500_000}
    assert {each["status"] for each in mesh["status"]["services"]} == {"up"}
    query = {"filter": {"serviceMeshId": mesh["serviceMeshId"]}}
    names = [each["applianceName"] for each in manager.post(f"{APPLIANCES}/query", query)["items"]]
    assert names == ["mesh-2-IX-I1", "mesh-2-NE-I1", "mesh-2-NE-I2"]
    assert site_pair.vm("mesh-2-NE-R2").role.value == "hcx_appliance"
    body = {
        "gateway": "10.1.2.1",
        "netmask": "255.255.255.0",
        "destinationNetwork": {"gatewayId": "cgw"},
        "sourceNetwork": {"networkId": "/infra/segments/net-b"},
    }
    manager.post("/l2Extensions", body)
    site_pair.run_until_idle()
    assert manager.extensions()[1]["sourceAppliance"]["applianceName"] == "mesh-2-NE-I1"


@pytest.mark.world(scenario=scenario())
def test_new_mesh_may_fail_and_names_are_taken_once(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="interconnect.task", object="mesh-2", behaviour="fail", count=1, message="x")
    first = manager.post(MESHES, WISH)["data"]["interconnectTaskId"]
    second = manager.post(MESHES, WISH)["data"]["interconnectTaskId"]
    third = manager.post(MESHES, WISH)["data"]["interconnectTaskId"]
    site_pair.run_until_idle()
    assert [task(manager, each)["status"] for each in (first, second, third)] == ["FAILED", "SUCCESS", "FAILED"]
    assert task(manager, third)["errorMessage"] == "A service mesh called mesh-2 exists already."
    assert len(manager.get(MESHES)["items"]) == 2


def test_mesh_bodies_are_checked(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.post(f"{MESHES}/preview", WISH)["data"] == {}
    assert error_of(manager.call("POST", MESHES, {**WISH, "name": "seed-mesh"}))[:2] == (400, "DUPLICATE_NAME")
    assert error_of(manager.call("POST", MESHES, {**WISH, "services": [{"name": "TELEPORT"}]}))[2].endswith("TELEPORT.")
    many = {**WISH, "switchPairCount": [{"l2cApplianceCount": 33}]}
    assert error_of(manager.call("POST", f"{MESHES}/preview", many))[1] == "BAD_REQUEST"
    assert error_of(manager.call("POST", f"{MESHES}/none/resync", {}))[:2] == (404, "MESH_NOT_FOUND")
    assert site_pair.audit("change") == []


def test_appliance_fields_and_filters(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    items = manager.get(APPLIANCES)["items"]
    assert [(each["applianceName"], each["applianceType"]) for each in items] == [
        ("seed-mesh-IX-I1", "HCX-WAN-IX"),
        ("seed-mesh-NE-I1", "HCX-NET-EXT"),
    ]
    near = extension_appliance(manager)
    assert near["networkExtensionCount"] == 1
    assert near["applianceVersion"] == {"major": 4, "minor": 11, "patch": 3, "build": 24862413}
    assert near["status"] == {"summary": {"overallStatus": "up", "reasons": []}}
    far_endpoint = site_pair.world.site(manager.site.other).hcx_endpoint_id
    wanted = {"applianceType": "HCX-NET-EXT", "endpointId": far_endpoint, "serviceMeshId": near["serviceMeshId"]}
    (far,) = manager.post(f"{APPLIANCES}/query", {"filter": wanted})["items"]
    assert near["peerAppliances"][0]["applianceId"] == far["applianceId"]
    assert manager.post(f"{APPLIANCES}/query", {"filter": {**wanted, "serviceMeshId": "x"}})["items"] == []
    assert manager.post(f"{APPLIANCES}/query", {"filter": {"endpointId": "x"}})["items"] == []


@pytest.mark.world(scenario=scenario({"appliance_states": {"up": "OK", "down": "ERROR"}, "version": "9.1.0"}))
def test_tunnel_down_shows_in_status_underlay_and_oracle(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    mesh = next(iter(site_pair.world.meshes.values()))
    site_pair.run(lambda: site_pair.world.update(mesh, tunnel_up=False))
    assert {each["status"] for each in only_mesh(manager)["status"]["services"]} == {"ERROR"}
    summary = extension_appliance(manager)["status"]["summary"]
    assert (summary["overallStatus"], summary["reasons"]) == (
        "ERROR", ["Tunnel to peer appliance mesh-1-NE-R1 is down"],
    )  # fmt: skip
    assert manager.extensions()[0]["operationStatus"]["state"] == "DISCONNECTED"
    (metrics,) = manager.get("/interconnect/underlay/serviceMeshHealth")["items"][0]["uplinkMetrics"]
    assert metrics["measuredData"]["maxAvailableBandwidth"]["value"] == {"uploadKbps": 0, "downloadKbps": 0}
    assert metrics["measuredData"]["lossRate"]["value"] == 100.0
    site_pair.run(lambda: site_pair.world.update(mesh, tunnel_up=True))
    assert manager.extensions()[0]["operationStatus"]["state"] == "CONNECTED"
    bridge_changes = [entry["data"]["after"]["up"] for entry in site_pair.audit("change", subject="bridge:")]
    assert bridge_changes == [False, True]


@pytest.mark.world(scenario=scenario({"version": "9.1.0"}))
def test_underlay_health_and_path_mtu_on_nine(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    guid = manager.get("/metainfo/context/interconnect")[0]["cloudManagementPlatforms"][0]["cmpId"]
    (item,) = manager.get("/interconnect/underlay/serviceMeshHealth", vcGuid=guid)["items"]
    measured = item["uplinkMetrics"][0]["measuredData"]
    assert measured["maxAvailableBandwidth"]["value"] == {"uploadKbps": 800_000, "downloadKbps": 800_000}
    assert {"serviceType": "RAV", "status": "up"} in measured["maxAvailableBandwidth"]["services"]
    assert (measured["latency"]["value"], measured["lossRate"]["value"]) == (10.0, 0.0)
    path_mtu = manager.get(f"/interconnect/underlay/pmtu/serviceMesh/{item['serviceMeshId']}")
    assert path_mtu["items"][0]["pathMtu"] == 1500


def test_underlay_is_unknown_to_four(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.call("GET", "/interconnect/underlay/serviceMeshHealth").status_code == 404


def test_powered_off_extension_appliance_takes_its_bridges_down(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    vm = site_pair.vm("seed-mesh-NE-I1")
    site_pair.run(lambda: site_pair.world.update(vm, power=Power.OFF))
    assert manager.extensions()[0]["operationStatus"]["state"] == "DISCONNECTED"
    assert "not powered on" in extension_appliance(manager)["status"]["summary"]["reasons"][0]
    site_pair.run(lambda: site_pair.world.update(vm, power=Power.ON))
    assert manager.extensions()[0]["operationStatus"]["state"] == "CONNECTED"


@pytest.mark.parametrize(("method", "seconds"), [("legacy", 211), ("inService", 2)])
def test_redeploy_interrupts_layer_two(site_pair: SitePair, method: str, seconds: float) -> None:
    manager = Manager(site_pair)
    appliance_id = extension_appliance(manager)["applianceId"]
    answer = manager.call("POST", f"{APPLIANCES}/{appliance_id}/redeploy?method={method}&force=false", {})
    assert answer.status_code == 202
    task_id = answer.json()["data"]["interconnectTaskId"]
    site_pair.run_until_idle()
    assert task(manager, task_id)["status"] == "SUCCESS"
    down, up = site_pair.audit("change", subject="bridge:")
    assert (down["data"]["after"], up["data"]["after"]) == ({"up": False}, {"up": True})
    begin, end = (entry["virtual_time"] for entry in (down, up))
    gap = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    assert gap == pytest.approx(seconds, abs=1)


EPHEMERAL = scenario(
    networks=[
        {"name": "eph", "kind": "vlan", "vlan_id": 7, "subnet": "10.1.1.0/24", "stretched": True,
         "destination_name": "L2E_eph", "port_binding": "ephemeral"},
    ],
    vms=[],
)  # fmt: skip


@pytest.mark.world(scenario=EPHEMERAL)
def test_in_service_redeploy_fails_with_an_ephemeral_port_group(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    appliance_id = extension_appliance(manager)["applianceId"]
    answer = manager.call("POST", f"{APPLIANCES}/{appliance_id}/redeploy?method=inService", {})
    site_pair.run_until_idle()
    failed = task(manager, answer.json()["data"]["interconnectTaskId"])
    assert failed["status"] == "FAILED"
    assert "port group eph uses ephemeral binding" in failed["errorMessage"]


def test_redeploy_refusals_and_ha_groups(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert error_of(manager.call("POST", f"{APPLIANCES}/none/redeploy", {}))[:2] == (404, "APPLIANCE_NOT_FOUND")
    appliance_id = extension_appliance(manager)["applianceId"]
    assert error_of(manager.call("POST", f"{APPLIANCES}/{appliance_id}/redeploy?method=fast", {}))[0] == 400
    assert manager.get(f"{APPLIANCES}/ha/groups") == {"items": []}
    assert error_of(manager.call("DELETE", f"{APPLIANCES}/ha/groups"))[0] == 404
    site_pair.fault(product="hcx", call="appliances.ha_groups.delete", behaviour="vendor_error", status=409)
    assert error_of(manager.call("DELETE", f"{APPLIANCES}/ha/groups"))[0] == 409
