"""Migrations and mobility groups: what is sent, what is read, and how a lost answer is resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    ClientError,
    ConflictError,
    MalformedResponse,
    OutcomeUnknownError,
    ValidationFailed,
)
from hcx_waves.clients.hcx import (
    Entity,
    ExtensionRequest,
    GroupDraft,
    GroupSchedule,
    HcxClient,
    HcxMigrationOptions,
    HcxMigrationType,
    HcxNetworkMapping,
    MigrationIntent,
    Phase,
    Placement,
    Schedule,
    SiteRef,
    Storage,
)
from support.scripted_server import RESET, Answer, FakeTime, ScriptedServer

API = "/hybridity/api"
OPENS = datetime(2026, 1, 1, 18, 0, tzinfo=UTC)
CLOSES = datetime(2026, 1, 1, 20, 0, tzinfo=UTC)

INTENT = MigrationIntent(
    migration_type=HcxMigrationType.RAV,
    entity=Entity("vm-101", "app01"),
    source=SiteRef("ep-1", "vc-1"),
    destination=SiteRef("ep-2", "vc-2"),
    service_mesh_id="servicemesh-1",
    placement=[Placement("domain-c9", "cl01", "cluster")],
    storage=Storage("datastore-15", "vsan", "thin", policy_id="p-1", policy_name="gold"),
    networks=[
        HcxNetworkMapping(
            "00:50:56:00:00:01", "dvportgroup-20", "app-net", "DistributedVirtualPortgroup",
            "/infra/segments/app-net", "app-net", "NsxtSegment",
        )
    ],
    options=HcxMigrationOptions(remove_snapshots=True, retain_mac=True, force_power_off_vm=False),
    window=Schedule(OPENS, CLOSES),
    seed_checkpoint=True,
)  # fmt: skip
ACCEPTED = {
    "errors": [],
    "warnings": [],
    "items": [
        {"migrationId": "m-1", "migrationGroupId": "g-1", "entityId": "vm-101", "errors": [], "warnings": []},
        {"entityId": "vm-102", "errors": [{"code": "E1", "message": "No network"}], "warnings": [{"message": "old"}]},
    ],
}


@pytest.fixture
def server(server: ScriptedServer) -> ScriptedServer:
    server.on("POST", f"{API}/sessions", Answer(200, {}, {"x-hm-authorization": "aa:bb"}))
    return server


@pytest.fixture
def client(server: ScriptedServer, time: FakeTime) -> Iterator[HcxClient]:
    with HcxClient(server.url, "u", "pass-word", ambient=time.ambient(), version="4.11.3") as client:
        yield client


def on(server: ScriptedServer, path: str, body: Any, status: int = 202) -> None:
    server.on("POST", f"{API}{path}", Answer(status, body))


def item(migration_id: str, entity_id: str = "vm-101", created: int = 1767290400000, **more: Any) -> dict[str, Any]:
    return {
        "migrationId": migration_id,
        "migrationGroupId": "g-1",
        "state": "SOMETHING_NEW",
        "entity": {"entityId": entity_id, "entityName": "app01"},
        "creationDate": created,
        "switchoverParams": {"schedule": {"startTime": 1767290400000, "expiryTime": 1767297600000}},
        **more,
    }


# --- what is sent -----------------------------------------------------------------------------------------


def test_rav_intent_is_written_as_documented() -> None:
    wire = INTENT.to_wire()
    assert (wire["migrationType"], wire["servicemeshId"]) == ("RAV", "servicemesh-1")
    assert wire["transferParams"] == {
        "transferType": "vSphereReplication",
        "schedule": {"startTime": 0, "expiryTime": 0},
        "longRecovery": True,
        "transferProfile": [{"option": "removeSnapshots", "value": True}],
    }
    assert wire["switchoverParams"] == {
        "switchoverType": "RAV",
        "schedule": {"startTime": 1767290400000, "expiryTime": 1767297600000},
        "switchoverProfile": [
            {"option": "retainMac", "value": True},
            {"option": "forcePowerOffVm", "value": False},
        ],
    }
    assert wire["placement"] == [{"id": "domain-c9", "name": "cl01", "type": "cluster"}]
    assert wire["networkParams"]["networkMappings"][0]["destNetworkId"] == "/infra/segments/app-net"
    assert wire["storage"]["defaultStorage"]["storageParams"] == [
        {"option": "StorageProfile", "value": "p-1", "type": "defined", "name": "gold"}
    ]


@pytest.mark.parametrize(
    ("kind", "transfer"),
    [
        (HcxMigrationType.RAV, "vSphereReplication"),
        (HcxMigrationType.BULK, "vSphereReplication"),
        (HcxMigrationType.VMOTION, "NO_OP"),
        (HcxMigrationType.COLD, "NO_OP"),
        (HcxMigrationType.ASSISTED_VMOTION, "NO_OP"),
        (HcxMigrationType.OS_ASSISTED, "OsAssistedReplication"),
    ],
)
def test_transfer_belongs_to_the_migration_type(kind: HcxMigrationType, transfer: str) -> None:
    assert kind.transfer_type == transfer


# --- submissions ------------------------------------------------------------------------------------------


def test_start_keeps_ids_of_accepted_next_to_refused_ones(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/mobility/migrations/start", ACCEPTED)
    answer = client.start_migrations([INTENT, {"entity": {"entityId": "vm-102"}}])
    assert [(one.migration_id, one.group_id, one.entity_id) for one in answer.accepted] == [("m-1", "g-1", "vm-101")]
    assert [(one.entity_id, one.errors[0].message) for one in answer.refused] == [("vm-102", "No network")]
    assert answer.warning_messages == ("old",)
    assert server.received[-1].body["items"][1] == {"entity": {"entityId": "vm-102"}}


def test_failed_validation_raises_with_items_and_messages(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/mobility/migrations/validate", ACCEPTED, 400)
    with pytest.raises(ValidationFailed, match="vendor says: No network; vendor code E1") as caught:
        client.validate_migrations([INTENT])
    assert caught.value.messages == ["No network"]
    assert caught.value.items[0]["entity_id"] == "vm-102"
    assert caught.value.items[0]["warnings"] == ["old"]


def test_warnings_alone_do_not_fail_a_validation(client: HcxClient, server: ScriptedServer) -> None:
    body = {"items": [{"entityId": "vm-101", "errors": [], "warnings": [{"message": "has a snapshot"}]}]}
    on(server, "/mobility/migrations/validate", body)
    answer = client.validate_migrations([INTENT])
    assert (answer.refused, answer.warning_messages) == ((), ("has a snapshot",))


def test_validation_is_repeatable_but_start_is_not(client: HcxClient, server: ScriptedServer) -> None:
    busy = Answer(503)
    server.on("POST", f"{API}/mobility/migrations/validate", busy, Answer(202, {"items": []}))
    client.validate_migrations([INTENT])
    server.on("POST", f"{API}/mobility/migrations/start", busy, Answer(202, ACCEPTED))
    with pytest.raises(ClientError, match="not available"):
        client.start_migrations([INTENT])
    assert len(server.asked("POST", f"{API}/mobility/migrations/start")) == 1


EXTENSION = ExtensionRequest("dvportgroup-20", "app-net", "DVPG", "10.1.1.1", "255.255.255.0", "cgw", "a-1", "ep-2")
DRAFT = GroupDraft("wave-1", [INTENT])


@pytest.mark.parametrize(
    ("path", "call", "resolve_path", "resolved_by", "answer_when_acted", "empty"),
    [
        (
            "/mobility/migrations/start",
            lambda client: client.start_migrations([INTENT]),
            "POST /migrations",
            "find_migrations_for_entities",
            {"data": {"items": [item("m-1")]}},
            {"data": {"items": []}},
        ),
        (
            "/mobility/groups",
            lambda client: client.create_group(DRAFT),
            "POST /migration/queryMobilityGroups",
            "find_group_by_name",
            {"data": {"items": [{"id": "g-1", "entityName": "wave-1"}, {"id": "g-2", "entityName": "wave-10"}]}},
            {"data": {"items": [{"id": "g-2", "entityName": "wave-10"}]}},
        ),
        (
            "/mobility/groups/start",
            lambda client: client.start_groups(["g-1"]),
            "POST /migrations",
            "query_migrations",
            {"data": {"items": [item("m-1")]}},
            {"data": {"items": []}},
        ),
        (
            "/mobility/migrations/forceCancel",
            lambda client: client.force_cancel_migrations({"m-1": "g-1"}),
            "POST /migrations",
            "query_migrations",
            {"data": {"items": [item("m-1")]}},
            {"data": {"items": []}},
        ),
        (
            "/l2Extensions",
            lambda client: client.create_extension(EXTENSION),
            "GET /l2Extensions",
            "find_extension_by_source_network",
            {
                "items": [
                    {
                        "stretchId": "e-1",
                        "sourceNetwork": {"networkId": "dvportgroup-20"},
                        "features": {"mobilityOptimizedNetworking": False},
                    }
                ]
            },
            {"items": []},
        ),
    ],
)
def test_lost_answer_is_unknown_and_the_offered_lookup_resolves_it(
    client: HcxClient,
    server: ScriptedServer,
    path: str,
    call: Callable[[HcxClient], object],
    resolve_path: str,
    resolved_by: str,
    answer_when_acted: Any,
    empty: Any,
) -> None:
    server.on("POST", f"{API}{path}", RESET)
    with pytest.raises(OutcomeUnknownError) as caught:
        call(client)
    assert len(server.asked("POST", f"{API}{path}")) == 1
    restored = ClientError.from_dict(caught.value.to_dict())
    assert isinstance(restored, OutcomeUnknownError)
    lookup = restored.lookup
    assert lookup is not None
    assert (lookup.client, lookup.method) == ("hcx", resolved_by)
    method, _, lookup_path = resolve_path.partition(" ")
    seen = []
    for body in (answer_when_acted, empty):
        server.on(method, f"{API}{lookup_path}", Answer(200, body))
        found = getattr(client, lookup.method)(**lookup.arguments)
        seen.append(any(found.values()) if isinstance(found, dict) else bool(found))
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("path", "call", "message"),
    [
        ("/mobility/migrations/start", lambda client: client.start_migrations([INTENT]), "no list of items"),
        ("/mobility/groups", lambda client: client.create_group(DRAFT), "no list of items"),
        ("/mobility/groups/start", lambda client: client.start_groups(["g-1"]), "no list of items"),
        ("/l2Extensions", lambda client: client.create_extension(EXTENSION), "no job id"),
    ],
)
def test_acceptance_of_another_shape_is_an_unknown_outcome(
    client: HcxClient, server: ScriptedServer, path: str, call: Callable[[HcxClient], object], message: str
) -> None:
    on(server, path, {"unexpected": True}, 200)
    with pytest.raises(
        OutcomeUnknownError, match=f"the call was accepted, and its effect is not known:.*{message}"
    ) as caught:
        call(client)
    assert caught.value.lookup is not None
    assert isinstance(caught.value.cause, MalformedResponse)


def test_start_that_names_no_migration_is_an_unknown_outcome(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/mobility/migrations/start", {"items": [], "errors": []})
    with pytest.raises(OutcomeUnknownError, match="no migration in the answer to a start"):
        client.start_migrations([INTENT])


def test_force_cancel_and_cancel_name_their_migrations(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/mobility/migrations/forceCancel", {"items": []})
    client.force_cancel_migrations({"m-1": "g-1", "m-2": None}, remove_seed_data=True)
    assert server.received[-1].body == {
        "items": [{"migrationId": "m-1", "migrationGroupId": "g-1"}, {"migrationId": "m-2"}],
        "removeLongRecoveryData": True,
    }
    on(server, "/mobility/migrations/cancel", {"items": []})
    client.cancel_migrations({"m-1": "g-1"})
    assert server.received[-1].body == {"items": [{"migrationId": "m-1", "migrationGroupId": "g-1"}]}


def test_cancel_path_is_configurable(server: ScriptedServer, time: FakeTime) -> None:
    on(server, "/mobility/migrations/stop", {"items": []})
    with HcxClient(server.url, "u", "p", ambient=time.ambient(), cancel_path="/mobility/migrations/stop") as client:
        client.cancel_migrations({"m-1": "g-1"})
    assert server.asked("POST", f"{API}/mobility/migrations/stop") != []


# --- queries ----------------------------------------------------------------------------------------------


def test_status_of_a_whole_wave_takes_one_request(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/migrations", {"data": {"items": [item(f"m-{n}", f"vm-{n}") for n in range(500)]}}, 200)
    found = client.query_migrations(group_ids=["g-1"])
    assert len(found) == 500
    (request,) = server.asked("POST", f"{API}/migrations")
    assert request.query == {"action": "query"}
    assert request.body["filter"]["migrationGroupId"] == ["g-1"]
    assert request.body["options"]["compat"] == 2.1


def test_migration_is_read_with_window_times_and_state(client: HcxClient, server: ScriptedServer) -> None:
    progress = {
        "startTime": 1767290400000,
        "message": "Waiting",
        "isRescheduleAllowed": True,
        "total": {"value": 100, "bytesTransferred": 40},
        "state": {"isTransferCompleted": 1, "isWaitingForMaintWindow": 1},
    }
    on(
        server,
        "/migrations",
        {"data": {"items": [item("m-1", transferParams={"workflowVersion": 2}, progress=progress)]}},
        200,
    )
    (found,) = client.query_migrations(migration_ids=["m-1"])
    assert (found.migration_id, found.group_id, found.entity_id, found.entity_name) == ("m-1", "g-1", "vm-101", "app01")
    assert (found.window_start, found.window_expiry, found.created_at, found.started_at) == (
        OPENS,
        CLOSES,
        OPENS,
        OPENS,
    )
    assert (found.state.phase, found.state.percent, found.state.message) == (Phase.WAITING_FOR_WINDOW, 40, "Waiting")
    assert found.state.reschedule_allowed
    assert found.raw["state"] == "SOMETHING_NEW"


def test_gen_1_rows_are_read_as_well(client: HcxClient, server: ScriptedServer) -> None:
    row = {"migrationId": "m-1", "migrationInfo": {"message": "x"}, "jobInfo": {"state": "MIGRATED"}}
    on(server, "/migrations", {"rows": [row], "paging": {"offset": 0, "pageSize": 1, "totalSize": 1}}, 200)
    (found,) = client.query_migrations()
    assert found.state.is_success


def test_pages_are_followed_and_migrations_not_doubled(client: HcxClient, server: ScriptedServer) -> None:
    pages = [[item("m-1"), item("m-2")], [item("m-2"), item("m-3")], [item("m-4")]]
    server.on("POST", f"{API}/migrations", *(Answer(200, {"data": {"items": page}}) for page in pages))
    assert [one.migration_id for one in client.query_migrations(page_size=2)] == ["m-1", "m-2", "m-3", "m-4"]


def test_migration_without_id_is_malformed(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/migrations", {"data": {"items": [{"state": "MIGRATION_COMPLETE"}]}}, 200)
    with pytest.raises(MalformedResponse, match="a migration without migrationId"):
        client.query_migrations()


def test_migrations_of_entities_newest_first_and_only_recent_ones(client: HcxClient, server: ScriptedServer) -> None:
    hour = 3600 * 1000
    found = [item("old", created=1767290400000 - hour), item("new", created=1767290400000 + hour), item("x", "vm-7")]
    on(server, "/migrations", {"data": {"items": found}}, 200)
    by_entity = client.find_migrations_for_entities(["vm-101", "vm-102"])
    assert {key: [one.migration_id for one in own] for key, own in by_entity.items()} == {
        "vm-101": ["new", "old"],
        "vm-102": [],
    }
    recent = client.find_migrations_for_entities(["vm-101"], created_after=OPENS)
    assert [one.migration_id for one in recent["vm-101"]] == ["new"]


# --- groups -----------------------------------------------------------------------------------------------


def test_group_is_created_with_defaults_and_members(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/mobility/groups", {"items": [{"migrationGroupId": "g-1", "name": "wave-1", "state": "DRAFT"}]})
    group = client.create_group(GroupDraft("wave-1", [INTENT], defaults=INTENT, tags=["a"]))
    assert (group.group_id, group.name, group.state) == ("g-1", "wave-1", "DRAFT")
    (sent,) = server.received[-1].body["items"]
    assert (sent["name"], sent["tags"], sent["migrations"][0]["operationType"]) == ("wave-1", ["a"], "ADD")
    assert sent["groupDefaults"]["migrationType"] == "RAV"


@pytest.mark.parametrize("status", [400, 409, 500])
def test_duplicate_group_name_is_a_conflict_under_any_status(
    client: HcxClient, server: ScriptedServer, status: int
) -> None:
    body = {"items": [{"errors": [{"message": "Mobility group with same name exist."}]}]}
    on(server, "/mobility/groups", body, status)
    with pytest.raises(ConflictError, match="a mobility group of this name exists") as caught:
        client.create_group(DRAFT)
    assert caught.value.vendor_message == "Mobility group with same name exist."


def test_groups_of_one_name_twice_are_a_conflict(client: HcxClient, server: ScriptedServer) -> None:
    groups = [{"id": "g-1", "entityName": "wave-1"}, {"id": "g-2", "entityName": "wave-1"}]
    on(server, "/migration/queryMobilityGroups", {"data": {"items": groups}}, 200)
    with pytest.raises(ConflictError, match="2 mobility groups are named 'wave-1': g-1, g-2"):
        client.find_group_by_name("wave-1")


def test_unreadable_group_list_never_says_that_there_is_none(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/migration/queryMobilityGroups", {"success": True, "completed": True, "data": {}}, 200)
    with pytest.raises(MalformedResponse, match="the answer has no list of items"):
        client.find_group_by_name("wave-1")


def test_started_group_names_its_migrations(client: HcxClient, server: ScriptedServer) -> None:
    members = [{"migrationId": "m-1", "entityId": "vm-101", "errors": [], "warnings": []}]
    on(server, "/mobility/groups/start", {"items": [{"migrationGroupId": "g-1", "migrations": members}]})
    (group,) = client.start_groups(["g-1"])
    assert group.migrations[0].migration_id == "m-1"
    assert server.received[-1].body == {"items": [{"migrationGroupId": "g-1"}]}


def test_group_is_rescheduled(client: HcxClient, server: ScriptedServer) -> None:
    refused = {"migrations": [{"id": "m-2", "errors": [{"message": "over"}]}, {"id": "m-1", "errors": []}]}
    answer = {"affectedTransferScheduleCount": 0, "affectedSwitchoverScheduleCount": 1, "errors": refused}
    on(server, "/mobility/groups/g-1/schedule", answer, 200)
    window = GroupSchedule(switchover=Schedule(OPENS, CLOSES))
    result = client.schedule_group("g-1", window, {"m-1": GroupSchedule(clear_switchover=True)})
    assert (result.affected_switchover_schedule_count, result.refused_migration_ids) == (1, ("m-2",))
    body = server.received[-1].body
    assert body["mobilityGroupDefaults"]["switchover"]["startTime"] == 1767290400000
    assert body["migrations"][0]["schedule"]["switchover"]["clearSchedule"] is True


def test_intents_come_back_as_submitted(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/mobility/groups/intents", {"items": [{"migrationGroupId": "g-1", "migrations": [{"a": 1}]}]}, 200)
    (found,) = client.group_intents(["g-1"])
    assert (found.group_id, found.migrations) == ("g-1", ({"a": 1},))


def test_extension_is_created_and_its_job_returned(client: HcxClient, server: ScriptedServer) -> None:
    on(server, "/l2Extensions", {"id": "job-7"}, 200)
    assert client.create_extension(EXTENSION) == "job-7"
    body = server.received[-1].body
    assert body["sourceNetwork"] == {"networkId": "dvportgroup-20", "networkName": "app-net", "networkType": "DVPG"}
    assert (body["destinationNetwork"], body["destination"]["endpointId"]) == ({"gatewayId": "cgw"}, "ep-2")


# --- errors inside of accepted answers --------------------------------------------------------------------

ERROR = {"code": "E9", "message": "The extension is in use"}
EVERY_PLACE = (
    {"errors": [ERROR]},
    {"errors": ERROR},
    {"errors": "The extension is in use"},
    {"errors": [ERROR], "items": []},
    {"id": "job-1", "errors": [ERROR]},
    {"data": {"id": "job-1", "errors": [ERROR]}, "errors": []},
    {"errors": [], "items": [{"stretchId": "e-1", "errors": [ERROR]}]},
    {"errors": [], "data": {"items": [{"id": "job-1", "errors": [ERROR]}]}},
)


@pytest.mark.parametrize("status", [200, 202, 207])
@pytest.mark.parametrize("body", EVERY_PLACE)
@pytest.mark.parametrize("version", ["4.11.3", "9.0.1"])
def test_an_extension_call_is_refused_by_an_error_wherever_it_stands(
    server: ScriptedServer, time: FakeTime, version: str, body: Any, status: int
) -> None:
    path = "networkExtensions" if version.startswith("9") else "l2Extensions"
    server.on("DELETE", f"{API}/{path}/e-1", Answer(status, body))
    server.on("POST", f"{API}/l2Extensions", Answer(status, body))
    with HcxClient(server.url, "u", "pass-word", ambient=time.ambient(), version=version) as client:
        for call in (
            lambda: client.delete_extension("e-1", connect_to_local_router=True),
            lambda: client.create_extension(EXTENSION),
        ):
            with pytest.raises(ValidationFailed, match=r"the product refused the call.*The extension is in use"):
                call()
    assert len(server.asked("DELETE", f"{API}/{path}/e-1")) == 1


def test_a_list_that_names_an_error_is_not_taken_for_whole(client: HcxClient, server: ScriptedServer) -> None:
    server.on("GET", f"{API}/l2Extensions", Answer(200, {"items": [{"stretchId": "e-1"}], "errors": [ERROR]}))
    with pytest.raises(ValidationFailed, match="The extension is in use"):
        client.find_extension("e-2")


def test_a_validation_with_refused_items_has_failed_whatever_its_status(
    client: HcxClient, server: ScriptedServer
) -> None:
    on(server, "/mobility/migrations/validate", ACCEPTED)
    with pytest.raises(ValidationFailed, match="No network"):
        client.validate_migrations([INTENT])


def test_a_start_with_errors_on_top_and_items_without_is_an_unknown_outcome(
    client: HcxClient, server: ScriptedServer
) -> None:
    on(server, "/mobility/migrations/start", {**ACCEPTED, "errors": [ERROR]})
    with pytest.raises(OutcomeUnknownError, match="what it did is not known") as caught:
        client.start_migrations([INTENT])
    assert caught.value.lookup is not None
    on(server, "/mobility/migrations/start", {"errors": [ERROR], "items": [{"entityId": "vm-101", "errors": [ERROR]}]})
    with pytest.raises(ValidationFailed, match="The extension is in use"):
        client.start_migrations([INTENT])


def test_a_group_whose_migration_has_an_error_is_refused(client: HcxClient, server: ScriptedServer) -> None:
    member = {"entityId": "vm-101", "errors": [ERROR]}
    on(server, "/mobility/groups", {"items": [{"migrationGroupId": "g-1", "migrations": [member]}]})
    with pytest.raises(ValidationFailed, match="The extension is in use") as caught:
        client.create_group(DRAFT)
    assert [one["entity_id"] for one in caught.value.items] == ["vm-101"]
