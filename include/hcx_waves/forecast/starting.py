"""How the VMs stand when the nights begin: mostly none has been touched, during a run each is somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hcx_waves.forecast.admission import Admission
from hcx_waves.forecast.inputs import ForecastInput, Progress
from hcx_waves.forecast.records import ARRIVED, BASE, FAILED, SWITCHING
from hcx_waves.forecast.tables import Columns, Rows

if TYPE_CHECKING:
    from hcx_waves.forecast.engine import Engine


def begin(engine: Engine, subject: ForecastInput) -> None:
    """Put every VM where it stands, and give places to those who replicate or may begin to."""
    columns = {progress: _columns(engine, subject, progress) for progress in Progress}
    pending = columns[Progress.PENDING]
    replicates = engine.layout.replicates
    under_way = np.concatenate([columns[one] for one in (Progress.SYNCING, Progress.SEEDED, Progress.SWITCHING)])
    nights = len(engine.now)
    engine.admission = Admission(
        engine.layout,
        engine.parameters.limits,
        nights,
        waiting=pending[replicates[pending]],
        inside=under_way[replicates[under_way]],
    )
    _end(engine, columns[Progress.DONE], ARRIVED)
    _end(engine, columns[Progress.FAILED], FAILED)
    _switch(engine, subject, columns[Progress.SWITCHING])
    _sync(engine, subject, columns[Progress.SYNCING])
    _seed(engine, subject, columns[Progress.SEEDED])
    engine.prepare(*engine.admission.admit(np.arange(nights)))
    engine.prepare(*_everywhere(engine, pending[~replicates[pending]]))


def _columns(engine: Engine, subject: ForecastInput, progress: Progress) -> Columns:
    chosen = sorted(vm.name for vm in subject.vms if vm.progress is progress)
    return np.array([engine.layout.columns[name] for name in chosen], dtype=np.int64)


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
