"""Find the earliest of many instants, in many nights at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.model.durations import Numbers

Rows = NDArray[np.int64]
Columns = NDArray[np.int64]
NEVER = np.inf
BLOCK = 16
"""Columns of a block; of each block the least value is kept, so that a look at a night reads few numbers."""


class EarliestTable:
    """A number per night (row) and column, and quick answers to where the least of each row is.

    Where the least number stands is found before what it is: numpy finds the place of a short row's minimum ten times
    as fast as the minimum itself.

    :param rows: how many nights.
    :param columns: a multiple of :data:`BLOCK`.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._blocks = columns // BLOCK
        self._flat = np.full(rows * columns, NEVER)
        self._by_block = self._flat.reshape(-1, BLOCK)
        self._least = np.full((rows, self._blocks), NEVER)
        self._every_row = np.arange(rows)
        self._columns = columns

    def set(self, rows: Rows, columns: Columns, values: Numbers | float) -> None:
        """Set one number for each pair of row and column."""
        cells = rows * self._columns + columns
        self._flat[cells] = values
        blocks = cells // BLOCK
        places = self._by_block.take(blocks, axis=0).argmin(axis=1)
        self._least.reshape(-1)[blocks] = self._flat.take(blocks * BLOCK + places)

    def get(self, rows: Rows, columns: Columns) -> Numbers:
        """Return the numbers of pairs of row and column."""
        found: Numbers = self._flat.take(rows * self._columns + columns)
        return found

    def first(self, begin: int = 0, end: int | None = None) -> tuple[Numbers, NDArray[np.int64]]:
        """Return the least number of each row, and the block in which it stands.

        :param begin: the first block to look at.
        :param end: the first block not to look at.
        """
        blocks = self._least[:, begin:end].argmin(axis=1) + begin
        found: Numbers = self._least.take(self._every_row * self._blocks + blocks)
        return found, blocks

    def column_in(self, rows: Rows, blocks: NDArray[np.int64]) -> Columns:
        """Return, for pairs of row and block, the column of the least number; the leftmost of equals."""
        found: Columns = blocks * BLOCK + self._by_block.take(rows * self._blocks + blocks, axis=0).argmin(axis=1)
        return found


def counted(rows: Rows, columns: Columns, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return how often each pair of row and column occurs."""
    found: NDArray[np.int64] = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return found.reshape(shape)
