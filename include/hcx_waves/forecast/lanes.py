"""Lanes in which one goes at a time, in the order in which they became ready."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.layout import Layout
from hcx_waves.forecast.tables import Columns, Rows

NOBODY_BEFORE = -1


class Lanes:
    """The lanes of all nights: a queue each, first in, first out; :attr:`holder` is the column whose turn it is."""

    def __init__(self, layout: Layout, nights: int) -> None:
        self._lane = layout.lane
        counts = np.bincount(layout.lane[layout.lane >= 0], minlength=layout.lanes)
        self._offset = np.concatenate(([0], np.cumsum(counts)[:-1]))
        self._queue = np.zeros((nights, max(1, int(counts.sum()))), dtype=np.int64)
        self._head = np.zeros((nights, layout.lanes), dtype=np.int64)
        self._tail = np.zeros((nights, layout.lanes), dtype=np.int64)
        self.holder = np.full((nights, layout.lanes), NOBODY_BEFORE, dtype=np.int64)
        self._before = np.full((nights, layout.lanes), NOBODY_BEFORE, dtype=np.int64)
        self._waiting = False

    def join(self, rows: Rows, columns: Columns) -> None:
        """Let VMs queue. Several of one night queue in the order of the arrays."""
        lanes = self._lane[columns]
        # Of equal pairs (night, lane) each must get a place of its own: number them in their order.
        key = rows * self._head.shape[1] + lanes
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        fresh = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        firsts = np.flatnonzero(fresh)
        nth = np.empty(len(key), dtype=np.int64)
        nth[order] = np.arange(len(key)) - firsts[np.cumsum(fresh) - 1]
        self._queue[rows, self._offset[lanes] + self._tail[rows, lanes] + nth] = columns
        np.add.at(self._tail, (rows, lanes), 1)
        self._waiting = True

    def leave(self, rows: Rows, columns: Columns) -> None:
        """Let those go whose turn it was; the next of the lane will have waited for them."""
        lanes = self._lane[columns]
        self.holder[rows, lanes] = NOBODY_BEFORE
        self._before[rows, lanes] = columns

    def take(self, rows: Rows, columns: Columns) -> None:
        """Give VMs their turn without queueing, as those have it that were switching over at the beginning."""
        self.holder[rows, self._lane[columns]] = columns

    def empty(self, rows: Rows, lanes: NDArray[np.int64]) -> tuple[Rows, Columns]:
        """Send everybody away who queues in these lanes; return who that was."""
        gone_rows: list[int] = []
        gone: list[int] = []
        for row in rows:
            for lane in lanes:
                begin, end = self._head[row, lane], self._tail[row, lane]
                gone_rows += [int(row)] * int(end - begin)
                gone += self._queue[row, self._offset[lane] + begin : self._offset[lane] + end].tolist()
                self._head[row, lane] = end
        return np.array(gone_rows, dtype=np.int64), np.array(gone, dtype=np.int64)

    def grant(self) -> tuple[Rows, Columns, Columns]:
        """Give each free lane to the first in its queue; return nights, columns, and who had each lane before.

        Who had it before is :data:`NOBODY_BEFORE` where nobody has had it yet.
        """
        if not self._waiting:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing, nothing
        waiting = self._tail > self._head
        self._waiting = bool(waiting.any())
        rows, lanes = np.nonzero(waiting & (self.holder < 0))
        columns = self._queue[rows, self._offset[lanes] + self._head[rows, lanes]]
        self._head[rows, lanes] += 1
        self.holder[rows, lanes] = columns
        return rows, columns, self._before[rows, lanes]
