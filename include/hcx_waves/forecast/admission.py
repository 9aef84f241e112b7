"""Who may replicate: at most so many at once per mesh and per manager [D hcx 8.1], the others by name."""

from __future__ import annotations

import numpy as np

from hcx_waves.forecast.layout import Layout
from hcx_waves.forecast.parameters import LimitParameters
from hcx_waves.forecast.tables import Columns, Rows


class Admission:
    """Places of replications; one is taken from the first preparation to the very end of a migration."""

    def __init__(self, layout: Layout, limits: LimitParameters, nights: int, waiting: Columns, inside: Columns) -> None:
        """Begin with some columns waiting for a place, and others that have one already."""
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
