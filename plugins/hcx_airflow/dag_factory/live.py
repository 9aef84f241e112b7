"""The live DAG of a wave: it moves real VMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pendulum
from airflow.sdk import DAG, BaseOperator
from airflow.timetables.events import EventsTimetable

from hcx_airflow import names
from hcx_airflow.dag_factory import priorities
from hcx_airflow.dag_factory.chain import ScheduleCleanupOperator, StartWaveOperator
from hcx_airflow.dag_factory.form import live_params, set_params
from hcx_airflow.dag_factory.segments import add_cutover_group
from hcx_airflow.dag_factory.texts import display_name, live_document, owner_of, tags_of
from hcx_airflow.documents import Arguments
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.migration import (
    EvaluateMigrationsOperator,
    ReleaseSwitchoversOperator,
    StartMigrationsOperator,
    VerifyVirtualMachinesOperator,
)
from hcx_airflow.operators.plan import ResolvePlanOperator, RunPreflightOperator
from hcx_airflow.operators.report import ConcludeWaveOperator, WriteReportOperator, add_confirmation
from hcx_airflow.sensors.migration import AwaitMigrationsSensor
from hcx_waves.wavefile.loader import dump_wave
from hcx_waves.wavefile.wave import Wave

# Airflow turns the words into its own enumeration, which is not public.
RUN_TYPES: Any = ("scheduled", "manual", "operator_triggered")
# Airflow never begins the tasks of a run whose logical date is before its DAG's start date; somebody who starts a
# wave by hand before its time would wait for ever. The timetable knows one instant only, so this may lie long ago.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def build_live_dag(wave: Wave, *, text: str | None = None, next_waves: Sequence[Wave] = ()) -> DAG:
    """Return the live DAG of a wave.

    :param text: the wave file as it stands, for the DAG's page.
    :param next_waves: the waves that come after this one.
    """
    followers = sorted(next_waves, key=lambda following: following.name)
    shown = dump_wave(wave) if text is None else text
    with DAG(
        wave.name,
        dag_display_name=display_name(wave),
        description=wave.description.strip().splitlines()[0],
        doc_md=live_document(wave, shown, tuple(following.name for following in followers)),
        tags=tags_of(wave, "live"),
        default_args={"owner": owner_of(wave), **priorities.at(priorities.LIVE)},
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        # What is built with an error must not be found by Airflow all the same.
        auto_register=False,
        schedule=_timetable(wave),
        start_date=LONG_AGO,
        # With catchup a scheduler that is away at that second starts the wave when it is back; resolve_plan refuses
        # beyond the wave's tolerance.
        catchup=wave.start is not None,
    ) as dag:
        _add_tasks(wave, followers)
    set_params(dag, live_params(wave))
    return dag


def _timetable(wave: Wave) -> EventsTimetable | None:
    if wave.starts_at is None:
        return None
    return EventsTimetable([pendulum.instance(wave.starts_at)], description=f"Once, {wave.start} {wave.time_zone}")


def _add_tasks(wave: Wave, next_waves: Sequence[Wave]) -> None:
    tasks = add_wave_tasks(wave)
    for following in _add_followers(wave, next_waves):
        tasks.conclude >> following >> tasks.report


@dataclass(frozen=True)
class WaveTasks:
    """A wave's tasks, as far as others connect to them."""

    first: BaseOperator
    conclude: BaseOperator
    report: BaseOperator


def add_wave_tasks(wave: Wave, *, rehearsal: bool = False) -> WaveTasks:
    """Add everything that a wave does, from the plan to the report, to the DAG that is being built.

    :param rehearsal: whether all of it is done on twins, and on nothing else.
    """
    common: Arguments = {"wave_id": wave.name, "rehearsal": rehearsal}
    first, verified = _add_migration(wave, common)
    conclude = ConcludeWaveOperator(task_id=names.CONCLUDE_WAVE, **common)
    report = WriteReportOperator(task_id=names.WRITE_REPORT, **common)
    verified >> conclude
    for segment in wave.segments_to_cut:
        group = add_cutover_group(wave, segment, rehearsal=rehearsal)
        verified >> group.first
        # The wave is judged, and reported, when the way back has been gone as well.
        [group.last, group.compensation] >> conclude
        group.compensation >> report
    conclude >> report
    report.as_teardown(on_failure_fail_dagrun=False)
    add_confirmation([conclude])
    return WaveTasks(first, conclude, report)


def _add_migration(wave: Wave, common: Arguments) -> tuple[BaseOperator, BaseOperator]:
    """Add everything up to the proof that the VMs have arrived; return its first and its last task."""
    resolve = ResolvePlanOperator(task_id=names.RESOLVE_PLAN, **common)
    preflight = RunPreflightOperator(task_id=names.RUN_PREFLIGHT, **common)
    approve = WaveGate(task_id=names.APPROVE_WAVE, gate=names.APPROVE_WAVE, **common)
    start = StartMigrationsOperator(task_id=names.START_MIGRATIONS, **common)
    await_migrations = AwaitMigrationsSensor(task_id=names.AWAIT_MIGRATIONS, **common)
    evaluate = EvaluateMigrationsOperator(task_id=names.EVALUATE_MIGRATIONS, **common)
    verify = VerifyVirtualMachinesOperator(task_id=names.VERIFY_VIRTUAL_MACHINES, **common)
    resolve >> preflight >> approve >> start
    _add_switchover(wave, start, common) >> await_migrations >> evaluate >> verify
    return resolve, verify


def _add_switchover(wave: Wave, start: BaseOperator, common: Arguments) -> BaseOperator:
    """Add the release of held switchovers, if the wave holds any; return the task that the waiting follows."""
    asks = wave.gates.approve_switchover is not None
    if not asks and not wave.switchover_order:
        return start
    seeded = AwaitMigrationsSensor(task_id=names.AWAIT_SEEDED, until_seeded=True, **common)
    release = ReleaseSwitchoversOperator(task_id=names.RELEASE_SWITCHOVERS, **common)
    start >> seeded
    if asks:
        seeded >> WaveGate(task_id=names.APPROVE_SWITCHOVER, gate=names.APPROVE_SWITCHOVER, **common) >> release
    else:
        seeded >> release
    return release


def _add_followers(wave: Wave, next_waves: Sequence[Wave]) -> list[BaseOperator]:
    followers: list[BaseOperator] = []
    if wave.segments_to_clean:
        hold = wave.cleanup.hold.total_seconds()
        followers.append(ScheduleCleanupOperator(task_id=names.SCHEDULE_CLEANUP, wave_id=wave.name, hold_seconds=hold))
    for following in next_waves:
        followers.append(
            StartWaveOperator(
                task_id=names.start_wave_task(following.name),
                wave_id=wave.name,
                next_wave=following.name,
                predecessors=following.after,
            )
        )
    return followers
