"""A rehearsal's twin: made of a snapshot, watched for what happened on it, and removed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcx_airflow.runs.faults import faults_of
from hcx_airflow.runs.rehearsal import Rehearsal
from hcx_waves.twin.names import UPSTREAM

if TYPE_CHECKING:
    from hcx_airflow.runs.task import TaskRun
    from hcx_waves.forecast import ModelParameters
    from hcx_waves.rehearsals.build import Night
    from hcx_waves.rehearsals.model import RehearsalRecord, Timeline
    from hcx_waves.twin.control import TwinControl
    from hcx_waves.twin.models import NewWorld

logger = logging.getLogger(__name__)

TAKE_SNAPSHOT = "take_snapshot"
IDLE_SECONDS = 3600.0
"""Wall time after which the simulator forgets a world that nobody calls."""


def hand_over(control: TwinControl, described: Mapping[str, Any]) -> str:
    """Give the simulator a snapshot, unless it has it; return its id.

    :param described: what ``take_snapshot`` has left.
    :raises SnapshotFileError: if the file cannot be read any more.
    """
    from hcx_waves.snapshot import load_document

    snapshot_id = str(described["snapshot_id"])
    if control.has_snapshot(snapshot_id):
        return snapshot_id
    return control.store_snapshot(load_document(Path(described["path"])))


def new_world(rehearsal: Rehearsal, snapshot_id: str, parameters: ModelParameters) -> NewWorld:
    """Return the world that a night is rehearsed in."""
    from hcx_waves.forecast import parameters_digest, simulator_assumptions, simulator_settings
    from hcx_waves.twin.models import NewWorld

    return NewWorld(
        world_id=rehearsal.world_id,
        snapshot_id=snapshot_id,
        seed=rehearsal.seed,
        clock={"mode": "stepped", "start": rehearsal.wave.begins_at.isoformat()},
        guarded=True,
        idle_seconds=IDLE_SECONDS,
        # Left out, the simulator has its own defaults, which are the same.
        settings=None if parameters_digest(parameters) is None else simulator_settings(parameters),
        faults=faults_of(rehearsal) or None,
        assumptions=simulator_assumptions(parameters),
    )


def open_world(control: TwinControl, new: NewWorld, upstream: Mapping[str, list[str]]) -> None:
    """Make a world, in the place of one that an earlier try of the run may have left.

    :param upstream: for each task of the run the tasks right before it.
    """
    if control.delete_world(new.world_id):
        logger.info("The world of an earlier try was removed")
    control.create_world(new)
    try:
        control.annotate(new.world_id, UPSTREAM, dict(upstream))
    except BaseException:
        control.delete_world(new.world_id)
        raise


def parameters_of(rehearsal: Rehearsal) -> ModelParameters:
    """Return what the twin and the people in it are like: as the run's params say, else as the workers' own file does.

    :raises ParametersError: if the file cannot be used.
    """
    from hcx_airflow.runs.forecasts import PARAMETERS_VARIABLE
    from hcx_waves.forecast import load_parameters

    named = os.environ.get(PARAMETERS_VARIABLE)
    return load_parameters(rehearsal.params.parameters_file or (Path(named) if named else None))


def upstream_of(dag: Any) -> dict[str, list[str]]:
    """Return for each task of a DAG the tasks right before it."""
    return {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}


def used_of(run: TaskRun) -> dict[str, Any]:
    """Return with what params a run rehearses: what it has been given, as plain JSON."""
    used: dict[str, Any] = json.loads(json.dumps({**run.params}, default=str))
    return used


def night_of(run: TaskRun, opened: Mapping[str, Any]) -> Night:
    """Return which night was rehearsed, and how, from what ``open_twin`` has left: not from what is set by now."""
    from hcx_airflow.runs.forecasts import forecast_of
    from hcx_waves.rehearsals.build import Night
    from hcx_waves.rehearsals.model import SnapshotRef

    return Night(
        wave=run.wave_id,
        night=opened["night"],
        time_zone=run.wave.time_zone,
        seed=opened["seed"],
        starts_at=opened["starts_at"],
        snapshot=SnapshotRef(snapshot_id=opened["snapshot_id"], taken_at=opened.get("taken_at")),
        faults=tuple(opened["faults"]),
        params=opened["params"],
        reactions={task_id: seconds for task_id, seconds in opened["reactions"].items() if seconds is not None},
        forecast=forecast_of(run),
        recorded_at=datetime.now(UTC),
    )


def record_of(run: TaskRun, night: Night, control: TwinControl) -> tuple[RehearsalRecord, Timeline]:
    """Return the record and the timeline of a rehearsed night."""
    from hcx_airflow.runs.reports import steps_of
    from hcx_waves.rehearsals.build import build_record, build_timeline
    from hcx_waves.rehearsals.truth import truth_of, twin_events
    from hcx_waves.report.build import build_report

    world_id = run.rehearsed.world_id
    truth = truth_of(control.oracle(world_id), control.audit(world_id, kind="note"))
    steps = steps_of(run)
    report = build_report(steps, run.wave_id)
    timeline = build_timeline(night, report, truth, twin_events(control.timeline(world_id)))
    return build_record(night, steps, report, truth), timeline
