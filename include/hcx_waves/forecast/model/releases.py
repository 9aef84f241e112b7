"""When VMs may switch over: the window, and the release of VMs that wait for an approval or an order."""

from __future__ import annotations

import numpy as np

from hcx_waves.forecast.model.draws import Flags
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.layout import Layout
from hcx_waves.forecast.model.parameters import OrchestratorParameters
from hcx_waves.forecast.model.tables import NEVER, Columns, Rows

ALWAYS = -np.inf


class Releases:
    """The window of the wave, and who has been released into it.

    :param submitted: when the migrations were started, shape (nights,).
    :param reactions: how long ``approve_switchover`` takes, shape (nights,).
    """

    def __init__(
        self,
        subject: ForecastInput,
        layout: Layout,
        orchestrator: OrchestratorParameters,
        submitted: Numbers,
        reactions: Numbers,
    ) -> None:
        nights = len(submitted)
        window = subject.switchover
        begin = subject.starts_at
        self.opens = ALWAYS if window is None else (window.opens - begin).total_seconds()
        self.closes = NEVER if window is None else (window.closes - begin).total_seconds()
        self.holds = subject.holds_switchovers
        self.released = np.full((nights, layout.width), not self.holds, order="F")
        self.open_at = np.where(submitted < self.opens, self.opens, NEVER)
        self.close_at = np.full(nights, self.closes)
        self.release_at = np.full(nights, NEVER)
        self._submitted = submitted
        self._poll_seconds = orchestrator.poll_seconds if subject.poll_seconds is None else subject.poll_seconds
        self._step_seconds = orchestrator.step_seconds
        self._wait = reactions + orchestrator.step_seconds if subject.asks_switchover else np.zeros(nights)
        self._order = np.array([layout.columns[name] for name in subject.switchover_order], dtype=np.int64)
        self._next = np.zeros(nights, dtype=np.int64)
        self._asked = np.zeros(nights, dtype=np.bool_)

    def first(self) -> Numbers:
        """Return the next instant of each night at which something opens, closes or is released."""
        at: Numbers = np.minimum(np.minimum(self.open_at, self.close_at), self.release_at)
        return at

    def first_release(self) -> Numbers:
        """Return the next instant of each night at which a VM may begin to switch over."""
        at: Numbers = np.minimum(self.open_at, self.release_at)
        return at

    def seen(self, rows: Rows, at: Numbers) -> Numbers:
        """Return when the orchestrator sees what has happened at an instant."""
        if not self._poll_seconds:
            return at
        begin = self._submitted[rows]
        polls: Numbers = begin + np.ceil((at - begin) / self._poll_seconds) * self._poll_seconds
        return np.maximum(polls, at)

    def is_open(self, at: Numbers) -> Flags:
        """Tell whether the window is open."""
        return (at >= self.opens) & (at < self.closes)

    def all_seeded(self, rows: Rows, now: Numbers) -> None:
        """Note that every VM of these nights is ready to be released: once, approval is asked or the order begins."""
        rows = rows[~self._asked[rows]]
        self._asked[rows] = True
        self.release_at[rows] = self.seen(rows, now[rows]) + self._wait[rows] + self._step_seconds

    def release(self, rows: Rows, arrived: Flags, failed: Flags) -> tuple[Rows, Columns]:
        """Release the next of the order, or after it all others; return nights and columns.

        Who has arrived without it, as a vMotion does that heeds no window, is passed over; who has failed stops the
        order.

        :param arrived: shape (nights, columns), as for ``failed``.
        """
        self.release_at[rows] = NEVER
        for column in self._order:
            passed = (self._upcoming(rows) == column) & arrived[rows, column]
            self._next[rows[passed]] += 1
        columns = self._upcoming(rows)
        ordered = columns >= 0
        go = ordered & ~failed[rows, columns]
        self.released[rows[go], columns[go]] = True
        rest_rows, rest = self._release_all(rows[~ordered])
        return np.concatenate([rows[go], rest_rows]), np.concatenate([columns[go], rest])

    def _upcoming(self, rows: Rows) -> Columns:
        """Return the next column of the order of each night, -1 after its end."""
        place = self._next[rows]
        last = len(self._order) - 1
        if last < 0:
            return np.full(len(rows), -1, dtype=np.int64)
        return np.where(place <= last, self._order[np.minimum(place, last)], -1)

    def _release_all(self, rows: Rows) -> tuple[Rows, Columns]:
        nth, columns = np.nonzero(~self.released[rows])
        self.released[rows] = True
        return rows[nth], columns

    def arrived(self, rows: Rows, columns: Columns, now: Numbers) -> None:
        """Note that VMs are through: after one of the order the next is due."""
        if not len(self._order):
            return
        rows = rows[(self._upcoming(rows) == columns) & self.released[rows, columns]]
        self._next[rows] += 1
        self.release_at[rows] = self.seen(rows, now[rows]) + self._step_seconds
