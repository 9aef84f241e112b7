"""Find waves that are due but do not run, and wave files that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from hcx_airflow import names
from hcx_airflow.waits import notes_of
from hcx_waves.model.formatting import instant
from hcx_waves.wavefile.sets import WaveSet, load_folder
from hcx_waves.wavefile.wave import Wave

WARN_AHEAD = timedelta(hours=2)
"""How long before its start a paused wave is reported."""
START_LATENCY = timedelta(minutes=5)
"""How long after its start a wave may take to show up."""
FORGET_AFTER = timedelta(days=7)
"""How long a missed wave is reported."""
PROBE_MINUTES = 5
"""Sites are probed in the first minutes of an hour, so that one that does not answer holds up one look in twelve."""
_WAITING, _SUCCESSFUL, _AT_WORK = ("queued",), ("success",), ("running", "queued")


class RunsOfDags(Protocol):
    """What the watchdog reads from Airflow."""

    def is_paused(self, dag_id: str) -> bool | None:
        """Whether a DAG is paused; None if Airflow does not know it."""

    def count(self, dag_id: str, states: Sequence[str] | None = None, logical_date: datetime | None = None) -> int:
        """Return how many runs a DAG has in some states, or of a logical date."""

    def is_waiting(self, dag_id: str, run_id: str, task_id: str) -> bool:
        """Whether a task waits in the triggerer, or looks from a worker."""


def concerns_of(folder: Path, airflow: RunsOfDags, now: datetime) -> list[str]:
    """Return a message for each problem that needs a person.

    :param folder: the wave files.
    """
    waves = load_folder(folder)
    found = list(_of_files(waves, folder))
    for file in waves.files:
        found += _of_wave(file.wave, airflow, now)
        found += _of_waits(file.wave, airflow, now)
    return found


def _of_waits(wave: Wave, airflow: RunsOfDags, now: datetime) -> Iterator[str]:
    """Yield what stands in waits of a wave, and waits at which nobody looks."""
    from hcx_waves.guide.entries import url_of
    from hcx_waves.run.stalls import StallId

    for note in notes_of(wave.name):
        if not airflow.is_waiting(note.dag_id, note.run_id, note.task_id):
            continue
        where = f"{wave.name}, run {note.run_id}, {note.task_id}"
        for stall in note.read_stalls():
            yield f"{where}: {stall}. {stall.what_to_do} (guide: {stall.stall_id.value}, {stall.guide_url})"
        if note.is_stale(now):
            away = StallId.TRIGGERER_AWAY
            yield (
                f"{where}: {away.value}: no triggerer has looked since {instant(note.looked_at, seconds=True)}. Start "
                f"the triggerer; nothing is lost (guide: {away.value}, {url_of(away)})"
            )


def new_differences(folder: Path, airflow: RunsOfDags, now: datetime) -> list[str]:
    """Probe the sites of waves that are in service and not at work; return what differs and was not known to.

    :param folder: the wave files.
    """
    if now.minute >= PROBE_MINUTES:
        return []
    from hcx_airflow.probes import probe_where_due

    waves = [file.wave for file in load_folder(folder).files]
    idle = [one for one in waves if airflow.is_paused(one.name) is False and not airflow.count(one.name, _AT_WORK)]
    return probe_where_due(idle, now)


def _of_files(waves: WaveSet, folder: Path) -> Iterator[str]:
    for problem in (*waves.problems, *waves.conflicts):
        yield str(problem).replace(f"{folder.parent}/", "")


def _of_wave(wave: Wave, airflow: RunsOfDags, now: datetime) -> Iterator[str]:
    paused = airflow.is_paused(wave.name)
    if paused is None:
        yield f"{wave.name}: Airflow has no DAG for this wave. See the import errors"
        return
    yield from _of_start(wave, paused, airflow, now)
    if paused and airflow.count(wave.name, _WAITING):
        yield f"{wave.name}: a run is queued, but the DAG is paused. Unpause the DAG, or delete the run"
    cleanup = names.cleanup_dag_id(wave.name)
    if wave.segments_to_clean and airflow.is_paused(cleanup) and airflow.count(cleanup, _WAITING):
        yield f"{cleanup}: a run waits for the end of the hold, but the DAG is paused. Unpause it, or delete the run"
    recovery = names.recovery_dag_id(wave.name)
    if airflow.is_paused(recovery) and airflow.count(recovery, _WAITING):
        yield f"{recovery}: a way back waits, but the DAG is paused. Unpause it, or delete the run"


def _of_start(wave: Wave, paused: bool, airflow: RunsOfDags, now: datetime) -> Iterator[str]:
    """Yield the problem of a scheduled wave that has not started."""
    start = wave.starts_at
    if start is None or now < start - WARN_AHEAD or now > start + wave.start_tolerance + FORGET_AFTER:
        return
    if airflow.count(wave.name, logical_date=start) or airflow.count(wave.name, _SUCCESSFUL):
        return
    when = f"{wave.start} {wave.time_zone}"
    if now > start + wave.start_tolerance:
        yield f"{wave.name}: did not start at {when}. Start it by hand, or set a new start in the wave file"
    elif paused:
        yield f"{wave.name}: due at {when}, but the DAG is paused. Unpause it, or the wave will not start"
    elif now > start + START_LATENCY:
        yield f"{wave.name}: due at {when}, but not started. Check that scheduler and DAG processor are running"
