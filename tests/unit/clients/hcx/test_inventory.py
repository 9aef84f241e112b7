"""What HCX knows: inventory, interconnect, network extensions."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.errors import (
    ConflictError,
    NotFound,
    OutcomeUnknownError,
    ValidationFailed,
)
from hcx_waves.clients.hcx import HcxClient, HcxSite
from support.hcx_answers import API, PASSWORD, on
from support.scripted_server import RESET, Answer, FakeTime, ScriptedServer

# --- inventory -------------------------------------------------------------------------------------------


VM = {
    "entity_id": "vm-101",
    "name": "app01",
    "entityType": "VirtualMachine",
    "summary": {"guestId": "rhel8_64Guest", "numCpu": 2, "memorySizeMB": 4096, "diskSize": 42949672960},
    "network": [{"type": "DistributedVirtualPortgroup", "value": "dvportgroup-20", "name": "app-net"}],
    "networkDevices": [{"macAddress": "00:50:56:01:02:03"}],
}


def test_virtual_machines_are_read_in_pages(client: HcxClient, server: ScriptedServer) -> None:
    path = f"{API}/service/inventory/virtualmachines"
    pages = [[{**VM, "entity_id": f"vm-{n}"} for n in range(start, end)] for start, end in ((0, 3), (3, 6), (6, 7))]
    server.on("POST", path, *(Answer(200, {"data": {"items": page}}) for page in pages))
    found = client.virtual_machines(HcxSite(remote=False), page_size=3)
    assert [one.entity_id for one in found] == [f"vm-{n}" for n in range(7)]
    assert [one.body["paging"]["skipCount"] for one in server.asked("POST", path)] == [0, 3, 6]
    assert server.asked("POST", path)[0].body["filter"] == {"cloud": {"local": True}}
    assert (found[0].summary.num_cpu, found[0].summary.memory_size_mb) == (2, 4096)
    assert (found[0].networks[0].network_id, found[0].networks[0].name) == ("dvportgroup-20", "app-net")
    assert found[0].network_devices[0]["macAddress"] == "00:50:56:01:02:03"


def test_server_that_ignores_the_offset_is_read_once(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "POST", "/service/inventory/virtualmachines", {"data": {"items": [VM, {**VM, "entity_id": "vm-2"}]}})
    assert [one.entity_id for one in client.virtual_machines(page_size=2)] == ["vm-101", "vm-2"]


def test_server_that_serves_smaller_pages_is_read_to_its_total(client: HcxClient, server: ScriptedServer) -> None:
    pages = [
        Answer(200, {"data": {"items": [{**VM, "entity_id": f"vm-{n}"}], "paging": {"totalSize": 3}}}) for n in range(3)
    ]
    server.on("POST", f"{API}/service/inventory/virtualmachines", *pages)
    assert [one.entity_id for one in client.virtual_machines()] == ["vm-0", "vm-1", "vm-2"]


def test_older_id_field_and_nulls_are_tolerated(client: HcxClient, server: ScriptedServer) -> None:
    old: dict[str, Any] = {"id": "vm-9", "name": None, "summary": None, "network": None, "unknown": []}
    on(server, "POST", "/service/inventory/virtualmachines", {"items": [old]})
    (found,) = client.virtual_machines(HcxSite(endpoint_id="ep-2"))
    assert (found.entity_id, found.name, found.networks) == ("vm-9", "", ())
    assert server.received[-1].body["filter"] == {"cloud": {"endpointId": "ep-2"}}


def test_containers_are_asked_by_kind(client: HcxClient, server: ScriptedServer) -> None:
    folder = {"entity_id": "group-v4", "name": "Workloads", "entityType": "folder", "_origin": {"endpointId": "ep-2"}}
    on(server, "POST", "/service/inventory/containers", {"data": {"items": [folder]}})
    (found,) = client.containers("folder")
    assert (found.entity_id, found.endpoint_id) == ("group-v4", "ep-2")
    assert server.received[-1].body["filter"]["entityType"] == ["folder"]


def test_networks_datastores_and_policies(client: HcxClient, server: ScriptedServer) -> None:
    on(
        server,
        "POST",
        "/service/inventory/networks",
        {"items": [{"name": "a", "type": "NsxtSegment", "href": "/infra/segments/a"}]},
    )
    on(server, "POST", "/service/inventory/datastores", {"items": [{"entity_id": "datastore-1", "name": "vsan"}]})
    on(server, "POST", "/service/inventory/storageProfiles", {"items": [{"name": "gold", "type": "StorageProfile"}]})
    assert [(one.entity_id, one.network_type) for one in client.networks()] == [("/infra/segments/a", "NsxtSegment")]
    assert [one.entity_id for one in client.datastores()] == ["datastore-1"]
    assert [(one.name, one.entity_type) for one in client.storage_profiles()] == [("gold", "StorageProfile")]


@pytest.mark.parametrize(
    "item",
    [
        {"endpointId": "ep-1", "endpointName": "hcx-a", "resourceId": "vc-1", "resourceName": "vc-a"},
        {"endpoint": {"endpointId": "ep-1", "name": "hcx-a", "cloudType": "VC"}, "vcuuid": "vc-1", "name": "vc-a"},
    ],
    ids=["flat", "nested"],
)
def test_resource_containers_of_both_shapes(client: HcxClient, server: ScriptedServer, item: Any) -> None:
    on(server, "POST", "/service/inventory/resourcecontainer/list", {"data": {"items": [item]}})
    (found,) = client.resource_containers()
    assert (found.endpoint_id, found.endpoint_name, found.resource_id, found.resource_name) == (
        "ep-1", "hcx-a", "vc-1", "vc-a",
    )  # fmt: skip


# --- interconnect ----------------------------------------------------------------------------------------


def test_job_is_read(client: HcxClient, server: ScriptedServer) -> None:
    body = {"jobId": "j-1", "isDone": True, "didFail": True, "percentComplete": 80, "startTime": 1767290400000}
    on(server, "GET", "/jobs/j-1", body)
    job = client.job("j-1")
    assert (job.job_id, job.is_terminal, job.is_success, job.percent_complete) == ("j-1", True, False, 80)
    assert job.started_at is not None
    with pytest.raises(NotFound):
        client.job("j-2")


def test_meshes_appliances_and_underlay(client: HcxClient, server: ScriptedServer) -> None:
    mesh = {
        "serviceMeshId": "servicemesh-1",
        "name": "mesh",
        "state": "COMMITTED",
        "services": ["RAV", {"name": "NETWORK_EXTENSION"}],
        "lastTaskDetails": {"interconnectTaskId": "t", "status": "RUNNING"},
        "status": {"timestamp": 1767290400000, "services": [{"serviceName": "RAV", "status": "up", "reason": []}]},
    }
    appliance = {
        "applianceId": "a-1",
        "applianceType": "HCX-NET-EXT",
        "networkExtensionCount": 2,
        "applianceVersion": {"major": 4, "minor": 11, "patch": 3, "build": 7},
        "status": {"summary": {"overallStatus": "up", "reasons": []}},
    }
    services = [{"serviceType": "RAV", "status": "OK"}]
    measured = {
        "maxAvailableBandwidth": {"value": {"uploadKbps": 1000, "downloadKbps": 2000}, "services": services},
        "latency": {"value": 12.5},
        "lossRate": {"value": 0},
    }  # fmt: skip
    health = {
        "serviceMeshId": "servicemesh-1",
        "uplinkMetrics": [{"uplinkName": "u1", "measuredData": measured}, {"uplinkName": "u2"}],
    }
    on(server, "GET", "/interconnect/serviceMesh", {"items": [mesh]})
    on(server, "POST", "/interconnect/appliances/query", {"items": [appliance]})
    on(server, "GET", "/interconnect/underlay/serviceMeshHealth", {"items": [health]})
    (found,) = client.service_meshes("vc-guid-1")
    assert (found.service_mesh_id, found.service_names) == ("servicemesh-1", ("RAV", "NETWORK_EXTENSION"))
    assert found.status.services[0].is_up
    assert server.received[-1].query == {"vcGuid": "vc-guid-1"}
    (extender,) = client.appliances(appliance_type="HCX-NET-EXT", endpoint_id="ep-1")
    assert (extender.version_text, extender.network_extension_count) == ("4.11.3.7", 2)
    assert server.received[-1].body == {"filter": {"applianceType": "HCX-NET-EXT", "endpointId": "ep-1"}}
    (underlay,) = client.underlay_health("vc-guid-1")
    assert (underlay.uplinks[0].upload_kbps, underlay.uplinks[0].latency, underlay.uplinks[1].latency) == (
        1000,
        12.5,
        None,
    )


# --- network extension -----------------------------------------------------------------------------------


EXTENSION = {
    "stretchId": "ext-1",
    "gateway": "10.1.1.1",
    "sourceNetwork": {"networkId": "dvportgroup-20", "networkName": "app-net"},
    "destinationNetwork": {"networkId": "/infra/tier-1s/cgw/segments/L2E_1", "gatewayId": "cgw"},
    "features": {"proximityRouting": True},
    "operationStatus": {"state": "WHATEVER"},
    "creationDate": "2026-01-01T18:00:00",
}


def test_extensions_are_listed_without_deleted_ones(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "GET", "/l2Extensions", {"items": [EXTENSION, {**EXTENSION, "stretchId": "ext-2", "isDeleted": True}]})
    (found,) = client.extensions()
    assert (found.extension_id, found.source_network.network_name) == ("ext-1", "app-net")
    assert found.features.mobility_optimized_networking
    assert client.find_extension("ext-1") == found
    assert client.find_extension("ext-2") is None
    assert client.find_extension_by_source_network("app-net") == found
    assert client.find_extension_by_source_network("dvportgroup-20") == found
    assert client.find_extension_by_source_network("other") is None


def test_source_network_with_two_extensions_is_a_conflict(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "GET", "/l2Extensions", {"items": [EXTENSION, {**EXTENSION, "stretchId": "ext-2"}]})
    with pytest.raises(ConflictError, match="2 extensions have the source network 'app-net': ext-1, ext-2"):
        client.find_extension_by_source_network("app-net")


def test_unextend_on_4x_goes_by_l2_extensions_and_gives_a_job(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "DELETE", "/l2Extensions/ext-1", {"id": "job-1"})
    removal = client.delete_extension("ext-1", connect_to_local_router=True)
    assert removal.job_id == "job-1"
    (request,) = server.asked("DELETE")
    assert request.query == {"connectToLocalRouter": "true"}


def test_unextend_on_9x_goes_by_network_extensions_and_gives_no_job(server: ScriptedServer, time: FakeTime) -> None:
    on(server, "DELETE", "/networkExtensions/ext-1", {"warnings": [{"message": "slow"}], "errors": []}, 202)
    with HcxClient(server.url, "u", PASSWORD, ambient=time.ambient(), version="9.1.0") as client:
        removal = client.delete_extension("ext-1", connect_to_local_router=False)
    assert (removal.job_id, removal.warnings) == (None, ("slow",))
    assert server.asked("DELETE")[0].query == {"connectToLocalRouter": "false", "forceOperation": "false"}


def test_unextend_must_say_whether_to_connect(client: HcxClient) -> None:
    with pytest.raises(TypeError, match="connect_to_local_router"):
        client.delete_extension("ext-1")  # type: ignore[call-arg]


def test_force_is_not_asked_of_a_manager_that_documents_none(client: HcxClient, server: ScriptedServer) -> None:
    with pytest.raises(ValueError, match="documents no forced removal"):
        client.delete_extension("ext-1", connect_to_local_router=True, force=True)
    assert server.received == []


def test_unextend_with_a_lost_answer_offers_the_lookup(client: HcxClient, server: ScriptedServer) -> None:
    server.on("DELETE", f"{API}/l2Extensions/ext-1", RESET)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.delete_extension("ext-1", connect_to_local_router=True)
    assert len(server.asked("DELETE")) == 1
    lookup = caught.value.lookup
    assert lookup is not None
    on(server, "GET", "/l2Extensions", {"items": []})
    assert getattr(client, lookup.method)(**lookup.arguments) is None


def test_error_in_an_accepted_unextend_is_an_error(server: ScriptedServer, time: FakeTime) -> None:
    on(server, "DELETE", "/networkExtensions/ext-1", {"warnings": [], "errors": [{"message": "in use"}]}, 202)
    client = HcxClient(server.url, "u", PASSWORD, ambient=time.ambient(), version="9.1.0")
    with client, pytest.raises(ValidationFailed, match="in use"):
        client.delete_extension("ext-1", connect_to_local_router=True)


def test_mon_is_listed(client: HcxClient, server: ScriptedServer) -> None:
    vm = {"name": "app01", "vmId": "vm-1", "resourceId": "vc-2", "isProximityRouted": False}
    on(server, "GET", "/l2Extensions/ext-1/vms", {"items": [vm]})
    sides = {"destination_endpoint_id": "ep-2", "source_endpoint_id": "ep-1"}
    (found,) = client.mon_virtual_machines("ext-1", **sides)
    assert found.vm_id == "vm-1"
    assert server.received[-1].query == {"endpointId": "ep-2", "hcspUUID": "ep-1"}
