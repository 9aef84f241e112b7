"""MON, and what only 9.x offers: hcx 5.1 and 5.5 over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from support.hcx_wire import Manager, error_of, scenario
from support.site_pair import SitePair, SiteServer

NINE = {"version": "9.0.1"}
MON_NETWORK = {**scenario()["networks"][0], "mon": True}
MON_VMS = [
    {"name": "vm1", "nics": [{"network": "net-a", "ips": ["10.1.1.11"]}]},
    {"name": "vm3", "site": "destination", "nics": [{"network": "L2E_net-a", "ips": ["10.1.1.13"]}]},
]
MON: dict[str, Any] = {"networks": [MON_NETWORK, scenario()["networks"][1]], "vms": MON_VMS}


def extension(manager: Manager) -> dict[str, Any]:
    (item,) = manager.extensions()
    return item


def vms_path(manager: Manager) -> str:
    item = extension(manager)
    near, far = item["source"]["endpointId"], item["destination"]["endpointId"]
    return f"/l2Extensions/{item['stretchId']}/vms?endpointId={far}&hcspUUID={near}"


def route(manager: Manager, vm: str, end: str) -> Any:
    item = extension(manager)
    wish = {
        "routerEndpointId": item[end]["endpointId"],
        "vmId": manager.pair.vm(vm).moref,
        "resourceId": item["destination"]["resourceId"],
        "switchoverType": "switchoverNow",
    }
    return manager.call("POST", vms_path(manager), {"endpointId": item["destination"]["endpointId"], "items": [wish]})


@pytest.mark.world(scenario=scenario(**MON))
def test_mon_routes_a_vm_at_the_destination_and_back(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert extension(manager)["features"]["mobilityOptimizedNetworking"] is True
    (vm,) = manager.get(vms_path(manager))["items"]
    assert vm == {
        "name": "vm3",
        "vmId": site_pair.vm("vm3").moref,
        "resourceId": extension(manager)["destination"]["resourceId"],
        "isProximityRouted": False,
    }
    assert site_pair.oracle()["vms"]["vm3"]["gateways"]["net-a"] == "source"
    assert route(manager, "vm3", "destination").status_code == 200
    assert manager.get(vms_path(manager))["items"][0]["isProximityRouted"] is True
    assert site_pair.oracle()["vms"]["vm3"]["gateways"]["net-a"] == "destination"
    assert route(manager, "vm3", "source").status_code == 200
    assert site_pair.oracle()["vms"]["vm3"]["gateways"]["net-a"] == "source"
    changes = [entry["data"]["after"]["mon_vm_uids"] for entry in site_pair.audit("change", subject="bridge:")]
    assert changes == [["vm3"], []]
    assert site_pair.oracle()["segments"]["net-a"]["outage"] == []


@pytest.mark.world(scenario=scenario(**MON))
def test_mon_refuses_unknown_vms_routers_and_types(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    item = extension(manager)
    good = {"routerEndpointId": item["destination"]["endpointId"], "vmId": site_pair.vm("vm3").moref}
    for wrong, word in (
        ({"vmId": site_pair.vm("vm1").moref + "9"}, "not on the extended network"),
        ({"routerEndpointId": "x"}, "not an end of the extension"),
        ({"switchoverType": "never"}, "Unknown switchoverType"),
    ):
        answer = manager.call("POST", vms_path(manager), {"items": [{**good, **wrong}]})
        assert answer.status_code == 400
        assert word in answer.json()["items"][0]["errors"][0]["message"]
    assert manager.call("POST", vms_path(manager), {"items": ["junk"]}).status_code == 400
    assert site_pair.audit("change") == []


@pytest.mark.world(scenario=scenario())
def test_mon_needs_the_feature(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert error_of(manager.call("POST", vms_path(manager), {"items": []}))[:2] == (400, "MON_DISABLED")


@pytest.mark.world(scenario=scenario(NINE, **MON))
def test_nine_switches_mon_off_by_update(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    route(manager, "vm3", "destination")
    path = f"/networkExtensions/{extension(manager)['stretchId']}"
    answer = manager.call("PUT", path, {"features": {"mobilityOptimizedNetworking": False, "egressOptimization": True}})
    assert (answer.status_code, answer.json()) == (202, {"errors": [], "warnings": []})
    assert extension(manager)["features"] == {
        "proximityRouting": False, "egressOptimization": True, "mobilityOptimizedNetworking": False,
    }  # fmt: skip
    assert site_pair.oracle()["vms"]["vm3"]["gateways"]["net-a"] == "source"


@pytest.mark.world(scenario=scenario(NINE))
def test_nine_lists_and_gets_with_more_fields(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (item,) = manager.get("/l2NetworkExtensions")["items"]
    assert manager.get(f"/l2NetworkExtensions/{item['stretchId']}") == item
    assert {"edgeId", "vlanId", "isDeleted", "cloudNetworkId", "cloudNetworkName", "clusterId"} <= set(item)
    assert item["cloudNetworkId"] == item["destinationNetwork"]["networkId"]
    assert error_of(manager.call("GET", "/l2NetworkExtensions/none"))[:2] == (404, "EXTENSION_NOT_FOUND")


def batch_item(network: str, gateway: str) -> dict[str, Any]:
    return {
        "gateway": gateway,
        "netmask": "255.255.255.0",
        "destinationNetwork": {"gatewayId": "cgw"},
        "sourceNetwork": {"networkId": network},
    }


@pytest.mark.world(scenario=scenario(NINE))
def test_nine_batch_is_202_207_or_400(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    bad = batch_item("dvportgroup-9", "10.9.9.1")
    refused = manager.call("POST", "/l2NetworkExtensions", {"items": [bad]})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "NETWORK_NOT_FOUND"
    assert error_of(manager.call("POST", "/l2NetworkExtensions", {}))[0] == 400
    good = batch_item("/infra/segments/net-b", "10.1.2.1")
    partly = manager.call("POST", "/l2NetworkExtensions", {"items": [good, bad]})
    assert partly.status_code == 207
    first, second = partly.json()["items"]
    assert ("errors" in first, second["errors"][0]["code"]) == (False, "NETWORK_NOT_FOUND")
    assert manager.job(first["id"])["isDone"] is False
    site_pair.run_until_idle()
    assert len(manager.extensions()) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/l2NetworkExtensions"),
        ("GET", "/l2NetworkExtensions/{id}"),
        ("POST", "/l2NetworkExtensions"),
        ("POST", "/l2NetworkExtensions/transition"),
        ("DELETE", "/networkExtensions/{id}"),
        ("PUT", "/networkExtensions/{id}"),
        ("GET", "/interconnect/underlay/serviceMeshHealth"),
        ("GET", "/interconnect/underlay/pmtu/serviceMesh/{id}"),
    ],
)
@pytest.mark.world(scenario=scenario())
def test_four_does_not_know_what_nine_brought(site_pair: SitePair, method: str, path: str) -> None:
    manager = Manager(site_pair)
    item = extension(manager)
    assert "cloudNetworkId" not in item
    answer = manager.call(method, path.replace("{id}", item["stretchId"]), {} if method != "GET" else None)
    assert error_of(answer) == (404, "404", "The requested resource was not found.")
    assert site_pair.audit("change") == []


def test_equal_runs_leave_equal_audits(site_server: SiteServer) -> None:
    """Two worlds of one seed leave equal audits, byte for byte."""
    audits = []
    for _ in range(2):
        pair = site_server.make_world(scenario=scenario(), world_id="twin-run")
        manager = Manager(pair)
        manager.call("DELETE", f"/l2Extensions/{extension(manager)['stretchId']}?connectToLocalRouter=true")
        pair.run_until_idle()
        audits.append(pair.run(pair.world.audit.canonical_bytes))
        site_server.drop(pair)
    assert audits[0] == audits[1]
