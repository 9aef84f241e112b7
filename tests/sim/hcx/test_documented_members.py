"""Every member that docs/vendor/hcx.md lists is in the answer, call by call, also where nothing of ours reads it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from support.contract import every_path
from support.hcx_wire import Manager, scenario
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

NINE = scenario({"version": "9.1.0"})
FOUR = scenario({})
END = "endpointId,endpointType,endpointName,resourceId,resourceName,resourceType"
NETWORK = "networkId,networkName,networkType,dvsId,dvsName,dvsMaxMtu,layer2Id"
APPLIANCE = "applianceId,applianceName,applianceType"
PART = "count,value,startTime,endTime,progress,completed,aborted,canceled,parked,error"
COUNTS = "progressCount,completedCount,abortedCount,canceledCount,parkedCount,errorCount"
PARTS = ("", "Progress", "Completed", "Parked", "Aborted", "Canceled", "Error")
FLAGS = ",".join(
    ["isWaitingForMaintWindow", "isParked", "isAborted", "isCanceled", "isError", "isVMotionBaseSyncInProgress"]
    + [f"is{part}{form}" for part in ("Transfer", "Switchover") for form in PARTS]
    + ["isSwitchoverStarted"]
)
MIGRATION = (
    "migrationId,migrationGroupId,state,username,creationDate,lastUpdated,version,entity{entityId,entityName},"
    "transferParams{transferType,schedule{startTime,expiryTime},workflowVersion},"
    "switchoverParams{switchoverType,schedule{startTime,expiryTime},options{},switchoverProfile[]{option,value}},"
    "progress{startTime,endTime,message,draftState,isRescheduleAllowed,isCancelled,isDone,didFail,percentComplete,"
    "log[]{message},total{value,bytesTransferred},error{count,value,message},"
    f"transfer{{{PART},{COUNTS}}},switchover{{{PART},{COUNTS},waiting,waitingCount}},parked,aborted,canceled,"
    "state{statusType,rowType,status,message,errorMessage,errorsOccurred,lastUpdated,isRescheduleAllowed,isDone,"
    f"{FLAGS}}}}}"
)
EXTENSION = (
    f"stretchId,vcGuid,gateway,netmask,source{{{END}}},destination{{{END}}},sourceNetwork{{{NETWORK}}},"
    f"destinationNetwork{{{NETWORK},gatewayId}},sourceAppliance{{{APPLIANCE}}},destinationAppliance{{{APPLIANCE}}},"
    "features{proximityRouting,egressOptimization,mobilityOptimizedNetworking},operationStatus{state},creationDate"
)
NEWER = f"{EXTENSION},edgeId,vlanId,isDeleted,cloudNetworkId,cloudNetworkName,clusterId"
JOB = (
    "jobId,enterprise,organization,username,isQueued,isCancelled,isRolledBack,createTimeEpoch,absoluteExpireTimeEpoch,"
    "startTime,endTime,percentComplete,isDone,didFail,timeToExecute,jobData{}"
)
TASK = (
    "interconnectTaskId,entityDetails{id,type,name},type,status,progress,message,errorMessage,startTime,endTime,"
    "request{},response{},steps[]{title,status,progress,message,children[],errors[],warnings[]}"
)
MESH = (
    "serviceMeshId,name,state,isLocalMesh,updateAvailable,switchPairCount[],wanoptConfig{},trafficEnggCfg{},"
    "services[]{name},backingApplianceType,lastTaskDetails{interconnectTaskId,type,status},"
    "status{timestamp,services[]{serviceName,status,reason[]}}"
)
LISTED_APPLIANCE = (
    "applianceId,applianceName,applianceType,serviceMeshId,computeProfileId,networkExtensionCount,"
    "applianceVersion{major,minor,patch,build},peerAppliances[],status{summary{overallStatus,reasons[]}}"
)
ENVELOPE = "success,completed,time,version"


def paths_of(text: str) -> set[str]:
    """The dotted paths of a list of members as the vendor pages write it: ``a,b{c,d[]{e}}``."""
    found: set[str] = set()
    holders: list[str] = []
    for name, form in re.findall(r"([\w]+)?((?:\[\])?\{|(?:\[\])|\}|,|$)", text):
        path = ".".join([*holders, name]) if name else ""
        if name:
            found.add(path)
        if form.endswith("{"):
            holders.append(name + form[:-1])
        elif form == "}":
            holders.pop()
    return found


def lacking(body: Any, documented: str) -> list[str]:
    """The documented members that an answer lacks."""
    return sorted(paths_of(documented) - every_path(body))


def inventory(path: str) -> Callable[[Manager], Any]:
    return lambda manager: manager.post(f"/service/inventory/{path}", {"filter": {"cloud": {"local": True}}})


def compute_query(path: str) -> Callable[[Manager], Any]:
    def ask(manager: Manager) -> Any:
        tree = manager.inventory("vc/list")[0]
        (cluster,) = {each["entity_id"] for each in tree["children"][0]["children"]}
        wanted = {"vcenter_instanceId": tree["vcenter_instanceId"], "computeIds": [cluster]}
        body = {"filter": {"computeType": "ClusterComputeResource", **wanted}}
        return manager.post(f"/service/inventory/vc/{path}", body)

    return ask


def migration(manager: Manager) -> dict[str, Any]:
    """Start a migration with a window and let it replicate; the item of the start's answer."""
    far = manager.pair.world.site(manager.site.other)
    near = manager.pair.world.site(manager.site)
    vm = manager.pair.vm("vm1")
    wish = {
        "migrationType": "RAV",
        "entity": {"entityId": vm.moref, "entityName": vm.name, "entityType": "VirtualMachine"},
        "source": {"endpointId": near.hcx_endpoint_id, "computeResourceId": near.vcenter_instance_uuid},
        "destination": {"endpointId": far.hcx_endpoint_id, "computeResourceId": far.vcenter_instance_uuid},
        "transferParams": {"transferType": "vSphereReplication"},
        "switchoverParams": {"switchoverType": "RAV"},
        "placement": [{"id": place(manager, "ClusterComputeResource"), "type": "cluster"}],
        "storage": {"defaultStorage": {"id": datastore(manager), "type": "datastore"}},
        "networkParams": {
            "networkMappings": [
                {
                    "macAddress": vm.nics[0].mac,
                    "srcNetworkId": "/infra/tier-1s/cgw/segments/net-a",
                    "destNetworkId": "/infra/tier-1s/cgw/segments/L2E_net-a",
                    "destNetworkType": "NsxtSegment",
                }
            ]
        },
    }
    answer = manager.call("POST", "/mobility/migrations/start", {"items": [wish]})
    assert answer.status_code == 202, answer.text
    (item,) = answer.json()["items"]
    assert isinstance(item, dict)
    return item


def place(manager: Manager, type_name: str) -> str:
    places = manager.pair.world.placements.values()
    return [each.moref for each in places if each.site is manager.site.other and each.type_name == type_name][-1]


def datastore(manager: Manager) -> str:
    return next(each.moref for each in manager.pair.world.datastores.values() if each.site is manager.site.other)


def finished(manager: Manager) -> str:
    item = migration(manager)
    manager.pair.run_until_idle()
    return str(item["migrationId"])


def compat_query(manager: Manager) -> Any:
    body = {"filter": {"migrationId": [finished(manager)]}, "options": {"compat": 2.1}}
    return manager.post("/migrations?action=query", body)


def v2_migrations(manager: Manager) -> Any:
    group = migration(manager)["migrationGroupId"]
    return manager.post(f"/v2/mobility-groups/{group}/migrations/query", {})


def v2_groups(manager: Manager) -> Any:
    migration(manager)
    return manager.post("/v2/mobility-groups/query", {})


def intents(manager: Manager) -> Any:
    group = migration(manager)["migrationGroupId"]
    return manager.post("/mobility/groups/intents", {"filters": {"groups": [{"migrationGroupId": group}]}})


def job(manager: Manager) -> Any:
    stretch = manager.extensions()[0]["stretchId"]
    return manager.job(manager.call("DELETE", f"/l2Extensions/{stretch}").json()["id"])


def configure(manager: Manager) -> Any:
    """The vCenter of appliance management, port 9443."""
    login = manager.pair.login("hcx", manager.site)
    config = {"url": "https://vc", "userName": "u", "password": base64.b64encode(b"p").decode()}
    url = f"{manager.pair.url('hcx', manager.site)}/api/admin/global/config/vcenter"
    body = {"data": {"items": [{"config": config}]}}
    answer = manager.http.post(url, json=body, auth=(login.username, login.password), timeout=HANG_SECONDS)
    assert answer.status_code == 200
    return answer.json()


CASES: dict[str, tuple[Callable[[Manager], Any], str]] = {
    "sessions.create": (lambda m: m.log_in().json(), f"{ENVELOPE},data{{endpointInfo{{uuid}}}}"),
    "metainfo.interconnect": (
        lambda m: {"_": m.get("/metainfo/context/interconnect")},
        "_[]{cloudManagementPlatforms[]{cmpId}}",
    ),
    "cloud_configs.list": (
        lambda m: m.get("/cloudConfigs"),
        f"{ENVELOPE},data{{items[]{{endpointId,url,username,cloudName,cloudType,version,buildNumber,name}}}}",
    ),
    "inventory.clouds.list": (
        lambda m: m.post("/service/inventory/cloud/list", {"filter": {"local": True}}),
        f"{ENVELOPE},data{{items[]{{endpointId,name,url,endpointType}}}}",
    ),
    "inventory.resource_containers.list": (
        inventory("resourcecontainer/list"),
        "data{items[]{endpointId,endpointName,endpointType,resourceId,resourceName,resourceType,isLocal,url,vcuuid,version,"
        "buildNumber,osType,name,vimId,vimServerUuid,endpoint{endpointId,name,cloudType}}}",
    ),
    "inventory.virtual_machines.list": (
        inventory("virtualmachines"),
        "data{items[]{entity_id,id,name,entityType,summary{guestFullName,guestId,memorySizeMB,numCpu,diskSize,memorySize},"
        "network[]{type,value,id,name,displayName},networkDevices[]}}",
    ),
    "inventory.networks.list": (inventory("networks"), "data{items[]{name,type,href,entity_id,entityType}}"),
    "inventory.datastores.list": (inventory("datastores"), "data{items[]{entity_id,name,entityType}}"),
    "inventory.containers.list": (
        inventory("containers"),
        "data{items[]{entity_id,name,entityType,_origin{endpointId}}}",
    ),
    "inventory.storage_profiles.list": (
        lambda m: m.post("/service/inventory/storageProfiles", {"filter": {}}),
        "data{items[]{name,type,entityType}}",
    ),
    "inventory.vcenters.list": (
        inventory("vc/list"),
        "data{items[]{vcenter_instanceId,entity_id,name,entityType,children[]{entity_id,name,entityType}}}",
    ),
    "inventory.vcenter_datastores.query": (
        compute_query("datastores/query"),
        "data{items[]{id,name,entity_type}}",
    ),
    "inventory.vcenter_switches.query": (compute_query("dvs/query"), "data{items[]{id,name,type,maxMtu}}"),
    "jobs.get": (job, JOB),
    "interconnect.tasks.list": (
        lambda m: m.get("/interconnect/tasks"),
        f"items[]{{{TASK}}},paging{{offset,pageSize,totalSize}}",
    ),
    "interconnect.tasks.get": (
        lambda m: m.get(f"/interconnect/tasks/{m.get('/interconnect/tasks')['items'][0]['interconnectTaskId']}"),
        TASK,
    ),
    "service_meshes.list": (lambda m: m.get("/interconnect/serviceMesh"), f"items[]{{{MESH}}}"),
    "appliances.list": (lambda m: m.get("/interconnect/appliances"), f"items[]{{{LISTED_APPLIANCE}}}"),
    "appliances.query": (lambda m: m.post("/interconnect/appliances/query", {}), f"items[]{{{LISTED_APPLIANCE}}}"),
    "compute_profiles.list": (
        lambda m: m.get("/interconnect/computeProfiles"),
        "items[]{computeProfileId,name,compute[],services[],deploymentContainer{},networks[],state,switches[]}",
    ),
    "network_profiles.list": (
        lambda m: {"_": m.get("/networks")},
        "_[]{objectId,name,description,backings[],ipScopes[],mtu,l3TenantManaged,ownedBySystem}",
    ),
    "underlay.service_mesh_health": (
        lambda m: m.get("/interconnect/underlay/serviceMeshHealth"),
        "items[]{uplinkMetrics[]{uplinkName,remoteUplinkName,measuredData{maxAvailableBandwidth{value{uploadKbps,"
        "downloadKbps},services[]{serviceType,status}},latency{value},lossRate{value}}}}",
    ),
    "l2_extensions.list": (lambda m: m.get("/l2Extensions"), f"items[]{{{EXTENSION}}}"),
    "l2_network_extensions.list": (lambda m: m.get("/l2NetworkExtensions"), f"items[]{{{NEWER}}}"),
    "mobility.migrations.start": (migration, "migrationId,migrationGroupId,entityId"),
    "migrations.query": (compat_query, f"{ENVELOPE},data{{items[]{{{MIGRATION}}}}}"),
    "migrations.query_gen1": (
        lambda m: m.post("/migrations?action=query", {"filter": {"migrationId": [finished(m)]}}),
        "items[]{migrationId,migrationInfo{entityDetails{entityName},message,progressDetails{state,progressPercentage,"
        "diskCopyBytes}},jobInfo{state,username,creationDate,lastUpdated}},paging{offset,pageSize,totalSize}",
    ),
    "mobility.groups.intents": (
        intents,
        "items[]{migrationGroupId,migrations[]{migrationId,migrationType,entity{entityId,entityName,entityType},"
        "source{endpointId},destination{endpointId},transferParams{},switchoverParams{},placement[],storage{},"
        "networkParams{}}}",
    ),
    "v2.mobility_groups.query": (
        v2_groups,
        "items[]{info{id,name,createdTimestamp,migrationStartTimestamp,lastUpdatedTimestamp,username,servicemeshId,source{},"
        "destination{}},summary{state,configurationStatus,countSummary{totalVms,totalVmsDraft,totalVmsQueued,"
        "totalVmsInTransfer,totalVmsWaitingSwitchover,totalVmsInSwitchover,totalVmsCompleted,totalVmsWarning,totalVmsError,"
        "totalVmsCancelled},resourceSummary{totalCpus,totalMem,totalDisk}}}",
    ),
    "v2.mobility_groups.migrations.query": (
        v2_migrations,
        "items[]{info{id,entity},summary{progressSummary{status,message,startTimestamp,lastUpdatedTimestamp,transfer,"
        "total{bytesTransferred,totalBytes},error{messages[]},warning{messages[]}}}}",
    ),
    "appliance_management.vcenter.configure": (
        configure,
        "success,completed,time,version,data{items[]{config{UUID,url,userName}}}",
    ),
}


@pytest.mark.parametrize("call", sorted(CASES))
@pytest.mark.world(scenario=NINE)
def test_every_documented_member_is_in_the_answer(site_pair: SitePair, call: str) -> None:
    ask, documented = CASES[call]
    mark = site_pair.mark()
    body = ask(Manager(site_pair))
    assert not lacking(body, documented), body
    assert call in {each["data"]["operation"] for each in site_pair.calls(after=mark)}


def test_a_list_of_members_is_read_as_the_vendor_pages_write_it() -> None:
    assert paths_of("a,b{c,d[]{e}},f[],g{}") == {"a", "b", "b.c", "b.d", "b.d[].e", "f", "g"}
    assert lacking({"a": 1, "b": [{"c": 1}]}, "a,b[]{c,d}") == ["b[].d"]
