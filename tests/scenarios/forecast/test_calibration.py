"""Calibration on reports of simulated live runs whose parameters are known: they come back."""

from __future__ import annotations

import pytest

from hcx_waves.forecast import ModelParameters, simulator_settings
from hcx_waves.forecast.calibration import Calibration, calibrate
from hcx_waves.forecast.durations import LogNormal, Triangular
from hcx_waves.forecast.shrinkage import quantile_of
from hcx_waves.report.model import WaveReport
from support.forecast_twin import Recipe, scenario_of
from support.live_runs import run_live
from support.site_pair import SiteServer

RECIPE = Recipe(vms=24, segments=8, meshes=1, opens_hours=3, seed=5, link_mbps=1200)
LINK = 1200e6
RAV = Triangular(low_seconds=120, mode_seconds=200, high_seconds=420)
UNEXTEND = Triangular(low_seconds=200, mode_seconds=280, high_seconds=500)
REACTIONS = tuple(60.0 * minutes for minutes in (12, 15, 18, 20, 20, 22, 25, 30, 40, 16, 19, 24))


def known_parameters() -> ModelParameters:
    defaults = ModelParameters()
    return defaults.model_copy(
        update={
            "migration": defaults.migration.model_copy(update={"rav_switchover": RAV}),
            "network": defaults.network.model_copy(update={"unextend": UNEXTEND}),
        }
    )


@pytest.fixture(scope="module")
def reports(site_server: SiteServer) -> list[WaveReport]:
    """Two live runs on sites that behave as the known parameters say."""
    made = []
    for seed in (21, 22):
        pair = site_server.make_world(
            scenario=scenario_of(RECIPE), seed=seed, settings=simulator_settings(known_parameters())
        )
        try:
            made.append(
                run_live(pair, vms=24, segments=8, reactions=REACTIONS, run_id=f"manual__{seed}", mesh="mesh-1")
            )
        finally:
            site_server.drop(pair)
    return made


@pytest.fixture(scope="module")
def calibrated(reports: list[WaveReport]) -> Calibration:
    return calibrate(reports)


def near(value: float, share: float) -> object:
    return pytest.approx(value, rel=share)


def test_the_switchovers_come_back(calibrated: Calibration) -> None:
    fitted = calibrated.parameters.migration.rav_switchover
    assert isinstance(fitted, Triangular)
    assert quantile_of(fitted, 0.5) == near(quantile_of(RAV, 0.5), 0.08)
    assert fitted.high_seconds == near(RAV.high_seconds, 0.2)
    assert fitted.low_seconds == near(RAV.low_seconds, 0.3)


def test_the_unextends_come_back(calibrated: Calibration) -> None:
    fitted = calibrated.parameters.network.unextend
    assert isinstance(fitted, Triangular)
    assert quantile_of(fitted, 0.5) == near(quantile_of(UNEXTEND, 0.5), 0.1)


def test_the_line_comes_back(calibrated: Calibration) -> None:
    assert calibrated.parameters.transfer.mesh_link_bits_per_second == {"mesh-1": near(LINK, 0.05)}


def test_the_change_rate_comes_back(calibrated: Calibration) -> None:
    rates = [vm.change_rate_mbps * 1e6 / 8 for vm in scenario_of(RECIPE).vms]
    assert calibrated.parameters.transfer.change_bytes_per_second == near(sum(rates) / len(rates), 0.2)


def test_peoples_reactions_come_back(calibrated: Calibration) -> None:
    fitted = calibrated.parameters.gates.approve_cutover
    assert isinstance(fitted, LogNormal)
    assert fitted.median_seconds == near(20 * 60, 0.25)
    assert fitted.sigma < 0.6
    assert calibrated.parameters.gates.approve_wave == ModelParameters().gates.approve_wave


def test_nothing_failed_and_so_nothing_fails(calibrated: Calibration) -> None:
    assert calibrated.parameters.failures == ModelParameters().failures
    counts = {change.name: (change.samples, change.note) for change in calibrated.changes}
    assert counts["failures.switchover"][0] >= 40
    assert counts["failures.unextend"] == (16, "0 failed")
    assert counts["network.unextend"][0] == 16


def test_one_run_moves_figures_less_than_two(reports: list[WaveReport], calibrated: Calibration) -> None:
    default = ModelParameters().network.unextend
    assert isinstance(default, Triangular)
    one = calibrate(reports[:1]).parameters.network.unextend
    both = calibrated.parameters.network.unextend
    assert isinstance(one, Triangular)
    assert isinstance(both, Triangular)
    assert default.high_seconds < one.high_seconds
    assert quantile_of(default, 0.5) < quantile_of(one, 0.5) < quantile_of(both, 0.5) * 1.05
