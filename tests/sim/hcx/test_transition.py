"""``POST /l2NetworkExtensions/transition``: an active extension moves to another appliance with next to no loss."""

from __future__ import annotations

from typing import Any

import pytest

from support.hcx_wire import Manager, error_of, scenario
from support.site_pair import SitePair

PATH = "/l2NetworkExtensions/transition"
TWO = [{"name": "mesh-1", "link_mbps": 800, "network_extension_appliances": 2}]
TIMES = {"transition_seconds": {"kind": "fixed", "seconds": 40}, "transition_loss_seconds": 0.5}
NINE = scenario({"version": "9.1.0", **TIMES}, meshes=TWO)
MOVED_VM = scenario(
    {"version": "9.1.0", **TIMES},
    meshes=TWO,
    vms=[{"name": "vm1", "site": "destination", "nics": [{"network": "L2E_net-a", "ips": ["10.1.1.11"]}]}],
)


def appliances(manager: Manager) -> dict[str, int]:
    found = manager.post("/interconnect/appliances/query", {"filter": {"applianceType": "HCX-NET-EXT"}})["items"]
    return {each["applianceId"]: each["networkExtensionCount"] for each in found}


def extension(manager: Manager) -> dict[str, Any]:
    (item,) = manager.get("/l2NetworkExtensions")["items"]
    assert isinstance(item, dict)
    return item


def spare(manager: Manager) -> str:
    used = extension(manager)["sourceAppliance"]["applianceId"]
    return next(each for each in appliances(manager) if each != used)


def move(manager: Manager, *wishes: tuple[str, str]) -> Any:
    items = [{"stretchId": stretch, "targetClusterId": cluster} for stretch, cluster in wishes]
    return manager.call("POST", PATH, {"items": items})


@pytest.mark.world(scenario=MOVED_VM)
def test_an_active_extension_changes_its_appliances_and_loses_half_a_second(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    before, target = extension(manager), spare(manager)
    assert before["clusterId"] == before["sourceAppliance"]["applianceId"]
    answer = move(manager, (before["stretchId"], target))
    assert (answer.status_code, answer.json()) == (
        202,
        {"errors": [], "warnings": [], "items": [{"stretchId": before["stretchId"], "targetClusterId": target}]},
    )
    assert extension(manager)["operationStatus"]["state"] == "IN_PROGRESS"
    assert appliances(manager) == {before["clusterId"]: 1, target: 1}, "the slot is taken while it moves"
    site_pair.run_until_idle()
    after = extension(manager)
    assert (after["clusterId"], after["sourceAppliance"]["applianceId"]) == (target, target)
    assert after["destinationAppliance"] != before["destinationAppliance"]
    assert after["operationStatus"]["state"] == "CONNECTED"
    assert {each: after[each] for each in ("stretchId", "sourceNetwork", "destinationNetwork", "creationDate")} == {
        each: before[each] for each in ("stretchId", "sourceNetwork", "destinationNetwork", "creationDate")
    }
    assert appliances(manager) == {before["clusterId"]: 0, target: 1}
    (outage,) = site_pair.oracle()["vms"]["vm1"]["outage"]
    assert outage["seconds"] == pytest.approx(0.5)


@pytest.mark.world(scenario=NINE)
def test_what_cannot_be_moved_is_refused_item_by_item(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    stretch, own, target = extension(manager)["stretchId"], extension(manager)["clusterId"], spare(manager)
    for wish, code in (
        (("none", target), "EXTENSION_NOT_FOUND"),
        ((stretch, own), "SAME_CLUSTER"),
        ((stretch, "domain-c9"), "CLUSTER_NOT_FOUND"),
        ((stretch, ""), "CLUSTER_NOT_FOUND"),
    ):
        assert error_of(move(manager, wish))[:2] == (400, code)
    assert error_of(manager.call("POST", PATH, {"items": []}))[0] == 400
    assert site_pair.audit("change") == []
    partly = move(manager, (stretch, target), ("none", target))
    assert partly.status_code == 207
    first, second = partly.json()["items"]
    assert "errors" not in first
    assert second["errors"][0]["code"] == "EXTENSION_NOT_FOUND"
    assert error_of(move(manager, (stretch, target)))[:2] == (400, "EXTENSION_BUSY")
    assert error_of(manager.call("DELETE", f"/networkExtensions/{stretch}"))[:2] == (400, "EXTENSION_BUSY")


@pytest.mark.world(scenario=scenario({"version": "9.1.0", "extensions_per_appliance": 1, **TIMES}, meshes=TWO))
def test_a_full_or_broken_appliance_takes_nothing(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    stretch, target = extension(manager)["stretchId"], spare(manager)
    body = {
        "gateway": "10.1.2.1", "netmask": "255.255.255.0", "destinationNetwork": {"gatewayId": "cgw"},
        "sourceNetwork": {"networkId": "/infra/segments/net-b"}, "sourceAppliance": {"applianceId": target},
    }  # fmt: skip
    manager.post("/l2NetworkExtensions", {"items": [body]}, 202)
    assert error_of(move(manager, (stretch, target)))[:2] == (400, "CLUSTER_NOT_USABLE")


@pytest.mark.world(scenario=NINE)
def test_a_failed_transition_leaves_the_extension_where_it_was(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    before = extension(manager)
    site_pair.fault(product="engine", call="extension.transition", behaviour="fail", count=1)
    assert move(manager, (before["stretchId"], spare(manager))).status_code == 202
    site_pair.run_until_idle()
    assert extension(manager) == before
    assert sorted(appliances(manager).values()) == [0, 1]
    assert move(manager, (before["stretchId"], spare(manager))).status_code == 202
