"""Summarise many nights: quantiles, chances, what the end waits for, and the night nearest to the median."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hcx_waves.forecast.model.draws import Flags
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.inputs import ForecastSegment, ForecastVm
from hcx_waves.forecast.model.nights import Nights
from hcx_waves.forecast.model.tables import Columns
from hcx_waves.forecast.results.document import (
    Bar,
    Decider,
    Histogram,
    Night,
    Quantiles,
    SegmentBar,
    SegmentForecast,
    SwitchoverQueue,
    VmForecast,
)
from hcx_waves.model.expectation import Spread
from hcx_waves.model.quantiles import P99, quantile

_BINS = 40


def quantiles(values: Numbers) -> Quantiles:
    """Return the quantiles of a quantity, not a number in nights in which it did not come about; shape (nights,)."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Quantiles(p50_seconds=None, p90_seconds=None, p95_seconds=None, share=0.0)
    return Quantiles(**Spread.of(known.tolist()).model_dump(), share=len(known) / len(values))


def over_columns(values: Numbers, columns: Columns, *, last: bool) -> Numbers:
    """Return the greatest or least number of each night, not a number where there is none."""
    chosen = values[:, columns]
    empty = -np.inf if last else np.inf
    filled = np.where(np.isfinite(chosen), chosen, empty)
    found = filled.max(axis=1, initial=empty) if last else filled.min(axis=1, initial=empty)
    return np.where(np.isfinite(found), found, np.nan)


def transfer_end(nights: Nights) -> Quantiles:
    """Return when the last base sync is through."""
    replicated = np.flatnonzero(nights.layout.replicates)
    return quantiles(over_columns(nights.vms.base_ended, replicated, last=True))


def cutover_start(nights: Nights) -> Quantiles:
    """Return when the first gateway is switched off."""
    open_segments = [at for at, segment in enumerate(nights.subject.segments) if not segment.cut_already]
    return quantiles(over_columns(nights.segments.begun, np.array(open_segments, dtype=np.int64), last=False))


def switchover_queue(nights: Nights) -> SwitchoverQueue:
    """Return the queue of switchovers of all lanes."""
    vms = nights.vms
    serial = np.flatnonzero(nights.layout.lane >= 0)
    begins = over_columns(vms.began, serial, last=False)
    ends = over_columns(vms.ended, serial, last=True)
    waits = over_columns(vms.began - vms.ready, serial, last=True)
    return SwitchoverQueue(
        begins=quantiles(begins),
        lasts=quantiles(ends - begins),
        ends=quantiles(ends),
        longest_wait=quantiles(waits),
    )


def segment_forecasts(nights: Nights) -> tuple[SegmentForecast, ...]:
    """Return the cutovers that are still to come."""
    return tuple(
        _segment(nights, at, segment) for at, segment in enumerate(nights.subject.segments) if not segment.cut_already
    )


def _segment(nights: Nights, at: int, segment: ForecastSegment) -> SegmentForecast:
    times = nights.segments
    routed = times.routed[:, at]
    chance = None
    if segment.window is not None:
        closes = (segment.window.closes - nights.subject.starts_at).total_seconds()
        chance = float((routed <= closes).mean())
    return SegmentForecast(
        name=segment.name,
        window=segment.window,
        begins=quantiles(times.begun[:, at]),
        ends=quantiles(routed),
        outage=quantiles(times.outage_seconds[:, at]),
        cut_chance=float(np.isfinite(routed).mean()),
        window_chance=chance,
    )


def vm_forecasts(nights: Nights) -> tuple[VmForecast, ...]:
    """Return what to expect of each VM, in the order of the input."""
    path = nights.path
    return tuple(
        _vm(nights, vm, nights.layout.columns[vm.name], path.member, path.seconds) for vm in nights.subject.vms
    )


def _vm(nights: Nights, vm: ForecastVm, column: int, member: Flags, seconds: Numbers) -> VmForecast:
    times = nights.vms
    base = times.base_ended[:, column] - times.base_began[:, column]
    lasted = _median(base)
    decides = member[:, column]
    return VmForecast(
        name=vm.name,
        migration=vm.migration.value,
        mesh=vm.mesh,
        base_sync_begins_seconds=_median(times.base_began[:, column]),
        base_sync_ends_seconds=_median(times.base_ended[:, column]),
        ready_seconds=_median(times.ready[:, column]),
        begins_seconds=_median(times.began[:, column]),
        ends_seconds=_median(times.ended[:, column]),
        switchover_seconds=_median(times.ended[:, column] - times.began[:, column]),
        switchover_p99_seconds=_p99(times.ended[:, column] - times.began[:, column]),
        bytes_per_second=vm.disk_bytes / lasted if lasted else None,
        moves_chance=float(times.arrived[:, column].mean()),
        decides_share=float(decides.mean()),
        decides_seconds=float(seconds[decides, column].mean()) if decides.any() else 0.0,
    )


def _median(values: Numbers) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 3) if len(known) else None


def _p99(values: Numbers) -> float | None:
    known = values[np.isfinite(values)]
    return round(quantile(known.tolist(), P99), 3) if len(known) else None


def deciders(nights: Nights) -> tuple[Decider, ...]:
    """Return what the end had to wait for in the nights in which everything was done."""
    counts: Counter[str] = Counter()
    path = nights.path
    for row in np.flatnonzero(nights.complete):
        counts[_decider(nights, int(row), int(path.first[row]))] += 1
    total = sum(counts.values())
    return tuple(Decider(what=what, share=count / total) for what, count in counts.most_common())


def _decider(nights: Nights, row: int, first: int) -> str:
    subject, times = nights.subject, nights.vms
    open_segments = [at for at, segment in enumerate(subject.segments) if not segment.cut_already]
    if open_segments:
        last = max(open_segments, key=lambda at: nights.segments.ended[row, at])
        window = subject.segments[last].window
        opens = None if window is None else (window.opens - subject.starts_at).total_seconds()
        if opens is not None and nights.segments.begun[row, last] <= opens:
            return "opening of the cutover window"
    if first < 0:
        return "answers at the gates"
    mesh = nights.layout.mesh_names[nights.layout.mesh[first]]
    queued = int(path_length(nights, row)) > 1
    ready = times.ready[row, first]
    if np.isfinite(times.base_ended[row, first]) and ready <= times.base_ended[row, first]:
        return f"base sync of the last VMs on {mesh}" if not queued else f"base syncs and switchover queue of {mesh}"
    return f"switchover queue of {mesh}" if queued else f"opening of the switchover window, on {mesh}"


def path_length(nights: Nights, row: int) -> int:
    """Return how many VMs are on the path of one night."""
    return int(nights.path.member[row].sum())


def typical_night(nights: Nights) -> Night:
    """Return the night whose end is nearest to the median; of incomplete ones that whose migrations end so."""
    ends = nights.end if nights.complete.any() else nights.migrated
    row = 0
    if np.isfinite(ends).any():
        row = int(np.nanargmin(np.abs(ends - np.nanmedian(ends))))
    end = nights.end[row]
    return Night(
        number=row,
        vms=tuple(_bar(nights, row, vm) for vm in nights.subject.vms),
        segments=tuple(
            _segment_bar(nights, row, at)
            for at, segment in enumerate(nights.subject.segments)
            if not segment.cut_already
        ),
        end_seconds=float(end) if np.isfinite(end) else None,
    )


def _bar(nights: Nights, row: int, vm: ForecastVm) -> Bar:
    times, column = nights.vms, nights.layout.columns[vm.name]
    ready = times.ready[row, column]
    outcome = "arrived" if times.arrived[row, column] else "failed" if times.failed[row, column] else "left behind"
    return Bar(
        name=vm.name,
        mesh=vm.mesh,
        migration=vm.migration.value,
        base_sync=_pair(times.base_began[row, column], times.base_ended[row, column]),
        ready=float(ready) if np.isfinite(ready) else None,
        switchover=_pair(times.began[row, column], times.ended[row, column]),
        outcome=outcome,
    )


def _segment_bar(nights: Nights, row: int, at: int) -> SegmentBar:
    segment, begin = nights.subject.segments[at], nights.subject.starts_at
    window = None
    if segment.window is not None:
        window = tuple((one - begin).total_seconds() for one in (segment.window.opens, segment.window.closes))
    outage = _pair(nights.segments.begun[row, at], nights.segments.routed[row, at])
    return SegmentBar(name=segment.name, window=window, outage=outage)


def _pair(begin: float, end: float) -> tuple[float, float] | None:
    return (float(begin), float(end)) if np.isfinite(begin) and np.isfinite(end) else None


def end_histogram(nights: Nights) -> Histogram:
    """Return how many of the complete nights ended when."""
    known = nights.end[nights.complete]
    if not len(known):
        return Histogram(edges_seconds=(), counts=())
    counts, edges = np.histogram(known, bins=_BINS)
    return Histogram(edges_seconds=tuple(map(float, edges)), counts=tuple(map(int, counts)))
