"""The shipped waves name what the shipped scenarios contain, all of it and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_sim.scenario.loader import load_scenario
from hcx_sim.scenario.schema import Scenario
from hcx_sim.world.model import SiteName
from hcx_waves.model.choices import CutoverPolicy, MigrationType
from hcx_waves.wavefile.sets import load_folder
from hcx_waves.wavefile.wave import Wave

FOLDER = Path(__file__).parents[3] / "dags" / "waves"


def waves(*names: str) -> list[Wave]:
    """Return shipped waves by name."""
    return [file.wave for file in load_folder(FOLDER).files if file.wave.name in names]


def networks_of(scenario: Scenario, names: set[str]) -> set[str]:
    """Return the networks that VMs of a scenario have NICs in."""
    return {nic.network for vm in scenario.vms if vm.name in names for nic in vm.nics}


def test_the_shipped_waves_are_valid_and_agree() -> None:
    found = load_folder(FOLDER)

    assert (found.problems, found.conflicts) == ((), ())
    assert [file.wave.name for file in found.files] == ["seed-wave", "three-tier-1", "three-tier-2"]


@pytest.mark.parametrize(
    ("scenario_name", "names", "staying"),
    [
        ("seed", ("seed-wave",), set()),
        ("three-tier", ("three-tier-1", "three-tier-2"), {"edge-router", "golden-image"}),
    ],
)
def test_every_vm_moves_once_or_stays_for_a_reason(
    scenario_name: str, names: tuple[str, ...], staying: set[str]
) -> None:
    scenario, shipped = load_scenario(scenario_name), waves(*names)

    moving = [vm.name for wave in shipped for vm in wave.vms]

    assert sorted(moving) == sorted({vm.name for vm in scenario.vms} - staying)
    for wave in shipped:
        for segment in wave.segments_to_cut:
            there = {vm.name for vm in scenario.vms if segment.name in {nic.network for nic in vm.nics}}
            assert {one.vm for one in segment.stays} == there & staying


@pytest.mark.parametrize("name", ["seed-wave", "three-tier-1", "three-tier-2"])
def test_a_wave_names_every_segment_of_its_vms(name: str) -> None:
    scenario = load_scenario("seed" if name == "seed-wave" else "three-tier")
    (wave,) = waves(name)

    assert {segment.name for segment in wave.segments} == networks_of(scenario, {vm.name for vm in wave.vms})


@pytest.mark.parametrize("name", ["seed-wave", "three-tier-1", "three-tier-2"])
def test_a_wave_names_places_that_exist(name: str) -> None:
    scenario = load_scenario("seed" if name == "seed-wave" else "three-tier")
    (wave,) = waves(name)
    there, meshes = scenario.sites[SiteName.DESTINATION], {mesh.name for mesh in scenario.meshes}

    assert wave.requests
    for request in wave.requests:
        assert request.resource_pool in there.resource_pools
        assert request.folder in there.folders
        assert request.datastore == there.datastore
        assert request.service_mesh is None or request.service_mesh in meshes


def test_the_seed_wave_is_the_procedure_of_the_article() -> None:
    (wave,) = waves("seed-wave")

    assert {request.migration for request in wave.requests} == {MigrationType.RAV}
    assert (wave.start, wave.switchover_window, wave.gates.approve_switchover) == (None, None, None)
    assert wave.connections.source.vmc == "vmc_source"
    assert wave.connections.destination.vmc == "vmc_destination"
    (segment,) = wave.segments_to_cut
    assert (segment.name, wave.deletes_source(segment), segment.rename_destination) == (
        "seed-net",
        True,
        "seed-net-cloud",
    )


def test_powered_off_vms_are_moved_cold() -> None:
    off = {vm.name for vm in load_scenario("three-tier").vms if vm.power == "poweredOff"}
    requests = [request for wave in waves("three-tier-1", "three-tier-2") for request in wave.requests]

    assert {request.name for request in requests if request.migration is MigrationType.COLD} == off == {"batch01"}


def test_only_the_last_wave_cuts_the_segment_that_both_have() -> None:
    first, second = waves("three-tier-1", "three-tier-2")

    assert (first.segment("shared").cutover, first.segment("shared").cut_by) == (CutoverPolicy.LATER, second.name)
    assert second.segment("shared").is_cut
    assert second.after == (first.name,)
