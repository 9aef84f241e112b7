"""Read a run's wave file, its plan, and which part of the plan it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from airflow.sdk.configuration import conf

from hcx_airflow.documents import Document
from hcx_airflow.errors import DriftedError, PlanMissingError, RunRefusedError, UnreadableResultError, WaveTaskError
from hcx_airflow.names import RESOLVE_PLAN, RESOLVE_RECOVERY, RESOLVE_ROLLBACK
from hcx_airflow.rehearsal.night import Rehearsal
from hcx_airflow.results import PLAN, RECOVERY, ROLLBACK, Slot
from hcx_airflow.task import TaskRun
from hcx_waves.model.plan import WavePlan
from hcx_waves.run.scope import Scope, ScopeError
from hcx_waves.wavefile.gates import GatedStep
from hcx_waves.wavefile.loader import SUFFIX, load_wave
from hcx_waves.wavefile.night import RehearsedWave
from hcx_waves.wavefile.sets import load_folder
from hcx_waves.wavefile.wave import Wave

T = TypeVar("T")

if TYPE_CHECKING:
    from hcx_waves.rescue.recovery import Recovery
    from hcx_waves.rescue.rollback import Rollback

FOLDER = "waves"


class WaveFileMissingError(WaveTaskError):
    """No folder has the wave's file."""


@dataclass(frozen=True)
class Work:
    """What a run does.

    :param wave: the wave file as it is now; in a rehearsal moved to the rehearsed night.
    :param plan: the run's plan.
    :param scope: which part of it the run does.
    :param undoes: of a recovery: the step of the wave that it undoes or replaces.
    """

    wave: Wave
    plan: WavePlan
    scope: Scope
    undoes: GatedStep | None = None

    def shown(self) -> Document:
        """Return what an approval covers: the plan's digest and the scope."""
        return {"digest": self.plan.digest(), "scope": self.scope.meaning()}


def read_work(run: TaskRun, *, even_if_changed: bool = False, plan: WavePlan | None = None) -> Work:
    """Return what a run does.

    :param even_if_changed: use the stored plan although the wave file has changed: for the way back, which a changed
        file must not stop.
    :param plan: instead of the stored one.
    :raises PlanMissingError: if there is no plan.
    :raises DriftedError: if the wave file has changed since the plan was made.
    :raises RunRefusedError: if the run's params make no sense.
    :raises WaveFileMissingError, WaveFileError: if there is no wave file, or it is broken.
    """
    wave = read_wave(run)
    if run.is_recovery:
        # A wave file that has changed since must not keep anybody from going back.
        recovery = read_recovery(run)
        return Work(wave, recovery.plan, read_scope(run, wave), recovery.undoes)
    if run.is_rollback:
        return Work(wave, read_rollback(run).plan, read_scope(run, wave), GatedStep.CUTOVER)
    plan = plan or read_plan(run)
    if plan.wave_hash != wave.wave_hash and not even_if_changed:
        raise DriftedError(
            f"the file of wave {run.wave_id} has changed since this run was planned. Start a new run: it adopts what "
            "is under way and asks for approval again"
        )
    return Work(wave, plan, read_scope(run, wave))


def read_wave(run: TaskRun) -> Wave:
    """Return the wave file as it is now; in a rehearsal moved to the rehearsed night.

    :raises WaveFileMissingError: if no folder has it.
    :raises WaveFileError: if it is broken; with every problem.
    :raises RunRefusedError: if a rehearsal's params or its kind make no sense.
    """
    return read_rehearsal(run).wave if run.rehearsal else load_wave(wave_path(run))


def read_rehearsal(run: TaskRun) -> Rehearsal:
    """Return the night that a run rehearses, with its settings.

    :raises RunRefusedError: if the run's params or its kind make no sense for a rehearsal.
    """
    return Rehearsal.of(load_wave(wave_path(run)), run)


def read_plan(run: TaskRun) -> WavePlan:
    """Return the plan that ``resolve_plan`` stored in this run or, for a cleanup, in the wave's run.

    :raises PlanMissingError: if there is none.
    """
    try:
        plan = run.results.read(PLAN)
    except UnreadableResultError as error:
        raise PlanMissingError(str(error)) from error
    if plan is None:
        if run.is_cleanup:
            raise PlanMissingError(
                f"no run of wave {run.wave_id} with a plan was found for this cleanup. Start the cleanup again, and "
                "name the wave's run in its form"
            )
        raise PlanMissingError(f"{RESOLVE_PLAN} has stored no plan. Clear it to make one")
    return plan


def read_rollback(run: TaskRun) -> Rollback:
    """Return what the first task of a rollback has found, which everything after it goes by.

    :raises PlanMissingError: if it has left nothing.
    """
    return _found_first(run, ROLLBACK, f"{RESOLVE_ROLLBACK} has left nothing to go back by")


def read_recovery(run: TaskRun) -> Recovery:
    """Return what the first task of a recovery has found, which everything after it goes by.

    :raises PlanMissingError: if it has left nothing.
    """
    return _found_first(run, RECOVERY, f"{RESOLVE_RECOVERY} has left nothing to recover by")


def _found_first(run: TaskRun, slot: Slot[T], without: str) -> T:
    try:
        found = run.results.read_here(slot)
    except UnreadableResultError as error:
        raise PlanMissingError(str(error)) from error
    if found is None:
        raise PlanMissingError(f"{without}. Start a new run")
    return found


def read_scope(run: TaskRun, wave: Wave) -> Scope:
    """Return which part of its wave a run does.

    :raises RunRefusedError: if its params make no sense for the wave.
    """
    try:
        return Scope.of_params(run.params, wave)
    except ScopeError as error:
        raise RunRefusedError(f"{error}. Start a new run with valid params") from error


def read_other_waves(run: TaskRun, wave: Wave) -> list[Wave]:
    """Read the other waves of a task's folder that work on the same source site; broken ones are left out.

    :raises WaveFileMissingError: if no folder has the wave itself.
    """
    source = wave.connections.source.vcenter
    others = (file.wave for file in load_folder(wave_path(run).parent).files if file.wave.name != wave.name)
    return [other for other in others if other.connections.source.vcenter == source]


def started_at(run: TaskRun, wave: Wave) -> datetime:
    """Return the instant (UTC) from which the wave's times count; the same for every try of a run."""
    return wave.begins_at if isinstance(wave, RehearsedWave) else run.run_after


def wave_path(run: TaskRun) -> Path:
    """Return where a task's wave file is.

    :raises WaveFileMissingError: if no folder has it.
    """
    folders = wave_folders(run.bundle)
    for folder in folders:
        path = folder / f"{run.wave_id}{SUFFIX}"
        if path.is_file():
            return path
    places = " and ".join(str(folder) for folder in folders)
    raise WaveFileMissingError(f"there is no {run.wave_id}{SUFFIX} in {places}. Restore the file, then clear this task")


def wave_folders(bundle: Path | None = None) -> list[Path]:
    """Return the folders that may hold wave files: in the DAG's bundle, then in the DAGs folder."""
    roots = [] if bundle is None else [bundle]
    roots.append(Path(conf.get("core", "dags_folder")))
    return [root / FOLDER for root in roots]
