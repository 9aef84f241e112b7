"""The limits of KB 321604, queueing and rejecting, and waves of 500 VMs."""

from __future__ import annotations

import pytest

from support.mobility import Manager, messages, scenario, seconds_of, vm_spec
from support.site_pair import SitePair

NAMES = [f"vm-{n:02d}" for n in range(8)]
TWO = [{"name": "mesh-1", "link_mbps": 800}, {"name": "mesh-2", "link_mbps": 800}]
FEW = {"max_concurrent_per_manager": 5, "max_concurrent_per_mesh": 3}


def running(manager: Manager, ids: list[str]) -> list[str]:
    items = manager.query(migrationId=ids)
    return [item["entity"]["entityName"] for item in items if item["state"] not in ("QUEUED", "MIGRATION_COMPLETE")]


@pytest.mark.world(scenario=scenario(NAMES, hcx=FEW, meshes=TWO))
def test_above_the_limits_migrations_queue_by_name(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    items = [manager.intent(name, mesh="mesh-1" if number < 5 else "mesh-2") for number, name in enumerate(NAMES)]
    ids = manager.start(*reversed(items))
    site_pair.advance(1)
    assert sorted(running(manager, ids)) == ["vm-00", "vm-01", "vm-02", "vm-05", "vm-06"]
    queued = next(item for item in manager.query(migrationId=ids) if item["state"] == "QUEUED")
    assert (queued["progress"]["isDone"], queued["progress"]["message"]) == (False, "Queued")
    site_pair.run_until_idle()
    assert {item["state"] for item in manager.query(migrationId=ids)} == {"MIGRATION_COMPLETE"}


@pytest.mark.world(scenario=scenario(NAMES, hcx={**FEW, "over_limit": "reject"}, meshes=TWO))
def test_above_the_limits_migrations_are_rejected_where_the_switch_says_so(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    first = manager.start(*(manager.intent(name) for name in NAMES[:3]))
    answer = manager.post("/mobility/migrations/start", {"items": [manager.intent("vm-03")]})
    assert answer.status_code == 400
    assert messages(answer) == ["The limit of 3 concurrent migrations per service mesh is reached."]
    items = [manager.intent(name, mesh="mesh-2") for name in NAMES[3:6]]
    answer = manager.post("/mobility/migrations/start", {"items": items})
    assert messages(answer) == ["The limit of 5 concurrent migrations per manager is reached."]
    assert len(manager.query()) == 3, "nothing of a refused request was started"
    site_pair.run_until_idle()
    assert {item["state"] for item in manager.query(migrationId=first)} == {"MIGRATION_COMPLETE"}
    again = manager.start(*items)
    assert len(manager.query(migrationId=again)) == 3, "there is room again"


@pytest.mark.world(scenario=scenario(NAMES, hcx={**FEW, "over_limit": "reject"}))
def test_vmotion_does_not_count_against_the_limits(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(*(manager.intent(name, "vMotion") for name in NAMES))
    site_pair.run_until_idle()
    assert [manager.state(one) for one in ids] == ["MIGRATION_COMPLETE"] * len(NAMES)


@pytest.mark.world(scenario=scenario(NAMES[:3], meshes=TWO))
def test_without_a_mesh_hcx_chooses_the_least_busy_one(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = [manager.start(manager.intent(name, mesh=None))[0] for name in NAMES[:3]]
    chosen = [item["servicemeshId"] for item in manager.query(migrationId=ids)]
    assert chosen == [manager.mesh_id("mesh-1"), manager.mesh_id("mesh-2"), manager.mesh_id("mesh-1")]


@pytest.mark.world(scenario=scenario(NAMES, meshes=TWO))
def test_without_a_mesh_one_request_is_spread_over_the_meshes(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(*(manager.intent(name, mesh=None) for name in NAMES))
    chosen = [item["servicemeshId"] for item in manager.query(migrationId=ids)]
    assert chosen.count(manager.mesh_id("mesh-1")) == chosen.count(manager.mesh_id("mesh-2")) == 4


WAVE = [vm_spec(f"wave-{n:03d}", 11, nics=[{"network": "app", "ips": [f"10.9.{n // 250}.{n % 250 + 2}"]}])
        for n in range(500)]  # fmt: skip


@pytest.mark.world(scenario=scenario(WAVE, networks=[{"name": "app", "subnet": "10.9.0.0/23", "stretched": True}]))
def test_a_wave_of_500_vms_is_polled_by_one_request(site_pair: SitePair) -> None:
    """Limits of 200 per mesh and 300 per manager: the rest is queued."""
    manager = Manager(site_pair)
    ids = manager.start(*(manager.intent(f"wave-{n:03d}", window=(36_000, 360_000)) for n in range(500)))
    site_pair.advance(600)
    group_id = manager.query(migrationId=ids[:1])[0]["migrationGroupId"]
    before = site_pair.mark()
    items = manager.query(migrationGroupId=[group_id])
    assert len(site_pair.calls("migrations.query", after=before)) == 1
    assert [item["migrationId"] for item in items] == ids
    states = [item["state"] for item in items]
    assert (states.count("BASE_SYNC"), states.count("QUEUED")) == (200, 300)
    site_pair.run_until_idle(limit_seconds=200_000)
    finished = manager.query(migrationGroupId=[group_id])
    assert {item["state"] for item in finished} == {"MIGRATION_COMPLETE"}


@pytest.mark.world(scenario=scenario(NAMES))
def test_the_same_calls_give_the_same_audit(site_pair: SitePair, site_server: object) -> None:
    def run(pair: SitePair) -> list[dict[str, object]]:
        manager = Manager(pair)
        ids = manager.start(*(manager.intent(name) for name in NAMES))
        pair.advance(17)
        manager.post("/mobility/migrations/cancel", {"items": [{"migrationId": ids[3]}]})
        pair.run_until_idle()
        manager.query(migrationId=ids)
        return [
            {key: entry[key] for key in ("virtual_time", "kind", "cause", "subject", "data")}
            for entry in pair.audit()
            if entry["subject"] != f"world:{pair.world_id}"
        ]

    other = site_server.make_world(scenario=scenario(NAMES))  # type: ignore[attr-defined]
    try:
        assert run(site_pair) == run(other)
    finally:
        site_server.drop(other)  # type: ignore[attr-defined]


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"validation_seconds": 7, "migration_bits_per_second": 1e8}))
def test_validation_time_and_the_rate_of_one_migration_are_settings(site_pair: SitePair) -> None:
    """1 GB at 100 Mbit/s takes 80 s, after 5 s in the queue and 7 s of validation."""
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "base_sync") == 12
    assert seconds_of(site_pair, "vm-a", "switchover_window") == 92


@pytest.mark.world(
    scenario=scenario(["vm-a", "vm-b"], hcx={"appliance_bits_per_second": 2e8, "rpo_seconds": 600}, meshes=TWO)
)
def test_the_rate_of_an_appliance_and_the_sync_interval_are_settings(site_pair: SitePair) -> None:
    """Two VMs of 1 GB share 200 Mbit/s: 80 s; the next sync follows 600 s after the first began."""
    manager = Manager(site_pair)
    window = (4000, 5000)
    ids = manager.start(manager.intent("vm-a", window=window), manager.intent("vm-b", window=window))
    site_pair.advance(84)
    assert [manager.progress(each)["state"]["isWaitingForMaintWindow"] for each in ids] == [0, 0]
    site_pair.advance(2)
    assert [manager.progress(each)["state"]["isWaitingForMaintWindow"] for each in ids] == [1, 1]
    syncs = site_pair.world.products["hcx.mobility"].store.migrations[ids[0]].sync
    site_pair.advance(605 - 86 + 1)
    assert syncs.deltas == 1
