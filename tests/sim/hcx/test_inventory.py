"""Inventory queries of hcx 3.2 over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from support.hcx_wire import Manager, scenario
from support.site_pair import SitePair, SiteServer

BOTH = {"filter": {"cloud": {"local": True, "remote": True}}}
REMOTE = {"filter": {"cloud": {"remote": True}}}


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def test_cloud_list_takes_its_filter_directly(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert names(manager.inventory("cloud/list", {"filter": {"local": True}})) == ["hcx-source"]
    (remote,) = manager.inventory("cloud/list", {"filter": {"remote": True}})
    assert remote["name"] == "hcx-destination"
    assert set(remote) >= {"endpointId", "name", "url", "endpointType"}
    assert remote["url"] == site_pair.url("hcx", "destination")


def test_resource_containers_have_flat_fields_and_the_nested_endpoint(site_pair: SitePair) -> None:
    local, remote = Manager(site_pair).inventory("resourcecontainer/list", BOTH)
    facts = site_pair.world.site(Manager(site_pair).site)
    assert local["isLocal"] is True
    assert remote["isLocal"] is False
    assert local["resourceType"] == "VC"
    for field in ("resourceId", "vcuuid", "vimServerUuid"):
        assert local[field] == facts.vcenter_instance_uuid
    expected = {"endpointId": facts.hcx_endpoint_id, "name": "hcx-source", "cloudType": "VC"}
    assert local["endpoint"] == expected
    assert (local["endpointId"], local["endpointName"]) == (expected["endpointId"], "hcx-source")
    wanted = {"endpointType", "resourceName", "url", "version", "buildNumber", "osType", "name", "vimId"}
    assert wanted <= set(local)


def test_virtual_machines_have_older_and_newer_ids_and_all_fields(site_pair: SitePair) -> None:
    items = {item["name"]: item for item in Manager(site_pair).inventory("virtualmachines", BOTH)}
    vm, web = site_pair.vm("db01"), items["db01"]
    assert web["id"] == web["entity_id"] == vm.moref
    assert web["entityType"] == "VirtualMachine"
    summary = web["summary"]
    assert summary["numCpu"] == 4
    assert summary["memorySizeMB"] == 16 * 1024
    assert summary["memorySize"] == 16 * 1024**3
    assert summary["diskSize"] == 100 * 1024**3
    assert {"guestFullName", "guestId"} <= set(summary)
    (network,) = web["network"]
    assert network == {
        "type": "NsxtSegment",
        "value": "/infra/tier-1s/cgw/segments/seed-net",
        "id": "/infra/tier-1s/cgw/segments/seed-net",
        "name": "seed-net",
        "displayName": "seed-net",
    }
    assert web["networkDevices"][0]["macAddress"] == vm.nics[0].mac


@pytest.mark.world(scenario="three-tier")
def test_templates_are_not_offered_for_migration(site_pair: SitePair) -> None:
    found = names(Manager(site_pair).inventory("virtualmachines", BOTH))
    assert "golden-image" not in found
    assert {"web01", "batch01", "edge-router"} <= set(found)


def test_queries_are_local_unless_asked(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert "web01" in names(manager.inventory("virtualmachines", {}))
    assert "web01" not in names(manager.inventory("virtualmachines", REMOTE))
    assert "web01" in names(Manager(site_pair, "destination").inventory("virtualmachines", REMOTE))


def test_endpoint_id_in_filter_or_query_narrows(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    far = site_pair.world.site(manager.site.other).hcx_endpoint_id
    by_filter = manager.inventory("virtualmachines", {"filter": {"cloud": {"endpointId": far}}})
    by_query = manager.inventory(f"virtualmachines?hcspUUID={far}", {})
    assert by_filter == by_query
    assert {item["_origin"]["endpointId"] for item in by_filter} == {far}
    unknown = manager.inventory("virtualmachines", {"filter": {"cloud": {"endpointId": "nowhere"}}})
    assert unknown == []


@pytest.mark.world(scenario="physical")
def test_networks_by_kind(site_pair: SitePair) -> None:
    items = {
        (item["_origin"]["endpointName"], item["name"]): item for item in Manager(site_pair).inventory("networks", BOTH)
    }
    vlan, standard = items["hcx-source", "vlan-120"], items["hcx-source", "vswitch-net"]
    segment = items["hcx-destination", "stretched-120"]
    assert vlan["type"] == vlan["entityType"] == "DistributedVirtualPortgroup"
    assert vlan["entity_id"] == vlan["href"] == vlan["id"]
    assert vlan["entity_id"].startswith("dvportgroup-")
    assert (standard["type"], standard["entity_id"].partition("-")[0]) == ("Network", "network")
    assert segment["type"] == "NsxtSegment"
    assert segment["entity_id"] == "/infra/tier-1s/cgw/segments/stretched-120"
    only = Manager(site_pair).inventory("networks", {"filter": {"entityType": ["NsxtSegment"], **BOTH["filter"]}})
    assert names(only) == ["stretched-120"]


@pytest.mark.world(scenario=scenario() | {"settings": {"vcenter": {"opaque_networks": True}}})
def test_older_vcenters_show_opaque_networks(site_pair: SitePair) -> None:
    items = {item["name"]: item for item in Manager(site_pair).inventory("networks")}
    assert items["net-b"]["type"] == "OpaqueNetwork"


def test_containers_by_entity_type(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    far = site_pair.world.site(manager.site.other).hcx_endpoint_id

    def ask(*kinds: str) -> list[dict[str, Any]]:
        return manager.inventory(
            "containers",
            {
                "filter": {"cloud": {"endpointId": far}, "entityType": list(kinds)},
                "options": {"compat": 2.1},
                "paging": {"skipCount": 0, "pageSize": 1000},
            },
        )

    assert names(ask("folder")) == ["vm", "Workloads"]
    assert names(ask("resourcePool")) == ["Resources", "Compute-ResourcePool", "Mgmt-ResourcePool"]
    assert [item["entity_id"] for item in ask("cluster", "datacenter")] == ["datacenter-2", "domain-c9"]
    assert {item["_origin"]["endpointId"] for item in ask("host")} == {far}


def test_datastores_and_storage_profiles(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (store,) = manager.inventory("datastores", REMOTE)
    assert (store["entity_id"], store["name"], store["entityType"]) == (
        "datastore-15",
        "WorkloadDatastore",
        "Datastore",
    )
    profiles = manager.inventory("storageProfiles", {"filter": {}})
    assert {item["_origin"]["endpointName"] for item in profiles} == {"hcx-source", "hcx-destination"}
    assert {"name", "type", "entityType"} <= set(profiles[0])


def test_vcenter_tree_leads_to_clusters(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (root,) = manager.inventory("vc/list", {})
    cluster = root["children"][0]["children"][0]
    assert (cluster["name"], cluster["entity_id"]) == ("Cluster-1", "domain-c9")
    wanted = {"computeType": "ClusterComputeResource", "vcenter_instanceId": root["entity_id"],
              "computeIds": [cluster["entity_id"]]}  # fmt: skip
    (store,) = manager.inventory("vc/datastores/query", {"filter": wanted})
    assert store == {"id": "datastore-15", "name": "WorkloadDatastore", "entity_type": "Datastore"}
    (switch,) = manager.inventory("vc/dvs/query", {"filter": wanted})
    assert switch == {
        "id": "dvs-11",
        "name": "DSwitch-1",
        "type": "VmwareDistributedVirtualSwitch",
        "maxMtu": 9000,
    }
    assert manager.inventory("vc/dvs/query", {"filter": {**wanted, "computeIds": ["domain-c1"]}}) == []


def test_vc_query_by_entity_type(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    for kind, moref in (("cluster", "domain-c9"), ("datacenter", "datacenter-2"), ("dvs", "dvs-11")):
        (item,) = manager.get("/vc/query", entityType=kind)["data"]["items"]
        assert item["entity_id"] == moref
    refused = manager.call("GET", "/vc/query?entityType=vm")
    assert refused.status_code == 400
    assert "cluster, datacenter, dvs" in refused.json()["errors"][0]["text"]


def test_ten_thousand_vms_page_by_page(site_server: SiteServer) -> None:
    from hcx_sim.scenario.generate import generate

    pair = site_server.make_world(scenario=generate(10_000, 100, 2, 5).model_dump(mode="json"))
    manager = Manager(pair)
    seen: list[str] = []
    for page in range(11):
        body = {"filter": {"cloud": {"local": True}}, "paging": {"skipCount": page * 1000, "pageSize": 1000}}
        data = manager.post("/service/inventory/virtualmachines", body)["data"]
        assert len(data["items"]) <= 1000
        seen += [item["id"] for item in data["items"]]
        assert data["paging"]["offset"] == page * 1000
        total = data["paging"]["totalSize"]
    assert total == len(seen) == len(set(seen))
    assert len(seen) > 10_000, "the appliances are there as well"
    pair.assert_no_bugs()
    site_server.drop(pair)
