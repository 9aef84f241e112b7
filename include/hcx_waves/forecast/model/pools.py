"""The bandwidth that the transfers of a mesh share, in many nights at once.

Every transfer of a mesh gets the same rate: the least of its share of the line or the IX appliance, and the limit per
migration [D hcx 8.1]. So one number per mesh, what each transfer has been given since the beginning, tells the
progress of all: a transfer that joins at ``given = g`` with ``n`` bytes has arrived at ``given = g + n``.
"""

from __future__ import annotations

import itertools

import numpy as np

from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.layout import Layout
from hcx_waves.forecast.model.parameters import TransferParameters
from hcx_waves.forecast.model.tables import NEVER, Columns, EarliestTable, Rows, counted

_BITS = 8


class Pools:
    """The transfers of all meshes.

    :param bandwidth: factor on each mesh's line, shape (nights, meshes).
    """

    def __init__(self, layout: Layout, transfer: TransferParameters, bandwidth: Numbers) -> None:
        nights, meshes = bandwidth.shape
        self._mesh = layout.mesh
        self._begins = np.searchsorted(layout.block_mesh, np.arange(meshes + 1))
        line = np.minimum(layout.link_bits_per_second * bandwidth, transfer.appliance_bits_per_second)
        # Meshes come first: the books of all nights are kept mesh by mesh.
        self._line = np.ascontiguousarray(line.T) / _BITS
        self._most = transfer.migration_bits_per_second / _BITS
        self._targets = EarliestTable(nights, layout.width)
        self._given = np.zeros((meshes, nights))
        self._count = np.zeros((meshes, nights), dtype=np.int64)
        self._rate = np.minimum(self._line, self._most)
        self._block = np.zeros(nights, dtype=np.int64)

    def begin(self, rows: Rows, columns: Columns, size_bytes: Numbers) -> None:
        """Let transfers begin."""
        meshes = self._mesh[columns]
        self._targets.set(rows, columns, self._given[meshes, rows] + size_bytes)
        self._count += counted(meshes, rows, self._count.shape)

    def end(self, rows: Rows, columns: Columns) -> Numbers:
        """End transfers, if there are any; return the bytes that have not arrived, 0 where none was under way."""
        meshes = self._mesh[columns]
        missing = self._targets.get(rows, columns) - self._given[meshes, rows]
        running = np.isfinite(missing)
        if not running.all():
            rows, columns, meshes = rows[running], columns[running], meshes[running]
        self._targets.set(rows, columns, NEVER)
        self._count -= counted(meshes, rows, self._count.shape)
        return np.where(running, np.maximum(missing, 0.0), 0.0)

    def settle(self) -> None:
        """Share the bandwidth among those who transfer now."""
        np.divide(self._line, np.maximum(self._count, 1), out=self._rate)
        np.minimum(self._rate, self._most, out=self._rate)

    def first(self, now: Numbers) -> Numbers:
        """Return when the next transfer of each night arrives."""
        soonest = np.full(len(now), NEVER)
        for mesh, (begin, end) in enumerate(itertools.pairwise(self._begins.tolist())):
            target, blocks = self._targets.first(begin, end)
            left = (target - self._given[mesh]) / self._rate[mesh]
            sooner = left < soonest
            soonest = np.where(sooner, left, soonest)
            self._block = np.where(sooner, blocks, self._block)
        at: Numbers = now + np.maximum(soonest, 0.0)
        return at

    def arriving(self, rows: Rows) -> Columns:
        """Return the column of the transfer that :meth:`first` has seen arrive, for each of these nights."""
        return self._targets.column_in(rows, self._block[rows])

    def pass_time(self, elapsed_seconds: Numbers) -> None:
        """Let time pass, not beyond the next arrival."""
        self._given += self._rate * elapsed_seconds
