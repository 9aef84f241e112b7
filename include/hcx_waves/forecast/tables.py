"""The earliest of many instants, for many nights at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.durations import Numbers

Rows = NDArray[np.int64]
Columns = NDArray[np.int64]
NEVER = np.inf
BLOCK = 16
"""Columns of a block; of each block the least value is kept, so that a look at a night reads few numbers."""


class EarliestTable:
    """A number per night (row) and column, and quick answers to where the least of each row is.

    :param rows: how many nights.
    :param columns: a multiple of :data:`BLOCK`.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._values = np.full((rows, columns // BLOCK, BLOCK), NEVER)
        self._flat = self._values.reshape(rows, columns)
        self.least = np.full((columns // BLOCK, rows), NEVER)
        """Of each block, shape (blocks, rows): minima over the first axis are fast."""

    def set(self, rows: Rows, columns: Columns, values: Numbers | float) -> None:
        """Set one number for each pair of row and column."""
        self._flat[rows, columns] = values
        blocks = columns // BLOCK
        self.least[blocks, rows] = np.minimum.reduce(self._values[rows, blocks].T)

    def get(self, rows: Rows, columns: Columns) -> Numbers:
        """Return the numbers of pairs of row and column."""
        found: Numbers = self._flat[rows, columns]
        return found

    def first(self) -> Numbers:
        """Return the least number of each row."""
        found: Numbers = np.minimum.reduce(self.least)
        return found

    def column_of_first(self, rows: Rows, first: int = 0, last: int | None = None) -> Columns:
        """Return, for each of these rows, the column of its least number; the leftmost of equals.

        :param first: the first block to look at.
        :param last: the first block not to look at.
        """
        blocks = first + self.least[first:last, rows].argmin(axis=0)
        found: Columns = blocks * BLOCK + self._values[rows, blocks].argmin(axis=1)
        return found


def counted(rows: Rows, columns: Columns, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return how often each pair of row and column occurs."""
    found: NDArray[np.int64] = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return found.reshape(shape)
