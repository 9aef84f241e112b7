"""Calibration on reports of simulated live runs whose parameters are known: they come back."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import pytest

from hcx_sim.engine.clock import MICROSECONDS
from hcx_sim.hcx.mobility.mobility import mobility_of
from hcx_sim.hcx.mobility.model import MigrationType
from hcx_sim.hcx.state import state_of
from hcx_waves.forecast import ModelParameters, simulator_settings
from hcx_waves.forecast.calibration import Calibration, calibrate
from hcx_waves.forecast.calibration.evidence import evidence_of
from hcx_waves.forecast.calibration.shrinkage import PRIOR_SAMPLES, quantile_of
from hcx_waves.forecast.model.durations import LogNormal, Triangular
from hcx_waves.report.model import WaveReport
from support.forecast_twin import Recipe, scenario_of
from support.live_runs import run_live
from support.site_pair import SiteServer

RECIPE = Recipe(vms=24, segments=8, meshes=1, opens_hours=3, seed=5, link_mbps=1200)
LINK = 1200e6
RAV = Triangular(low_seconds=120, mode_seconds=200, high_seconds=420)
UNEXTEND = Triangular(low_seconds=200, mode_seconds=280, high_seconds=500)
REACTIONS = tuple(60.0 * minutes for minutes in (12, 15, 18, 20, 20, 22, 25, 30, 40, 16, 19, 24))


DEFAULTS = ModelParameters()
pytestmark = pytest.mark.timeout(400)


def known_parameters() -> ModelParameters:
    return DEFAULTS.model_copy(
        update={
            "migration": DEFAULTS.migration.model_copy(update={"rav_switchover": RAV}),
            "network": DEFAULTS.network.model_copy(update={"unextend": UNEXTEND}),
        }
    )


@dataclass
class Played:
    """A live run on sites that behave as the known parameters say, and what the sites drew, in seconds."""

    report: WaveReport
    switchovers: list[float]
    unextends: list[float]


@pytest.fixture(scope="module")
def played(site_server: SiteServer) -> Played:
    settings = simulator_settings(known_parameters())
    pair = site_server.make_world(scenario=scenario_of(RECIPE), seed=21, settings=settings)
    try:
        report = run_live(pair, vms=24, segments=8, reactions=REACTIONS, mesh="mesh-1")
        migrations = mobility_of(pair.world).store.migrations.values()
        jobs = [job for of_site in state_of(pair.world).jobs.values() for job in of_site.values()]
        return Played(
            report,
            [one.switchover_seconds for one in migrations if one.known.migration_type is MigrationType.RAV],
            [((job.ended_us or 0) - job.created_us) / MICROSECONDS for job in jobs],
        )
    finally:
        site_server.drop(pair)


@pytest.fixture(scope="module")
def calibrated(played: Played) -> Calibration:
    return calibrate([played.report])


def near(value: float, share: float) -> object:
    return pytest.approx(value, rel=share)


def drawn_near(assumed: Triangular, drawn: list[float], share: float) -> object:
    """Return the median that calibration should come to: what was assumed counts for five of the samples."""
    weight = len(drawn) / (len(drawn) + PRIOR_SAMPLES)
    return near((1 - weight) * quantile_of(assumed, 0.5) + weight * median(drawn), share)


def test_the_switchovers_come_back(calibrated: Calibration, played: Played) -> None:
    seen = [one.seconds for one in evidence_of([played.report]).switchovers if one.migration == "RAV"]
    assert len(seen) == len(played.switchovers) >= 20
    assert 0 < median(seen) - median(played.switchovers) < 30, "what was seen holds the last delta as well"
    assumed, fitted = DEFAULTS.migration.rav_switchover, calibrated.parameters.migration.rav_switchover
    assert isinstance(assumed, Triangular)
    assert isinstance(fitted, Triangular)
    assert quantile_of(fitted, 0.5) == drawn_near(assumed, played.switchovers, 0.04)
    assert quantile_of(fitted, 0.5) == near(quantile_of(RAV, 0.5), 0.15)
    assert fitted.high_seconds == near(RAV.high_seconds, 0.25)


def test_the_unextends_come_back(calibrated: Calibration, played: Played) -> None:
    assert median(evidence_of([played.report]).unextends) == near(median(played.unextends), 0.04)
    assumed, fitted = DEFAULTS.network.unextend, calibrated.parameters.network.unextend
    assert isinstance(assumed, Triangular)
    assert isinstance(fitted, Triangular)
    assert quantile_of(fitted, 0.5) == drawn_near(assumed, played.unextends, 0.04)
    assert quantile_of(fitted, 0.5) == near(quantile_of(UNEXTEND, 0.5), 0.25)


def test_the_line_comes_back(calibrated: Calibration) -> None:
    assert calibrated.parameters.transfer.mesh_link_bits_per_second == {"mesh-1": near(LINK, 0.05)}


def test_the_change_rate_comes_back(calibrated: Calibration) -> None:
    rates = [vm.change_rate_mbps * 1e6 / 8 for vm in scenario_of(RECIPE).vms]
    assert calibrated.parameters.transfer.change_bytes_per_second == near(sum(rates) / len(rates), 0.2)


def test_peoples_reactions_come_back(calibrated: Calibration) -> None:
    fitted = calibrated.parameters.gates.approve_cutover
    assert isinstance(fitted, LogNormal)
    assert fitted.median_seconds == near(20 * 60, 0.4)
    assert fitted.sigma < DEFAULTS.gates.approve_cutover.sigma
    assert calibrated.parameters.gates.approve_wave == DEFAULTS.gates.approve_wave


def test_nothing_failed_and_so_nothing_fails(calibrated: Calibration) -> None:
    assert calibrated.parameters.failures == DEFAULTS.failures
    counts = {change.name: (change.samples, change.note) for change in calibrated.changes}
    assert counts["failures.switchover"] == (24, "0 failed")
    assert counts["failures.unextend"] == (8, "0 failed")
    assert counts["network.unextend"][0] == 8


def test_the_report_compares_the_run_with_its_forecast(played: Played) -> None:
    rows = {one.what: one for one in played.report.comparisons}
    assert rows["Wave complete, after the start"].judgement == "beyond P95"
    ended = max(one.outage.ended_before for one in played.report.segments if one.outage and one.outage.ended_before)
    begun = played.report.begun_at
    assert begun is not None
    assert rows["Wave complete, after the start"].actual_seconds == (ended - begun).total_seconds()
