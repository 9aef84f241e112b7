"""The forecast against the simulator on twenty generated waves, and its speed. ``make bench`` prints the tables."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

import pytest

from hcx_waves.forecast import ModelParameters, forecast
from hcx_waves.model.schedule import TimeWindow
from support.forecast_check import RECIPES, Comparison, Spreads, compare_spreads, compare_totals
from support.forecast_twin import START, Recipe, input_of, scenario_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
NIGHTS = 100
LARGEST_WITH_DISTRIBUTIONS, AND_OF_THE_LARGER = 200, (300, 500)
SPEED_NIGHTS = 1000


def say(*lines: str) -> None:
    """Print past pytest's capturing: the tables are what this is for."""
    sys.__stdout__.write("\n".join(("", *lines, "")))
    sys.__stdout__.flush()


def words(recipe: Recipe) -> str:
    """Return what a wave is made of, as cells of a table."""
    extras = []
    if recipe.bulk:
        extras.append(f"{recipe.bulk * 100:.0f} % Bulk")
    if recipe.vmotion:
        extras.append(f"{recipe.vmotion * 100:.0f} % vMotion")
    if recipe.per_mesh != 200:
        extras.append(f"limit {recipe.per_mesh} per mesh")
    if recipe.per_manager != 300:
        extras.append(f"limit {recipe.per_manager} in all")
    window = "none" if recipe.opens_hours is None else f"+{recipe.opens_hours:g} h"
    return f"{recipe.vms} | {recipe.segments} | {recipe.meshes} | {window} | {', '.join(extras) or '-'}"


def test_totals_agree_with_the_simulator() -> None:
    found = [compare_totals(recipe) for recipe in RECIPES]
    say(
        "| VMs | segments | meshes | window | besides RAV | transfer end (simulator / model), s | last switchover, s "
        "| last unextend, s | greatest difference of any VM or segment |",
        "|---|---|---|---|---|---|---|---|---|",
        *(total_row(one) for one in found),
    )
    for one in found:
        assert one.arrived == (one.recipe.vms, one.recipe.vms)
        assert one.worst < 0.01, one.recipe


def total_row(one: Comparison) -> str:
    totals = (one.transfer_end, one.last_switchover, one.last_unextend)
    cells = " | ".join(f"{pair.simulator:,.1f} / {pair.model:,.1f}" for pair in totals)
    worst = "< 0.0001 %" if one.worst < 1e-6 else f"{one.worst * 100:.4f} %"
    return f"| {words(one.recipe)} | {cells} | {worst} |"


def test_quantiles_agree_with_the_simulator() -> None:
    chosen = [one for one in RECIPES if one.vms <= LARGEST_WITH_DISTRIBUTIONS or one.vms in AND_OF_THE_LARGER]
    found = [compare_spreads(recipe, NIGHTS) for recipe in chosen]
    say(
        "| VMs | segments | meshes | window | besides RAV | last switchover P50 (simulator / model), s | P95, s "
        "| last unextend P50, s | P95, s | greatest difference of a P50 | of a P95 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(spread_row(one) for one in found),
    )
    for one in found:
        p50, p95 = one.worst
        assert p50 < 0.05, one
        assert p95 < 0.10, one


def spread_row(one: Spreads) -> str:
    pairs = {p50.what.removesuffix(" P50"): (p50, p95) for p50, p95 in one.pairs}
    shown = [*pairs["last switchover"], *pairs["last unextend"]]
    cells = " | ".join(f"{pair.simulator:,.0f} / {pair.model:,.0f}" for pair in shown)
    p50, p95 = one.worst
    return f"| {words(one.recipe)} | {cells} | {p50 * 100:.2f} % | {p95 * 100:.2f} % |"


@pytest.mark.parametrize(("change", "most_seconds"), [(0.25, 10.0), (1.0, 20.0)], ids=["busy", "busier than the lines"])
def test_a_thousand_nights_of_500_vms(change: float, most_seconds: float) -> None:
    recipe = Recipe(500, 8, 3, 14, 20, change=change)
    subject = input_of(recipe, scenario_of(recipe))
    opens = START + timedelta(hours=14)
    window = TimeWindow(opens=opens + timedelta(hours=8), closes=opens + timedelta(hours=20))
    segments = tuple(one.model_copy(update={"window": window}) for one in subject.segments)
    subject = subject.model_copy(
        update={"segments": segments, "switchover": TimeWindow(opens=opens, closes=opens + timedelta(hours=18))}
    )
    began, cpu = time.perf_counter(), time.process_time()
    told = forecast(subject, ModelParameters(), SPEED_NIGHTS, 0)
    wall_seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    rate = sum(vm.change_bytes_per_second or 0 for vm in subject.vms) / len(subject.vms) * 8 / 1e6
    say(
        f"{SPEED_NIGHTS} nights of 500 VMs that change {rate:.1f} Mbit/s each: {wall_seconds:.1f} s "
        f"({cpu_seconds:.1f} s of one core)"
    )
    assert told.nights == SPEED_NIGHTS
    assert cpu_seconds < most_seconds
