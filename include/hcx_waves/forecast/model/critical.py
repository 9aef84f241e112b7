"""Find the VMs that decide when the last one has moved.

From the VM that arrives last the path goes back to the VM whose turn or whose place it had to wait for, and so on, to
one that waited for no other: that one was held up by the window, or by its own transfer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.model.draws import Flags
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.layout import Layout
from hcx_waves.forecast.model.records import VmTimes


@dataclass(frozen=True)
class CriticalPath:
    """The path of every night.

    ``member`` says who was on it, shape (nights, columns); ``seconds`` how much of it was theirs. ``last`` is the
    column of the VM that arrived last and ``first`` that where the path begins, shape (nights,), -1 in a night in
    which nobody arrived.
    """

    member: Flags
    seconds: Numbers
    last: NDArray[np.int64]
    first: NDArray[np.int64]


def critical_path(layout: Layout, times: VmTimes) -> CriticalPath:
    """Return the path of each night."""
    nights = len(times.submitted)
    ended = np.where(times.arrived & layout.occupied, times.ended, -np.inf)
    last = np.where(np.isfinite(ended).any(axis=1), ended.argmax(axis=1), -1)
    member = np.zeros(ended.shape, dtype=np.bool_)
    seconds = np.zeros(ended.shape)
    first, at = last.copy(), last.copy()
    rows = np.flatnonzero(at >= 0)
    until = np.zeros(nights)
    until[rows] = ended[rows, at[rows]]
    while len(rows):
        columns = at[rows]
        first[rows] = columns
        member[rows, columns] = True
        # Who waited for a turn began when that was free; who waited for nobody began with its base sync.
        queued = times.before[rows, columns]
        placed = times.admitted_by[rows, columns]
        earlier = np.where(queued >= 0, queued, placed)
        since = np.where(queued >= 0, times.began[rows, columns], _beginning(times, rows, columns))
        seconds[rows, columns] += np.maximum(until[rows] - since, 0)
        until[rows] = since
        at[rows] = np.where(member[rows, np.maximum(earlier, 0)], -1, earlier)
        rows = rows[at[rows] >= 0]
    return CriticalPath(member, seconds, last, first)


def _beginning(times: VmTimes, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Numbers:
    """Return when VMs that waited for nobody began: with the window that they waited for, else with their transfer."""
    began, ready = times.base_began[rows, columns], times.ready[rows, columns]
    waited = ready > times.base_ended[rows, columns]
    found: Numbers = np.where(waited, ready, np.where(np.isfinite(began), began, times.began[rows, columns]))
    return found
