"""Ids that are handed out can be looked up: compute profiles, network profiles, appliances, tasks."""

from __future__ import annotations

from typing import Any

import pytest

from support.hcx_wire import Manager
from support.site_pair import SitePair


def _profiles(manager: Manager, **query: str) -> dict[str, Any]:
    answer = manager.call("GET", "/interconnect/computeProfiles", params=query).json()
    return {each["computeProfileId"]: each for each in answer["items"]}


@pytest.mark.parametrize("site", ["source", "destination"])
def test_what_meshes_and_appliances_name_is_there(site_pair: SitePair, site: str) -> None:
    manager = Manager(site_pair, site)
    known = {}
    for each in ("source", "destination"):
        endpoint = site_pair.world.site(Manager(site_pair, each).site).hcx_endpoint_id
        known.update(_profiles(manager, endpointId=endpoint))
    for mesh in manager.get("/interconnect/serviceMesh")["items"]:
        for profile in mesh["computeProfiles"]:
            assert known[profile["computeProfileId"]]["name"] == profile["computeProfileName"]
        task = mesh["lastTaskDetails"]["interconnectTaskId"]
        assert manager.get(f"/interconnect/tasks/{task}")["interconnectTaskId"] == task
    for appliance in manager.get("/interconnect/appliances")["items"]:
        assert appliance["computeProfileId"] in known
    networks = manager.call("POST", "/networks?action=queryIpUsage", {"filter": {"ownedBySystem": True}}).json()
    for profile in _profiles(manager).values():
        assert {each["id"] for each in profile["networks"]} <= {each["objectId"] for each in networks}


def test_a_compute_profile_comes_and_goes(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    own = next(iter(_profiles(manager).values()))
    body = {**{name: own[name] for name in ("compute", "services", "networks", "switches")}, "name": "mine"}
    made = manager.post("/interconnect/computeProfiles", body)["data"]
    site_pair.run_until_idle()
    assert manager.get(f"/interconnect/tasks/{made['interconnectTaskId']}")["status"] == "SUCCESS"
    assert _profiles(manager)[made["computeProfileId"]]["name"] == "mine"
    assert manager.call("POST", "/interconnect/computeProfiles", body).status_code == 400
    path = f"/interconnect/computeProfiles/{made['computeProfileId']}"
    assert manager.call("DELETE", path).status_code == 200
    site_pair.run_until_idle()
    assert made["computeProfileId"] not in _profiles(manager)
    assert manager.call("DELETE", path).status_code == 404
    assert manager.call("DELETE", f"/interconnect/computeProfiles/{own['computeProfileId']}").status_code == 409


def test_a_mesh_shows_the_compute_profile_that_it_was_made_with(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    own = next(iter(_profiles(manager).values()))
    body = {**{name: own[name] for name in ("compute", "services", "networks", "switches")}, "name": "mine"}
    made = manager.post("/interconnect/computeProfiles", body)["data"]["computeProfileId"]
    site_pair.run_until_idle()
    endpoint = site_pair.world.site(manager.site).hcx_endpoint_id
    wish = {
        "name": "mesh-2",
        "services": [{"name": "RAV"}],
        "computeProfiles": [{"endpointId": endpoint, "computeProfileId": made}, {"computeProfileId": "unknown"}],
    }
    mesh_id = manager.post("/interconnect/serviceMesh", wish)["data"]["serviceMeshId"]
    site_pair.run_until_idle()
    meshes = {each["serviceMeshId"]: each for each in manager.get("/interconnect/serviceMesh")["items"]}
    used = {each["endpointId"]: each for each in meshes[mesh_id]["computeProfiles"]}
    assert (used[endpoint]["computeProfileId"], used[endpoint]["computeProfileName"]) == (made, "mine")
    for each, profile in used.items():
        assert profile["computeProfileId"] in _profiles(manager, endpointId=each)
    assert manager.call("DELETE", f"/interconnect/computeProfiles/{made}").status_code == 409


def test_a_network_profile_comes_and_goes(site_pair: SitePair) -> None:
    manager = Manager(site_pair)

    def listed() -> dict[str, Any]:
        return {each["objectId"]: each for each in manager.call("POST", "/networks?action=queryIpUsage", {}).json()}

    (own,) = listed()
    body = {"name": "mgmt", "l3TenantManaged": False, "backings": listed()[own]["backings"], "mtu": 1500}
    url = manager.pair.url("hcx", manager.site) + "/admin/hybridity/api/networks"
    incomplete = manager.http.post(url, json={"name": "mgmt", "backings": body["backings"]})
    assert incomplete.status_code == 400
    made = manager.http.post(url, json=body).json()["data"]
    site_pair.run_until_idle()
    assert manager.job(made["jobId"])["isDone"] is True
    assert listed()[made["objectId"]]["name"] == "mgmt"
    changed = manager.call("PUT", f"/networks/{made['objectId']}", {**body, "mtu": 9000})
    assert changed.status_code == 200
    site_pair.run_until_idle()
    assert listed()[made["objectId"]]["mtu"] == 9000
    assert manager.call("DELETE", f"/networks/{made['objectId']}").status_code == 200
    site_pair.run_until_idle()
    assert set(listed()) == {own}
    assert manager.call("DELETE", f"/networks/{own}").status_code == 409
    assert manager.call("PUT", "/networks/none", body).status_code == 404
