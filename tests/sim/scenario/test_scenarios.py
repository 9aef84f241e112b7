"""Scenario documents: shipped, generated, refused, exported and built again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock
from hcx_sim.scenario import ScenarioError, build_world, load_scenario, shipped_scenarios
from hcx_sim.scenario.export import export_world
from hcx_sim.scenario.generate import generate
from hcx_sim.scenario.schema import Scenario
from hcx_sim.world.model import Power, VmRole
from hcx_sim.world.world import World


def build(scenario: Scenario) -> World:
    """A stepped world of a scenario."""
    return build_world(scenario, "w", "twin", VirtualClock(0, ClockMode.STEPPED))


def test_shipped_scenarios_build() -> None:
    assert shipped_scenarios() == ["physical", "seed", "three-tier"]
    for name in shipped_scenarios():
        assert build(load_scenario(name)).vms


def test_three_tier_has_what_waves_need() -> None:
    scenario = load_scenario("three-tier")
    assert 28 <= len(scenario.vms) <= 32
    assert sum(n.stretched for n in scenario.networks) == 4
    assert sum(len(vm.nics) > 1 for vm in scenario.vms if vm.role is VmRole.WORKLOAD) == 3
    assert [vm.name for vm in scenario.vms if vm.power is Power.OFF] == ["batch01"]
    assert [vm.name for vm in scenario.vms if vm.template] == ["golden-image"]
    assert [vm.name for vm in scenario.vms if vm.role is VmRole.ROUTER] == ["edge-router"]
    assert scenario.settings.hcx.failing_switchovers == ["app07"]


def test_generated_scenario_is_the_same_for_the_same_seed() -> None:
    one, two, other = (generate(60, 4, 2, seed).model_dump(mode="json") for seed in (5, 5, 6))
    assert one == two
    assert one["vms"] != other["vms"]
    assert Counter(n["mesh"] for n in one["networks"]) == {"mesh-1": 2, "mesh-2": 2}


def test_generated_addresses_and_macs_are_unique() -> None:
    world = build(generate(700, 3, 1, 2))
    nics = [nic for vm in world.vms.values() for nic in vm.nics]
    assert len({nic.mac for nic in nics}) == len(nics)
    ips = [ip for nic in nics for ip in nic.ip_addresses]
    assert len(set(ips)) == len(ips)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [((0, 1, 1), "vms must be at least 1"), ((1, 1, 0), "meshes must be"), ((200_000, 1, 1), "cannot hold")],
)
def test_generator_refuses(numbers: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(*numbers, 1)


@pytest.mark.parametrize("name", ["physical", "seed", "three-tier"])
def test_export_builds_an_equal_world(name: str) -> None:
    first = export_world(build(load_scenario(name)))
    again = export_world(build(load_scenario(json.loads(json.dumps(first["scenario"])))))
    assert again == first


def test_every_problem_of_a_document_is_told_at_once() -> None:
    document = {
        "name": "bad",
        "networks": [{"name": "a", "subnet": "10.0.0.0/24", "mesh": "nope"}, {"name": "a", "subnet": "10.0.1.0/24"}],
        "vms": [{"name": "v", "nics": [{"network": "gone"}], "folder": "Nowhere"}],
    }
    with pytest.raises(ScenarioError) as caught:
        load_scenario(document)
    message = str(caught.value)
    for part in (
        "no mesh called 'nope'",
        "two networks are called 'source/a'",
        "no network called 'gone'",
        "'Nowhere'",
    ):
        assert part in message


def test_unknown_name_lists_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="physical, seed, three-tier"):
        load_scenario("nope")
    broken = tmp_path / "x.yaml"
    broken.write_text("name: [")
    with pytest.raises(ScenarioError, match=r"x\.yaml"):
        load_scenario(broken)


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"vms\.0\.colour"):
        load_scenario({"name": "x", "vms": [{"name": "v", "colour": "red"}]})


def test_world_plays_a_site_or_a_twin_only() -> None:
    with pytest.raises(ValueError, match="site or a twin"):
        build_world(load_scenario("seed"), "w", "prod", VirtualClock(0, ClockMode.STEPPED))
