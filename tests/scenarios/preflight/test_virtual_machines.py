"""Each check of VMs: the condition as a simulated site has it, and exactly the finding that it must give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hcx_sim.world.model import Power, SiteName
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.migration.start import start_wave
from hcx_waves.preflight.checks.vm_hardware_version import newest_hardware
from support.judging import Judge
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, scenario, seed_wave, wave_of

GIB = 1024**3
DEVICE = "config.hardware.device"


def web01(options: dict[str, Any] | None = None, **fields: Any) -> pytest.MarkDecorator:
    """A world of the seed scenario with changes to VM web01."""
    return pytest.mark.world(scenario=scenario(vms={"web01": fields}))


def has(**properties: Any) -> pytest.MarkDecorator:
    """The same, by vSphere properties; dots are written as two underscores."""
    return web01(properties={name.replace("__", "."): value for name, value in properties.items()})


def test_a_clean_world_has_nothing_against_the_wave(judge: Judge) -> None:
    assert judge.found() == {}
    assert judge.judge().blocking == ()


# presence, power, connection ------------------------------------------------------------------------------


def test_a_vm_that_has_gone_since(judge: Judge) -> None:
    world = judge.pair.world
    judge.after(lambda: world.remove(judge.pair.vm("web01")))
    judge.pair.advance(60)  # until NSX has released its port
    found = judge.found()
    assert found["blocking", "vm-missing", "web01"].message.startswith("is no longer at the source as vm-1003")
    assert found["blocking", "hcx-validation-error", "web01"]
    assert len(found) == 2


def test_a_vm_that_is_at_both_sites(judge: Judge) -> None:
    vm = judge.pair.vm("web01")
    copy = replace(
        vm,
        key="destination/vm-9",
        site=SiteName.DESTINATION,
        moref="vm-9",
        uid="copy",
        nics=[],
        folder_moref="group-v3",
    )
    finding = judge.after(lambda: judge.pair.world.put(copy)).only("blocking", "vm-at-both-sites", "web01")
    assert vm.instance_uuid in finding.message


@pytest.mark.world(scenario=scenario(vms={"other": {"instance_uuid": "a" * 8 + "-1111-1111-1111-" + "b" * 12}}))
def test_a_name_and_a_uuid_that_are_not_unique(judge: Judge) -> None:
    world, other = judge.pair.world, judge.pair.vm("other")
    judge.after(lambda: world.update(other, name="web01"))
    assert judge.only("warning", "vm-name-not-unique", "web01").evidence == {"morefs": [other.moref]}
    uuid = judge.plan.vm("web01").instance_uuid
    judge.after(lambda: world.update(other, name="other", instance_uuid=uuid))
    found = judge.found()
    assert "with other at the source" in found["blocking", "vm-uuid-not-unique", "web01"].message
    # It is no copy of web01, which has not moved; so it is left behind.
    assert set(found) == {
        ("blocking", "vm-uuid-not-unique", "web01"),
        ("blocking", "segment-vms-left-behind", "seed-net"),
    }


def test_a_vm_that_was_powered_off_since(judge: Judge) -> None:
    vm = judge.pair.vm("web01")
    found = judge.after(lambda: judge.pair.world.update(vm, power=Power.OFF)).found()
    changed = found["blocking", "vm-power-changed", "web01"]
    assert changed.message == "was poweredOn when the wave was planned and is poweredOff"
    assert set(found) == {
        ("blocking", "vm-power-changed", "web01"),
        ("blocking", "hcx-validation-error", "web01"),
    }


def test_a_vm_that_was_suspended_since(judge: Judge) -> None:
    vm = judge.pair.vm("web01")
    found = judge.after(lambda: judge.pair.world.update(vm, power=Power.SUSPENDED)).found()
    assert found["blocking", "vm-suspended", "web01"].message == "is suspended"


@web01(power="poweredOff", tools_running=False)
def test_a_powered_off_vm_is_moved_cold(judge: Judge) -> None:
    judge.only("advice", "vm-moves-cold", "web01")


@has(runtime__connectionState="inaccessible")
def test_a_vm_that_vcenter_does_not_reach(judge: Judge) -> None:
    finding = judge.only("blocking", "vm-not-connected", "web01")
    assert finding.message == "vCenter reads its connection state as inaccessible"


# guest, snapshots, media ----------------------------------------------------------------------------------


@web01(tools_running=False)
def test_tools_that_do_not_run(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    judge.only("warning", "vm-tools-not-running", "web01")
    bulk = Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found()
    assert bulk["blocking", "vm-tools-not-running", "web01"].message.endswith("Bulk cannot shut the guest down")
    forced = {"migration": "Bulk", "options": {"force_power_off": True}}
    judge = Judge(site_pair, clients, seed_wave(defaults=forced))
    judge.only("warning", "vm-tools-not-running", "web01")


@web01(tools_running=False, tools_version_status="guestToolsNotInstalled")
def test_tools_that_are_not_installed(judge: Judge) -> None:
    assert "are not installed" in judge.only("warning", "vm-tools-not-running", "web01").message


@web01(snapshots=["before", "after"])
def test_snapshots(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    found = judge.found()
    assert found["blocking", "vm-has-snapshots", "web01"].message.startswith("has 2 snapshot(s); a migration by RAV")
    assert set(found) == {
        ("blocking", "vm-has-snapshots", "web01"),
        ("warning", "hcx-validation-warning", "web01"),
    }
    removing = Judge(site_pair, clients, seed_wave(defaults={"options": {"remove_snapshots": True}})).found()
    assert ("warning", "vm-has-snapshots", "web01") in removing
    assert ("blocking", "vm-has-snapshots", "web01") not in removing


@has(runtime__consolidationNeeded=True)
def test_disks_that_need_consolidation(judge: Judge) -> None:
    judge.only("blocking", "vm-needs-consolidation", "web01")


@web01(iso="[WorkloadDatastore] iso/linux.iso")
def test_a_mounted_iso(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    found = judge.found()
    message = "CD/DVD drive 1 ([WorkloadDatastore] iso/linux.iso) is connected"
    assert found["blocking", "vm-media-connected", "web01"].message == message
    removing = Judge(site_pair, clients, seed_wave(defaults={"options": {"remove_isos": True}})).found()
    assert removing["warning", "vm-media-connected", "web01"].message.endswith("which the migration disconnects")


@has(runtime__toolsInstallerMounted=True)
def test_a_mounted_tools_installer(judge: Judge) -> None:
    judge.only("blocking", "vm-tools-installer-mounted", "web01")


QUESTION = {
    "id": "q1",
    "text": "Moved or copied?",
    "choice": {"_type": "ChoiceOption", "choiceInfo": [{"label": "moved", "summary": "moved", "key": "1"}]},
}


@has(runtime__question=QUESTION)
def test_a_question_that_waits(judge: Judge) -> None:
    finding = judge.only("blocking", "vm-question-pending", "web01")
    assert finding.message == "waits for an answer: Moved or copied?"
    assert finding.evidence == {"question_id": "q1"}


# hardware -------------------------------------------------------------------------------------------------


@web01(hardware_version="vmx-08")
def test_hardware_that_is_too_old(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    found = judge.found()
    assert found["blocking", "vm-hardware-too-old", "web01"].message == "has vmx-08; RAV needs vmx-09 or later"
    bulk = Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found()
    assert bulk == {}


OLD_HOSTS = scenario(vms={"web01": {"hardware_version": "vmx-21"}, "db01": {"hardware_version": "vmx-20"}})
OLD_HOSTS["sites"] = {**OLD_HOSTS.get("sites", {}), "destination": {"nsx": "vmc", "vcenter_version": "7.0.3"}}


@pytest.mark.world(scenario=OLD_HOSTS)
@pytest.mark.parametrize("migration", ["RAV", "Bulk", "vMotion"])
def test_hardware_that_the_destinations_hosts_do_not_know(
    site_pair: SitePair, clients: SiteClients, migration: str
) -> None:
    found = Judge(site_pair, clients, seed_wave(defaults={"migration": migration})).found()
    message = "has vmx-21; the destination's hosts (ESXi 7.0.3) run at most vmx-19"
    assert found["blocking", "vm-hardware-too-new", "web01"].message == message
    assert ("blocking", "vm-hardware-too-new", "db01") in found
    assert not [key for key in found if key[1] == "vm-hardware-too-new" and key[2] not in ("web01", "db01")]
    refused = found["blocking", "hcx-validation-error", "web01"].message
    assert "support vmx-19 at most" in refused, "the product refuses it as well"


@web01(hardware_version="vmx-21")
def test_hardware_that_some_of_the_hosts_do_not_know(judge: Judge) -> None:
    hosts = [one for one in judge.pair.world.placements.values() if one.type_name == "HostSystem"]
    old = next(one for one in hosts if one.site == "destination")
    judge.after(lambda: judge.pair.world.update(old, properties={**old.properties, "version": "7.0.3"}))
    finding = judge.only("warning", "vm-hardware-too-new", "web01")
    assert "1 of the destination's 3 hosts (ESXi 7.0.3) do not run" in finding.message


@pytest.mark.parametrize(
    ("release", "newest"),
    [
        ("6.7.0", 15),
        ("7.0.3", 19),
        ("7.0.1", 18),
        ("8.0.1", 20),
        ("8.0.3", 21),
        ("9.0.1", 22),
        ("10.0", None),
        ("", None),
    ],
)
def test_the_newest_hardware_of_a_release(release: str, newest: int | None) -> None:
    assert newest_hardware(release) == newest


@has(runtime__faultToleranceState="running")
def test_fault_tolerance(judge: Judge) -> None:
    assert judge.only("blocking", "vm-fault-tolerance", "web01").message == "has fault tolerance (running)"


DEVICES = {
    "usb": {"_type": "VirtualUSB", "key": 7000, "connected": True},
    "pci": {"_type": "VirtualPCIPassthrough", "key": 7001},
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=web01(properties={f"{DEVICE}+": [DEVICES[kind]]})) for kind in DEVICES]
)
def test_devices_of_the_host(judge: Judge, kind: str) -> None:
    assert f"({kind})" in judge.only("blocking", "vm-passthrough-device", "web01").message


def test_an_sriov_card(judge: Judge) -> None:
    vm = judge.pair.vm("web01")
    card = replace(vm.nics[0], adapter="VirtualSriovEthernetCard")
    judge.after(lambda: judge.pair.world.update(vm, nics=[card]))
    finding = judge.only("blocking", "vm-passthrough-device", "web01")
    assert finding.message == "is tied to its host by Network adapter 1 (SR-IOV)"


@web01(disks=[{"size_gb": 5, "sharing": "sharingMultiWriter"}])
def test_a_multi_writer_disk(judge: Judge) -> None:
    assert judge.found()["blocking", "vm-shared-disk", "web01"].message == "shares Hard disk 1 (multi-writer)"


@web01(properties={f"{DEVICE}[1000].sharedBus": "physicalSharing"})
def test_a_shared_scsi_bus(judge: Judge) -> None:
    finding = judge.only("blocking", "vm-shared-disk", "web01")
    assert finding.message == "shares Hard disk 1 (physicalSharing)"


@web01(disks=[{"size_gb": 5, "backing": "rdmVirtual"}])
def test_a_raw_device_mapping(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    found = judge.found()
    assert "(virtualMode) is a raw device mapping" in found["blocking", "vm-raw-device-mapping", "web01"].message
    bulk = Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"}))
    bulk.only("warning", "vm-raw-device-mapping", "web01")


@web01(disks=[{"size_gb": 5, "backing": "rdmPhysical"}])
def test_a_physical_raw_device_mapping_is_not_moved_by_bulk_either(site_pair: SitePair, clients: SiteClients) -> None:
    found = Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found()
    assert ("blocking", "vm-raw-device-mapping", "web01") in found


@web01(disks=[{"size_gb": 5, "mode": "independent_persistent"}])
def test_an_independent_disk(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    judge.only("blocking", "vm-independent-disk", "web01")
    assert Judge(site_pair, clients, seed_wave(defaults={"migration": "vMotion"})).found() == {}


@has(config__keyId={"keyId": "k1", "providerId": {"id": "p1"}})
def test_an_encrypted_vm(judge: Judge) -> None:
    judge.only("blocking", "vm-encrypted", "web01")


@has(config__migrateEncryption="required")
def test_encrypted_vmotion_that_is_required(judge: Judge) -> None:
    judge.only("warning", "vm-encrypted-vmotion-required", "web01")


@has(runtime__minRequiredEVCModeKey="intel-icelake")
def test_cpus_that_are_older_at_the_destination(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    finding = judge.only("blocking", "vm-cpu-too-new", "web01")
    assert finding.message == "needs EVC mode intel-icelake; the destination's hosts offer intel-cascadelake"
    assert Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found() == {}


@has(runtime__minRequiredEVCModeKey="intel-skylake")
def test_cpus_that_suit(judge: Judge) -> None:
    assert judge.found() == {}


# what goes with a VM ---------------------------------------------------------------------------------------


@web01(tags=["urn:tag:1"], custom_attributes={"owner": "ops"})
def test_tags_and_attributes_that_are_not_carried(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    assert set(judge.found()) == {
        ("advice", "vm-tags-not-carried", "web01"),
        ("advice", "vm-attributes-not-carried", "web01"),
    }
    options = {"retain_tags": True, "update_custom_attributes": True}
    assert Judge(site_pair, clients, seed_wave(defaults={"options": options})).found() == {}


@has(config__managedBy={"extensionKey": "com.example.backup", "type": "proxy"})
def test_a_vm_of_another_product(judge: Judge) -> None:
    finding = judge.only("warning", "vm-managed-by-extension", "web01")
    assert finding.message == "is managed by com.example.backup"


@has(parentVApp="VirtualApp:resgroup-v77")
def test_a_vm_of_a_vapp(judge: Judge) -> None:
    assert judge.only("warning", "vm-in-vapp", "web01").message.startswith("is in vApp resgroup-v77")


def test_an_appliance_of_hcx(site_pair: SitePair, clients: SiteClients) -> None:
    vm = {"name": "seed-mesh-NE-I1", "nics": [{"adapter": 1, "destination": "management"}]}
    found = Judge(site_pair, clients, wave_of([vm], segments=[SEED_SEGMENT])).found()
    assert ("blocking", "vm-is-hcx-appliance", "seed-mesh-NE-I1") in found


def test_a_rule_that_stays_behind(judge: Judge) -> None:
    world = judge.pair.world
    cluster = next(one for one in world.placements.values() if one.key == "source/domain-c9")
    rule = {
        "_type": "ClusterAntiAffinityRuleSpec", "key": 1, "name": "apart", "enabled": True,
        "vm": [f"VirtualMachine:{judge.pair.vm(name).moref}" for name in ("web01", "web02")],
    }  # fmt: skip
    judge.after(lambda: world.update(cluster, properties={**cluster.properties, "configuration.rule": [rule]}))
    found = judge.found()
    assert set(found) == {("advice", "vm-in-cluster-rule", name) for name in ("web01", "web02")}
    assert "apart (AntiAffinityRuleSpec)" in found["advice", "vm-in-cluster-rule", "web01"].message


# networks, names, addresses -------------------------------------------------------------------------------


def test_a_nic_that_was_added_since(judge: Judge) -> None:
    vm = judge.pair.vm("web01")
    card = replace(vm.nics[0], key=4001, label="Network adapter 2", mac="00:50:56:0a:0b:0c", external_id="")
    found = judge.after(lambda: judge.pair.world.update(vm, nics=[*vm.nics, card])).found()
    message = found["blocking", "vm-nics-changed", "web01"].message
    assert "Network adapter 2 (00:50:56:0a:0b:0c) is new" in message


def test_a_nic_that_was_replaced_since(judge: Judge) -> None:
    vm = judge.pair.vm("web01")
    old = vm.nics[0].mac
    judge.after(lambda: judge.pair.world.update(vm, nics=[replace(vm.nics[0], mac="00:50:56:0a:0b:0c")]))
    message = judge.found()["blocking", "vm-nics-changed", "web01"].message
    assert f"Network adapter 1 ({old}) is gone" in message


OTHER_NET = scenario(
    networks=[
        {"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True},
        {"name": "plain", "subnet": "192.168.3.0/24"},
        {"name": "target", "subnet": "10.8.0.0/24", "site": "destination"},
    ]
)


@pytest.mark.world(scenario=OTHER_NET)
def test_a_destination_network_that_is_gone(site_pair: SitePair, clients: SiteClients) -> None:
    vm = {"name": "web01", "nics": [{"adapter": 1, "destination": "target"}]}
    judge = Judge(site_pair, clients, wave_of([vm]))
    world = site_pair.world
    network = next(one for one in world.networks.values() if one.name == "target")
    found = judge.after(lambda: world.update(network, removed=True)).found()
    message = found["blocking", "vm-network-missing", "web01"].message
    assert message.startswith('Network adapter 1 goes to "target"')


TAKEN = scenario(
    sites={"destination": {"folders": ["Workloads", "Other"]}},
    vms={"web-copy": {"site": "destination"}, "db-copy": {"site": "destination", "folder": "Other"}},
)


@pytest.mark.world(scenario=TAKEN)
def test_a_name_that_is_taken(judge: Judge) -> None:
    world, pair = judge.pair.world, judge.pair
    one, two = pair.vm("web-copy"), pair.vm("db-copy")
    judge.after(lambda: (world.update(one, name="web01"), world.update(two, name="db01")))
    found = judge.found()
    assert set(found) == {("blocking", "vm-name-taken", "web01"), ("advice", "vm-name-elsewhere", "db01")}
    assert found["blocking", "vm-name-taken", "web01"].evidence == {"morefs": [one.moref]}


@pytest.mark.world(
    scenario=scenario(
        vms={
            "web01": {"nics": [{"network": "seed-net", "mac": "00:50:56:01:02:03"}]},
            "far": {"site": "destination", "nics": [{"network": "seed-net", "mac": "00:50:56:01:02:03"}]},
        }
    )
)
def test_a_mac_that_another_vm_has(judge: Judge) -> None:
    finding = judge.only("blocking", "vm-mac-duplicate", "web01")
    assert finding.message == "Network adapter 1 has MAC 00:50:56:01:02:03, as has far"


# HCX ------------------------------------------------------------------------------------------------------


def test_a_vm_that_somebody_else_migrates(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    other = Judge(
        site_pair, clients, wave_of(["web01"], name="other", segments=[{"name": "seed-net", "cutover": "never"}])
    )
    start_wave(other.plan, clients)
    finding = judge.only("blocking", "vm-already-migrating", "web01")
    assert finding.message.startswith("is being migrated in mobility group other_wave-")


def test_a_vm_that_an_earlier_run_of_the_wave_migrates(clients: SiteClients, judge: Judge) -> None:
    start_wave(judge.plan, clients, only=["web01"])
    judge.only("advice", "vm-migration-adopted", "web01")


@pytest.mark.world(scenario=scenario(settings={"hcx": {"failing_switchovers": ["web01"]}}))
def test_a_migration_that_failed_before(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    start_wave(judge.plan, clients, only=["web01"])
    site_pair.run_until_idle()
    finding = judge.only("warning", "vm-migration-failed-before", "web01")
    assert finding.message.startswith("its last migration ended as MIGRATION_FAILED")


@pytest.mark.world(
    scenario=scenario(settings={"hcx": {"failing_switchovers": ["web01"], "failing_cleanups": ["web01"]}})
)
def test_a_clean_up_that_is_pending(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    start_wave(judge.plan, clients, only=["web01"])
    site_pair.run_until_idle()
    found = judge.found()
    assert set(found) == {
        ("warning", "vm-migration-failed-before", "web01"),
        ("blocking", "hcx-validation-error", "web01"),
    }
    assert "force cancel that migration" in found["blocking", "hcx-validation-error", "web01"].message


def test_hcx_refuses_by_the_vm(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients)
    store = site_pair.world.datastores["destination/datastore-15"]
    judge.after(lambda: site_pair.world.update(store, free_bytes=10 * GIB))
    found = judge.found()
    refused = {subject for severity, finding_id, subject in found if finding_id == "hcx-validation-error"}
    assert refused == {"web02", "app01", "db01"}
    assert "HCX refuses: Datastore 'WorkloadDatastore'" in found["blocking", "hcx-validation-error", "db01"].message
