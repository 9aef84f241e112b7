"""Why there is no plan: each reason in its own words, all of them at once."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import pytest

from hcx_sim.hcx.state import state_of
from hcx_sim.world.model import SiteName
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError, ServerError
from hcx_waves.resolve import PlanError, PlanProblem, resolve_plan
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, nothing_changed, opened, scenario, seed_wave, wave_of

HOOK = {"act": ["off"], "check": ["state"], "undo": ["on"]}


def problems(pair: SitePair, clients: SiteClients, wave: Any) -> list[str]:
    mark = pair.mark()
    with pytest.raises(PlanError) as refused:
        resolve_plan(wave, clients, now=pair.now)
    assert nothing_changed(pair, mark)
    return [f"{one.subject}: {one.message}" for one in refused.value.problems]


MESSY = scenario(
    vms={
        "web01": {"power": "suspended"},
        "web02": {"template": True},
        "lonely": {"nics": [{"network": "plain"}]},
        "guest": {"nics": [{"network": "extended-too"}]},
    },
    networks=[
        {"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True},
        {"name": "extended-too", "subnet": "192.168.2.0/24", "stretched": True},
        {"name": "plain", "subnet": "192.168.3.0/24"},
    ],
)


@pytest.mark.world(scenario=MESSY)
def test_every_problem_is_told_at_once(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(
        ["web01", "web02", "nobody", "Db01", "lonely", "guest", {"name": "app01", "migration": "Cold"}],
        segments=[SEED_SEGMENT, {"name": "no-net", "cutover": "never"}],
        defaults={"resource_pool": "P", "folder": "F", "datastore": "D", "storage_policy": "S", "service_mesh": "M"},
    )
    assert problems(site_pair, clients, wave) == [
        "no-net: the source vCenter has no network of this name",
        "web02: is a template",
        "nobody: there is no such VM at either site",
        "Db01: there is no such VM at either site",
        "M: there is no such service mesh",
        "P: there is no such resource pool at the destination",
        "F: there is no such VM folder at the destination",
        "D: there is no such datastore at the destination",
        "S: there is no such storage policy at the destination",
        "web01: is suspended",
        'lonely: Network adapter 1 is in "plain", which is neither extended to the destination nor mapped',
        "extended-too: guest has a NIC in it, and the wave file does not mention this segment",
        "app01: is running and is to be moved Cold",
    ]


@pytest.mark.world(scenario=MESSY)
def test_problems_say_what_to_do(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(["Db01", "lonely"], defaults={"datastore": "D"})
    with pytest.raises(PlanError) as refused:
        resolve_plan(wave, clients, now=site_pair.now)
    hints = {one.subject: one.suggestion for one in refused.value.problems}
    assert hints["Db01"] == "It is called db01."
    assert hints["D"] == "There is: WorkloadDatastore."
    assert hints["lonely"] == "Extend it, or write networks: [{source: plain, destination: ...}]."


def test_an_error_survives_a_process_boundary() -> None:
    error = PlanError([PlanProblem(subject="a", message="b", suggestion="c"), PlanProblem(subject="d", message="e")])
    assert str(error) == "a: b (c)\nd: e"
    for again in (PlanError.from_dict(json.loads(json.dumps(error.to_dict()))), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert isinstance(again, PlanError)
        assert again.problems == error.problems
        assert str(again) == str(error)


def test_an_unreadable_product_is_its_own_error(site_pair: SitePair, clients: SiteClients) -> None:
    site_pair.fault(product="hcx", call="l2_extensions.list", behaviour="status", status=500)
    with pytest.raises(ServerError) as failed:
        resolve_plan(seed_wave(), clients, now=site_pair.now)
    assert isinstance(failed.value, ClientError)
    assert failed.value.system == "hcx"


TWINS = scenario(vms={"other": {"nics": [{"network": "seed-net"}], "properties": {"name": "web01"}}})


@pytest.mark.world(scenario=TWINS)
def test_two_vms_of_one_name_are_refused(site_pair: SitePair, clients: SiteClients) -> None:
    one, two = (site_pair.vm(name) for name in ("web01", "other"))
    known = ", ".join(sorted(f"{vm.moref} ({vm.instance_uuid})" for vm in (one, two)))
    found = problems(site_pair, clients, wave_of(["web01"], segments=[SEED_SEGMENT]))
    assert found == [f"web01: 2 VMs at the source fit: {known}"]


def test_a_uuid_of_another_vm_is_refused(site_pair: SitePair, clients: SiteClients) -> None:
    uuid = site_pair.vm("web02").instance_uuid
    wave = wave_of([{"name": "web01", "instance_uuid": uuid}], segments=[SEED_SEGMENT])
    assert problems(site_pair, clients, wave) == [f'web01: instance UUID {uuid} is that of "web02"']


@pytest.mark.world(scenario=scenario(vms={"spare": {"site": "destination", "nics": [{"network": "seed-net"}]}}))
def test_a_stranger_at_the_destination_is_not_adopted_by_its_name(site_pair: SitePair, clients: SiteClients) -> None:
    moref = site_pair.vm("spare").moref
    assert problems(site_pair, clients, wave_of(["spare"], segments=[SEED_SEGMENT])) == [
        f"spare: is not at the source; the one at the destination ({moref}) is not known to have been migrated"
    ]


def test_a_vm_at_both_sites_is_refused(site_pair: SitePair, clients: SiteClients) -> None:
    living = site_pair.vm("web01")
    copy = replace(living, key="destination/vm-999", site=SiteName.DESTINATION, moref="vm-999", uid="copy", nics=[])
    site_pair.run(lambda: site_pair.world.put(copy))
    found = problems(site_pair, clients, seed_wave())
    assert found == [f"web01: exists at both sites with instance UUID {living.instance_uuid}"]


NOT_EXTENDED = scenario(networks=[{"name": "seed-net", "subnet": "192.168.1.0/24"}])


@pytest.mark.world(scenario=NOT_EXTENDED)
def test_a_segment_must_be_extended(site_pair: SitePair, clients: SiteClients) -> None:
    found = problems(site_pair, clients, seed_wave())
    assert found == ["seed-net: HCX has not extended it to this destination"]


def test_an_expected_destination_is_checked(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(["web01"], segments=[{**SEED_SEGMENT, "destination": "elsewhere"}])
    found = problems(site_pair, clients, wave)
    assert found == ['seed-net: HCX has extended it to "seed-net", not to "elsewhere"']


def test_a_mapping_must_lead_somewhere(site_pair: SitePair, clients: SiteClients) -> None:
    vm = {"name": "web01", "nics": [{"adapter": 1, "destination": "nowhere"}, {"adapter": 4, "destination": "x"}]}
    assert problems(site_pair, clients, wave_of([vm], segments=[SEED_SEGMENT])) == [
        'web01: Network adapter 1 is mapped to "nowhere", which the destination does not have',
        "web01: has no network adapter 4",
    ]


@pytest.mark.world(scenario="physical")
def test_a_vlan_cannot_be_disconnected_in_nsx(site_pair: SitePair) -> None:
    wave = wave_of(["erp01"], segments=[{**SEED_SEGMENT, "name": "vlan-120"}])
    with opened(site_pair, source_has_nsx=False) as clients:
        assert problems(site_pair, clients, wave) == [
            "vlan-120: has no NSX segment at the source that could be disconnected: NSX at the source is not connected"
        ]
    with opened(site_pair) as clients:
        assert problems(site_pair, clients, wave) == [
            "vlan-120: has no NSX segment at the source that could be disconnected: NSX has none"
        ]


def test_swapped_sites_are_noticed(site_pair: SitePair, clients: SiteClients) -> None:
    swapped = replace(clients, source_vcenter=clients.destination_vcenter, destination_vcenter=clients.source_vcenter)
    found = problems(site_pair, swapped, seed_wave())
    sites = site_pair.world.sites
    for side, uuid, word in (
        ("source", sites["destination"].vcenter_instance_uuid, "remote from"),
        ("destination", sites["source"].vcenter_instance_uuid, "local to"),
    ):
        start = f"{side} site: vCenter "
        assert any(
            text.startswith(start) and text.endswith(f"{uuid} is {word} the HCX Manager that the connection leads to")
            for text in found
        ), found


def test_a_vcenter_that_hcx_does_not_know_is_refused(site_pair: SitePair, clients: SiteClients) -> None:
    def part() -> None:
        state_of(site_pair.world).paired = False

    site_pair.run(part)
    uuid = site_pair.world.sites["destination"].vcenter_instance_uuid
    expected = f"destination site: HCX does not know its vCenter {uuid}; it knows vcenter-source"
    assert expected in problems(site_pair, clients, seed_wave())


FOLDERS = scenario(sites={"destination": {"folders": ["Workloads", "Team"]}})


@pytest.mark.world(scenario=FOLDERS)
def test_a_folder_may_be_given_by_its_path(site_pair: SitePair, clients: SiteClients) -> None:
    wave = seed_wave(defaults={"folder": "/SDDC-Datacenter/vm/Team"})
    folder = resolve_plan(wave, clients, now=site_pair.now).vm("web01").folder
    assert folder is not None
    assert folder.object_id == "group-v202"


def test_without_a_folder_it_is_the_datacentres(site_pair: SitePair, clients: SiteClients) -> None:
    document = {"resource_pool": "Compute-ResourcePool", "datastore": "WorkloadDatastore", "folder": None}
    folder = resolve_plan(seed_wave(defaults=document), clients, now=site_pair.now).vm("web01").folder
    assert folder is not None
    assert (folder.object_id, folder.name) == ("group-v3", "vm")
