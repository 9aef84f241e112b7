"""What the tasks of a recovery share: the records of the wave's run, and what looks and acts by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hcx_airflow.errors import RunRefusedError, UnreadableResultError
from hcx_airflow.folders import reports_folder, state_folder
from hcx_airflow.hooks.sites import open_sites
from hcx_airflow.results import PLAN
from hcx_airflow.task import TaskRun
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.model.plan import WavePlan
    from hcx_waves.rescue.records import Records
    from hcx_waves.rescue.rescuer import Rescuer


def records_of(run: TaskRun, run_id: str) -> tuple[Records, WavePlan]:
    """Return what is recorded of a live run of this wave, and its plan.

    Both are read where no user of Airflow can write: in the run's ledger, and in the plan beside it; without that, as
    ``resolve_plan`` has sealed it.

    :param run_id: of the run; the one that was active last, if it is empty.
    :raises RunRefusedError: if no live run of this wave has that id, or it has no plan.
    """
    from hcx_waves.rescue.records import read_records

    records = read_records(run.wave_id, state_folder(), reports_folder(), run_id=run_id)
    if not records.ledgers:
        which = f"no live run {run_id}" if run_id else "no live run yet"
        raise RunRefusedError(
            f"wave {run.wave_id} has {which}, by the ledgers of this installation. Nothing was changed. Start a "
            "recovery with the id of a run of this wave, or none for the newest"
        )
    plan = records.plan or _sealed_plan(run, records.run_id)
    if plan is None:
        raise RunRefusedError(
            f"run {records.run_id} of wave {run.wave_id} has left no plan that can be read. Nothing was changed. "
            f"`hcx-waves rescue` goes by what is there now. {'. '.join(records.notes)}"
        )
    return records, plan


def _sealed_plan(run: TaskRun, run_id: str) -> WavePlan | None:
    """Return the plan as its task has left it, where no file has it; None if that cannot be read either."""
    try:
        return run.results.read_in(PLAN, run.wave_id, run_id)
    except UnreadableResultError:
        return None


@contextmanager
def rescuer_of(run: TaskRun, wave: Wave, records: Records, plan: WavePlan) -> Iterator[Rescuer]:
    """Open the sites, and yield what looks and acts for a run of a wave."""
    from hcx_waves.cutover.commands import CommandRunner
    from hcx_waves.rescue.rescuer import Rescuer

    with open_sites(wave, rehearsal=False, check=False) as clients:
        yield Rescuer(
            wave,
            plan,
            clients,
            records,
            runner=CommandRunner(),
            patience=run.clock.patience(pause_seconds=0.2),
            plan_from="the run's plan",
        )
