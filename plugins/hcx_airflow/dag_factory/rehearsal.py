"""The rehearsal DAG of a wave: the live graph on a twin of the live site, night by night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable

from hcx_airflow import names
from hcx_airflow.dag_factory import priorities
from hcx_airflow.dag_factory.form import set_params
from hcx_airflow.dag_factory.live import add_wave_tasks
from hcx_airflow.dag_factory.rehearsal_form import rehearsal_params
from hcx_airflow.dag_factory.texts import display_name, owner_of, rehearsal_document, tags_of
from hcx_airflow.documents import Arguments
from hcx_airflow.operators.rehearsal import (
    CloseTwinOperator,
    OpenTwinOperator,
    SummariseRehearsalsOperator,
    TakeSnapshotOperator,
)
from hcx_waves.wavefile.loader import dump_wave
from hcx_waves.wavefile.night import begin_of
from hcx_waves.wavefile.wave import Wave

# Airflow turns the words into its own enumeration, which is not public.
RUN_TYPES: Any = ("scheduled", "manual", "backfill")
NOON = "0 12 * * *"
"""When a night is rehearsed, in the wave's zone; its logical date, and so the date of the night.

At noon no clock is ever changed, and in nearly every zone it is the same date in UTC, in which Airflow's commands take
dates: a backfill from one date to another is the nights from the first up to the one before the second, in all zones.
"""
MAX_ACTIVE_RUNS = 4
"""How many nights of a wave are rehearsed at the same time unless a backfill says otherwise."""
_OTHER_TASKS = 4


def build_rehearsal_dag(wave: Wave, *, text: str | None = None, max_active_runs: int = MAX_ACTIVE_RUNS) -> DAG:
    """Return the rehearsal DAG of a wave.

    :param text: the wave file as it stands, for the DAG's page.
    :param max_active_runs: how many scheduled and manual rehearsals run at the same time.
    """
    with DAG(
        names.rehearsal_dag_id(wave.name),
        dag_display_name=display_name(wave, "rehearsal"),
        description=f"Rehearses {wave.name} on a twin; changes nothing real",
        doc_md=rehearsal_document(wave, dump_wave(wave) if text is None else text),
        tags=[*tags_of(wave, "rehearsal"), "twin"],
        default_args={"owner": owner_of(wave), **priorities.at(priorities.REHEARSAL)},
        allowed_run_types=RUN_TYPES,
        # Without a start date Airflow does not make up for the past noon as soon as the DAG is unpaused.
        schedule=CronTriggerTimetable(NOON, timezone=wave.time_zone, run_immediately=timedelta()),
        end_date=last_rehearsal(wave),
        catchup=False,
        max_active_runs=max_active_runs,
        # Each segment's tasks wait for the twin's time at the same time; one without a slot would hold up all others.
        max_active_tasks=max(16, len(wave.segments_to_cut) + _OTHER_TASKS),
        auto_register=False,
    ) as dag:
        _add_tasks(wave)
    set_params(dag, rehearsal_params(wave))
    return dag


def last_rehearsal(wave: Wave) -> datetime | None:
    """Return when a wave is no longer rehearsed by itself: when it starts, or its first window opens; None if no date
    is set.
    """
    if wave.starts_at is not None:
        return wave.starts_at
    return None if wave.night is None else begin_of(wave, wave.night, timedelta())


def _add_tasks(wave: Wave) -> None:
    common: Arguments = {"wave_id": wave.name}
    snapshot = TakeSnapshotOperator(task_id=names.TAKE_SNAPSHOT, **common)
    opened = OpenTwinOperator(task_id=names.OPEN_TWIN, **common)
    tasks = add_wave_tasks(wave, rehearsal=True)
    # Neither has a set-up, so both run however the rehearsal went; and a night of which there is no record is red.
    closed = CloseTwinOperator(task_id=names.CLOSE_TWIN, **common)
    summary = SummariseRehearsalsOperator(task_id=names.SUMMARISE_REHEARSALS, **common)
    snapshot >> opened >> tasks.first
    tasks.report >> closed >> summary
    closed.as_teardown(on_failure_fail_dagrun=True)
    summary.as_teardown(on_failure_fail_dagrun=False)
