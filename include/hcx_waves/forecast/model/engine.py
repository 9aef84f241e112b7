"""The engine of the model: all nights at once, one event of each night per step.

A step takes the next event of every night, whatever it is; what happens is then done for all nights together to which
the same happens. The model itself knows HCX's behaviour from the vendor's documents and is checked against the
simulator, with which it shares no code:

- replication (RAV, Bulk): a place (limits), preparation, base sync, then delta syncs every RPO while it waits;
- RAV: in its window a turn in the mesh's lane, the last delta, the switchover;
- Bulk: in its window, all at once, shutdown, the last delta, the switchover;
- vMotion: whatever the window, a turn in the site pair's lane, disks and memory, the overhead;
- cold: in its window, all at once, the disks, the overhead.
"""

from __future__ import annotations

import numpy as np

from hcx_waves.forecast.model.draws import Draws
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.layout import COLD, RAV, VMOTION, Layout
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.pools import Pools
from hcx_waves.forecast.model.queues import Admission, Lanes
from hcx_waves.forecast.model.records import (
    ARRIVED,
    BASE,
    FAILED,
    FINAL,
    MISSED,
    PREPARING,
    ROLLBACK,
    SWITCHING,
    TURN,
    WAITING,
    VmTimes,
    blank_times,
)
from hcx_waves.forecast.model.releases import Releases
from hcx_waves.forecast.model.tables import NEVER, Columns, EarliestTable, Rows

_SYNCS_ON = np.isin(np.arange(MISSED + 1), (WAITING, TURN, MISSED))
"""By stage: whether delta syncs go on."""


class Engine:
    """The migrations of one wave in many nights.

    Nothing has been touched yet; :func:`~hcx_waves.forecast.model.starting.start` puts each VM where it stands.

    :param submitted: when they are started, in seconds since the forecast's start, shape (nights,).
    """

    def __init__(
        self, subject: ForecastInput, layout: Layout, parameters: ModelParameters, draws: Draws, submitted: Numbers
    ) -> None:
        nights = len(submitted)
        self.layout, self.draws, self.parameters = layout, draws, parameters
        self.now = submitted.copy()
        self.times = blank_times(submitted, layout.occupied)
        self.stage = self.times.stage
        self.timers = EarliestTable(nights, layout.width)
        self.pools = Pools(layout, parameters.transfer, draws.bandwidth)
        self.lanes = Lanes(layout, nights)
        self.releases = Releases(subject, layout, parameters.orchestrator, submitted, draws.approve_switchover)
        self.synced = np.zeros((nights, layout.width), order="F")
        """When the last sync began: what was written later is still to be sent."""
        self.changes = layout.change_bytes_per_second * draws.changed
        self.moving = np.zeros(nights, dtype=np.int64)
        """VMs of each night that go on by themselves."""
        self._settled = np.tile(~layout.occupied, (nights, 1))
        # Of VMs that are ready at the same instant the first by name comes first.
        self._tie_seconds = layout.rank * 1e-6
        self.admission = Admission(layout, parameters.limits, nights)

    def run(self, until: float = NEVER) -> VmTimes:
        """Let all nights pass and return what became of each VM.

        :param until: when a night is left as it stands, in seconds since the forecast's start.
        """
        self._follow_up()
        while self._step(until):
            pass
        return self.times

    def _step(self, until: float) -> bool:
        timer_at, timer_blocks = self.timers.first()
        arrival_at, release_at = self.pools.first(self.now), self.releases.first()
        goes_on = (self.moving > 0) | np.isfinite(self.releases.first_release())
        at = np.where(goes_on, np.minimum(np.minimum(timer_at, arrival_at), release_at), NEVER)
        live = np.isfinite(at) & (at <= until)
        if not live.any():
            return False
        at = np.where(live, at, self.now)
        self.pools.pass_time(at - self.now)
        self.now = at
        opens = live & (release_at <= at)
        arrives = live & (arrival_at <= at) & ~opens
        rings = live & ~opens & ~arrives
        if arrives.any():
            self._arrive(np.flatnonzero(arrives))
        if rings.any():
            rows = np.flatnonzero(rings)
            self._ring(rows, self.timers.column_in(rows, timer_blocks[rows]))
        if opens.any():
            self._open(np.flatnonzero(opens))
        self._follow_up()
        return True

    def _follow_up(self) -> None:
        """Give free lanes to those who queue, and share the bandwidth anew."""
        rows, columns, before = self.lanes.grant()
        if len(rows):
            waited = self.times.ready[rows, columns] < self.now[rows]
            self.times.before[rows, columns] = np.where(waited, before, -1)
            self._switch_over(rows, columns)
        self.pools.settle()

    # Transfers that have arrived

    def _arrive(self, rows: Rows) -> None:
        columns = self.pools.arriving(rows)
        self.pools.end(rows, columns)
        stages = self.stage[rows, columns]
        base, final = stages == BASE, stages == FINAL
        if base.any():
            self._base_done(rows[base], columns[base])
        if final.any():
            self._moved(rows[final], columns[final])
        delta = ~base & ~final
        if delta.any():
            self.await_delta(rows[delta], columns[delta])

    def _base_done(self, rows: Rows, columns: Columns) -> None:
        self.times.base_ended[rows, columns] = self.now[rows]
        fails = self.draws.base_sync_fails[rows, columns]
        self._fail(rows[fails], columns[fails])
        rows, columns = rows[~fails], columns[~fails]
        self.await_delta(rows, columns)
        self.await_window(rows, columns)

    def await_delta(self, rows: Rows, columns: Columns) -> None:
        """Let the next delta sync of replicated VMs begin when it is due, or at once."""
        due = self.synced[rows, columns] + self.parameters.transfer.rpo_seconds
        self.timers.set(rows, columns, np.maximum(due, self.now[rows]))

    def _moved(self, rows: Rows, columns: Columns) -> None:
        self.stage[rows, columns] = SWITCHING
        self.times.switched[rows, columns] = self.now[rows]
        self.timers.set(rows, columns, self.now[rows] + self.draws.switchover[rows, columns])

    # Timers

    def _ring(self, rows: Rows, columns: Columns) -> None:
        self.timers.set(rows, columns, NEVER)
        stages = self.stage[rows, columns]
        for stage, action in ((PREPARING, self._prepared), (SWITCHING, self._switched), (ROLLBACK, self._rolled_back)):
            chosen = stages == stage
            if chosen.any():
                action(rows[chosen], columns[chosen])
        delta = _SYNCS_ON[stages]
        if delta.any():
            self._begin_delta(rows[delta], columns[delta])

    def _prepared(self, rows: Rows, columns: Columns) -> None:
        kind = self.layout.kind[columns]
        vmotion, cold = kind == VMOTION, kind == COLD
        copies = ~vmotion & ~cold
        self._begin_base(rows[copies], columns[copies])
        if vmotion.any():
            self._queue(rows[vmotion], columns[vmotion])
        if cold.any():
            self.await_window(rows[cold], columns[cold])

    def _begin_base(self, rows: Rows, columns: Columns) -> None:
        self.stage[rows, columns] = BASE
        self.times.base_began[rows, columns] = self.synced[rows, columns] = self.now[rows]
        self._send(rows, columns, self.layout.disk_bytes[columns])

    def _begin_delta(self, rows: Rows, columns: Columns) -> None:
        size_bytes = self._changed(rows, columns)
        self.synced[rows, columns] = self.now[rows]
        self._send(rows, columns, size_bytes)

    def _send(self, rows: Rows, columns: Columns, size_bytes: Numbers) -> None:
        self.times.moved_bytes[rows, columns] += size_bytes
        self.pools.begin(rows, columns, size_bytes)

    def _changed(self, rows: Rows, columns: Columns) -> Numbers:
        """Return the bytes written since the last sync began, at most all of the disks."""
        elapsed = self.now[rows] - self.synced[rows, columns]
        return np.minimum(self.changes[rows, columns] * elapsed, self.layout.disk_bytes[columns])

    def _switched(self, rows: Rows, columns: Columns) -> None:
        kind = self.layout.kind[columns]
        live = (kind == RAV) | (kind == VMOTION)
        too_long = live & (self.draws.stun[rows, columns] > self.parameters.limits.max_switchover_seconds)
        fails = self.draws.switchover_fails[rows, columns] | too_long
        self._leave_lane(rows, columns)
        self._fail(rows[fails], columns[fails])
        self._end(rows[~fails], columns[~fails], ARRIVED)
        self.releases.arrived(rows[~fails], columns[~fails], self.now)

    def _leave_lane(self, rows: Rows, columns: Columns) -> None:
        has_lane = self.layout.lane[columns] >= 0
        self.lanes.leave(rows[has_lane], columns[has_lane])

    # Windows and turns

    def await_window(self, rows: Rows, columns: Columns) -> None:
        """Let VMs that were on their way wait for their window or release, if they have to."""
        self.stage[rows, columns] = WAITING
        np.add.at(self.moving, rows, -1)
        self.settle(rows, columns)
        self._go_or_miss(rows, columns)

    def settle(self, rows: Rows, columns: Columns) -> None:
        """Note who is seeded or has ended; when all are, whoever is held back is released in time."""
        if self.releases.holds:
            self._settled[rows, columns] = True
            self.releases.all_seeded(rows[self._settled[rows].all(axis=1)], self.now)

    def _open(self, rows: Rows) -> None:
        """Open and close windows, and release who was held back."""
        releases, now = self.releases, self.now
        opening = rows[releases.open_at[rows] <= now[rows]]
        releases.open_at[opening] = NEVER
        nth, columns = np.nonzero((self.stage[opening] == WAITING) & releases.released[opening])
        self._go(opening[nth], columns)
        closing = rows[releases.close_at[rows] <= now[rows]]
        releases.close_at[closing] = NEVER
        if len(closing):
            self._miss(*self.lanes.empty(closing, np.arange(self.layout.lanes - 1)), waiting=False)
        due = rows[releases.release_at[rows] <= now[rows]]
        if len(due):
            self._release(due)

    def _release(self, rows: Rows) -> None:
        released_rows, columns = self.releases.release(rows, self.times.arrived, self.times.failed)
        waiting = self.stage[released_rows, columns] == WAITING
        self._go_or_miss(released_rows[waiting], columns[waiting])

    def _go_or_miss(self, rows: Rows, columns: Columns) -> None:
        """Let waiting VMs go whose window is open; those whose window has closed miss it."""
        released = self.releases.released[rows, columns]
        is_open = self.releases.is_open(self.now[rows])
        go = released & is_open
        self._go(rows[go], columns[go])
        late = released & (self.now[rows] >= self.releases.closes)
        if late.any():
            self._miss(rows[late], columns[late], waiting=True)

    def _go(self, rows: Rows, columns: Columns) -> None:
        np.add.at(self.moving, rows, 1)
        rav = self.layout.kind[columns] == RAV
        self._queue(rows[rav], columns[rav])
        self.times.ready[rows, columns] = self.now[rows]
        self._switch_over(rows[~rav], columns[~rav])

    def _queue(self, rows: Rows, columns: Columns) -> None:
        self.stage[rows, columns] = TURN
        self.times.ready[rows, columns] = self.now[rows]
        if len(rows):
            self.lanes.join(rows, columns)

    def _miss(self, rows: Rows, columns: Columns, *, waiting: bool) -> None:
        """Let VMs miss their window; they wait on, with their delta syncs, or fail."""
        np.maximum.at(self.times.last_instant, rows, self.now[rows])
        if self.parameters.migration.missed_window == "fail":
            if waiting:
                np.add.at(self.moving, rows, 1)
            self._fail(rows, columns)
            return
        self.stage[rows, columns] = MISSED
        if not waiting:
            np.add.at(self.moving, rows, -1)

    def _switch_over(self, rows: Rows, columns: Columns) -> None:
        """Begin what ends with the switchover: the last delta, or the transfer of what has no replica."""
        if not len(rows):
            return
        self.stage[rows, columns] = FINAL
        self.times.began[rows, columns] = self.now[rows]
        self.timers.set(rows, columns, NEVER)
        missing = self.pools.end(rows, columns)
        replicated = self.layout.replicates[columns]
        whole = self.layout.disk_bytes[columns] + self.layout.memory_bytes[columns]
        size_bytes = np.where(replicated, self._changed(rows, columns) + missing, whole)
        self.synced[rows, columns] = self.now[rows]
        self._send(rows, columns, size_bytes)
        self.times.moved_bytes[rows, columns] -= missing

    # Ends

    def _fail(self, rows: Rows, columns: Columns) -> None:
        """Let migrations roll back."""
        self.stage[rows, columns] = ROLLBACK
        self.pools.end(rows, columns)
        self.timers.set(rows, columns, self.now[rows] + self.parameters.migration.rollback_seconds)

    def _rolled_back(self, rows: Rows, columns: Columns) -> None:
        self._end(rows, columns, FAILED)

    def _end(self, rows: Rows, columns: Columns, stage: int) -> None:
        """End one migration of each of these nights, and give its place to the next."""
        self.stage[rows, columns] = stage
        self.times.ended[rows, columns] = self.times.last_instant[rows] = self.now[rows]
        self.moving[rows] -= 1
        self.settle(rows, columns)
        replicated = self.layout.replicates[columns]
        self.admission.release(rows[replicated], columns[replicated])
        if not self.admission.all_inside:
            admitted_rows, admitted = self.admission.admit(rows)
            by = np.zeros(len(self.now), dtype=np.int64)
            by[rows] = columns
            self.times.admitted_by[admitted_rows, admitted] = by[admitted_rows]
            self.prepare(admitted_rows, admitted)

    def prepare(self, rows: Rows, columns: Columns) -> None:
        """Let migrations begin."""
        self.stage[rows, columns] = PREPARING
        np.add.at(self.moving, rows, 1)
        ready = self.now[rows] + self.draws.queue[rows, columns] + self._tie_seconds[columns]
        self.timers.set(rows, columns, ready)
