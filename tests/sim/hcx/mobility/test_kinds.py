"""The other ways to move: bulk, cold, vMotion, HCX Assisted vMotion and OS Assisted Migration."""

from __future__ import annotations

from typing import Any

import pytest

from support.mobility import Manager, messages, phases, scenario, seconds_of, vm_spec, warnings
from support.site_pair import SitePair

GIB = 1024**3
SERVICES = ["INTERCONNECT", "VMOTION", "BULK_MIGRATION", "RAV", "NETWORK_EXTENSION", "OS_ASSISTED_MIGRATION"]
WITH_OSAM = [{"name": "mesh-1", "link_mbps": 800, "services": SERVICES}]
OFF: dict[str, Any] = {"power": "poweredOff", "tools_running": False}


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_bulk_restarts_the_vm_and_leaves_a_renamed_copy_in_migrated_vms(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "vSphereReplication"))
    before = site_pair.vm("vm-a")
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    after = site_pair.vm("vm-a")
    assert (after.site.value, after.power.value, after.retired) == ("destination", "poweredOn", False)
    assert (after.instance_uuid, after.bios_uuid) == (before.instance_uuid, before.bios_uuid)
    assert after.tools_running
    (copy,) = [vm for vm in site_pair.world.vms.values() if vm.retired]
    assert copy.name == "vm-a-1767600215", "the POSIX time of the switchover"
    assert (copy.site.value, copy.power.value) == ("source", "poweredOff")
    folder = site_pair.world.placements[f"source/{copy.folder_moref}"]
    assert (folder.name, folder.parent_moref) == ("Migrated VMs", "group-v3")
    power_off = site_pair.oracle()["vms"]["vm-a"]["power_off"]
    assert [span["seconds"] for span in power_off] == [200]


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"bulk_keeps_uuids": False}))
def test_bulk_may_give_new_uuids(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    before = site_pair.vm("vm-a")
    manager.start(manager.intent("vm-a", "vSphereReplication"))
    site_pair.run_until_idle()
    assert site_pair.vm("vm-a").instance_uuid != before.instance_uuid
    assert site_pair.vm("vm-a").nics[0].mac == before.nics[0].mac


@pytest.mark.world(scenario=scenario(["vm-a", "vm-b"]))
def test_two_bulk_copies_share_one_migrated_vms_folder_and_switch_over_in_parallel(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(*(manager.intent(name, "vSphereReplication") for name in ("vm-a", "vm-b")))
    site_pair.run_until_idle()
    assert len({vm.folder_moref for vm in site_pair.world.vms.values() if vm.retired}) == 1
    assert seconds_of(site_pair, "vm-a", "switchover") == seconds_of(site_pair, "vm-b", "switchover")


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", tools_running=False)]))
def test_bulk_without_tools_needs_force_power_off(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert "VMware Tools are not running" in warnings(manager.validate(manager.intent("vm-a", "vSphereReplication")))[0]
    (migration_id,) = manager.start(manager.intent("vm-a", "vSphereReplication"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_FAILED"
    assert "could not be shut down" in manager.progress(migration_id)["error"]["message"]
    assert site_pair.vm("vm-a").power.value == "poweredOn"
    options = {"forcePowerOffVm": True}
    (retry,) = manager.start(manager.intent("vm-a", "vSphereReplication", options=options))
    site_pair.run_until_idle()
    assert manager.state(retry) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"failing_switchovers": ["vm-a"]}))
def test_a_bulk_switchover_that_fails_starts_the_source_again(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "vSphereReplication"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_FAILED"
    vm = site_pair.vm("vm-a")
    assert (vm.site.value, vm.power.value, vm.name) == ("source", "poweredOn", "vm-a")
    assert not any(each.retired for each in site_pair.world.vms.values())


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", snapshots=["s1"])]))
def test_bulk_always_removes_snapshots(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "vSphereReplication"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_guest_customization_gives_a_bulk_migrated_vm_its_new_address(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a", "vSphereReplication")
    mac = site_pair.vm("vm-a").nics[0].mac
    intent["guestCustomization"] = {"networkCustomizations": [{"macAddress": mac, "ipAddress": "10.9.1.77"}]}
    manager.start(intent)
    site_pair.run_until_idle()
    assert site_pair.vm("vm-a").nics[0].ip_addresses == ["10.9.1.77"]


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", **OFF), vm_spec("vm-b", 12)]))
def test_cold_takes_powered_off_vms_only_and_leaves_them_off(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert "not powered off" in messages(manager.validate(manager.intent("vm-b", "ColdMigration")))[0]
    for kind in ("RAV", "vMotion"):
        assert "is powered off" in messages(manager.validate(manager.intent("vm-a", kind)))[0]
    (migration_id,) = manager.start(manager.intent("vm-a", "ColdMigration"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    vm = site_pair.vm("vm-a")
    assert (vm.site.value, vm.power.value) == ("destination", "poweredOff")
    assert site_pair.oracle()["vms"]["vm-a"]["stuns"] == []
    assert "base_sync" not in [phase for _, phase in phases(site_pair, "vm-a")]


@pytest.mark.world(scenario=scenario([vm_spec("vm-a", **OFF)]))
def test_a_powered_off_vm_may_go_by_bulk_and_stays_off(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "vSphereReplication"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    assert site_pair.vm("vm-a").power.value == "poweredOff"


@pytest.mark.world(
    scenario=scenario(["vm-b", "vm-a"], meshes=[{"name": "mesh-1", "link_mbps": 800}, {"name": "mesh-2"}])
)
def test_vmotion_is_serial_per_site_pair_and_copies_disk_and_memory(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-b", "vMotion", mesh="mesh-2"), manager.intent("vm-a", "vMotion"))
    site_pair.run_until_idle()
    began, ended = seconds_of(site_pair, "vm-a", "relocation"), seconds_of(site_pair, "vm-a", "cleanup")
    assert began == 5
    copied = (1_000_000_000 + 4 * GIB) / 100e6
    assert ended == pytest.approx(5 + copied + 40, abs=1e-3)
    assert seconds_of(site_pair, "vm-b", "relocation") == ended
    assert site_pair.oracle()["vms"]["vm-a"]["power_off"] == []
    assert len(site_pair.oracle()["vms"]["vm-a"]["stuns"]) == 1


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_vmotion_cannot_be_scheduled(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a", "vMotion", window=(3600, 7200))
    assert warnings(manager.validate(intent)) == ["vMotion cannot be scheduled; it starts at once."]
    (migration_id,) = manager.start(intent)
    site_pair.run_until_idle()
    assert seconds_of(site_pair, "vm-a", "relocation") == 5
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"version": "4.9.1"}))
def test_assisted_vmotion_is_not_offered_before_4_10(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    assert messages(manager.validate(manager.intent("vm-a", "xVMotion"))) == [
        "HCX Assisted vMotion needs HCX 4.10 or later."
    ]


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_assisted_vmotion_moves_a_running_vm(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "xVMotion"))
    site_pair.run_until_idle()
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    assert manager.query(migrationId=[migration_id])[0]["transferParams"]["transferType"] == "NO_OP"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_os_assisted_migration_is_refused_without_its_service(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (message,) = messages(manager.validate(manager.intent("vm-a", "OsAssistedMigration")))
    assert message == "Service mesh 'mesh-1' does not offer the service OS_ASSISTED_MIGRATION."


@pytest.mark.world(scenario=scenario(["vm-a"], meshes=WITH_OSAM))
def test_os_assisted_migration_goes_with_its_service(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "OsAssistedMigration"))
    site_pair.run_until_idle()
    item = manager.query(migrationId=[migration_id])[0]
    assert (item["state"], item["transferParams"]["transferType"]) == ("MIGRATION_COMPLETE", "OsAssistedReplication")
