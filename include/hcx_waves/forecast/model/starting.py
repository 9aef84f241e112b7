"""Put each VM where it stands when the nights begin: before a run all are untouched, during a run they are not."""

from __future__ import annotations

import numpy as np

from hcx_waves.forecast.model.engine import Engine
from hcx_waves.forecast.model.inputs import ForecastInput, Progress
from hcx_waves.forecast.model.records import ARRIVED, BASE, FAILED, SWITCHING
from hcx_waves.forecast.model.tables import Columns, Rows


def start(engine: Engine, subject: ForecastInput) -> None:
    """Put every VM where it stands, and give places to those that replicate or may begin to."""
    layout = engine.layout
    pending = layout.standing(Progress.PENDING)
    _end(engine, layout.standing(Progress.DONE), ARRIVED)
    _end(engine, layout.standing(Progress.FAILED), FAILED)
    _switch(engine, subject, layout.standing(Progress.SWITCHING))
    _sync(engine, subject, layout.standing(Progress.SYNCING))
    _seed(engine, subject, layout.standing(Progress.SEEDED))
    engine.prepare(*engine.admission.admit(np.arange(len(engine.now))))
    engine.prepare(*_everywhere(engine, pending[~layout.replicates[pending]]))


def _everywhere(engine: Engine, columns: Columns) -> tuple[Rows, Columns]:
    """Return pairs of each night and each of the columns."""
    nights = len(engine.now)
    return np.repeat(np.arange(nights), len(columns)), np.tile(columns, nights)


def _since(engine: Engine, subject: ForecastInput, columns: Columns) -> Columns:
    """Return when the last sync or switchover of each began, in seconds since the forecast's start."""
    instants = [getattr(engine.layout.vms[column], "synced_at", None) for column in columns]
    found = [0.0 if at is None else (at - subject.starts_at).total_seconds() for at in instants]
    return np.tile(np.array(found), len(engine.now))


def _end(engine: Engine, columns: Columns, stage: int) -> None:
    rows, columns = _everywhere(engine, columns)
    engine.stage[rows, columns] = stage
    engine.times.ended[rows, columns] = engine.now[rows]
    engine.settle(rows, columns)


def _sync(engine: Engine, subject: ForecastInput, chosen: Columns) -> None:
    rows, columns = _everywhere(engine, chosen)
    since = _since(engine, subject, chosen)
    known = [getattr(engine.layout.vms[column], "remaining_bytes", None) for column in chosen]
    remaining = [engine.layout.disk_bytes[at] if left is None else left for at, left in zip(chosen, known, strict=True)]
    engine.stage[rows, columns] = BASE
    engine.times.base_began[rows, columns] = engine.synced[rows, columns] = since
    np.add.at(engine.moving, rows, 1)
    engine.pools.begin(rows, columns, np.tile(np.array(remaining, dtype=float), len(engine.now)))


def _seed(engine: Engine, subject: ForecastInput, chosen: Columns) -> None:
    rows, columns = _everywhere(engine, chosen)
    engine.synced[rows, columns] = _since(engine, subject, chosen)
    engine.times.base_ended[rows, columns] = engine.now[rows]
    np.add.at(engine.moving, rows, 1)
    engine.await_delta(rows, columns)
    engine.await_window(rows, columns)


def _switch(engine: Engine, subject: ForecastInput, chosen: Columns) -> None:
    rows, columns = _everywhere(engine, chosen)
    since = _since(engine, subject, chosen)
    engine.stage[rows, columns] = SWITCHING
    engine.times.ready[rows, columns] = engine.times.began[rows, columns] = since
    engine.times.switched[rows, columns] = since
    np.add.at(engine.moving, rows, 1)
    has_lane = engine.layout.lane[columns] >= 0
    engine.lanes.take(rows[has_lane], columns[has_lane])
    engine.timers.set(rows, columns, np.maximum(engine.now[rows], since + engine.draws.switchover[rows, columns]))
