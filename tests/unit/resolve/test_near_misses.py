"""Names and ids that are nearly right: what is meant is found, or said so that a person can see the difference."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.resolve import PlanError, resolve_plan
from support.procedures import run_to_end
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, opened, scenario, seed_wave, wave_of

MOST_CHARACTERS = 400
HOOK = {"act": ["off"], "check": ["state"], "undo": ["on"]}


def refused(pair: SitePair, clients: SiteClients, wave: Any) -> dict[str, str]:
    """Return the suggestions by subject; the test fails if there is a plan."""
    with pytest.raises(PlanError) as error:
        resolve_plan(wave, clients, now=pair.now)
    for problem in error.value.problems:
        assert len(str(problem)) < MOST_CHARACTERS, problem
    return {one.subject: one.suggestion for one in error.value.problems}


# names of VMs ---------------------------------------------------------------------------------------------

COMPOSED = "bücher-db"
NFD = unicodedata.normalize("NFD", COMPOSED)
SEED_NIC = {"nics": [{"network": "seed-net", "ips": ["192.168.1.77"]}]}


@pytest.mark.world(scenario=scenario(vms={NFD: SEED_NIC}))
@pytest.mark.parametrize("written", [COMPOSED, NFD], ids=["composed", "decomposed"])
def test_letters_may_be_composed_or_not(site_pair: SitePair, clients: SiteClients, written: str) -> None:
    wave = wave_of([written, "web01", "web02", "app01", "db01"], segments=[SEED_SEGMENT])
    plan = resolve_plan(wave, clients, now=site_pair.now)
    assert plan.vm(COMPOSED).vm_id == site_pair.vm(NFD).moref
    status = run_to_end(site_pair, clients, start_wave(plan, clients))
    proofs = verify_virtual_machines(plan, status, clients)
    assert [proof.reasons for proof in proofs] == [()] * 5


TWINS = scenario(vms={COMPOSED: SEED_NIC, NFD: SEED_NIC})


@pytest.mark.world(scenario=TWINS)
def test_of_two_that_differ_by_their_composition_the_uuid_decides(site_pair: SitePair, clients: SiteClients) -> None:
    assert "instance_uuid" in refused(site_pair, clients, wave_of([COMPOSED], segments=[SEED_SEGMENT]))[COMPOSED]
    wanted = site_pair.vm(NFD)
    wave = wave_of([{"name": COMPOSED, "instance_uuid": wanted.instance_uuid}], segments=[SEED_SEGMENT])
    assert resolve_plan(wave, clients, now=site_pair.now).vms[0].vm_id == wanted.moref


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ("web\u00a003", "U+00A0 NO-BREAK SPACE, where U+0020 SPACE is written"),
        ("web  03", "U+0020 SPACE, where nothing is written"),
        ("wеb 03", "U+0435 CYRILLIC SMALL LETTER IE, where U+0065 LATIN SMALL LETTER E is written"),
    ],
)
def test_names_that_look_the_same_are_told_by_code_points(site_server: Any, known: str, said: str) -> None:
    pair = site_server.make_world(scenario=scenario(vms={known: SEED_NIC}))
    with opened(pair) as clients:
        hint = refused(pair, clients, wave_of(["web 03"], segments=[SEED_SEGMENT]))["web 03"]
        assert said in hint
        assert "instance_uuid" in hint
        wave = wave_of([{"name": "web 03", "instance_uuid": pair.vm(known).instance_uuid}], segments=[SEED_SEGMENT])
        assert resolve_plan(wave, clients, now=pair.now).vm("web 03").vm_id == pair.vm(known).moref
    site_server.drop(pair)


MANY = {f"application-{number:03d}": {"nics": []} for number in range(60)}


@pytest.mark.world(scenario=scenario(vms=MANY))
def test_a_misspelt_vm_has_near_names(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(["aplication-017", "web01.example.test", "nothing-like-it"], segments=[SEED_SEGMENT])
    hints = refused(site_pair, clients, wave)
    assert hints["aplication-017"].startswith("Did you mean application-017 or ")
    assert "web01" in hints["web01.example.test"]
    assert hints["nothing-like-it"] == "Correct the name, or take the VM out of the wave."


# UUIDs ----------------------------------------------------------------------------------------------------


def uuids(pair: SitePair, clients: SiteClients, uuid: str) -> dict[str, str]:
    return refused(pair, clients, wave_of([{"name": "web01", "instance_uuid": uuid}], segments=[SEED_SEGMENT]))


def test_the_bios_uuid_is_recognised_in_both_orders_of_bytes(site_pair: SitePair, clients: SiteClients) -> None:
    web01 = site_pair.vm("web01")
    first, second, third, *rest = web01.bios_uuid.split("-")
    turned = ["".join(reversed([part[n : n + 2] for n in range(0, len(part), 2)])) for part in (first, second, third)]
    for uuid in (web01.bios_uuid, "-".join([*turned, *rest])):
        hint = uuids(site_pair, clients, uuid)["web01"]
        assert "BIOS UUID" in hint
        assert hint.endswith(f"of web01; its instance UUID is {web01.instance_uuid}.")


def test_a_uuid_of_nobody_is_compared_with_that_of_the_name(site_pair: SitePair, clients: SiteClients) -> None:
    hint = uuids(site_pair, clients, "00000000-0000-4000-8000-000000000000")["web01"]
    assert hint == f"web01 at the source has instance UUID {site_pair.vm('web01').instance_uuid}."


@pytest.mark.parametrize("spelling", ["{{{0}}}", "{1}", "{2}"], ids=["braces", "VMX", "bare"])
def test_uuids_are_read_as_tools_write_them(site_pair: SitePair, clients: SiteClients, spelling: str) -> None:
    web01 = site_pair.vm("web01")
    digits = web01.instance_uuid.replace("-", "")
    pairs = [digits[number : number + 2] for number in range(0, 32, 2)]
    vmx = f"{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"
    written = spelling.format(web01.instance_uuid, vmx, digits)
    wave = wave_of([{"name": "web01", "instance_uuid": written}, "web02", "app01", "db01"], segments=[SEED_SEGMENT])
    assert resolve_plan(wave, clients, now=site_pair.now).vm("web01").vm_id == web01.moref


def test_a_moref_in_place_of_a_name(site_pair: SitePair, clients: SiteClients) -> None:
    moref = site_pair.vm("db01").moref
    hint = refused(site_pair, clients, wave_of([moref], segments=[SEED_SEGMENT]))[moref]
    assert hint == "That is the MoRef of db01: write its name."


# places ---------------------------------------------------------------------------------------------------


def host_of(pair: SitePair) -> str:
    return next(
        one.name for one in pair.world.placements.values() if (one.site, one.type_name) == ("destination", "HostSystem")
    )


def test_a_host_in_place_of_a_cluster(site_pair: SitePair, clients: SiteClients) -> None:
    for name in (host_of(site_pair), host_of(site_pair).partition(".")[0]):
        hint = refused(site_pair, clients, seed_wave(defaults={"cluster": name}))[name]
        assert hint.startswith("That is a host of cluster Cluster-1: write the cluster.")


@pytest.mark.parametrize(
    ("field", "name", "said"),
    [
        ("cluster", "Compute-ResourcePool", "That is a resource pool of cluster Cluster-1: write resource_pool"),
        ("resource_pool", "Cluster-1", "That is a cluster: write cluster: Cluster-1."),
        ("datastore", "workloads", "That is a VM folder: write folder: "),
        ("folder", "WorkloadDatastore", "That is a datastore: write datastore: WorkloadDatastore."),
        ("folder", "network", "is a folder, but not of VMs."),
        ("service_mesh", "Cluster-1", "That is a cluster"),
        ("datastore", "seed-mesh", "That is a service mesh: write service_mesh: seed-mesh."),
    ],
)
def test_a_name_of_another_kind(site_pair: SitePair, clients: SiteClients, field: str, name: str, said: str) -> None:
    assert said in refused(site_pair, clients, seed_wave(defaults={field: name}))[name]


FOLDERS = ["Workloads", *(f"app-{number:03d}" for number in range(400) if number != 17), "App-017"]


@pytest.mark.world(scenario=scenario(sites={"destination": {"folders": FOLDERS}}))
def test_folders_are_not_all_listed(site_pair: SitePair, clients: SiteClients) -> None:
    assert refused(site_pair, clients, seed_wave(defaults={"folder": "app-017"}))["app-017"] == "It is called App-017."
    hint = refused(site_pair, clients, seed_wave(defaults={"folder": "apps-18"}))["apps-18"]
    assert hint.startswith("Did you mean ")
    assert hint.count("app-") == 3
    assert "and 3" in refused(site_pair, clients, seed_wave(defaults={"folder": "Zzz"}))["Zzz"]


# networks -------------------------------------------------------------------------------------------------

PHYSICAL = scenario("physical")
EXTENDED = next(one for one in PHYSICAL["networks"] if one.get("stretched"))
OTHER = {"moref": "dvportgroup-220", "kind": "vlan", "vlan_id": 220, "subnet": "10.220.0.0/24", "switch": "DSwitch-2"}
ERP = {"nics": [{"network": "dvportgroup-120", "ips": ["10.120.0.51"]}]}
TWO_SWITCHES = {
    **scenario("physical", vms={"erp01": ERP, "erp02": ERP}),
    "sites": {**PHYSICAL["sites"], "source": {**PHYSICAL["sites"]["source"], "more_switches": ["DSwitch-2"]}},
    "networks": [
        {**EXTENDED, "moref": "dvportgroup-120"},
        {"name": EXTENDED["name"], **OTHER},
        *(one for one in PHYSICAL["networks"] if one is not EXTENDED),
    ],
}


def physical_wave(name: str) -> Any:
    return wave_of(["erp01", "erp02"], segments=[{**SEED_SEGMENT, "name": name, "disconnect": "hook", "hook": HOOK}])


@pytest.mark.world(scenario=TWO_SWITCHES)
def test_port_groups_of_one_name_are_told_by_their_switches(site_pair: SitePair) -> None:
    name = EXTENDED["name"]
    with opened(site_pair, source_has_nsx=False) as clients:
        hint = refused(site_pair, clients, physical_wave(name))[name]
        moref = next(one.moref for one in site_pair.world.networks.values() if one.name == name)
        assert hint.startswith("Write switch and port group, or the MoRef: ")
        assert f"DSwitch-1/{name} ({moref})" in hint
        assert f"DSwitch-2/{name} (dvportgroup-220)" in hint
        for written in (f"DSwitch-1/{name}", moref):
            plan = resolve_plan(physical_wave(written), clients, now=site_pair.now)
            assert plan.segment(written).source.network_id == moref
            assert {vm.segments for vm in plan.vms} == {(written,)}


def test_a_network_of_the_other_site_and_a_misspelt_one(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(["web01"], segments=[SEED_SEGMENT, {"name": "seed-nett", "cutover": "never"}])
    assert "seed-net" in refused(site_pair, clients, wave)["seed-nett"]


def test_a_mapping_that_is_misspelt_is_not_passed_over(site_pair: SitePair, clients: SiteClients) -> None:
    vm = {"name": "web01", "networks": [{"source": "sed-net", "destination": "seed-net"}]}
    assert "seed-net" in refused(site_pair, clients, wave_of([vm], segments=[SEED_SEGMENT]))["sed-net"]


def test_a_vm_that_is_renamed_to_what_looks_the_same_is_still_the_vm(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolve_plan(seed_wave(), clients, now=site_pair.now)
    status = run_to_end(site_pair, clients, start_wave(plan, clients))
    web01 = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.update(web01, name="web01\u200b", nics=[replace(web01.nics[0])]))
    proofs = verify_virtual_machines(plan, status, clients)
    assert [proof.reasons for proof in proofs] == [()] * 4
