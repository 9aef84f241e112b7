"""Cancel, force cancel, rollbacks that leave something behind, retries, and seed checkpoints."""

from __future__ import annotations

import pytest
import requests

from support.mobility import Manager, messages, phases, scenario, seconds_of, vm_spec
from support.site_pair import SitePair

GB = 1_000_000_000
GIB = 1024**3
BIG = [{"size_gb": 40, "used_gb": 10 * GB / GIB}]


def end(manager: Manager, action: str, *migration_ids: str, **more: object) -> requests.Response:
    items = [{"migrationId": each} for each in migration_ids]
    return manager.post(f"/mobility/migrations/{action}", {"items": items, **more})


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", disks=BIG)]))
def test_a_cancel_is_a_workflow_that_takes_time(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(15)
    answer = end(manager, "cancel", migration_id)
    assert answer.status_code == 202
    assert answer.json()["items"][0]["entityId"] == site_pair.vm("vm-a").moref
    progress = manager.progress(migration_id)
    assert (progress["isDone"], progress["isCancelled"], progress["message"]) == (False, 0, "Cancelling")
    assert messages(end(manager, "cancel", migration_id)), "a second cancel is refused"
    site_pair.advance(30)
    item = manager.query(migrationId=[migration_id])[0]
    assert item["state"] == "MIGRATION_CANCELLED"
    progress = item["progress"]
    assert (progress["isDone"], progress["didFail"], progress["isCancelled"]) == (True, False, 1)
    assert progress["state"]["isTransferCanceled"] == 1
    assert site_pair.vm("vm-a").site.value == "source"


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"canceled_name": "MIGRATION_CANCELED"}))
def test_the_name_of_a_cancelled_migration_is_a_switch(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    end(manager, "cancel", migration_id)
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_CANCELED"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_switchover_in_progress_cannot_be_cancelled(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(20)
    answer = end(manager, "cancel", migration_id)
    assert answer.status_code == 400
    assert "cannot be cancelled: Switchover in progress" in messages(answer)[0]
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", disks=BIG)], hcx={"failing_cancels": ["vm-a"]}))
def test_a_cancel_that_fails_needs_a_force_cancel(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(15)
    end(manager, "cancel", migration_id)
    site_pair.advance(3600)
    progress = manager.progress(migration_id)
    assert (progress["isDone"], progress["message"]) == (False, "Failed to cancel gracefully")
    assert "force cancel it" in progress["error"]["message"]
    assert messages(manager.validate(manager.intent("vm-a"))) == ["Virtual machine 'vm-a' is being migrated already."]
    assert end(manager, "forceCancel", migration_id).status_code == 202
    site_pair.advance(30)
    assert manager.state(migration_id) == "MIGRATION_CANCELLED"
    assert manager.validate(manager.intent("vm-a")).status_code == 202


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"failing_switchovers": ["vm-a"], "failing_cleanups": ["vm-a"]}))
def test_an_incomplete_rollback_blocks_the_retry_until_force_cancel(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (failed,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    item = manager.query(migrationId=[failed])[0]
    assert item["state"] == "MIGRATION_FAILED"
    assert "rollback is incomplete" in item["progress"]["warning"]["messages"][0]
    answer = manager.post("/mobility/migrations/start", {"items": [manager.intent("vm-a")]})
    assert answer.status_code == 400
    assert "rollback of an earlier migration of 'vm-a' is incomplete" in messages(answer)[0]
    assert len(manager.query(entityId=[site_pair.vm("vm-a").moref])) == 1, "nothing was started"
    assert end(manager, "forceCancel", failed).status_code == 202
    assert manager.validate(manager.intent("vm-a")).status_code == 400, "clearing takes its time"
    site_pair.advance(30)
    assert manager.validate(manager.intent("vm-a")).status_code == 202
    assert manager.state(failed) == "MIGRATION_FAILED"
    notes = [entry["data"] for entry in site_pair.audit("note", subject=f"migration:{failed}")]
    assert notes[-1] == {"vm": "vm-a", "cleaned_up": True}


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_force_cancel_of_what_has_nothing_to_cancel_is_refused(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    answer = end(manager, "forceCancel", migration_id)
    assert (answer.status_code, "nothing to cancel" in messages(answer)[0]) == (400, True)
    unknown = end(manager, "forceCancel", "no-such-migration")
    assert (unknown.status_code, messages(unknown)) == (400, ["No such migration."])


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", disks=BIG)]))
def test_a_seed_checkpoint_keeps_what_was_replicated_for_the_retry(site_pair: SitePair) -> None:
    """10 GB at 100 MB/s: 60 s are replicated before the cancel, so that the retry needs 40 s more."""
    manager = Manager(site_pair)
    datastore = site_pair.world.datastores["destination/datastore-15"]
    free = datastore.free_bytes
    (first,) = manager.start(manager.intent("vm-a", seed_checkpoint=True))
    site_pair.advance(65)
    end(manager, "cancel", first)
    site_pair.advance(30)
    assert datastore.free_bytes == free - 6 * GB
    (retry,) = manager.start(manager.intent("vm-a", seed_checkpoint=True))
    assert retry != first
    site_pair.advance(5)
    assert manager.progress(retry)["total"] == {"value": 10 * GB, "bytesTransferred": 6 * GB}
    site_pair.advance(40)
    assert manager.progress(retry)["state"]["isTransferCompleted"] == 1
    site_pair.run_until_idle()
    assert manager.state(retry) == "MIGRATION_COMPLETE"
    assert datastore.free_bytes == free - 10 * GB


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", disks=BIG)]))
def test_kb_321654_without_a_seed_checkpoint_all_replicated_data_is_lost(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    datastore = site_pair.world.datastores["destination/datastore-15"]
    free = datastore.free_bytes
    (first,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(65)
    end(manager, "cancel", first)
    site_pair.advance(30)
    assert datastore.free_bytes == free
    (retry,) = manager.start(manager.intent("vm-a", seed_checkpoint=True))
    site_pair.advance(5)
    assert manager.progress(retry)["total"]["bytesTransferred"] == 0


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", disks=BIG)]))
def test_remove_long_recovery_data_drops_the_seed(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    datastore = site_pair.world.datastores["destination/datastore-15"]
    free = datastore.free_bytes
    (first,) = manager.start(manager.intent("vm-a", seed_checkpoint=True))
    site_pair.advance(65)
    end(manager, "cancel", first)
    site_pair.advance(30)
    assert end(manager, "forceCancel", first, removeLongRecoveryData=True).status_code == 202
    assert datastore.free_bytes == free


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_seed_checkpoint_needs_a_specific_datastore(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a", seed_checkpoint=True)
    intent["storage"]["defaultStorage"] = {"id": "group-p5", "type": "storagePod"}
    assert messages(manager.validate(intent)) == [
        "A seed checkpoint needs a specific datastore, not a datastore cluster."
    ]


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"], hcx={"failing_switchovers": ["vm-a"]}))
def test_starting_a_group_again_retries_only_what_failed_with_a_new_id(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    failed, fine = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    site_pair.run_until_idle()
    group_id = manager.query(migrationId=[failed])[0]["migrationGroupId"]
    answer = manager.post("/mobility/groups/start", {"items": [{"migrationGroupId": group_id}]})
    assert answer.status_code == 202, answer.text
    (retried,) = answer.json()["items"][0]["migrations"]
    assert retried["migrationId"] not in (failed, fine)
    assert {item["migrationId"] for item in manager.query(migrationGroupId=[group_id])} == {
        failed, fine, retried["migrationId"],
    }  # fmt: skip
    site_pair.run_until_idle()
    assert manager.state(retried["migrationId"]) == "MIGRATION_FAILED", "its name is still on the list"


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", disks=BIG)]))
def test_an_engine_fault_fails_a_base_sync(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(
        product="engine", call="migration.base_sync", behaviour="fail", seconds=20, message="Disk is gone.", count=1
    )
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    item = manager.query(migrationId=[migration_id])[0]
    assert item["state"] == "TRANSFER_FAILED"
    assert item["progress"]["error"]["message"] == "Disk is gone."
    assert item["progress"]["total"]["bytesTransferred"] == 2 * GB
    assert item["progress"]["state"]["isTransferError"] == 1
    (retry,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert manager.state(retry) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"]))
def test_engine_faults_delay_and_stall(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="migration.base_sync", object="vm-a", behaviour="delay", seconds=500)
    site_pair.fault(product="engine", call="migration.base_sync", object="vm-b", behaviour="stall")
    late, stuck = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "switchover_window") == 515
    assert manager.state(late) == "MIGRATION_COMPLETE"
    progress = manager.progress(stuck)
    assert (progress["isDone"], progress["state"]["isTransferParked"]) == (False, 1)
    end(manager, "cancel", stuck)
    site_pair.run_until_idle()
    assert manager.state(stuck) == "MIGRATION_CANCELLED"


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"]))
def test_engine_faults_in_a_switchover(site_pair: SitePair) -> None:
    """A switchover that hangs keeps its mesh from switching over anybody else until it is force cancelled."""
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="migration.switchover", object="vm-a", behaviour="stall")
    hanging, waiting = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    site_pair.advance(7000)
    assert manager.progress(waiting)["state"]["isSwitchoverParked"] == 1
    assert end(manager, "forceCancel", hanging).status_code == 202
    site_pair.run_until_idle()
    assert manager.state(hanging) == "MIGRATION_CANCELLED"
    assert manager.state(waiting) == "MIGRATION_COMPLETE"
    assert site_pair.vm("vm-a").site.value == "source"


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b", "vm-c"]))
def test_engine_faults_in_cleanup_cancel_and_delta(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="engine", call="migration.cleanup", object="vm-a", behaviour="delay", seconds=50)
    site_pair.fault(product="engine", call="migration.cancel", object="vm-b", behaviour="fail")
    site_pair.fault(product="engine", call="migration.delta_sync", object="vm-c", behaviour="fail", message="No disk.")
    window = (20_000, 30_000)
    cleaned, _ = manager.start(manager.intent("vm-a"), manager.intent("vm-c", window=window))
    (cancelled,) = manager.start(manager.intent("vm-b", window=window))
    site_pair.advance(100)
    end(manager, "cancel", cancelled)
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "complete") - seconds_of(site_pair, "vm-a", "cleanup") == 50
    assert manager.state(cleaned) == "MIGRATION_COMPLETE"
    assert phases(site_pair, "vm-b")[-1][1] == "cancel_failed"
    assert phases(site_pair, "vm-c")[-1][1] == "transfer_failed"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_vm_that_vanishes_fails_its_migration(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(600, 900)))
    site_pair.advance(60)
    vm = site_pair.vm("vm-a")
    site_pair.run(lambda: site_pair.world.remove(vm))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_FAILED"
    assert "no longer at the source" in manager.progress(migration_id)["error"]["message"]


_UNSTRETCHED = [
    {"name": "app", "subnet": "10.9.1.0/24"},
    {"name": "app", "subnet": "10.9.1.0/24", "site": "destination", "connectivity": "OFF"},
]


@pytest.mark.world(scenario=scenario(["vm-a"], networks=_UNSTRETCHED))
def test_a_mesh_is_not_deleted_while_a_migration_runs_on_it(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    mesh_path = f"/interconnect/serviceMesh/{manager.mesh_id()}?force=true"
    (migration_id,) = manager.start(manager.intent("vm-a"))
    answer = manager.send("DELETE", mesh_path)
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert error["code"] == "MESH_IN_USE"
    assert error["message"].endswith("migrations run on it (vm-a; 1 in all).")
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    assert manager.send("DELETE", mesh_path).status_code == 200
    site_pair.run_until_idle()
    assert site_pair.world.meshes == {}
