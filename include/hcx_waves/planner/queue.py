"""How long the serial switchovers of a wave take, by the forecast's parameters; in whole milliseconds.

HCX switches over one VM at a time per service mesh with RAV, and one per site pair with vMotion. Of many VMs the sum is
close to normal, so mean and variance of each give the 95th percentile of the queue. The forecast itself, which plays
nights, takes too long to be asked for each of a million moves; it is asked for the finished plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from hcx_waves.forecast import ModelParameters
from hcx_waves.forecast.model.parameters import MigrationParameters
from hcx_waves.model.choices import MigrationType

_DRAWS = 20_000
# The 95th percentile of the normal distribution is 1.645 deviations above its mean; squared, in ten thousandths.
_Z_SQUARED = 27_060


@dataclass(frozen=True)
class TurnLength:
    """How long one VM holds the queue: mean in milliseconds, variance in their squares."""

    mean: int
    variance: int


def turn_lengths(parameters: ModelParameters) -> dict[MigrationType, TurnLength]:
    """Return the length of a VM's turn by migration type; Bulk switches over in parallel and holds no queue."""
    return dict(_turn_lengths(parameters.migration))


@cache
def _turn_lengths(migration: MigrationParameters) -> dict[MigrationType, TurnLength]:
    turns = {MigrationType.BULK: TurnLength(0, 0)}
    for kind, length in (
        (MigrationType.RAV, migration.rav_switchover),
        (MigrationType.VMOTION, migration.vmotion_overhead),
        (MigrationType.COLD, migration.vmotion_overhead),
    ):
        drawn = length.draw(np.random.default_rng(0), (_DRAWS,)) * 1000
        turns[kind] = TurnLength(int(drawn.mean()), int(drawn.var()))
    return turns


def fits_window(mean: int, variance: int, window: int) -> bool:
    """Whether the 95th percentile of a queue lies within a window, all in milliseconds."""
    left = window - mean
    return left >= 0 and left * left * 10_000 >= _Z_SQUARED * variance


def queue_seconds(mean: int, variance: int) -> int:
    """Return the 95th percentile of a queue in seconds."""
    deviation = int((variance * _Z_SQUARED // 10_000) ** 0.5)
    return (mean + deviation) // 1000
