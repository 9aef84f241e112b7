"""Play many nights of one wave, from the start of the run to the last cutover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hcx_waves.forecast.model.critical import CriticalPath, critical_path
from hcx_waves.forecast.model.cutovers import SegmentTimes, cut_over, migrations_end
from hcx_waves.forecast.model.draws import Flags, draw
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.engine import Engine
from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.layout import Layout, layout_of
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.records import UNKNOWN, VmTimes
from hcx_waves.forecast.model.starting import start
from hcx_waves.forecast.model.tables import NEVER


@dataclass(frozen=True)
class Nights:
    """What happened in all nights; arrays of instants in seconds since the forecast's start."""

    subject: ForecastInput
    layout: Layout
    vms: VmTimes
    segments: SegmentTimes
    migrated: Numbers
    """When no VM moved any more, shape (nights,)."""
    end: Numbers
    """When all was done, shape (nights,); not a number where something was left behind."""

    @property
    def count(self) -> int:
        """How many nights there are."""
        return len(self.end)

    @property
    def complete(self) -> Flags:
        """In which nights everything was done."""
        return np.isfinite(self.end)

    @property
    def fits(self) -> Flags:
        """In which nights everything was done inside its window: switchovers ended and gateways routed."""
        found = self.complete.copy()
        subject, begin = self.subject, self.subject.starts_at
        if subject.switchover is not None:
            closes = (subject.switchover.closes - begin).total_seconds()
            ended = self.vms.ended[:, self.layout.occupied]
            found &= (ended <= closes).all(axis=1)
        for number, segment in enumerate(subject.segments):
            if segment.window is not None and not segment.cut_already:
                closes = (segment.window.closes - begin).total_seconds()
                found &= self.segments.routed[:, number] <= closes
        return found

    @cached_property
    def path(self) -> CriticalPath:
        """Which VMs decided the end."""
        return critical_path(self.layout, self.vms)


def simulate(
    subject: ForecastInput,
    parameters: ModelParameters,
    nights: int,
    seed: int,
    delays: Sequence[float] = (0.0,),
    *,
    only_what_fits: bool = False,
) -> Nights:
    """Play that many nights; the same arguments give the same nights.

    :param delays: by how many seconds the run begins later (or earlier, below zero) than planned, with windows where
        they are; the same nights are played with each of them, one after the other.
    :param only_what_fits: whether a night is left as it stands when the switchover window closes, as nothing later can
        make it fit.
    :raises ValueError: if the wave moves no VM.
    """
    if not subject.vms:
        raise ValueError(f"wave {subject.wave} moves no VM")
    layout = layout_of(subject, parameters)
    draws = draw(subject, layout, parameters, nights, seed).repeated(len(delays))
    rows = nights * len(delays)
    orchestrator = parameters.orchestrator
    submitted = draws.approve_wave + orchestrator.before_gate_seconds + orchestrator.step_seconds
    if subject.under_way:
        submitted = np.zeros(rows)
    submitted = submitted + np.repeat(np.array(delays), nights)
    engine = Engine(subject, layout, parameters, draws, submitted)
    start(engine, subject)
    vms = engine.run(until=engine.releases.closes if only_what_fits else NEVER)
    segments = cut_over(subject, layout, parameters, draws, vms, engine.releases)
    migrated = migrations_end(vms)
    verified = engine.releases.seen(np.arange(rows), migrated) + orchestrator.verify_seconds
    done = vms.arrived[:, layout.occupied].all(axis=1) & segments.cut.all(axis=1)
    last = np.max(np.column_stack([verified, segments.ended]), axis=1)
    return Nights(subject, layout, vms, segments, migrated, np.where(done, last, UNKNOWN))
