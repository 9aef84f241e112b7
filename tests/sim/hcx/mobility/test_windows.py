"""Switchover windows: kept, missed in both ways, changed, cleared, and lost by the tracker (KB 321654)."""

from __future__ import annotations

import pytest

from support.mobility import Manager, phases, scenario, seconds_of
from support.site_pair import SitePair


def reschedule(manager: Manager, group_id: str, **defaults: object) -> dict[str, object]:
    answer = manager.post(f"/mobility/groups/{group_id}/schedule", {"mobilityGroupDefaults": defaults})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def group_of(manager: Manager, migration_id: str) -> str:
    return str(manager.query(migrationId=[migration_id])[0]["migrationGroupId"])


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_switchover_waits_for_its_window(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(3600, 7200)))
    site_pair.advance(3599)
    item = manager.query(migrationId=[migration_id])[0]
    assert item["progress"]["state"]["isWaitingForMaintWindow"] == 1
    assert item["progress"]["isRescheduleAllowed"] is True
    assert item["progress"]["switchover"]["waitingCount"] == 1
    start_ms = item["switchoverParams"]["schedule"]["startTime"]
    assert start_ms == int(site_pair.now.timestamp() * 1000) + 1000
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "switchover") == 3600
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a"]))
@pytest.mark.parametrize("schedule", [{}, {"startTime": 0, "expiryTime": 0}, {"clearSchedule": True, "startTime": 1}])
def test_no_window_means_as_soon_as_possible(site_pair: SitePair, schedule: dict[str, object]) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a")
    intent["switchoverParams"]["schedule"] = schedule
    manager.start(intent)
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "switchover") == 15


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_the_same_window_in_the_transfer_schedule_does_not_hold_back_the_transfer(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a", window=(3600, 7200), transfer_window=(3600, 7200)))
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "base_sync") == 5
    assert seconds_of(site_pair, "vm-a", "switchover") == 3600


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"equal_windows_hold_transfer": True}))
def test_the_same_window_in_the_transfer_schedule_may_hold_back_the_transfer(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a", window=(3600, 7200), transfer_window=(3600, 7200)))
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "base_sync") == 3605
    assert seconds_of(site_pair, "vm-a", "switchover") == 3615


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_transfer_window_of_its_own_holds_back_the_transfer(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(3600, 7200), transfer_window=(600, 3600)))
    site_pair.advance(599)
    assert manager.progress(migration_id)["total"]["bytesTransferred"] == 0
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "base_sync") == 605


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"]))
def test_a_missed_window_keeps_waiting_and_can_be_rescheduled(site_pair: SitePair) -> None:
    """Two switchovers of 100 s do not fit into 60 s: the second one misses its window."""
    manager = Manager(site_pair)
    done, missed = manager.start(*(manager.intent(name, window=(600, 660)) for name in ("vm-a", "vm-b")))
    site_pair.advance(3600)
    assert manager.state(done) == "MIGRATION_COMPLETE"
    progress = manager.progress(missed)
    assert (progress["isDone"], progress["state"]["isWaitingForMaintWindow"]) == (False, 1)
    assert progress["isRescheduleAllowed"] is True
    assert "has passed" in progress["message"]
    answer = reschedule(manager, group_of(manager, missed), switchover=manager.schedule(100, 1000))
    assert answer["affectedSwitchoverScheduleCount"] == 1
    site_pair.advance(99)
    assert manager.progress(missed)["state"]["isWaitingForMaintWindow"] == 1
    site_pair.run_until_idle()
    assert manager.state(missed) == "MIGRATION_COMPLETE"
    assert site_pair.vm("vm-b").site.value == "destination"


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"], hcx={"missed_window": "fail"}))
def test_a_missed_window_fails_where_the_switch_says_so(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    done, missed = manager.start(*(manager.intent(name, window=(600, 660)) for name in ("vm-a", "vm-b")))
    site_pair.run_until_idle()
    assert manager.state(done) == "MIGRATION_COMPLETE"
    item = manager.query(migrationId=[missed])[0]
    assert (item["state"], item["progress"]["didFail"]) == ("MIGRATION_FAILED", True)
    assert "switchover window has passed" in item["progress"]["error"]["message"]
    assert site_pair.vm("vm-b").site.value == "source"


@pytest.mark.world(scenario=scenario(["vm-a"], meshes=[{"name": "mesh-1", "link_mbps": 0.8}]))
def test_a_base_sync_that_outlasts_the_window_misses_it(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(600, 1200)))
    site_pair.advance(11_000)
    assert manager.progress(migration_id)["state"]["isWaitingForMaintWindow"] == 1
    assert "has passed" in manager.progress(migration_id)["message"]


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_clear_schedule_releases_a_waiting_migration_at_once(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(36_000, 40_000)))
    site_pair.advance(600)
    answer = reschedule(manager, group_of(manager, migration_id), switchover={"clearSchedule": True})
    assert (answer["affectedTransferScheduleCount"], answer["affectedSwitchoverScheduleCount"]) == (0, 1)
    site_pair.advance(1)
    assert manager.progress(migration_id)["state"]["isSwitchoverProgress"] == 1
    assert manager.query(migrationId=[migration_id])[0]["switchoverParams"]["schedule"] == {
        "startTime": 0,
        "expiryTime": 0,
    }


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"]))
def test_migrations_can_be_rescheduled_one_by_one(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    first, second = manager.start(*(manager.intent(name, window=(3600, 7200)) for name in ("vm-a", "vm-b")))
    entry = {"migrationId": second, "schedule": {"switchover": manager.schedule(600, 1200)}}
    path = f"/mobility/groups/{group_of(manager, first)}/schedule"
    answer = manager.post(path, {"migrations": [entry]})
    assert (answer.status_code, answer.json()["affectedSwitchoverScheduleCount"]) == (200, 1)
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-b", "switchover") == 600
    assert seconds_of(site_pair, "vm-a", "switchover") == 3600


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_rescheduling_what_is_past_it_or_unknown_is_refused_and_changes_nothing(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(20)
    path = f"/mobility/groups/{group_of(manager, migration_id)}/schedule"
    for named, message in ((migration_id, "cannot be rescheduled"), ("no-such", "No such migration.")):
        entry = {"migrationId": named, "schedule": {"switchover": manager.schedule(600, 1200)}}
        answer = manager.post(path, {"migrations": [entry]})
        assert answer.status_code == 400
        assert answer.json()["affectedSwitchoverScheduleCount"] == 0
        refusal = answer.json()["errors"]["migrations"][0]
        assert refusal["id"] == named
        assert message in refusal["errors"][0]["message"]
    past = manager.post(path, {"mobilityGroupDefaults": {"switchover": manager.schedule(-600, -300)}})
    assert past.status_code == 400
    assert "already over" in past.json()["errors"]["mobilityGroupDefaults"]["errors"][0]["message"]
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


LOST = {"tracker_lost_entities": ["vm-a"]}


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"], hcx={**LOST, "missed_window": "fail"}))
def test_kb_321654_a_lost_switchover_never_fires_until_it_is_rescheduled(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    lost, fine = manager.start(*(manager.intent(name, window=(600, 3600)) for name in ("vm-a", "vm-b")))
    site_pair.advance(20_000)
    assert manager.state(fine) == "MIGRATION_COMPLETE"
    progress = manager.progress(lost)
    assert (progress["isDone"], progress["state"]["isWaitingForMaintWindow"]) == (False, 1)
    assert progress["message"] == "Replicated, waiting for the switchover window"
    reschedule(manager, group_of(manager, lost), switchover=manager.schedule(60, 3600))
    site_pair.run_until_idle()
    assert manager.state(lost) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a"], hcx=LOST))
def test_kb_321654_a_service_restart_finds_a_lost_switchover(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (lost,) = manager.start(manager.intent("vm-a", window=(600, 30_000)))
    site_pair.advance(10_000)
    assert manager.progress(lost)["state"]["isWaitingForMaintWindow"] == 1
    control = site_pair.endpoints["control"]
    answer = site_pair.http().post(
        f"{control['url']}/worlds/{site_pair.world_id}/hcx/restart",
        headers={"Authorization": f"Bearer {control['token']}"},
    )
    assert answer.json() == {"switchovers_found_again": 1}
    assert [entry["subject"] for entry in site_pair.audit("control")] == ["hcx-restart"]
    site_pair.run_until_idle()
    assert manager.state(lost) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a"], hcx=LOST))
def test_kb_321654_only_scheduled_switchovers_are_lost(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert phases(site_pair, "vm-a")[-1][1] == "complete"
