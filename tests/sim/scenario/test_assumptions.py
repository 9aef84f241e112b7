"""What is said of a site beside its snapshot: bandwidth, change rates, how often things fail."""

from __future__ import annotations

import statistics

import pytest

from hcx_sim.scenario import Scenario, load_scenario
from hcx_sim.scenario.assumptions import Assumptions, assume
from support.mobility import Manager, scenario, vm_spec
from support.site_pair import SitePair

VMS = [f"vm-{number}" for number in range(12)]


def _scenario() -> Scenario:
    """Return one in which a mesh and half of the VMs were never measured."""
    document = scenario(
        [vm_spec(name, 11 + n, change_rate_mbps=3, change_rate_assumed=n % 2 == 0) for n, name in enumerate(VMS)]
    )
    document["meshes"] = [{"name": "mesh-1", "link_mbps": 800, "link_assumed": True}, {"name": "mesh-2"}]
    return load_scenario(document)


def _links(scenario: Scenario) -> dict[str, float]:
    return {mesh.name: mesh.link_mbps for mesh in scenario.meshes}


def test_only_what_is_not_known_is_assumed() -> None:
    given = _scenario()

    found = assume(given, Assumptions(link_bits_per_second=5e8, change_bytes_per_second=250_000), seed=1)

    assert _links(found) == {"mesh-1": 500, "mesh-2": 1000}
    assert {vm.change_rate_mbps for vm in found.vms[::2]} == {2}
    assert {vm.change_rate_mbps for vm in found.vms[1::2]} == {3}
    assert _links(given) == {"mesh-1": 800, "mesh-2": 1000}, "the scenario is shared"
    assert assume(given, Assumptions(), seed=1) == given


def test_a_mesh_by_name_precedes_what_is_known() -> None:
    found = assume(_scenario(), Assumptions(mesh_link_bits_per_second={"mesh-2": 2e8, "elsewhere": 1e8}), seed=1)

    assert _links(found) == {"mesh-1": 800, "mesh-2": 200}


def test_each_night_draws_its_own_factors() -> None:
    varying = Assumptions(bandwidth_sigma=0.3, change_sigma=0.5)
    nights = [assume(_scenario(), varying, seed) for seed in range(200)]

    assert nights[3] == assume(_scenario(), varying, 3)
    links = [_links(night) for night in nights]
    assert len({link["mesh-1"] for link in links}) == 200
    assert all(link["mesh-1"] / 800 != pytest.approx(link["mesh-2"] / 1000) for link in links), "each for itself"
    assert statistics.median(link["mesh-1"] for link in links) == pytest.approx(800, rel=0.1)
    rates = [vm.change_rate_mbps for night in nights for vm in night.vms]
    assert statistics.median(rates) == pytest.approx(3, rel=0.1)


@pytest.mark.world(
    scenario=scenario(VMS), seed=4, assumptions=Assumptions(switchover_failure=0.4, base_sync_failure=0.2)
)
def test_some_fail_for_good_and_the_others_never(site_pair: SitePair) -> None:
    manager = Manager(site_pair)

    def attempt(names: list[str]) -> dict[str, str]:
        ids = manager.start(*(manager.intent(name) for name in names))
        manager.run(*ids)
        return {name: manager.state(each) for name, each in zip(names, ids, strict=True)}

    first = attempt(VMS)
    failed = {name: state for name, state in first.items() if state != "MIGRATION_COMPLETE"}

    assert set(failed.values()) == {"MIGRATION_FAILED", "TRANSFER_FAILED"}
    assert len(failed) < len(VMS)
    assert attempt(list(failed)) == failed


def test_the_control_api_takes_them_and_a_reset_does_not_apply_them_twice(site_pair: SitePair) -> None:
    control = site_pair.endpoints["control"]
    http = site_pair.http()
    http.headers["Authorization"] = f"Bearer {control['token']}"
    worlds = f"{control['url']}/worlds"
    body = {
        "world_id": "assumed",
        "scenario": "seed",
        "assumptions": {"bandwidth_sigma": 0.4, "unextend_failure": 0.1},
    }

    assert http.post(worlds, json=body).status_code == 201
    facts = []
    for _ in range(2):
        world = site_pair.server.worlds.get("assumed")
        rules = [rule["rule_id"] for rule in world.faults.listing()]
        facts.append(([mesh.link_bits_per_second for mesh in world.meshes.values()], rules))
        http.post(f"{worlds}/assumed/reset")

    assert facts[0] == facts[1]
    assert facts[0][1] == ["assumed-unextend-failure"]
    for wrong, error in (
        ({"luck": 1}, "body.assumptions.luck: Extra inputs are not permitted"),
        (
            {"mesh_link_bits_per_second": {"mesh-1": 0}},
            "body.assumptions.mesh_link_bits_per_second.mesh-1: Input should be greater than 0",
        ),
    ):
        refusal = http.post(worlds, json={**body, "world_id": "x", "assumptions": wrong})
        assert (refusal.status_code, refusal.json()["error"]) == (422, error)
    http.delete(f"{worlds}/assumed")
