"""Bandwidth: caps per migration and per appliance, fair shares of a link, tunnels, deltas, and honest progress."""

from __future__ import annotations

import json

import pytest

from support.mobility import Manager, phases, scenario, seconds_of, vm_spec
from support.site_pair import SitePair

GB = 1_000_000_000
GIB = 1024**3
FAST = [{"name": "mesh-1", "link_mbps": 100_000}]
SLOW = [{"name": "mesh-1", "link_mbps": 80}]


def sized(name: str, number: int, gigabytes: float, **changes: object) -> dict[str, object]:
    return vm_spec(name, number, disks=[{"size_gb": 500, "used_gb": gigabytes * GB / GIB}], **changes)


def synced(pair: SitePair, name: str) -> float:
    """Return the seconds from the begin to the end of a base sync."""
    return seconds_of(pair, name, "switchover_window") - seconds_of(pair, name, "base_sync")


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 100)], meshes=FAST))
def test_kb_321604_one_migration_gets_at_most_one_gbps(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert synced(site_pair, "vm-a") == 800


@pytest.mark.world(scenario=scenario([sized(f"vm-{n}", 11 + n, 100) for n in range(4)], meshes=FAST))
def test_kb_321604_one_appliance_gives_at_most_1_6_gbps_in_equal_shares(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(*(manager.intent(f"vm-{n}") for n in range(4)))
    site_pair.run_until_idle()
    assert [synced(site_pair, f"vm-{n}") for n in range(4)] == [2000.0] * 4


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1), sized("vm-b", 12, 3)]))
def test_who_stays_gets_the_share_of_who_is_done(site_pair: SitePair) -> None:
    """800 Mbps: 50 MB/s each until vm-a is done at 20 s, then 100 MB/s for the 2 GB that vm-b has left."""
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    site_pair.run_until_idle()
    assert (synced(site_pair, "vm-a"), synced(site_pair, "vm-b")) == (20, 40)


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 2), sized("vm-b", 12, 2)]))
def test_who_comes_later_takes_its_share_from_the_others(site_pair: SitePair) -> None:
    """vm-a alone for 10 s (1 GB), then both at 50 MB/s: vm-a at 30 s, and vm-b has 1 GB left at 100 MB/s."""
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.advance(10)
    manager.start(manager.intent("vm-b"))
    site_pair.run_until_idle()
    assert (synced(site_pair, "vm-a"), synced(site_pair, "vm-b")) == (30, 30)


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1)]))
def test_a_tunnel_that_is_down_stalls_transfers(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(10)
    mesh = site_pair.world.meshes[manager.mesh_id()]
    site_pair.run(lambda: site_pair.world.update(mesh, tunnel_up=False))
    site_pair.advance(1000)
    progress = manager.progress(migration_id)
    assert progress["total"] == {"value": GB, "bytesTransferred": GB // 2}
    assert (progress["state"]["isTransferParked"], progress["state"]["isTransferProgress"]) == (1, 0)
    site_pair.run(lambda: site_pair.world.update(mesh, tunnel_up=True))
    site_pair.run_until_idle()
    assert synced(site_pair, "vm-a") == 1010
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1)]))
def test_a_link_that_becomes_slower_slows_what_is_under_way(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.advance(10)
    mesh = site_pair.world.meshes[manager.mesh_id()]
    site_pair.run(lambda: site_pair.world.update(mesh, link_bits_per_second=80e6))
    site_pair.run_until_idle()
    assert synced(site_pair, "vm-a") == 5 + 50


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1, change_rate_mbps=8)]))
def test_delta_syncs_go_on_every_rpo_while_waiting_and_a_last_one_before_the_switchover(site_pair: SitePair) -> None:
    """1 MB/s of changes: 7200 MB per 2 h, but never more than the 1 GB that the VM uses."""
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", window=(4 * 3600 + 600, 5 * 3600)))
    site_pair.advance(7200)
    assert manager.progress(migration_id)["total"]["value"] == GB
    site_pair.advance(20)
    progress = manager.progress(migration_id)
    assert progress["total"] == {"value": 2 * GB, "bytesTransferred": 2 * GB}
    assert progress["state"]["isWaitingForMaintWindow"] == 1
    site_pair.advance(4 * 3600 + 600 - 7220 - 5)
    assert manager.progress(migration_id)["total"]["value"] == 3 * GB
    site_pair.advance(5)
    assert manager.progress(migration_id)["message"] == "Switchover: last delta sync"
    site_pair.run_until_idle()
    # the last delta began with the switchover: 595 s of changes since the sync at 4 h + 5 s
    assert manager.progress(migration_id)["total"] == {"value": 3_595_000_000, "bytesTransferred": 3_595_000_000}
    assert seconds_of(site_pair, "vm-a", "switchover") - seconds_of(site_pair, "vm-a", "final_sync") == pytest.approx(
        5.95
    )


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1, change_rate_mbps=8)]))
def test_a_continuous_sync_has_its_own_interval_in_minutes(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a", window=(3600, 7200))
    intent["transferParams"].update(continuousSync=True, syncInterval=5)
    (migration_id,) = manager.start(intent)
    site_pair.advance(5 + 300 + 5)
    assert manager.progress(migration_id)["total"]["value"] == GB + 300_000_000


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1), sized("vm-b", 12, 2)], meshes=SLOW))
def test_progress_is_a_function_of_time_alone_and_reading_changes_nothing(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    site_pair.advance(5)
    seen = []
    for _ in range(6):
        first, second = manager.query(migrationId=ids), manager.query(migrationId=ids)
        assert first == second
        seen.append([item["progress"]["total"]["bytesTransferred"] for item in first])
        site_pair.advance(10)
    assert seen == [[50_000_000 * n, 50_000_000 * n] for n in range(6)]
    before = site_pair.run(
        lambda: (site_pair.world.engine.pending(), len(site_pair.world.audit.entries(kind="change")))
    )
    manager.query(migrationId=ids)
    assert (
        site_pair.run(lambda: (site_pair.world.engine.pending(), len(site_pair.world.audit.entries(kind="change"))))
        == before
    )


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1), sized("vm-b", 12, 2)], meshes=SLOW))
def test_polling_moves_nothing_in_time(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    for _ in range(40):
        site_pair.advance(7.3)
        manager.query(migrationId=ids)
    site_pair.run_until_idle()
    assert (synced(site_pair, "vm-a"), synced(site_pair, "vm-b")) == (200, 300)


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 1)]))
def test_percent_grows_and_is_100_only_at_the_end(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    percents = []
    for _ in range(30):
        item = manager.query(migrationId=[migration_id])[0]
        percents.append(item["progress"]["percentComplete"])
        assert (percents[-1] == 100) == item["progress"]["isDone"]
        site_pair.advance(5)
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert len(set(percents)) > 10


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 30)], sites={"destination": {"datastore_gb": 20}}))
def test_a_datastore_without_room_is_refused_and_one_with_room_is_charged(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.validate(manager.intent("vm-a"))
    assert answer.status_code == 400
    assert "GiB free" in json.dumps(answer.json())
    datastore = site_pair.world.datastores["destination/datastore-15"]
    site_pair.run(lambda: site_pair.world.update(datastore, free_bytes=40 * GB))
    manager.start(manager.intent("vm-a"))
    site_pair.advance(10)
    assert datastore.free_bytes == 10 * GB
    site_pair.run_until_idle()
    assert datastore.free_bytes == 10 * GB


@pytest.mark.world(scenario=scenario([sized("vm-a", 11, 10), sized("vm-b", 12, 10)]))
def test_two_intents_of_one_request_share_the_room(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    datastore = site_pair.world.datastores["destination/datastore-15"]
    site_pair.run(lambda: site_pair.world.update(datastore, free_bytes=15 * GB))
    answer = manager.validate(manager.intent("vm-a"), manager.intent("vm-b"))
    assert [len(item.get("errors", [])) for item in answer.json()["items"]] == [0, 1]
    assert phases(site_pair, "vm-a") == []
