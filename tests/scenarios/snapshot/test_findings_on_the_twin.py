"""Whatever is wrong at a site pair is as wrong on its twin: one case for each thing that preflight finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hcx_sim.world.model import Power
from hcx_waves.migration.start import start_wave
from hcx_waves.resolve.resolver import resolve_plan
from hcx_waves.wavefile.wave import Wave
from support.nsx_wire import Manager
from support.site_pair import SitePair, SiteServer
from support.snapshots import judged, taken, twin_of
from support.waves import SEED_SEGMENT, opened, scenario, seed_wave, wave_of

DEVICE = "config.hardware.device"
MESH = {"name": "seed-mesh"}
POLICY = "/infra/domains/cgw/gateway-policies"
NINE = {"hcx": {"version": "9.1.0", "build": "1"}}
QUESTION = {
    "id": "q1",
    "text": "Moved or copied?",
    "choice": {"_type": "ChoiceOption", "choiceInfo": [{"label": "moved", "summary": "moved", "key": "1"}]},
}
CLOSED = {"destination": {"firewall_default_allow": False}}


@dataclass(frozen=True)
class Case:
    """A world, a wave, what is done to the world first, and the findings that there must be."""

    expected: set[str]
    world: Mapping[str, Any] = field(default_factory=scenario)
    wave: Wave = field(default_factory=seed_wave)
    change: Callable[[SitePair], Any] | None = None


def having(path: str, value: Any) -> dict[str, Any]:
    return {"properties": {path: value}}


def seed_net(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True, **changes}]


def updating(find: Callable[[SitePair], Any], **changes: Any) -> Callable[[SitePair], Any]:
    return lambda pair: pair.run(lambda: pair.world.update(find(pair), **changes))


def place(pair: SitePair, key: str, **properties: Any) -> None:
    found = pair.world.placements[key]
    pair.run(lambda: pair.world.update(found, properties={**found.properties, **properties}))


def all_hosts_away(pair: SitePair) -> None:
    for key in [key for key in pair.world.placements if key.startswith("destination/host-")]:
        place(pair, key, **{"runtime.inMaintenanceMode": True})


def sriov(pair: SitePair, name: str) -> None:
    vm = pair.vm(name)
    card = replace(vm.nics[0], adapter="VirtualSriovEthernetCard")
    pair.run(lambda: pair.world.update(vm, nics=[card]))


def rule(*groups: str, action: str = "ALLOW", policy: str = "default") -> Callable[[SitePair], Any]:
    body = {"display_name": "out", "source_groups": list(groups), "action": action, "sequence_number": 5}

    def write(pair: SitePair) -> None:
        if policy != "default":
            patched(pair, "destination", f"{POLICY}/{policy}", {"display_name": policy, "sequence_number": 3})
        patched(pair, "destination", f"{POLICY}/{policy}/rules/out", body)

    return write


def patched(pair: SitePair, site: str, path: str, body: dict[str, Any]) -> None:
    answer = Manager(pair, site).patch(path, body)
    assert answer.status_code == 200, answer.text


def group_and_rule(pair: SitePair) -> None:
    group = "/infra/domains/cgw/groups/seed"
    expression = [{"resource_type": "IPAddressExpression", "ip_addresses": ["192.168.1.0/24"]}]
    patched(pair, "destination", group, {"expression": expression})
    rule(group)(pair)


def strange_port(pair: SitePair) -> None:
    body = {"resource_type": "SegmentPort", "id": "odd", "display_name": "odd", "attachment": {"id": "attached-1"}}
    patched(pair, "source", "/infra/tier-1s/cgw/segments/seed-net/ports/odd", body)


def source_segment(pair: SitePair) -> Any:
    return pair.world.segments["source/seed-net"]


def migrating(name: str, *, until_idle: bool = False, defaults: Mapping[str, Any] | None = None) -> Any:
    def start(pair: SitePair) -> None:
        wave = wave_of(["web01"], name=name, defaults=defaults, segments=[{"name": "seed-net", "cutover": "never"}])
        with opened(pair) as clients:
            start_wave(resolve_plan(wave, clients, now=pair.now), clients)
        if until_idle:
            pair.run_until_idle()

    return start


LEFT = {
    "running": {"nics": [{"network": "seed-net", "ips": ["192.168.1.77"]}]},
    "stopped": {"nics": [{"network": "seed-net"}], "power": "poweredOff", "tools_running": False},
    "golden": {"nics": [{"network": "seed-net"}], "template": True},
    "router": {"nics": [{"network": "seed-net"}], "role": "router"},
}
STAYS = [{"vm": "router", "reason": "r"}, {"vm": "nobody", "reason": "r"}]
WITH_ISO_REMOVED = seed_wave(defaults={"options": {"remove_isos": True}})
BULK = seed_wave(defaults={"migration": "Bulk"})
MAC = {"network": "seed-net", "mac": "00:50:56:01:02:03"}
TAKEN = {"web-copy": {"site": "destination"}, "db-copy": {"site": "destination", "folder": "Other"}}
APART = {
    "_type": "ClusterAntiAffinityRuleSpec", "key": 1, "name": "apart", "enabled": True,
    "vm": ["VirtualMachine:vm-1003", "VirtualMachine:vm-1004"],
}  # fmt: skip


def renamed_copies(pair: SitePair) -> None:
    pair.run(lambda: pair.world.update(pair.vm("web-copy"), name="web01"))
    pair.run(lambda: pair.world.update(pair.vm("db-copy"), name="db01"))


FLOPPY = {
    "_type": "VirtualFloppy",
    "key": 8000,
    "deviceInfo": {"label": "Floppy drive 1", "summary": "-"},
    "backing": {"_type": "VirtualFloppyImageBackingInfo", "fileName": "[WorkloadDatastore] a.flp"},
    "connectable": {"startConnected": True, "allowGuestControl": True, "connected": True},
}
NVME = {
    f"{DEVICE}+": [{"_type": "VirtualNVMEController", "key": 31000, "busNumber": 0}],
    f"{DEVICE}[2000].controllerKey": 31000,
}
# One VM each, by name: what preflight finds about it, and what it is like.
BY_VM: dict[str, tuple[set[str], dict[str, Any]]] = {
    "disconnected": ({"vm-not-connected"}, having("runtime.connectionState", "inaccessible")),
    "consolidation": ({"vm-needs-consolidation"}, having("runtime.consolidationNeeded", True)),
    "tools-installer": ({"vm-tools-installer-mounted"}, having("runtime.toolsInstallerMounted", True)),
    "question": ({"vm-question-pending"}, having("runtime.question", QUESTION)),
    "fault-tolerance": ({"vm-fault-tolerance"}, having("runtime.faultToleranceState", "running")),
    "encrypted": ({"vm-encrypted"}, having("config.keyId", {"keyId": "k1", "providerId": {"id": "p1"}})),
    "encrypted-vmotion": ({"vm-encrypted-vmotion-required"}, having("config.migrateEncryption", "required")),
    "cpu": ({"vm-cpu-too-new"}, having("runtime.minRequiredEVCModeKey", "intel-icelake")),
    "backup-proxy": (
        {"vm-managed-by-extension"}, having("config.managedBy", {"extensionKey": "com.x", "type": "p"})
    ),
    "vapp": ({"vm-in-vapp"}, having("parentVApp", "VirtualApp:resgroup-v77")),
    "usb": ({"vm-passthrough-device"}, having(f"{DEVICE}+", [{"_type": "VirtualUSB", "key": 7000}])),
    "pci": ({"vm-passthrough-device"}, having(f"{DEVICE}+", [{"_type": "VirtualPCIPassthrough", "key": 7001}])),
    "sriov": ({"vm-passthrough-device"}, {}),
    "shared-bus": ({"vm-shared-disk"}, having(f"{DEVICE}[1000].sharedBus", "physicalSharing")),
    "multi-writer": ({"vm-shared-disk"}, {"disks": [{"size_gb": 5, "sharing": "sharingMultiWriter"}]}),
    "floppy": ({"vm-media-connected"}, having(f"{DEVICE}+", [FLOPPY])),
    "iso": ({"vm-media-connected"}, {"iso": "[WorkloadDatastore] iso/linux.iso"}),
    "off": ({"vm-moves-cold"}, {"power": "poweredOff", "tools_running": False}),
    "tools": (
        {"vm-tools-not-running"}, {"tools_running": False, "tools_version_status": "guestToolsNotInstalled"}
    ),
    "snapshots": ({"vm-has-snapshots"}, {"snapshots": ["before", "after"]}),
    "old-hardware": ({"vm-hardware-too-old"}, {"hardware_version": "vmx-08"}),
    "rdm": ({"vm-raw-device-mapping"}, {"disks": [{"size_gb": 5, "backing": "rdmVirtual"}]}),
    "rdm-physical": ({"vm-raw-device-mapping"}, {"disks": [{"size_gb": 5, "backing": "rdmPhysical"}]}),
    "independent": ({"vm-independent-disk"}, {"disks": [{"size_gb": 5, "mode": "independent_persistent"}]}),
    "metadata": (
        {"vm-tags-not-carried", "vm-attributes-not-carried"},
        {"tags": ["t1", "t2"], "custom_attributes": {"owner": "ops"}},
    ),
}  # fmt: skip
ONLY_BULK = {"nvme": ({"vm-nvme-controller"}, {"properties": NVME})}
# These need what only a live migration needs, or are no obstacle to Bulk.
ONLY_LIVE = {"encrypted-vmotion", "cpu", "old-hardware"}


@pytest.mark.parametrize("migration", ["RAV", "Bulk", "vMotion"])
def test_what_is_wrong_with_vms_is_wrong_on_the_twin(site_server: SiteServer, migration: str) -> None:
    vms = {**BY_VM, **ONLY_BULK}
    cards = {name: [{"network": "seed-net", "ips": [f"192.168.1.{40 + n}"]}] for n, name in enumerate(vms)}
    fields = {name: {**given, "nics": cards[name]} for name, (_, given) in vms.items()}
    live = site_server.make_world(scenario=scenario(vms=fields))
    sriov(live, "sriov")
    segments = [{"name": "seed-net", "cutover": "never"}]
    wave = wave_of(sorted(vms), segments=segments, defaults={"migration": migration})
    snapshot = taken(live, wave)
    twin = twin_of(site_server, snapshot)

    at_site, at_twin = judged(live, wave), judged(twin, wave)

    found = {(finding, subject) for finding, subject, *_ in at_site.findings}
    if migration == "RAV":
        assert {(finding, name) for name, (expected, _) in BY_VM.items() for finding in expected} <= found
    if migration == "Bulk":
        others = {name: case for name, case in BY_VM.items() if name not in ONLY_LIVE | {"independent"}}
        expected = {(finding, name) for name, (ids, _) in {**others, **ONLY_BULK}.items() for finding in ids}
        assert expected <= found
    assert at_twin.findings == at_site.findings
    assert at_twin.plan.digest() == at_site.plan.digest()
    for pair in (live, twin):
        pair.assert_no_bugs()
        site_server.drop(pair)


CASES = {
    "cluster rule": Case(
        {"vm-in-cluster-rule"}, change=lambda pair: place(pair, "source/domain-c9", **{"configuration.rule": [APART]})
    ),
    "left behind": Case(
        {"segment-vms-left-behind", "segment-stay-absent"},
        scenario(vms=LEFT),
        wave_of(["web01", "web02", "app01", "db01"], segments=[{**SEED_SEGMENT, "stays": STAYS}]),
    ),
    "same MAC": Case(
        {"vm-mac-duplicate"},
        scenario(vms={"web01": {"nics": [MAC]}, "far": {"site": "destination", "nics": [MAC]}}),
    ),
    "same address": Case(
        {"segment-address-duplicate"},
        scenario(vms={"web02": {"nics": [{"network": "seed-net", "ips": ["192.168.1.11"]}]}}),
    ),
    "name taken": Case(
        {"vm-name-taken", "vm-name-elsewhere"},
        scenario(sites={"destination": {"folders": ["Workloads", "Other"]}}, vms=TAKEN),
        change=renamed_copies,
    ),
    "strange port": Case({"segment-unknown-ports"}, change=strange_port),
    "source off": Case({"segment-source-disconnected"}, change=updating(source_segment, connectivity="OFF")),
    "not realised": Case({"segment-source-not-realised"}, change=updating(source_segment, realisation="failed")),
    "two gateways": Case(
        {"segment-two-gateways"},
        change=updating(lambda pair: pair.world.segments["destination/seed-net"], connectivity="ON"),
    ),
    "MON": Case(
        {"segment-mon-on"},
        scenario(networks=seed_net(mon=True), vms={"far": {"site": "destination", "nics": [{"network": "seed-net"}]}}),
        change=updating(lambda pair: next(iter(pair.world.bridges.values())), mon_vm_uids=["far"]),
    ),
    "DHCP": Case(
        {"segment-dhcp-at-source"},
        change=updating(lambda pair: pair.world.segments["destination/seed-net"], dhcp_ranges=[]),
    ),
    "overlap": Case(
        {"segment-subnet-overlaps"},
        scenario(networks=[*seed_net(), {"name": "clash", "subnet": "192.168.0.0/16", "site": "destination"}]),
    ),
    "firewall": Case({"segment-firewall-closed"}, scenario(sites=CLOSED)),
    "firewall that is open": Case(set(), scenario(sites=CLOSED), change=rule("192.168.0.0/16", policy="ours")),
    "firewall that drops": Case({"segment-firewall-closed"}, change=rule("192.168.1.0/24", action="DROP")),
    "firewall with a group": Case({"segment-firewall-unclear"}, scenario(sites=CLOSED), change=group_and_rule),
    "full appliance": Case(
        {"extension-appliance-full"},
        scenario(
            networks=[
                *seed_net(),
                *({"name": f"net-{n}", "subnet": f"10.1.{n}.0/24", "stretched": True} for n in range(7)),
            ]
        ),
    ),
    "lacking service": Case(
        {"mesh-lacks-service"},
        scenario(meshes=[{**MESH, "services": ["INTERCONNECT", "BULK_MIGRATION", "NETWORK_EXTENSION"]}]),
    ),
    "failed mesh": Case(
        {"mesh-state-failed"},
        change=updating(lambda pair: next(iter(pair.world.meshes.values())), state="UPDATE_FAILED"),
    ),
    "tunnel down": Case(
        {"mesh-service-down", "mesh-appliance-down", "extension-appliance-down", "segment-extension-down"},
        change=updating(lambda pair: next(iter(pair.world.meshes.values())), tunnel_up=False),
    ),
    "appliance off": Case(
        {"extension-appliance-down", "mesh-service-down", "segment-extension-down"},
        change=updating(lambda pair: pair.vm("seed-mesh-NE-I1"), power=Power.OFF),
    ),
    "unknown state": Case(
        {"segment-extension-state-unknown"}, scenario(settings={"hcx": {"extension_states": {"up": "STRETCHED"}}})
    ),
    "bandwidth": Case(
        {"mesh-bandwidth-low", "mesh-loss-high", "mesh-latency-high"},
        scenario(meshes=[{**MESH, "link_mbps": 100, "loss_percent": 0.5, "round_trip_ms": 180}], settings=NINE),
    ),
    "hosts away": Case({"cluster-has-no-host"}, change=all_hosts_away),
    "memory": Case(
        {"cluster-memory-short"},
        change=lambda pair: place(pair, "destination/domain-c9", **{"summary.effectiveMemory": 1000}),
    ),
    "no such datastore there": Case(
        {"cluster-lacks-datastore"},
        change=lambda pair: place(pair, "destination/domain-c9", datastore=["Datastore:datastore-99"]),
    ),
    "no such network there": Case(
        {"cluster-lacks-network"},
        change=lambda pair: place(
            pair, "destination/domain-c9", network=["DistributedVirtualPortgroup:dvportgroup-10"]
        ),
    ),
    "full datastore": Case(
        {"datastore-full", "hcx-validation-error"},
        change=updating(lambda pair: pair.world.datastores["destination/datastore-15"], free_bytes=10 * 1024**3),
    ),
    "old vCenter": Case(
        {"vcenter-version-old"}, scenario(sites={"source": {"nsx": "vmc", "vcenter_version": "6.0.0"}})
    ),
    "somebody else's migration": Case({"vm-already-migrating"}, change=migrating("other")),
    "own migration": Case({"vm-migration-adopted"}, change=migrating("test-wave"), wave=seed_wave()),
    "failed migration": Case(
        {"vm-migration-failed-before"},
        scenario(settings={"hcx": {"failing_switchovers": ["web01"]}}),
        change=migrating("other", until_idle=True),
    ),
    "moved before": Case(set(), change=migrating("other", until_idle=True)),
    "moved before by Bulk": Case(
        {"segment-originals-remain"},
        change=migrating("other", until_idle=True, defaults={"migration": "Bulk"}),
        wave=BULK,
    ),
    "policy": Case(set(), wave=seed_wave(defaults={"storage_policy": "Default storage policy"})),
    "two meshes": Case(
        set(),
        scenario(meshes=[MESH, {"name": "mesh-b"}], networks=seed_net(mesh="mesh-b")),
        seed_wave(defaults={"service_mesh": "mesh-b", "cluster": "Cluster-1"}),
    ),
}
USUAL = {"segment-dhcp-at-both-sites"}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_finding_is_the_same_on_the_twin(site_server: SiteServer, case: Case) -> None:
    live = site_server.make_world(scenario=dict(case.world))
    if case.change is not None:
        case.change(live)
    at_site = judged(live, case.wave)
    snapshot = taken(live, case.wave)
    twin = twin_of(site_server, snapshot)
    at_twin = judged(twin, case.wave)

    assert case.expected <= at_site.finding_ids
    assert case.expected or at_site.finding_ids <= USUAL
    assert at_twin.findings == at_site.findings
    assert at_twin.plan.digest() == at_site.plan.digest()
    for pair in (live, twin):
        pair.assert_no_bugs()
        site_server.drop(pair)
