"""Replication Assisted vMotion over the wire: the whole way, what it keeps, and what it never does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from support.mobility import Manager, phases, scenario, seconds_of, vm_spec
from support.site_pair import SitePair

TWO_MESHES = [{"name": "mesh-1", "link_mbps": 800}, {"name": "mesh-2", "link_mbps": 800}]


def intervals(pair: SitePair, names: list[str]) -> list[tuple[str, str]]:
    """Return, in order, when the switchover of each VM began and ended."""
    spans = []
    for name in names:
        times = {phase: at for at, phase in phases(pair, name)}
        spans.append((times["final_sync"], times["cleanup"]))
    return sorted(spans)


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_rav_migration_takes_queue_transfer_and_switchover_time_exactly(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    assert phases(site_pair, "vm-a") == [
        ("2026-01-05T08:00:00.000Z", "queued"),
        ("2026-01-05T08:00:00.000Z", "preparing"),
        ("2026-01-05T08:00:05.000Z", "base_sync"),
        ("2026-01-05T08:00:15.000Z", "switchover_window"),
        ("2026-01-05T08:00:15.000Z", "switchover_turn"),
        ("2026-01-05T08:00:15.000Z", "final_sync"),
        ("2026-01-05T08:00:15.000Z", "switchover"),
        ("2026-01-05T08:01:55.000Z", "cleanup"),
        ("2026-01-05T08:01:55.000Z", "complete"),
    ]


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_name_macs_addresses_and_uuids_stay_and_the_moref_is_new(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    before = site_pair.vm("vm-a")
    manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    facts = site_pair.oracle()["vms"]["vm-a"]
    for fact in ("macs", "ips", "instance_uuid", "bios_uuid", "power"):
        assert facts["now"][fact] == facts["before"][fact], fact
    assert facts["now"]["site"] == "destination"
    assert site_pair.vm("vm-a") is not before
    assert before.key not in site_pair.world.vms
    assert site_pair.vm("vm-a").folder_moref == "group-v201"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_rav_never_powers_off_and_its_stun_is_reported(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    facts = site_pair.oracle()["vms"]["vm-a"]
    assert facts["power_off"] == []
    assert [stun["seconds"] for stun in facts["stuns"]] == [0.5]
    notes = [entry["data"] for entry in site_pair.audit("note", subject="vm:") if "stun_seconds" in entry["data"]]
    assert notes == [{"vm": "vm-a", "stun_seconds": 0.5, "aborted": False}]
    log = [line["message"] for line in manager.progress(migration_id)["log"]]
    assert "Virtual machine stunned for 0.500 seconds" in log


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"stun": {"kind": "fixed", "seconds": 101}}))
def test_kb_307365_a_stun_above_the_limit_aborts_and_the_vm_stays_at_the_source(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    item = manager.query(migrationId=[migration_id])[0]
    assert item["state"] == "MIGRATION_FAILED"
    assert "fsr.maxSwitchoverSeconds = 100" in item["progress"]["error"]["message"]
    assert item["progress"]["state"]["isSwitchoverAborted"] == 1
    facts = site_pair.oracle()["vms"]["vm-a"]
    assert facts["now"]["site"] == "source"
    assert facts["power_off"] == []
    assert facts["stuns"][0]["seconds"] == 100


@pytest.mark.world(scenario=scenario(["vm-c", "vm-a", "vm-b"]))
def test_one_switchover_at_a_time_per_mesh_by_readiness_then_name(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(*(manager.intent(name) for name in ("vm-c", "vm-a", "vm-b")))
    site_pair.run_until_idle()
    assert [manager.state(each) for each in ids] == ["MIGRATION_COMPLETE"] * 3
    spans = intervals(site_pair, ["vm-a", "vm-b", "vm-c"])
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    order = sorted(["vm-a", "vm-b", "vm-c"], key=lambda name: seconds_of(site_pair, name, "switchover"))
    assert order == ["vm-a", "vm-b", "vm-c"]


@pytest.mark.world(scenario=scenario([vm_spec("vm-z", 12), vm_spec("vm-a", 11, disks=[{"size_gb": 20, "used_gb": 9}])]))
def test_who_is_ready_first_switches_over_first(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"), manager.intent("vm-z"))
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-z", "switchover") < seconds_of(site_pair, "vm-a", "switchover")


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"], meshes=TWO_MESHES))
def test_two_meshes_switch_over_in_parallel(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a", mesh="mesh-1"), manager.intent("vm-b", mesh="mesh-2"))
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "switchover") == seconds_of(site_pair, "vm-b", "switchover") == 15
    assert seconds_of(site_pair, "vm-a", "complete") == seconds_of(site_pair, "vm-b", "complete") == 115


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"], hcx={"failing_switchovers": ["vm-a"]}))
def test_a_failing_switchover_rolls_back_to_the_source_and_lets_the_next_one_go(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    failed, fine = manager.start(manager.intent("vm-a"), manager.intent("vm-b"))
    site_pair.run_until_idle()
    item = manager.query(migrationId=[failed])[0]
    assert (item["state"], item["progress"]["didFail"], item["progress"]["isDone"]) == ("MIGRATION_FAILED", True, True)
    assert item["progress"]["error"]["message"].endswith("Virtual machine vm-a stays at the source.")
    assert item["progress"]["state"]["isSwitchoverError"] == 1
    assert manager.state(fine) == "MIGRATION_COMPLETE"
    assert site_pair.vm("vm-a").site.value == "source"
    assert site_pair.oracle()["vms"]["vm-a"]["power_off"] == []


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", snapshots=["before"])]))
def test_snapshots_without_removal_warn_and_fail_in_the_switchover(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.validate(manager.intent("vm-a"))
    assert answer.status_code == 202
    assert "has snapshots" in answer.json()["items"][0]["warnings"][0]["message"]
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_FAILED"
    assert "the virtual machine has snapshots" in manager.progress(migration_id)["error"]["message"]
    (retry,) = manager.start(manager.intent("vm-a", options={"removeSnapshot": True}))
    site_pair.run_until_idle()
    assert manager.state(retry) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", iso="[ds] tools.iso")]))
def test_a_mounted_iso_fails_the_switchover_unless_it_may_be_unmounted(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    assert "an ISO image is mounted" in manager.progress(migration_id)["error"]["message"]
    profile = {"transferProfile": [{"option": "removeISOs", "value": True}]}
    (retry,) = manager.start({**manager.intent("vm-a"), "transferParams": profile})
    site_pair.run_until_idle()
    assert manager.state(retry) == "MIGRATION_COMPLETE"
    assert site_pair.vm("vm-a").iso_path is None


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_without_retain_mac_the_macs_are_new(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    before = site_pair.vm("vm-a").nics[0].mac
    manager.start(manager.intent("vm-a", options={"retainMac": False}))
    site_pair.run_until_idle()
    after = site_pair.vm("vm-a").nics[0].mac
    assert after != before
    assert after.startswith("00:50:56:")


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_reverse_migration_by_swapped_ends_from_the_same_manager(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"))
    site_pair.run_until_idle()
    (back,) = manager.start(manager.intent("vm-a", to="source"))
    site_pair.run_until_idle()
    assert manager.state(back) == "MIGRATION_COMPLETE"
    facts = site_pair.oracle()["vms"]["vm-a"]
    assert [each["site"] for each in facts["sites"]] == ["source", "destination", "source"]
    assert facts["now"]["macs"] == facts["before"]["macs"]
    assert Manager(site_pair, "destination").state(back) == "MIGRATION_COMPLETE", "both managers know it"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_vcenter_that_is_down_is_tolerated_in_transfer_and_fails_a_switchover(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(7)
    rule = site_pair.fault(product="vcenter", site="destination", behaviour="refuse")
    site_pair.advance(3)
    site_pair.run(lambda: site_pair.world.faults.remove(rule))
    site_pair.advance(10)
    assert manager.progress(migration_id)["state"]["isSwitchoverProgress"] == 1
    site_pair.fault(product="vcenter", site="destination", behaviour="refuse")
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_FAILED"
    assert "cannot connect to vcenter-destination" in manager.progress(migration_id)["error"]["message"]
    assert site_pair.vm("vm-a").site.value == "source"
