"""Mobility groups over the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from support.mobility import Manager, messages, scenario
from support.site_pair import SitePair

NAMES = ["vm-a", "vm-b"]
DEFAULTED = ("source", "destination", "migrationType", "servicemeshId", "transferParams", "switchoverParams",
             "placement", "storage")  # fmt: skip


def group(manager: Manager, name: str, vms: list[str], **options: Any) -> dict[str, Any]:
    """Return a group whose VMs take everything but their networks from the defaults."""
    intents = [manager.intent(vm, **options) for vm in vms]
    own = [
        {key: value for key, value in intent.items() if key not in DEFAULTED} | {"operationType": "ADD"}
        for intent in intents
    ]
    return {
        "name": name,
        "tags": [],
        "groupDefaults": {key: intents[0][key] for key in DEFAULTED},
        "migrations": own,
    }


def create(manager: Manager, *items: dict[str, Any]) -> requests.Response:
    return manager.post("/mobility/groups", {"items": list(items)})


def act(manager: Manager, action: str, *group_ids: str) -> requests.Response:
    return manager.post(f"/mobility/groups/{action}", {"items": [{"migrationGroupId": each} for each in group_ids]})


def group_id_of(answer: requests.Response) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.json()["items"][0]["migrationGroupId"])


@pytest.mark.world(scenario=scenario(NAMES))
def test_a_group_is_a_draft_until_it_is_started(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = create(manager, group(manager, "wave-1", NAMES))
    group_id = group_id_of(answer)
    assert answer.json()["items"][0]["state"] == "DRAFT"
    site_pair.advance(600)
    assert [item["state"] for item in manager.query(migrationGroupId=[group_id])] == ["DRAFT", "DRAFT"]
    draft = manager.query(migrationGroupId=[group_id])[0]["progress"]
    assert (draft["draftState"], draft["isDone"]) == ("DRAFT", False)
    validated = act(manager, "validate", group_id)
    assert (validated.status_code, len(validated.json()["items"][0]["migrations"])) == (202, 2)
    started = act(manager, "start", group_id)
    assert started.status_code == 202
    item = started.json()["items"][0]
    assert (item["name"], item["state"], len(item["migrations"])) == ("wave-1", "STARTED", 2)
    first = item["migrations"][0]
    assert first["endpointId"] == site_pair.world.sites["source"].hcx_endpoint_id
    assert (first["entityId"], first["operationType"]) == (site_pair.vm("vm-a").moref, "ADD")
    site_pair.run_until_idle()
    assert {each["state"] for each in manager.query(migrationGroupId=[group_id])} == {"MIGRATION_COMPLETE"}
    assert act(manager, "start", group_id).status_code == 400, "nothing is left to start"


@pytest.mark.world(scenario=scenario(NAMES))
def test_vrni_a_duplicate_name_is_refused_in_the_vendors_words(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    create(manager, group(manager, "wave-1", ["vm-a"]))
    answer = create(manager, group(manager, "wave-1", ["vm-b"]))
    assert answer.status_code == 400
    assert answer.json()["items"][0]["errors"][0]["message"] == "Mobility group with same name exist."
    twins = create(manager, group(manager, "wave-2", ["vm-a"]), group(manager, "wave-2", ["vm-b"]))
    assert messages(twins) == ["Mobility group with same name exist."]
    listed = manager.post("/migration/queryMobilityGroups", {"filter": {"skipDrafts": False}})
    assert [item["entityName"] for item in listed.json()["data"]["items"]] == ["wave-1"]


@pytest.mark.world(scenario=scenario(NAMES))
def test_start_of_a_bad_or_unknown_group_is_refused_in_the_shape_of_a_start(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    document = group(manager, "wave-1", NAMES)
    document["migrations"][1]["networkParams"] = {}
    group_id = group_id_of(create(manager, document))
    answer = act(manager, "start", group_id)
    assert answer.status_code == 400
    errors = [migration.get("errors", []) for migration in answer.json()["items"][0]["migrations"]]
    assert errors[0] == []
    assert "No target network" in errors[1][0]["message"]
    assert {item["state"] for item in manager.query()} == {"DRAFT"}
    unknown = act(manager, "start", "no-such-group")
    assert (unknown.status_code, messages(unknown)) == (400, ["No such mobility group."])


@pytest.mark.world(scenario=scenario(NAMES))
def test_per_vm_entries_override_the_defaults(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    document = group(manager, "wave-1", NAMES, window=(3600, 7200))
    document["migrations"][1]["switchoverParams"] = {"schedule": manager.schedule(600, 1200)}
    act(manager, "start", group_id_of(create(manager, document)))
    starts = {
        item["entity"]["entityName"]: item["switchoverParams"]["schedule"]["startTime"] for item in manager.query()
    }
    assert starts["vm-a"] - starts["vm-b"] == 3_000_000


@pytest.mark.world(scenario=scenario(NAMES))
def test_intents_are_returned_as_submitted(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    group_id = group_id_of(create(manager, group(manager, "wave-1", NAMES, window=(3600, 7200))))
    body = {"filters": {"groups": [{"migrationGroupId": group_id}]}}
    (item,) = manager.post("/mobility/groups/intents", body).json()["items"]
    expected = manager.intent("vm-b", window=(3600, 7200))
    assert item["migrations"][1] == {
        **expected,
        "operationType": "ADD",
        "migrationId": manager.query(migrationGroupId=[group_id])[1]["migrationId"],
        "migrationGroupId": group_id,
    }


@pytest.mark.world(scenario=scenario(NAMES))
def test_a_draft_can_be_changed_and_a_stale_change_is_refused_unless_forced(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    document = group(manager, "wave-1", ["vm-a"])
    answer = create(manager, document)
    group_id, seen = group_id_of(answer), answer.json()["items"][0]["lastUpdated"]
    site_pair.advance(10)
    first_id = answer.json()["items"][0]["migrations"][0]["migrationId"]
    extra = group(manager, "wave-1", ["vm-b"])["migrations"]
    change = {
        **document,
        "name": "wave-one",
        "migrationGroupId": group_id,
        "lastUpdated": seen,
        "migrations": [*extra, {"migrationId": first_id, "operationType": "REMOVE"}],
    }
    changed = manager.send("PUT", "/mobility/groups?force=false", {"items": [change]})
    assert (changed.status_code, changed.json()["items"][0]["name"]) == (202, "wave-one")
    assert [item["entity"]["entityName"] for item in manager.query()] == ["vm-b"]
    again = {"name": "wave-1", "migrationGroupId": group_id, "lastUpdated": seen}
    stale = manager.send("PUT", "/mobility/groups?force=false", {"items": [again]})
    assert (stale.status_code, messages(stale)) == (400, ["The mobility group has been changed since it was read."])
    assert manager.send("PUT", "/mobility/groups?force=true", {"items": [again]}).status_code == 202


@pytest.mark.world(scenario=scenario(NAMES))
def test_what_has_been_started_cannot_be_changed_or_deleted(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    group_id = group_id_of(create(manager, group(manager, "wave-1", NAMES)))
    (started,) = act(manager, "start", group_id).json()["items"]
    entry = {"migrationId": started["migrations"][0]["migrationId"], "operationType": "REMOVE"}
    answer = manager.send("PUT", "/mobility/groups", {"items": [{"migrationGroupId": group_id, "migrations": [entry]}]})
    assert (answer.status_code, "has been started" in messages(answer)[0]) == (400, True)
    deleted = act(manager, "delete", group_id)
    assert (deleted.status_code, "archive it instead" in messages(deleted)[0]) == (400, True)


@pytest.mark.world(scenario=scenario(NAMES))
def test_a_draft_group_can_be_deleted_and_its_name_is_free_again(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    group_id = group_id_of(create(manager, group(manager, "wave-1", NAMES)))
    assert act(manager, "delete", group_id).status_code == 202
    assert manager.query() == []
    assert create(manager, group(manager, "wave-1", NAMES)).status_code == 202


@pytest.mark.world(scenario=scenario(NAMES))
def test_archive_is_403_until_all_is_terminal_and_404_for_an_unknown_group(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    group_id = group_id_of(create(manager, group(manager, "wave-1", NAMES)))
    assert act(manager, "archive", group_id).status_code == 403
    act(manager, "start", group_id)
    assert act(manager, "archive", group_id).status_code == 403
    assert act(manager, "archive", "no-such-group").status_code == 404
    site_pair.run_until_idle()
    assert act(manager, "archive", group_id).status_code == 200
    assert manager.query(migrationGroupId=[group_id]) == []
    assert len(manager.query(migrationGroupId=[group_id], includeArchived=True)) == 2
    listed = manager.post("/migration/queryMobilityGroups", {}).json()["data"]["items"]
    assert listed == []


@pytest.mark.world(scenario=scenario(NAMES))
def test_groups_are_listed_with_counters_and_without_drafts_if_wished(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    draft = group_id_of(create(manager, group(manager, "wave-1", ["vm-a"])))
    manager.start(manager.intent("vm-b"))
    body = {"filter": {"skipDrafts": True}, "options": {"compat": 2.1}}
    items = manager.post("/migration/queryMobilityGroups", body).json()["data"]["items"]
    assert [item["id"] == draft for item in items] == [False]
    assert (items[0]["runningMigrations"], items[0]["totalMigrations"]) == (1, 1)
    assert len(manager.query(draftsOnly=True)) == len(manager.query(skipDrafts=True)) == 1


@pytest.mark.world(scenario=scenario(NAMES))
def test_asaf_a_start_without_a_group_still_returns_one(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.post("/mobility/migrations/start", {"items": [manager.intent(name) for name in NAMES]})
    items = answer.json()["items"]
    assert len({item["migrationGroupId"] for item in items}) == 1
    assert len(manager.query(migrationGroupId=[items[0]["migrationGroupId"]])) == 2
    summary = site_pair.calls("mobility.migrations.start")[-1]["data"]["summary"]
    assert summary == {"vms": ["vm-a", "vm-b"], "refused": False}


@pytest.mark.world(scenario=scenario(NAMES))
def test_a_start_may_join_a_group_and_take_its_defaults(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    group_id = group_id_of(create(manager, group(manager, "wave-1", ["vm-a"])))
    bare = {key: value for key, value in manager.intent("vm-b").items() if key in ("entity", "networkParams")}
    (migration_id,) = manager.start({**bare, "migrationGroupId": group_id})
    assert manager.query(migrationId=[migration_id])[0]["migrationGroupId"] == group_id
    draft = manager.query(migrationGroupId=[group_id])[0]
    (same,) = manager.start({**manager.intent("vm-a"), "migrationId": draft["migrationId"]})
    assert same == draft["migrationId"], "a draft that is named is started itself"


@pytest.mark.world(scenario=scenario(NAMES, hcx={"version": "9.1.0"}))
def test_a_wave_is_committed_on_9x(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    group_id = group_id_of(create(manager, group(manager, "wave-1", NAMES)))
    path = f"/planning/migrationwaves/{group_id}"
    assert manager.send("PUT", "/planning/migrationwaves/none?action=commit").status_code == 404
    assert manager.send("PUT", f"{path}?action=abandon").status_code == 400
    assert manager.send("PUT", f"{path}?action=commit").status_code == 202
    site_pair.run_until_idle()
    assert {item["state"] for item in manager.query()} == {"MIGRATION_COMPLETE"}


@pytest.mark.world(scenario=scenario(NAMES))
def test_waves_are_unknown_to_4x(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert manager.send("PUT", "/planning/migrationwaves/x?action=commit").status_code == 404
    assert manager.post("/v2/mobility-groups/query").status_code == 404


@pytest.mark.world(scenario=scenario(NAMES))
def test_one_vm_in_two_groups_of_one_start_is_refused(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    first = group_id_of(create(manager, group(manager, "wave-1", ["vm-a"])))
    second = group_id_of(create(manager, group(manager, "wave-2", ["vm-a", "vm-b"])))
    answer = act(manager, "start", first, second)
    assert answer.status_code == 400
    assert "named more than once" in answer.json()["items"][1]["migrations"][0]["errors"][0]["message"]
    twice = act(manager, "start", first, first)
    assert (twice.status_code, messages(twice)) == (400, ["The mobility group is named more than once."])
    assert {item["state"] for item in manager.query()} == {"DRAFT"}


@pytest.mark.world(scenario=scenario(NAMES))
def test_two_vms_with_the_same_moref_at_either_site_are_two_members_of_a_group(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    there, here = site_pair.vm("vm-a"), site_pair.vm("vm-b")
    site_pair.run(lambda: site_pair.world.remove(there))
    site_pair.run(lambda: site_pair.world.put(replace(there, moref=here.moref, key=f"destination/{here.moref}")))
    both = [manager.intent("vm-a", to="source"), manager.intent("vm-b")]
    group_id = group_id_of(create(manager, {"name": "both-ways", "migrations": both}))
    started = act(manager, "start", group_id)
    assert len(started.json()["items"][0]["migrations"]) == 2
    site_pair.run_until_idle()
    assert {item["state"] for item in manager.query(migrationGroupId=[group_id])} == {"MIGRATION_COMPLETE"}
    assert (site_pair.vm("vm-a").site.value, site_pair.vm("vm-b").site.value) == ("source", "destination")
