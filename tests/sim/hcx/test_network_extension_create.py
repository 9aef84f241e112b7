"""Extending networks over the wire: hcx 5.2, 5.3 and its rows of hcx 7."""

from __future__ import annotations

from typing import Any

import pytest

from support.hcx_wire import Manager, error_of, scenario
from support.site_pair import SitePair

KINDS = [
    {"name": "standard", "kind": "standard", "vlan_id": 5, "subnet": "10.2.1.0/24"},
    {"name": "ephemeral", "kind": "vlan", "vlan_id": 6, "subnet": "10.2.2.0/24", "port_binding": "ephemeral"},
    {"name": "kernel", "kind": "vlan", "vlan_id": 7, "subnet": "10.2.3.0/24", "properties": {"vmkernel": True}},
    {"name": "private", "kind": "vlan", "vlan_id": 8, "subnet": "10.2.4.0/24", "properties": {"pvlan": True}},
    {"name": "untagged", "kind": "vlan", "subnet": "10.2.5.0/24"},
]


def network_id(manager: Manager, name: str) -> str:
    return next(str(item["id"]) for item in manager.inventory("networks") if item["name"] == name)


def wish(manager: Manager, name: str, gateway: str, netmask: str = "255.255.255.0", **changes: Any) -> dict[str, Any]:
    far = manager.pair.world.site(manager.site.other)
    return {
        "vcGuid": manager.pair.world.site(manager.site).vcenter_instance_uuid,
        "gateway": gateway,
        "netmask": netmask,
        "dns": [],
        "destination": {"endpointId": far.hcx_endpoint_id, "resourceId": far.vcenter_instance_uuid},
        "destinationNetwork": {"gatewayId": f"/infra/tier-1s/{far.tier1_id}"},
        "features": {"egressOptimization": False, "mobilityOptimizedNetworking": False},
        "sourceAppliance": {},
        "sourceNetwork": {"networkId": network_id(manager, name), "networkName": name, "networkType": "NsxtSegment"},
        **changes,
    }


def listed(manager: Manager, network: str) -> dict[str, Any]:
    return next(item for item in manager.extensions() if item["sourceNetwork"]["networkName"] == network)


@pytest.mark.world(scenario=scenario())
def test_extend_names_a_job_and_the_extension_is_found_by_source_network(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    assert set(answer) == {"id"}, "the stretch id is not told"
    site_pair.advance(30)
    job = manager.job(answer["id"])
    assert (job["isDone"], job["didFail"], job["percentComplete"]) == (False, False, 50)
    assert [item["sourceNetwork"]["networkName"] for item in manager.extensions()] == ["net-a"]
    site_pair.advance(30)
    assert manager.job(answer["id"])["isDone"] is True
    item = listed(manager, "net-b")
    assert (item["gateway"], item["netmask"]) == ("10.1.2.1", "255.255.255.0")
    assert item["sourceNetwork"]["networkId"] == network_id(manager, "net-b")
    assert item["destinationNetwork"]["networkName"].startswith("L2E_net-b")
    assert item["destinationNetwork"]["gatewayId"] == "/infra/tier-1s/cgw"
    assert item["features"] == {
        "proximityRouting": False, "egressOptimization": False, "mobilityOptimizedNetworking": False,
    }  # fmt: skip
    assert item["sourceAppliance"]["applianceType"] == item["destinationAppliance"]["applianceType"] == "HCX-NET-EXT"
    assert item["operationStatus"] == {"state": "CONNECTED"}
    assert Manager(site_pair, "destination").extensions() == manager.extensions(), "both managers list the same"


@pytest.mark.world(scenario=scenario())
def test_extended_destination_is_isolated_and_the_appliances_are_on_both_networks(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    site_pair.run_until_idle()
    world = site_pair.world
    bridge = next(each for each in world.bridges.values() if each.key == listed(manager, "net-b")["stretchId"])
    segment = world.segments[bridge.destination_segment_key]
    assert (segment.connectivity, segment.gateway_up, segment.gateway_cidr) == ("OFF", False, "10.1.2.1/24")
    assert segment.hcx_created is True
    for name, key in (("mesh-1-NE-I1", bridge.source_network_key), ("mesh-1-NE-R1", bridge.destination_network_key)):
        assert site_pair.vm(name).key in {vm.key for vm in world.vms_on(world.networks[key])}
    appliances = manager.post("/interconnect/appliances/query", {"filter": {"applianceType": "HCX-NET-EXT"}})["items"]
    assert [each["networkExtensionCount"] for each in appliances] == [2]
    report = site_pair.oracle()["segments"]["net-b"]
    assert (report["outage"], report["two_gateways"], report["source_cut"]) == ([], [], [])


@pytest.mark.world(scenario=scenario(networks=KINDS, vms=[]))
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("standard", "it belongs to a standard switch"),
        ("ephemeral", "its port group uses ephemeral binding"),
        ("kernel", "it is used by a vmkernel adapter"),
        ("management", "it is used by an HCX network profile"),
        ("private", "it is a private VLAN"),
        ("untagged", "it is not tagged with a VLAN"),
    ],
)
def test_cannot_extend_kinds(site_pair: SitePair, name: str, reason: str) -> None:
    manager = Manager(site_pair)
    answer = manager.call("POST", "/l2Extensions", wish(manager, name, "10.2.9.1"))
    assert error_of(answer) == (400, "NOT_EXTENDABLE", f"Network {name} cannot be extended: {reason}.")
    assert site_pair.audit("change") == []


@pytest.mark.world(scenario=scenario())
def test_already_extended_and_being_extended(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.call("POST", "/l2Extensions", wish(manager, "net-a", "10.1.1.1"))
    assert error_of(answer) == (400, "ALREADY_EXTENDED", "Network net-a is already extended.")
    manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    again = manager.call("POST", "/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    assert error_of(again) == (400, "ALREADY_EXTENDED", "Network net-b is already being extended.")
    far = Manager(site_pair, "destination")
    end = far.call("POST", "/l2Extensions", wish(far, "L2E_net-a", "10.1.1.1"))
    assert error_of(end)[1] == "ALREADY_EXTENDED"


MANY = [{"name": f"net-{n}", "subnet": f"10.3.{n}.0/24"} for n in range(1, 11)]


@pytest.mark.world(scenario=scenario(networks=MANY, vms=[]))
def test_an_appliance_has_eight_slots(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    for number in range(1, 9):
        manager.post("/l2Extensions", wish(manager, f"net-{number}", f"10.3.{number}.1"))
    early = manager.call("POST", "/l2Extensions", wish(manager, "net-9", "10.3.9.1"))
    assert error_of(early)[1] == "APPLIANCE_FULL", "those being extended count"
    site_pair.run_until_idle()
    full = manager.call("POST", "/l2Extensions", wish(manager, "net-9", "10.3.9.1"))
    message = "Appliance mesh-1-NE-I1 already carries the maximum of 8 network extensions."
    assert error_of(full) == (400, "APPLIANCE_FULL", message)
    stretch_id = listed(manager, "net-1")["stretchId"]
    manager.call("DELETE", f"/l2Extensions/{stretch_id}")
    site_pair.run_until_idle()
    assert set(manager.post("/l2Extensions", wish(manager, "net-9", "10.3.9.1"))) == {"id"}


TWO_APPLIANCES = scenario(
    {"extensions_per_appliance": 1}, meshes=[{"name": "mesh-1", "network_extension_appliances": 2}], networks=MANY,
    vms=[],
)  # fmt: skip


@pytest.mark.world(scenario=TWO_APPLIANCES)
def test_appliance_may_be_chosen_and_is_spread_otherwise(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    query = {"filter": {"applianceType": "HCX-NET-EXT"}}
    second = manager.post("/interconnect/appliances/query", query)["items"][1]
    chosen: dict[str, Any] = {"sourceAppliance": {"applianceId": second["applianceId"]}}
    manager.post("/l2Extensions", wish(manager, "net-1", "10.3.1.1", **chosen))
    refused = manager.call("POST", "/l2Extensions", wish(manager, "net-2", "10.3.2.1", **chosen))
    assert error_of(refused)[1] == "APPLIANCE_FULL"
    manager.post("/l2Extensions", wish(manager, "net-2", "10.3.2.1"))
    site_pair.run_until_idle()
    assert listed(manager, "net-1")["sourceAppliance"]["applianceName"] == "mesh-1-NE-I2"
    assert listed(manager, "net-2")["sourceAppliance"]["applianceName"] == "mesh-1-NE-I1"
    unknown: dict[str, Any] = {"sourceAppliance": {"applianceId": "none"}}
    answer = manager.call("POST", "/l2Extensions", wish(manager, "net-3", "10.3.3.1", **unknown))
    assert error_of(answer)[1] == "APPLIANCE_NOT_FOUND"


DESTINATION = {"name": "present", "site": "destination", "subnet": "10.1.2.0/24"}


@pytest.mark.world(scenario=scenario(networks=[*scenario()["networks"], {**DESTINATION, "subnet": "10.1.0.0/16"}]))
def test_subnet_overlap_fails_the_job_and_leaves_nothing(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    job_id = manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))["id"]
    site_pair.run_until_idle()
    job = manager.job(job_id)
    assert (job["isDone"], job["didFail"]) == (True, True)
    assert job["errorMessage"] == (
        "Failed to extend network net-b: subnet 10.1.2.0/24 overlaps 10.1.0.0/16 of segment present on the gateway"
    )
    assert [item["sourceNetwork"]["networkName"] for item in manager.extensions()] == ["net-a"]
    assert not site_pair.audit("change", subject="bridge:")
    assert site_pair.world.segments["destination/present"].gateway_up is True


@pytest.mark.world(scenario=scenario(networks=[*scenario()["networks"], DESTINATION]))
def test_exact_match_reuses_the_segment_and_disables_its_gateway(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    site_pair.run_until_idle()
    assert listed(manager, "net-b")["destinationNetwork"]["networkName"] == "present"
    segment = site_pair.world.segments["destination/present"]
    assert (segment.connectivity, segment.gateway_up, segment.revision) == ("OFF", False, 1)
    assert not [key for key in site_pair.world.segments if "L2E_net-b" in key]


@pytest.mark.world(scenario=scenario())
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gateway": "10.1.2"}, "INVALID_GATEWAY"),
        ({"netmask": ""}, "INVALID_GATEWAY"),
        ({"gateway": None}, "INVALID_GATEWAY"),
        ({"destinationNetwork": {}}, "GATEWAY_NOT_FOUND"),
        ({"destination": {"endpointId": "elsewhere"}}, "ENDPOINT_NOT_FOUND"),
        ({"destination": {"resourceId": "elsewhere"}}, "RESOURCE_NOT_FOUND"),
        ({"sourceNetwork": {"networkId": "dvportgroup-9"}}, "NETWORK_NOT_FOUND"),
        ({"sourceNetwork": None}, "NETWORK_NOT_FOUND"),
        ({"sourceNetwork": {"networkId": ["x"]}}, "NETWORK_NOT_FOUND"),
    ],
)
def test_bad_requests_are_refused_and_change_nothing(site_pair: SitePair, changes: dict[str, Any], code: str) -> None:
    manager = Manager(site_pair)
    answer = manager.call("POST", "/l2Extensions", wish(manager, "net-b", "10.1.2.1") | changes)
    assert error_of(answer)[:2] == (400, code)
    assert site_pair.audit("change") == []
    assert site_pair.calls("l2_extensions.create")[-1]["data"]["status"] == 400


@pytest.mark.world(scenario=scenario())
def test_moref_and_short_policy_path_name_a_segment_too(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    moref = site_pair.world.segments["source/net-b"].network_moref
    for form in (moref, "/infra/segments/net-b"):
        refused = wish(manager, "net-b", "bad", sourceNetwork={"networkId": form})
        assert error_of(manager.call("POST", "/l2Extensions", refused))[1] == "INVALID_GATEWAY", form


@pytest.mark.world(scenario=scenario({"failed_job_is_done": False}))
def test_failed_job_may_never_say_done(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="extension.extend", object="net-b", behaviour="fail", message="no space")
    job_id = manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))["id"]
    site_pair.run_until_idle()
    job = manager.job(job_id)
    assert (job["isDone"], job["didFail"], job["endTime"]) == (False, True, 0)
    assert job["errorMessage"] == "Failed to extend network net-b: no space"
    assert [item["sourceNetwork"]["networkName"] for item in manager.extensions()] == ["net-a"]
    assert set(manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))) == {"id"}, "free to try again"


@pytest.mark.world(scenario=scenario())
def test_extend_may_be_delayed_or_stall(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    rule = site_pair.fault(product="engine", call="extension.extend", behaviour="delay", seconds=100, count=1)
    job_id = manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))["id"]
    site_pair.advance(61)
    assert manager.job(job_id)["isDone"] is False
    site_pair.advance(100)
    assert manager.job(job_id)["isDone"] is True
    site_pair.run(lambda: site_pair.world.faults.remove(rule))
    stretch_id = listed(manager, "net-b")["stretchId"]
    manager.call("DELETE", f"/l2Extensions/{stretch_id}")
    site_pair.run_until_idle()
    site_pair.fault(product="engine", call="extension.extend", behaviour="stall")
    stalled = manager.post("/l2Extensions", wish(manager, "net-b", "10.1.2.1"))["id"]
    site_pair.advance(800)
    job = manager.job(stalled)
    assert (job["isDone"], job["didFail"], job["percentComplete"]) == (False, False, 99)


@pytest.mark.world(scenario=scenario())
def test_lost_answer_is_resolved_by_looking_up_the_source_network(site_pair: SitePair) -> None:
    import requests

    manager = Manager(site_pair)
    site_pair.fault(product="hcx", call="l2_extensions.create", behaviour="reset_after", count=1)
    with pytest.raises(requests.ConnectionError):
        manager.call("POST", "/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    repeated = manager.call("POST", "/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    assert error_of(repeated)[1] == "ALREADY_EXTENDED", "a blind repetition is refused"
    site_pair.run_until_idle()
    assert listed(manager, "net-b")["operationStatus"]["state"] == "CONNECTED"
    assert len(site_pair.audit("note", subject="hcx.job:")) == 2, "one job, started and done"


@pytest.mark.world(scenario=scenario())
def test_no_extension_over_a_tunnel_that_is_down(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    mesh = next(iter(site_pair.world.meshes.values()))
    site_pair.run(lambda: site_pair.world.update(mesh, tunnel_up=False))
    answer = manager.call("POST", "/l2Extensions", wish(manager, "net-b", "10.1.2.1"))
    assert error_of(answer) == (400, "TUNNEL_DOWN", "The tunnel of appliance mesh-1-NE-I1 is down.")


@pytest.mark.world(scenario=scenario())
def test_source_network_or_appliance_that_goes_away_fails_the_job(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    body = wish(manager, "net-b", "10.1.2.1")
    job_id = manager.post("/l2Extensions", body)["id"]
    peer = site_pair.vm("mesh-1-NE-R1")
    site_pair.run(lambda: site_pair.world.remove(peer))
    site_pair.run_until_idle()
    assert manager.job(job_id)["errorMessage"] == "Failed to extend network net-b: an appliance is missing"
