"""Compares the forecast's model with the simulator, wave by wave."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from hcx_waves.forecast import ForecastInput, ModelParameters
from hcx_waves.forecast.model.nights import Nights, simulate
from support.forecast_twin import Played, Recipe, TwinWave, input_of, scenario_of

RECIPES = (
    Recipe(10, 1, 1, None, 1),
    Recipe(20, 2, 1, 3, 2),
    Recipe(30, 3, 2, None, 3, bulk=0.3),
    Recipe(40, 4, 2, 6, 4, bulk=0.2, vmotion=0.1),
    Recipe(50, 2, 1, 12, 5, change=1.0),
    Recipe(60, 6, 3, 4, 6, link_mbps=800),
    Recipe(80, 5, 2, None, 7, vmotion=0.2),
    Recipe(100, 8, 3, 8, 8),
    Recipe(120, 4, 2, 5, 9, link_mbps=500),
    Recipe(150, 6, 3, 10, 10, bulk=0.3, vmotion=0.05),
    Recipe(180, 3, 1, 20, 11),
    Recipe(200, 8, 2, 12, 12, change=0.5),
    Recipe(220, 5, 1, 30, 13, bulk=0.5),
    Recipe(250, 7, 3, None, 14),
    Recipe(280, 8, 3, 15, 15, per_mesh=60),
    Recipe(300, 6, 2, 24, 16),
    Recipe(350, 8, 3, 8, 17),
    Recipe(400, 8, 3, 18, 18, bulk=0.2, per_manager=150),
    Recipe(450, 4, 2, 30, 19, change=0.1),
    Recipe(500, 8, 3, 12, 20),
)
_SILENT = {
    "step_seconds": 0, "step_in_outage_seconds": 0, "before_gate_seconds": 0, "verify_seconds": 0, "poll_seconds": 0,
    "outage_poll_seconds": 0, "cutover_follows": "segment",
}  # fmt: skip
_FIXED = {
    "migration": {"rav_switchover": 100, "vmotion_overhead": 60, "bulk_switchover": 240, "stun": 0.5},
    "network": {"unextend": 150},
}
_GATES = ("approve_wave", "approve_switchover", "approve_cutover", "confirm_disconnected")


def parameters_of(recipe: Recipe, *, fixed: bool) -> ModelParameters:
    """Return what model and simulator are both told; nothing of it is about people and Airflow."""
    document: dict[str, Any] = {
        "gates": {gate: {"kind": "fixed", "seconds": 0} for gate in _GATES},
        "orchestrator": _SILENT,
        "limits": {"replications_per_mesh": recipe.per_mesh, "replications_per_manager": recipe.per_manager},
        "network": {"realisation_seconds": 0},
    }
    if fixed:
        for part, lengths in _FIXED.items():
            durations = {name: {"kind": "fixed", "seconds": seconds} for name, seconds in lengths.items()}
            document[part] = {**document.get(part, {}), **durations}
    return ModelParameters.model_validate(document)


def random_recipe(seed: int) -> Recipe:
    """Return a small wave whose limits and windows may bind in any way."""
    chance = random.Random(seed)  # noqa: S311  (made-up waves, not secrets)
    segments = chance.randint(1, 5)
    return Recipe(
        vms=chance.randint(segments, 30),
        segments=segments,
        meshes=chance.randint(1, 3),
        opens_hours=chance.choice([None, 1, 3, 6.5, 20]),
        seed=seed,
        change=chance.choice([0, 0.2, 1, 5]),
        link_mbps=chance.choice([300, 2000]),
        lasts_hours=chance.choice([0.2, 1, 40]),
        bulk=chance.choice([0, 0.3]),
        vmotion=chance.choice([0, 0.2]),
        per_mesh=chance.choice([3, 10, 200]),
        per_manager=chance.choice([4, 12, 300]),
    )


@dataclass(frozen=True)
class Pair:
    """One figure of both, in seconds."""

    what: str
    simulator: float
    model: float

    @property
    def difference(self) -> float:
        """Relative to the simulator's."""
        return abs(self.model - self.simulator) / self.simulator if self.simulator else abs(self.model)


@dataclass(frozen=True)
class Comparison:
    """One wave of fixed durations: totals, every VM and every segment."""

    recipe: Recipe
    transfer_end: Pair
    last_switchover: Pair
    unextends: tuple[Pair, ...]
    vms: tuple[Pair, ...]
    arrived: tuple[int, int]

    @property
    def last_unextend(self) -> Pair:
        """The pair of the segment that is unextended last."""
        return max(self.unextends, key=lambda pair: pair.simulator)

    @property
    def worst(self) -> float:
        """The greatest of all differences."""
        pairs = (self.transfer_end, self.last_switchover, *self.unextends, *self.vms)
        return max(pair.difference for pair in pairs)


def compare_totals(recipe: Recipe) -> Comparison:
    """Play a wave of fixed durations once in the simulator and once in the model."""
    scenario = scenario_of(recipe)
    subject, parameters = input_of(recipe, scenario), parameters_of(recipe, fixed=True)
    played = TwinWave(scenario, parameters, recipe.seed).play(subject)
    nights = simulate(subject, parameters, 1, 0)
    ended = _by_name(nights, nights.vms.ended[0])
    routed = dict(zip((one.name for one in subject.segments), nights.segments.routed[0].tolist(), strict=True))
    return Comparison(
        recipe=recipe,
        transfer_end=Pair("transfer end", played.transfer_end, float(np.nanmax(nights.vms.base_ended))),
        last_switchover=Pair("last switchover", played.last_switchover, max(ended.values())),
        unextends=tuple(Pair(name, at, routed[name]) for name, at in played.unextended.items()),
        vms=tuple(Pair(name, at, ended.get(name, float("inf"))) for name, at in played.ended.items()),
        arrived=(len(played.ended), len(ended)),
    )


def _by_name(nights: Nights, values: Any) -> dict[str, float]:
    found = {name: float(values[column]) for name, column in nights.layout.columns.items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


@dataclass(frozen=True)
class Spreads:
    """P50 and P95 over many nights of both, by what is measured."""

    recipe: Recipe
    pairs: tuple[tuple[Pair, Pair], ...]

    @property
    def worst(self) -> tuple[float, float]:
        """The greatest difference of a P50, and of a P95."""
        return max(p50.difference for p50, _ in self.pairs), max(p95.difference for _, p95 in self.pairs)


def compare_spreads(recipe: Recipe, nights: int) -> Spreads:
    """Play a wave of varying durations many times in both, each time with another seed."""
    scenario = scenario_of(recipe)
    subject, parameters = input_of(recipe, scenario), parameters_of(recipe, fixed=False)
    played = [TwinWave(scenario, parameters, 1000 + seed).play(subject) for seed in range(nights)]
    modelled = simulate(subject, parameters, nights, recipe.seed)
    found = []
    for what, simulated, ours in _measured(subject, played, modelled):
        both = [np.quantile(values, (0.5, 0.95)) for values in (simulated, ours)]
        pairs = [
            Pair(f"{what} {name}", float(both[0][at]), float(both[1][at])) for at, name in enumerate(("P50", "P95"))
        ]
        found.append((pairs[0], pairs[1]))
    return Spreads(recipe, tuple(found))


def _measured(subject: ForecastInput, played: list[Played], nights: Nights) -> list[tuple[str, Any, Any]]:
    opens = 0.0
    if subject.switchover is not None:
        opens = (subject.switchover.opens - subject.starts_at).total_seconds()
    last = nights.vms.ended[:, nights.layout.occupied].max(axis=1)
    measured = [
        ("transfer end", [one.transfer_end for one in played], np.nanmax(nights.vms.base_ended, axis=1)),
        ("last switchover", [one.last_switchover for one in played], last),
        ("last unextend", [max(one.unextended.values()) for one in played], nights.segments.routed.max(axis=1)),
    ]
    if opens:
        # Apart from the wait for the window, which is the same in both.
        measured.append(("queue", [one.last_switchover - opens for one in played], last - opens))
    return measured
