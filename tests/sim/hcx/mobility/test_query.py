"""The query of all three generations, its filters and pages, and the lenient ways in which it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from support.mobility import Manager, scenario, vm_spec
from support.site_pair import SitePair

NAMES = ["vm-a", "vm-b", "vm-c"]
FLAGS = {
    "isTransfer", "isTransferProgress", "isTransferCompleted", "isTransferParked", "isTransferAborted",
    "isTransferCanceled", "isTransferError", "isSwitchover", "isSwitchoverStarted", "isSwitchoverProgress",
    "isSwitchoverCompleted", "isSwitchoverParked", "isSwitchoverAborted", "isSwitchoverCanceled",
    "isSwitchoverError", "isWaitingForMaintWindow", "isParked", "isAborted", "isCanceled", "isError",
}  # fmt: skip


def raised(manager: Manager, migration_id: str) -> set[str]:
    """Return the flags of a migration that are 1."""
    state = manager.progress(migration_id)["state"]
    assert set(state) >= FLAGS
    return {flag for flag in FLAGS if state[flag] == 1}


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"]))
def test_the_flags_follow_the_phases(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    _, second = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    assert raised(manager, second) == set()
    site_pair.advance(10)
    assert raised(manager, second) == {"isTransfer", "isTransferProgress"}
    assert manager.progress(second)["state"]["isVMotionBaseSyncInProgress"] is True
    site_pair.advance(20)
    assert raised(manager, second) == {
        "isTransfer", "isTransferCompleted", "isSwitchover", "isSwitchoverParked", "isParked",
    }  # fmt: skip
    site_pair.advance(100)
    assert raised(manager, second) == {
        "isTransfer", "isTransferCompleted", "isSwitchover", "isSwitchoverStarted", "isSwitchoverProgress",
    }  # fmt: skip
    site_pair.run_until_idle()
    assert raised(manager, second) == {"isTransfer", "isTransferCompleted", "isSwitchover", "isSwitchoverCompleted"}


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_compat_item_has_every_documented_field_and_the_legacy_envelope(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(600, 900)))
    site_pair.advance(100)
    body = {"filter": {"migrationId": [migration_id]}, "options": {"compat": 2.1}}
    answer = manager.post("/migrations/?action=query", body).json()
    assert (answer["success"], answer["completed"], answer["version"]) == (True, True, "1.0")
    (item,) = answer["data"]["items"]
    assert {"migrationId", "migrationGroupId", "state", "username", "creationDate", "lastUpdated", "version", "entity",
            "transferParams", "switchoverParams", "progress"} <= set(item)  # fmt: skip
    assert item["version"] == item["transferParams"]["workflowVersion"] == 2
    assert item["creationDate"] == 1767600000000
    progress = item["progress"]
    assert {"startTime", "message", "draftState", "isRescheduleAllowed", "isCancelled", "isDone", "didFail",
            "percentComplete", "log", "total", "error", "transfer", "switchover", "parked", "aborted", "canceled",
            "state"} <= set(progress)  # fmt: skip
    assert "endTime" not in progress
    parts = {"count", "value", "startTime", "endTime", "progress", "completed", "aborted", "canceled", "parked",
             "error", "progressCount", "completedCount", "abortedCount", "canceledCount", "parkedCount",
             "errorCount"}  # fmt: skip
    assert parts <= set(progress["transfer"])
    assert parts | {"waiting", "waitingCount"} <= set(progress["switchover"])
    assert {"statusType", "rowType", "status", "message", "errorMessage", "errorsOccurred", "lastUpdated",
            "isRescheduleAllowed", "isDone", "isVMotionBaseSyncInProgress"} <= set(progress["state"])  # fmt: skip


@pytest.mark.world(scenario=scenario(NAMES))
def test_filters(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    first, second = manager.start(manager.intent("vm-a"), manager.intent("vm-b", "vMotion"))
    site_pair.advance(1000)
    (third,) = manager.start(manager.intent("vm-c", window=(600, 900)))
    source, destination = manager.end("source"), manager.end("destination")

    def found(**wanted: Any) -> list[str]:
        return [item["migrationId"] for item in manager.query(**wanted)]

    assert found() == [first, second, third]
    assert found(id=[third]) == [third]
    assert found(migrationId=[second, "no-such", first]) == [second, first]
    assert found(entityId=[site_pair.vm("vm-c").moref]) == [third]
    assert found(state=["MIGRATION_COMPLETE"]) == [first, second]
    assert found(state=["MIGRATION_COMPLETE"], migrationType=["vMotion"]) == [second]
    assert found(transferType=["NO_OP"]) == [second]
    assert found(source_endpointId=[source["endpointId"]]) == [first, second, third]
    assert found(destination_endpointId=[source["endpointId"]]) == []
    assert found(endpointId=[destination["endpointId"]]) == [first, second, third]
    assert found(destination_resourceId=[destination["computeResourceId"]]) == [first, second, third]
    assert found(userName=["nobody"]) == []
    assert found(createTimeEpoch=1767600000001) == [third]
    assert found(creationDateInterval={"startTime": 1767600000000, "endTime": 1767600000000}) == [first, second]
    assert found(migrationGroupId=["no-such"]) == []


@pytest.mark.world(scenario=scenario(NAMES))
def test_paging(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(*(manager.intent(name) for name in NAMES))
    body: dict[str, Any] = {"filter": {}, "options": {"compat": 2.1}, "paging": {"pageSize": 2, "offset": 2}}
    data = manager.post("/migrations?action=query", body).json()["data"]
    assert [item["migrationId"] for item in data["items"]] == ids[2:]
    assert data["paging"] == {"offset": 2, "pageSize": 2, "totalSize": 3}
    body["paging"] = {"pageSize": 1, "skipCount": 1}
    data = manager.post("/migrations?action=query", body).json()["data"]
    assert [item["migrationId"] for item in data["items"]] == ids[1:2]


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_vrni_a_lenient_body_is_read(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    group_id = manager.query()[0]["migrationGroupId"]
    text = f"{{filter={{skipDrafts=true,migrationGroupId=['{group_id}']}},options={{compat=2.1}}}}"
    answer = manager.http.post(f"{manager.base}/migrations?action=query", data=text)
    assert [item["migrationId"] for item in answer.json()["data"]["items"]] == [migration_id]


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"intermediate_states": {"base_sync": "TRANSFER_STARTED"}}))
def test_intermediate_names_are_configurable_and_terminal_ones_are_not(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(10)
    assert manager.state(migration_id) == "TRANSFER_STARTED"
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"], hcx={"failing_switchovers": ["vm-b"]}))
def test_gen_1_query_has_items_when_filtered_and_rows_otherwise(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    first, second = manager.start(manager.intent("vm-a", "vMotion"), manager.intent("vm-b"))
    site_pair.advance(20)
    (item,) = manager.post("/migrations?action=query", {"filter": {"migrationId": [first]}}).json()["items"]
    assert item["jobInfo"]["state"] == "MIGRATING"
    assert item["migrationInfo"]["entityDetails"]["entityName"] == "vm-a"
    details = item["migrationInfo"]["progressDetails"]
    assert details["state"] == "PROCESS_DESTINATION_SIDE_RELOCATE_PROGRESS_RESULT"
    assert details["diskCopyBytes"] > 0
    site_pair.run_until_idle()
    answer = manager.http.post(f"{manager.base}/migrations?action=query")
    assert answer.json()["paging"]["totalSize"] == 2, "an absent body is tolerated"
    states = {row["migrationId"]: row["jobInfo"]["state"] for row in answer.json()["rows"]}
    assert states == {first: "MIGRATED", second: "MIGRATE_FAILED"}
    steps = {row["migrationInfo"]["progressDetails"]["state"] for row in answer.json()["rows"]}
    assert steps == {"COMPLETED", "FAILED"}
    assert site_pair.calls("migrations.query_gen1"), "the audit names the generation"


def first_generation(manager: Manager, name: str, **changes: Any) -> dict[str, Any]:
    vm = manager.pair.vm(name)
    given = {
        "migrationType": "bulkVMotion",
        "entityDetails": {"entityId": vm.moref, "entityName": name, "entityType": "VirtualMachine"},
        "source": manager.end("source"),
        "destination": manager.end("destination"),
        "placement": [
            {"containerType": "folder", "containerId": "group-v201", "containerName": "Workloads"},
            {"containerType": "resourcePool", "containerId": "resgroup-101", "containerName": "Compute"},
            {"containerType": "dataCenter", "containerId": "datacenter-2", "containerName": "dc"},
        ],
        "storage": {"datastoreId": "datastore-15", "datastoreName": "ds", "diskProvisionType": "thin"},
        "networks": {
            "retainMac": True,
            "targetNetworks": [{"srcNetworkValue": vm.nics[0].network_moref, "destNetworkName": "app"}],
        },
        "decisionRules": {"removeSnapshots": True, "removeISOs": True},
        "schedule": {},
    }
    return {"migrations": [{"input": {**given, **changes}}]}


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", snapshots=["s"]), vm_spec("vm-b", 12)]))
def test_gen_1_validate_and_start(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    bad = first_generation(manager, "vm-a", networks={"retainMac": True, "targetNetworks": []})
    answer = manager.post("/migrations?action=validate", bad)
    assert answer.status_code == 200
    (entry,) = answer.json()["migrations"]
    assert "No target network" in entry["validationInfo"]["validationResult"]["errors"][0]["message"]
    refused = manager.post("/migrations?action=start", bad)
    assert refused.status_code == 400
    answer = manager.post("/migrations?action=start", first_generation(manager, "vm-a"))
    assert answer.status_code == 200
    (started,) = answer.json()["migrations"]
    assert "snapshots" in started["warnings"][0]["message"]
    site_pair.run_until_idle()
    assert manager.state(started["migrationId"]) == "MIGRATION_COMPLETE"
    assert manager.query()[0]["migrationType"] == "RAV"


@pytest.mark.world(scenario=scenario(["vm-a"]))
@pytest.mark.parametrize(
    "schedule",
    [
        {"scheduledFailover": True, "startTime": "1767603600000", "endTime": "1767607200000"},
        {"scheduledFailover": True, "startTime": "2026-01-05T09:00:00Z", "endTime": "2026-01-05T10:00:00Z"},
        {"scheduledFailover": "true", "startYear": "2026", "startMonth": "1", "startDay": "5", "startHour": "10",
         "startMinute": "0", "endYear": 2026, "endMonth": 1, "endDay": 5, "endHour": 11, "endMinute": 0,
         "timezoneOffset": "-60"},
    ],
)  # fmt: skip
def test_gen_1_schedules_of_both_kinds(site_pair: SitePair, schedule: dict[str, Any]) -> None:
    manager = Manager(site_pair)
    answer = manager.post("/migrations?action=start", first_generation(manager, "vm-a", schedule=schedule))
    assert answer.status_code == 200, answer.text
    window = manager.query()[0]["switchoverParams"]["schedule"]
    assert window == {"startTime": 1767603600000, "expiryTime": 1767607200000}


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_gen_1_knows_no_other_action(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.post("/migrations?action=explode").status_code == 400
    assert manager.post("/migrations?action=start", {}).status_code == 400


@pytest.mark.world(scenario=scenario(NAMES, hcx={"version": "9.1.0", "failing_switchovers": ["vm-b"]}))
def test_v2_queries_of_9_1(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    manager.start(manager.intent("vm-c", window=(36_000, 40_000)))
    site_pair.advance(3600)
    sorting = [{"field": "createdTimestamp", "direction": "ASC"}]
    body = {"pageParameters": {"pageNumber": 1, "pageSize": 1, "sortBy": sorting}, "filter": {}}
    answer = manager.post("/v2/mobility-groups/query?vcGuid=x", body).json()
    assert (len(answer["items"]), answer["totalCount"]) == (1, 2)
    counts = answer["items"][0]["summary"]["countSummary"]
    assert (counts["totalVms"], counts["totalVmsCompleted"], counts["totalVmsError"]) == (2, 1, 1)
    assert answer["items"][0]["summary"]["resourceSummary"]["totalCpus"] == 4
    body["pageParameters"]["pageNumber"] = 2
    other = manager.post("/v2/mobility-groups/query?vcGuid=x", body).json()["items"][0]
    assert other["summary"]["countSummary"]["totalVmsWaitingSwitchover"] == 1
    path = f"/v2/mobility-groups/{other['info']['id']}/migrations/query"
    (item,) = manager.post(path, {"filter": {"archiveScope": "EXCLUDE_ARCHIVE"}}).json()["items"]
    progress = item["summary"]["progressSummary"]
    assert progress["status"] == "WAITING_SWITCHOVER"
    assert progress["total"] == {"bytesTransferred": 1_000_000_000, "totalBytes": 1_000_000_000}
    assert manager.post("/v2/mobility-groups/no-such/migrations/query").status_code == 404


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"version": "9.0.2"}))
def test_v2_queries_are_not_offered_before_9_1(site_pair: SitePair) -> None:
    assert Manager(site_pair).post("/v2/mobility-groups/query").status_code == 404
