"""Draw all random numbers before the nights begin: the same seed gives the same nights, whatever else is varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.model.durations import Duration, Numbers
from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.layout import BULK, RAV, Layout
from hcx_waves.forecast.model.parameters import ModelParameters

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Draws:
    """Shapes: (nights, columns), (nights, meshes), (nights, segments) or (nights,); seconds unless said otherwise."""

    queue: Numbers
    switchover: Numbers
    stun: Numbers
    base_sync_fails: Flags
    switchover_fails: Flags
    changed: Numbers
    """Factor on the change rate."""
    bandwidth: Numbers
    """Factor on each mesh's line."""
    approve_wave: Numbers
    approve_switchover: Numbers
    approve_cutover: Numbers
    confirm_disconnected: Numbers
    hook: Numbers
    unextend: Numbers
    unextend_fails: Flags

    def repeated(self, times: int) -> Draws:
        """Return the same nights so many times, one after the other."""
        if times == 1:
            return self
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        # Nights are the last axis of the transposed arrays, which keeps those of one VM side by side.
        return Draws(**{name: np.tile(array.T, times).T for name, array in arrays.items()})


class _Source:
    """Numbers by purpose; those of one purpose do not depend on whether and how many of another are drawn.

    Columns are drawn in the order of the VMs' names, so that where a VM stands in the layout makes no difference.
    """

    def __init__(self, seed: int, nights: int) -> None:
        self.seed, self.nights, self._purpose = seed, nights, 0

    def _generator(self) -> np.random.Generator:
        self._purpose += 1
        return np.random.default_rng(np.random.SeedSequence([self.seed, self._purpose]))

    def many(self, duration: Duration, width: int) -> Numbers:
        return duration.draw(self._generator(), (width, self.nights)).T

    def one(self, duration: Duration) -> Numbers:
        return duration.draw(self._generator(), (self.nights,))

    def factors(self, sigma: float, width: int) -> Numbers:
        generator = self._generator()
        if not sigma:
            return np.ones((self.nights, width))
        found: Numbers = np.exp(sigma * generator.standard_normal((width, self.nights)).T)
        return found

    def chances(self, share: float, width: int) -> Flags:
        generator = self._generator()
        if not share:
            return np.zeros((self.nights, width), dtype=np.bool_)
        found: Flags = share > generator.random((width, self.nights)).T
        return found


def draw(subject: ForecastInput, layout: Layout, parameters: ModelParameters, nights: int, seed: int) -> Draws:
    """Return the random numbers of that many nights."""
    source = _Source(seed, nights)
    width, meshes, segments = len(subject.vms), len(layout.mesh_names), len(subject.segments)
    migration, gates, failures = parameters.migration, parameters.gates, parameters.failures
    queue = source.many(migration.queue, width)
    rav, bulk, other = (
        source.many(duration, width)
        for duration in (migration.rav_switchover, migration.bulk_switchover, migration.vmotion_overhead)
    )
    places = _Places(layout)
    kind = layout.kind[places.columns]
    switchover = np.where(kind == RAV, rav, np.where(kind == BULK, bulk, other))
    return Draws(
        queue=places.put(queue),
        switchover=places.put(switchover),
        stun=places.put(source.many(migration.stun, width)),
        base_sync_fails=places.put(source.chances(failures.base_sync, width)) > 0,
        switchover_fails=places.put(source.chances(failures.switchover, width)) > 0,
        changed=places.put(source.factors(parameters.transfer.change_sigma, width)),
        bandwidth=source.factors(parameters.transfer.bandwidth_sigma, meshes),
        approve_wave=source.one(gates.approve_wave),
        approve_switchover=source.one(gates.approve_switchover),
        approve_cutover=source.many(gates.approve_cutover, segments),
        confirm_disconnected=source.many(gates.confirm_disconnected, segments),
        hook=source.many(parameters.network.hook, segments),
        unextend=source.many(parameters.network.unextend, segments),
        unextend_fails=source.chances(failures.unextend, segments),
    )


class _Places:
    """Where the VMs, sorted by name, have their columns."""

    def __init__(self, layout: Layout) -> None:
        self.columns: Sequence[int] = [layout.columns[name] for name in sorted(layout.columns)]
        self._width = layout.width

    def put(self, drawn: Numbers | Flags) -> Numbers:
        placed = np.zeros((drawn.shape[0], self._width), order="F")
        placed[:, self.columns] = drawn
        return placed
