"""Unextending over the wire: hcx 5.4 and its rows of hcx 7, judged by audit and oracle."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from support.hcx_wire import Manager, error_of, scenario
from support.site_pair import SitePair, SiteServer

NINE = {"version": "9.0.1"}


def stretch_id(manager: Manager) -> str:
    (item,) = manager.extensions()
    return str(item["stretchId"])


def disconnect_source(pair: SitePair) -> None:
    from hcx_sim.world.operations import change_segment

    pair.run(lambda: change_segment(pair.world, pair.world.segments["source/net-a"], connectivity="OFF"))


def move_vm(pair: SitePair, name: str) -> None:
    """Put a VM where a migration would have put it."""
    from hcx_sim.world.model import SiteName
    from hcx_sim.world.operations import Destination, relocate

    vm, world = pair.vm(name), pair.world
    far = world.segments["destination/L2E_net-a"].network_moref
    there = Destination(
        SiteName.DESTINATION, "group-v201", "resgroup-101", "domain-c9", "datacenter-2", "host-16", "datastore-15",
        {vm.nics[0].mac: far},
    )  # fmt: skip
    pair.run(lambda: relocate(world, vm, there))


def seconds_of(spans: list[dict[str, Any]]) -> list[float]:
    return [span["seconds"] for span in spans]


@pytest.mark.world(scenario=scenario())
def test_unextend_with_connect_ends_the_outage(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    move_vm(site_pair, "vm1")
    disconnect_source(site_pair)
    site_pair.advance(10)
    answer = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true")
    assert answer.status_code == 200
    job_id = answer.json()["id"]
    assert set(answer.json()) == {"id"}
    assert manager.extensions()[0]["operationStatus"]["state"] == "IN_PROGRESS"
    site_pair.advance(49)
    assert site_pair.world.bridges[stretch_id(manager)].up is True
    site_pair.advance(2)
    assert site_pair.world.bridges[stretch_id(manager)].up is False, "after half of the job"
    job = manager.job(job_id)
    assert (job["isDone"], job["percentComplete"]) == (False, 51)
    assert manager.extensions() != [], "the record is listed until the end"
    site_pair.advance(60)
    assert manager.job(job_id)["isDone"] is True
    assert manager.extensions() == Manager(site_pair, "destination").extensions() == []
    segment = site_pair.world.segments["destination/L2E_net-a"]
    assert (segment.connectivity, segment.gateway_up) == ("ON", True)
    report = site_pair.oracle()["segments"]["net-a"]
    assert seconds_of(report["outage"]) == [pytest.approx(110, abs=1)]
    assert (report["two_gateways"], report["source_cut"]) == ([], [])
    assert site_pair.oracle()["vms"]["vm1"]["gateways"]["net-a"] == "destination"


@pytest.mark.world(scenario=scenario())
def test_default_leaves_the_destination_isolated_until_it_is_repaired(site_pair: SitePair) -> None:
    from hcx_sim.world.operations import change_segment

    manager = Manager(site_pair)
    move_vm(site_pair, "vm1")
    disconnect_source(site_pair)
    site_pair.advance(10)
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}").json()["id"]
    site_pair.run_until_idle()
    assert manager.job(job_id)["isDone"] is True
    segment = site_pair.world.segments["destination/L2E_net-a"]
    assert (segment.connectivity, segment.gateway_up) == ("OFF", False)
    site_pair.advance(1000)
    (outage,) = site_pair.oracle()["segments"]["net-a"]["outage"]
    assert outage["to"] is None, "nothing ends it by itself"
    site_pair.run(lambda: change_segment(site_pair.world, segment, connectivity="ON"))
    site_pair.run_until_idle()
    (outage,) = site_pair.oracle()["segments"]["net-a"]["outage"]
    assert outage["to"] is not None
    (call,) = site_pair.calls("l2_extensions.delete")
    assert call["data"]["summary"]["connectToLocalRouter"] is False


@pytest.mark.parametrize(("value", "connects"), [("true", True), ("TRUE", True), ("false", False), ("1", False)])
@pytest.mark.world(scenario=scenario())
def test_only_true_connects(site_pair: SitePair, value: str, connects: bool) -> None:
    manager = Manager(site_pair)
    manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter={value}")
    site_pair.run_until_idle()
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is connects


@pytest.mark.world(scenario=scenario())
def test_product_has_no_guard_two_gateways_and_a_cut_off_vm(site_pair: SitePair) -> None:
    """The source gateway was not taken down and a VM is still there: accepted, and both sites route the subnet."""
    manager = Manager(site_pair)
    answer = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true")
    assert answer.status_code == 200
    site_pair.run_until_idle()
    site_pair.advance(5)
    report = site_pair.oracle()["segments"]["net-a"]
    assert seconds_of(report["two_gateways"]) == [5.0]


@pytest.mark.world(scenario=scenario())
def test_vm_at_the_source_is_cut_off_when_the_source_gateway_is_down(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    disconnect_source(site_pair)
    site_pair.advance(2)
    manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true")
    site_pair.run_until_idle()
    report = site_pair.oracle()["segments"]["net-a"]
    assert report["source_cut"][0]["to"] is None
    assert report["outage"][0]["to"] is None


@pytest.mark.world(scenario=scenario())
def test_appliance_cards_leave_both_networks(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    world = site_pair.world
    (bridge,) = world.bridges.values()
    networks = [world.networks[key] for key in (bridge.source_network_key, bridge.destination_network_key)]
    assert all(any(vm.role.value == "hcx_appliance" for vm in world.vms_on(network)) for network in networks)
    manager.call("DELETE", f"/l2Extensions/{bridge.key}")
    site_pair.run_until_idle()
    assert not any(vm.role.value == "hcx_appliance" for network in networks for vm in world.vms_on(network))


@pytest.mark.world(scenario=scenario())
def test_second_unextend_is_refused_while_one_runs(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    path = f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true"
    first = manager.call("DELETE", path)
    second = manager.call("DELETE", path)
    expected = "Another operation is in progress on network extension net-a."
    assert error_of(second) == (400, "EXTENSION_BUSY", expected)
    site_pair.run_until_idle()
    assert manager.job(first.json()["id"])["didFail"] is False
    gone = manager.call("DELETE", path)
    assert error_of(gone)[:2] == (404, "EXTENSION_NOT_FOUND")


@pytest.mark.world(scenario=scenario())
def test_force_flag_is_accepted_and_ignored(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true&force=true")
    assert answer.status_code == 200
    site_pair.run_until_idle()
    assert manager.extensions() == []


@pytest.mark.world(scenario=scenario({"accepts_force_flag": False}))
def test_force_flag_may_be_refused(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?force=true")
    assert error_of(answer) == (400, "BAD_REQUEST", "Unknown query parameter force.")
    assert len(manager.extensions()) == 1


@pytest.mark.parametrize("is_done", [True, False])
def test_failed_unextend_leaves_the_bridge_up(site_server: SiteServer, is_done: bool) -> None:
    pair = site_server.make_world(scenario=scenario({"failed_job_is_done": is_done}))
    manager = Manager(pair)
    pair.fault(product="engine", call="extension.unextend", object="net-a", behaviour="fail", message="tunnel busy")
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}").json()["id"]
    pair.run_until_idle()
    job = manager.job(job_id)
    assert (job["isDone"], job["didFail"], job["errorMessage"]) == (is_done, True, "tunnel busy")
    assert job["percentComplete"] == 50
    assert manager.extensions()[0]["operationStatus"]["state"] == "CONNECTED"
    assert not pair.audit("change", subject="bridge:")
    pair.run(lambda: pair.world.faults.clear())
    assert manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}").status_code == 200, "may be tried again"
    pair.assert_no_bugs()
    site_server.drop(pair)


@pytest.mark.world(scenario=scenario())
def test_unextend_may_be_delayed(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="extension.unextend", behaviour="delay", seconds=300)
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true").json()["id"]
    site_pair.advance(349)
    assert site_pair.world.bridges[stretch_id(manager)].up is True
    site_pair.advance(50)
    assert manager.job(job_id)["isDone"] is False
    site_pair.advance(2)
    assert manager.job(job_id)["isDone"] is True


@pytest.mark.world(scenario=scenario())
def test_stalled_unextend_runs_for_ever(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="extension.unextend", behaviour="stall")
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}").json()["id"]
    site_pair.advance(800)
    job = manager.job(job_id)
    assert (job["isDone"], job["didFail"], job["percentComplete"]) == (False, False, 99)
    assert manager.extensions()[0]["operationStatus"]["state"] == "IN_PROGRESS"
    assert site_pair.world.bridges[stretch_id(manager)].up is True


@pytest.mark.world(scenario=scenario())
def test_failed_connect_removes_the_extension_and_leaves_the_destination_isolated(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    move_vm(site_pair, "vm1")
    disconnect_source(site_pair)
    site_pair.fault(product="engine", call="extension.connect", behaviour="fail", message="edge busy")
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true").json()["id"]
    site_pair.run_until_idle()
    job = manager.job(job_id)
    assert (job["didFail"], job["errorMessage"]) == (True, "Failed to connect the destination of net-a: edge busy")
    assert manager.extensions() == []
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is False
    assert site_pair.oracle()["segments"]["net-a"]["outage"][0]["to"] is None


@pytest.mark.world(scenario=scenario())
def test_connect_may_be_delayed(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="extension.connect", behaviour="delay", seconds=500, count=1)
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true").json()["id"]
    site_pair.advance(599)
    assert manager.job(job_id)["isDone"] is False
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is False
    site_pair.advance(3)
    assert manager.job(job_id)["isDone"] is True
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is True


@pytest.mark.world(scenario=scenario())
def test_connect_may_stall_with_the_record_listed(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="extension.connect", behaviour="stall")
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true").json()["id"]
    site_pair.advance(800)
    assert manager.job(job_id)["isDone"] is False
    assert manager.extensions()[0]["operationStatus"]["state"] == "IN_PROGRESS"
    assert site_pair.world.bridges[stretch_id(manager)].up is False


@pytest.mark.world(scenario=scenario())
def test_connect_fails_when_the_destination_segment_is_gone(site_pair: SitePair) -> None:
    from hcx_sim.world.operations import delete_segment

    manager = Manager(site_pair)
    world = site_pair.world
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true").json()["id"]
    site_pair.run(lambda: delete_segment(world, world.segments["destination/L2E_net-a"]))
    site_pair.run_until_idle()
    assert manager.job(job_id)["errorMessage"].endswith("the destination segment does not exist")


@pytest.mark.world(scenario=scenario())
def test_nothing_revives_an_extension_whose_segment_was_deleted(site_pair: SitePair) -> None:
    from hcx_sim.world.operations import delete_segment

    manager, world = Manager(site_pair), site_pair.world
    site_pair.run(lambda: delete_segment(world, world.segments["destination/L2E_net-a"]))
    (mesh,) = world.meshes.values()
    for tunnel_up in (False, True):
        site_pair.run(lambda up=tunnel_up: world.update(mesh, tunnel_up=up))  # type: ignore[misc]
    assert manager.extensions()[0]["operationStatus"]["state"] == "DISCONNECTED"
    manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}")
    site_pair.run_until_idle()
    assert manager.extensions() == []


@pytest.mark.world(scenario=scenario())
def test_lost_answer_of_unextend_is_resolved_by_the_list(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    wanted = stretch_id(manager)
    site_pair.fault(product="hcx", call="l2_extensions.delete", behaviour="reset_after", count=1)
    with pytest.raises(requests.ConnectionError):
        manager.call("DELETE", f"/l2Extensions/{wanted}?connectToLocalRouter=true")
    assert manager.extensions()[0]["operationStatus"]["state"] == "IN_PROGRESS", "it was accepted"
    site_pair.run_until_idle()
    assert manager.extensions() == []
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is True


@pytest.mark.world(scenario=scenario())
def test_unknown_ids(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert error_of(manager.call("DELETE", "/l2Extensions/none"))[:2] == (404, "EXTENSION_NOT_FOUND")
    assert error_of(manager.call("GET", "/l2Extensions/none/vms"))[:2] == (404, "EXTENSION_NOT_FOUND")
    assert error_of(manager.call("GET", "/jobs/none"))[:2] == (404, "JOB_NOT_FOUND")
    job_id = manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}").json()["id"]
    other = Manager(site_pair, "destination").call("GET", f"/jobs/{job_id}")
    assert other.status_code == 404, "a job belongs to the manager that was asked"


@pytest.mark.world(scenario=scenario({"extension_states": {"up": "REALIZED", "busy": "UNREALIZING"}}))
def test_operation_status_words_are_switches(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.extensions()[0]["operationStatus"]["state"] == "REALIZED"
    manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}")
    assert manager.extensions()[0]["operationStatus"]["state"] == "UNREALIZING"


@pytest.mark.world(scenario=scenario({**NINE, "unextend_bridge_share": 0.0}))
def test_nine_unextends_with_202_and_no_job(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    path = f"/networkExtensions/{stretch_id(manager)}?connectToLocalRouter=true&forceOperation=false"
    answer = manager.call("DELETE", path)
    assert (answer.status_code, answer.json()) == (202, {"errors": [], "warnings": []})
    assert error_of(manager.call("DELETE", path))[:2] == (400, "EXTENSION_BUSY")
    site_pair.advance(99)
    assert len(manager.extensions()) == 1, "completion shows only in the list"
    site_pair.run_until_idle()
    assert manager.extensions() == []
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is True
    assert error_of(manager.call("DELETE", path))[0] == 404


@pytest.mark.world(scenario=scenario(NINE))
def test_nine_unextend_defaults_to_isolated_too(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.call("DELETE", f"/networkExtensions/{stretch_id(manager)}").status_code == 202
    site_pair.run_until_idle()
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is False


@pytest.mark.world(scenario=scenario())
def test_re_extending_after_unextend_reuses_the_segment(site_pair: SitePair) -> None:
    """The way back: destination gateway off, source on, the same network extended again onto the same segment."""
    manager = Manager(site_pair)
    manager.call("DELETE", f"/l2Extensions/{stretch_id(manager)}?connectToLocalRouter=true")
    site_pair.run_until_idle()
    body = {
        "gateway": "10.1.1.1",
        "netmask": "255.255.255.0",
        "destinationNetwork": {"gatewayId": "cgw"},
        "sourceNetwork": {"networkId": "/infra/tier-1s/cgw/segments/net-a"},
    }
    job_id = manager.post("/l2Extensions", body)["id"]
    site_pair.run_until_idle()
    assert manager.job(job_id)["didFail"] is False
    assert manager.extensions()[0]["destinationNetwork"]["networkName"] == "L2E_net-a"
    assert site_pair.world.segments["destination/L2E_net-a"].gateway_up is False
