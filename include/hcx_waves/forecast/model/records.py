"""What happened to each VM in each night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.model.draws import Flags
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.queues import NO_VM

QUEUED, PREPARING, BASE, WAITING, TURN, FINAL, SWITCHING, ROLLBACK, ARRIVED, FAILED, MISSED = range(11)
"""Stages of a VM. WAITING is for its window or release, TURN for its lane, FINAL moves its last bytes."""
UNKNOWN = np.nan


@dataclass(frozen=True)
class VmTimes:
    """Instants in seconds since the forecast's start, shape (nights, columns); not a number where it never came.

    ``before`` and ``admitted_by`` hold the column that a VM had to wait for, -1 where it did not.
    """

    submitted: Numbers
    """Shape (nights,)."""
    stage: NDArray[np.int8]
    base_began: Numbers
    base_ended: Numbers
    ready: Numbers
    """When it waited for nothing but its turn."""
    began: Numbers
    """When its switchover began, the last delta or the whole transfer of a vMotion or cold migration included."""
    switched: Numbers
    """When its last bytes had arrived."""
    ended: Numbers
    moved_bytes: Numbers
    before: NDArray[np.int64]
    admitted_by: NDArray[np.int64]
    occupied: Flags
    """Which columns hold a VM, shape (columns,)."""
    last_instant: Numbers
    """When nothing more happened, shape (nights,)."""

    @property
    def arrived(self) -> Flags:
        """Who has arrived."""
        found: Flags = self.stage == ARRIVED
        return found

    @property
    def failed(self) -> Flags:
        """Who has failed for good."""
        found: Flags = self.stage == FAILED
        return found


def blank_times(submitted: Numbers, occupied: Flags) -> VmTimes:
    """Return records of nights that have not begun.

    The nights of one VM lie side by side in memory: as all nights are played in step, they are mostly used together.
    """
    shape = (len(submitted), len(occupied))
    return VmTimes(
        submitted=submitted,
        stage=np.full(shape, QUEUED, dtype=np.int8, order="F"),
        base_began=_blank(shape),
        base_ended=_blank(shape),
        ready=_blank(shape),
        began=_blank(shape),
        switched=_blank(shape),
        ended=_blank(shape),
        moved_bytes=np.zeros(shape, order="F"),
        before=np.full(shape, NO_VM, dtype=np.int64, order="F"),
        admitted_by=np.full(shape, NO_VM, dtype=np.int64, order="F"),
        occupied=occupied,
        last_instant=submitted.copy(),
    )


def _blank(shape: tuple[int, int]) -> Numbers:
    return np.full(shape, UNKNOWN, order="F")
