"""The two queues of a wave: for a place to replicate, and for a turn to switch over.

At most so many VMs replicate at once per mesh and per manager [D hcx 8.1]; the others wait in the order of their
names. In a lane one VM switches over at a time, in the order in which they became ready.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.model.inputs import Progress
from hcx_waves.forecast.model.layout import Layout
from hcx_waves.forecast.model.parameters import LimitParameters
from hcx_waves.forecast.model.tables import Columns, Rows

NO_VM = -1


class Admission:
    """Places of replications; one is taken from the first preparation to the very end of a migration."""

    def __init__(self, layout: Layout, limits: LimitParameters, nights: int) -> None:
        """Let replicated VMs that are pending wait for a place; those under way have one already."""
        waiting = layout.standing(Progress.PENDING)
        inside = layout.standing(Progress.SYNCING, Progress.SEEDED, Progress.SWITCHING)
        waiting, inside = waiting[layout.replicates[waiting]], inside[layout.replicates[inside]]
        self._mesh, self._rank = layout.mesh, layout.rank
        self._limits = limits
        meshes = len(layout.mesh_names)
        ranked = waiting[np.argsort(layout.rank[waiting])]
        queues = [ranked[layout.mesh[ranked] == mesh] for mesh in range(meshes)]
        self._length = np.array([len(queue) for queue in queues])
        self._queue = np.zeros((meshes, max(1, int(self._length.max(initial=0)))), dtype=np.int64)
        for mesh, queue in enumerate(queues):
            self._queue[mesh, : len(queue)] = queue
        self._next = np.zeros((nights, meshes), dtype=np.int64)
        self._inside = np.tile(np.bincount(layout.mesh[inside], minlength=meshes), (nights, 1))

    @property
    def all_inside(self) -> bool:
        """Whether nobody waits in any night."""
        return bool((self._next >= self._length).all())

    def release(self, rows: Rows, columns: Columns) -> None:
        """Take back the places of migrations that are over."""
        np.add.at(self._inside, (rows, self._mesh[columns]), -1)

    def admit(self, rows: Rows) -> tuple[Rows, Columns]:
        """Give free places of these nights to those who wait; return nights and columns, the first by name first."""
        found_rows, found = [], []
        rows = np.unique(rows)
        meshes = np.arange(len(self._length))
        while len(rows):
            upcoming = np.minimum(self._next[rows], np.maximum(self._length - 1, 0))
            candidates = self._queue[meshes, upcoming]
            inside = self._inside[rows]
            room = (self._next[rows] < self._length) & (inside < self._limits.replications_per_mesh)
            room &= (inside.sum(axis=1) < self._limits.replications_per_manager)[:, np.newaxis]
            rank = np.where(room, self._rank[candidates], np.iinfo(np.int64).max)
            mesh = rank.argmin(axis=1)
            some = room.any(axis=1)
            rows, mesh, candidates = rows[some], mesh[some], candidates[some]
            found_rows.append(rows)
            found.append(candidates[np.arange(len(rows)), mesh])
            self._next[rows, mesh] += 1
            self._inside[rows, mesh] += 1
        return np.concatenate([np.zeros(0, np.int64), *found_rows]), np.concatenate([np.zeros(0, np.int64), *found])


class Lanes:
    """The lanes of all nights: a queue each, first in, first out; :attr:`holder` is the column whose turn it is."""

    def __init__(self, layout: Layout, nights: int) -> None:
        self._lane = layout.lane
        counts = np.bincount(layout.lane[layout.lane >= 0], minlength=layout.lanes)
        self._offset = np.concatenate(([0], np.cumsum(counts)[:-1]))
        self._queue = np.zeros((nights, max(1, int(counts.sum()))), dtype=np.int64)
        self._head = np.zeros((nights, layout.lanes), dtype=np.int64)
        self._tail = np.zeros((nights, layout.lanes), dtype=np.int64)
        self.holder = np.full((nights, layout.lanes), NO_VM, dtype=np.int64)
        self._before = np.full((nights, layout.lanes), NO_VM, dtype=np.int64)
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
        self.holder[rows, lanes] = NO_VM
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

        That is :data:`NO_VM` where none has had it yet.
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
