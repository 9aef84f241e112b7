"""The forecast's model against the simulator, on a few generated waves. All twenty are compared by ``make bench``."""

from __future__ import annotations

import math

import pytest

from hcx_sim.settings import Fixed
from hcx_waves.forecast import ModelParameters, simulator_settings
from hcx_waves.forecast.model.nights import simulate
from support.forecast_check import RECIPES, compare_spreads, compare_totals, parameters_of, random_recipe
from support.forecast_twin import Recipe, TwinWave, input_of, scenario_of
from support.forecasts import fixed
from support.site_pair import SiteServer

SMALL = [recipe for recipe in RECIPES if recipe.vms <= 60]


@pytest.mark.parametrize("recipe", SMALL, ids=str)
def test_with_fixed_durations_totals_agree(recipe: Recipe) -> None:
    found = compare_totals(recipe)
    assert found.arrived == (recipe.vms, recipe.vms)
    assert len(found.unextends) == recipe.segments
    assert found.worst < 0.0001


@pytest.mark.parametrize(
    "recipe",
    [Recipe(40, 4, 2, 6, 41, per_mesh=7), Recipe(40, 4, 2, 6, 42, per_manager=9, bulk=0.3)],
    ids=["per mesh", "per manager"],
)
def test_limits_bind_in_the_same_order(recipe: Recipe) -> None:
    found = compare_totals(recipe)
    assert found.arrived == (40, 40)
    assert found.worst < 0.0001


def test_the_same_vms_miss_a_window_that_is_too_short() -> None:
    recipe = Recipe(40, 4, 2, 3, 43, lasts_hours=0.4, link_mbps=600)
    scenario = scenario_of(recipe)
    subject, parameters = input_of(recipe, scenario), parameters_of(recipe, fixed=True)
    played = TwinWave(scenario, parameters, 1).play(subject)
    nights = simulate(subject, parameters, 1, 0)
    arrived = {name for name, column in nights.layout.columns.items() if nights.vms.arrived[0, column]}
    assert 0 < len(played.ended) < recipe.vms
    assert set(played.ended) == arrived
    assert played.missed == set(nights.layout.columns) - arrived


def test_the_same_vms_fail_where_a_missed_window_fails_them() -> None:
    recipe = Recipe(30, 3, 1, 3, 44, lasts_hours=0.3)
    scenario = scenario_of(recipe)
    subject = input_of(recipe, scenario)
    usual = parameters_of(recipe, fixed=True)
    strict = usual.model_copy(update={"migration": usual.migration.model_copy(update={"missed_window": "fail"})})
    played = TwinWave(scenario, strict, 1).play(subject)
    nights = simulate(subject, strict, 1, 0)
    failed = {name for name, column in nights.layout.columns.items() if nights.vms.failed[0, column]}
    assert failed == {vm.name for vm in subject.vms} - set(played.ended)
    assert failed
    assert not played.missed


@pytest.mark.parametrize("seed", range(100, 130))
def test_waves_whose_limits_and_windows_bind_agree_too(seed: int) -> None:
    recipe = random_recipe(seed)
    scenario = scenario_of(recipe)
    subject, parameters = input_of(recipe, scenario), parameters_of(recipe, fixed=True)
    policy = "fail" if seed % 3 == 0 else "wait"
    migration = parameters.migration.model_copy(update={"missed_window": policy})
    parameters = parameters.model_copy(update={"migration": migration})
    played = TwinWave(scenario, parameters, 1).play(subject)
    nights = simulate(subject, parameters, 1, 0)
    ended = {
        name: float(nights.vms.ended[0, column])
        for name, column in nights.layout.columns.items()
        if nights.vms.arrived[0, column]
    }
    assert ended == pytest.approx(played.ended, rel=1e-6)
    routed = zip((one.name for one in subject.segments), nights.segments.routed[0].tolist(), strict=True)
    assert {name: at for name, at in routed if not math.isnan(at)} == pytest.approx(played.unextended, rel=1e-6)


@pytest.mark.parametrize("recipe", RECIPES[1:4:2], ids=str)
def test_with_distributions_quantiles_agree(recipe: Recipe) -> None:
    p50, p95 = compare_spreads(recipe, 40).worst
    assert p50 < 0.05
    assert p95 < 0.10


def test_another_model_would_be_found_out() -> None:
    recipe = RECIPES[1]
    scenario = scenario_of(recipe)
    subject, told = input_of(recipe, scenario), parameters_of(recipe, fixed=True)
    slower = told.model_dump(mode="json") | {"migration": {"rav_switchover": fixed(110)}}
    played = TwinWave(scenario, told, 1).play(subject)
    nights = simulate(subject, ModelParameters.model_validate(slower), 1, 0)
    # Ten seconds more per switchover are more than one per cent of the whole.
    last = float(nights.vms.ended[0, nights.layout.occupied].max())
    assert (last - played.last_switchover) / played.last_switchover > 0.01


def test_a_world_takes_the_parameters_as_its_settings(site_server: SiteServer) -> None:
    given = ModelParameters.model_validate(
        {"network": {"unextend": fixed(77)}, "transfer": {"rpo_seconds": 900}, "limits": {"replications_per_mesh": 3}}
    )
    pair = site_server.make_world()
    control = pair.endpoints["control"]
    body = {
        "world_id": "forecast-settings",
        "scenario": "seed",
        "role": "twin",
        "clock": {"mode": "paused"},
        "settings": simulator_settings(given),
    }
    answer = pair.http().post(
        f"{control['url']}/worlds", json=body, headers={"Authorization": f"Bearer {control['token']}"}, timeout=20
    )
    assert answer.status_code == 201, answer.text
    hcx = site_server.server.worlds.get("forecast-settings").settings.hcx
    assert (hcx.unextend_seconds, hcx.rpo_seconds, hcx.max_concurrent_per_mesh) == (Fixed(seconds=77), 900, 3)
    site_server.drop(pair)
