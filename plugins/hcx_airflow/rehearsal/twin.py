"""A rehearsal's twin: made from a snapshot, for one run."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcx_airflow.rehearsal.faults import faults_of
from hcx_airflow.rehearsal.night import Rehearsal
from hcx_waves.twin.names import UPSTREAM

if TYPE_CHECKING:
    from hcx_waves.forecast import ModelParameters
    from hcx_waves.run.results import TakenSnapshot
    from hcx_waves.twin.control import TwinControl
    from hcx_waves.twin.models import NewWorld

logger = logging.getLogger(__name__)

PARAMETERS_VARIABLE = "HCX_WAVES_PARAMETERS"
"""Names the workers' own file of model parameters."""
IDLE_SECONDS = 3600.0
"""Wall time after which the simulator removes a world that is not called."""


def hand_over(control: TwinControl, taken: TakenSnapshot) -> str:
    """Give the simulator a snapshot, unless it has it; return its id.

    :param taken: what ``take_snapshot`` has left.
    :raises SnapshotFileError: if the file cannot be read any more.
    """
    from hcx_snapshot import load_document

    if control.has_snapshot(taken.snapshot_id):
        return taken.snapshot_id
    return control.store_snapshot(load_document(Path(taken.path)))


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
        logger.info("Removed the world of an earlier try")
    control.create_world(new)
    try:
        control.annotate(new.world_id, UPSTREAM, dict(upstream))
    except BaseException:
        control.delete_world(new.world_id)
        raise


def parameters_of(rehearsal: Rehearsal) -> ModelParameters:
    """Return the model parameters: from the file in the run's params, else from the workers' own file.

    :raises ParametersError: if the file cannot be used.
    """
    from hcx_waves.forecast import load_parameters

    named = os.environ.get(PARAMETERS_VARIABLE)
    return load_parameters(rehearsal.params.parameters_file or (Path(named) if named else None))


def upstream_of(dag: Any) -> dict[str, list[str]]:
    """Return for each task of a DAG the tasks right before it."""
    return {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
