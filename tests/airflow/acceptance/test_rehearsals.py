"""A series of nights on a real Airflow: complete, repeatable, and without a trace at the live sites."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from hcx_demo.commands import slots_for
from hcx_demo.rehearsal.backfill import NightRange
from hcx_demo.rehearsal.series import RehearsalSeries, SeriesOptions
from hcx_demo.stack import Stack, StackOptions
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.wavefile.loader import load_wave
from support.demo_stack import Person

pytestmark = [pytest.mark.demo, pytest.mark.timeout(3600)]
PROJECT = Path(__file__).parents[3]
WAVE, REHEARSAL = "seed-wave", "rehearsal__seed-wave"
NIGHTS = NightRange.of(2, None, datetime.now(UTC).date())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for rehearsals of the seed wave."""
    folder = tmp_path_factory.mktemp("rehearsals")
    shutil.copytree(PROJECT / "dags", folder / "dags")
    wave = load_wave(folder / "dags" / "waves" / f"{WAVE}.yaml")
    options = StackOptions(
        project=PROJECT,
        state=folder / "state",
        connections=wave.connections,
        dags=folder / "dags",
        speed=1.0,
        rehearsal=True,
        parallelism=slots_for(wave, len(NIGHTS)),
    )
    with Stack(options, lambda text: None) as running:
        yield running


def rehearse(stack: Stack, faults: tuple[str, ...] = ()) -> tuple[bool, str]:
    """Rehearse the nights; return whether all is complete, and what was told."""
    text = io.StringIO()
    wave = load_wave(stack.options.dags / "waves" / f"{WAVE}.yaml")
    series = RehearsalSeries(
        stack, SeriesOptions(wave, NIGHTS, faults, active=len(NIGHTS)), Console(file=text, width=200)
    )
    return series.play(), text.getvalue()


def timelines(stack: Stack) -> list[bytes]:
    """The exported timelines of all nights."""
    store = RecordStore(stack.state.reports)
    return [store.timeline(WAVE, day) for day in NIGHTS.dates()]


def test_nights_end_with_records_a_forecast_and_nothing_changed_at_the_sites(stack: Stack) -> None:
    person = Person(stack)
    mark = person.mark()
    complete, told = rehearse(stack)
    assert complete, told
    assert "2 nights took" in told
    assert "forecast.png" in told
    records = RecordStore(stack.state.reports).read_all(WAVE).records
    assert [record.night for record in records] == list(NIGHTS.dates())
    assert {record.outcome for record in records} == {WaveOutcome.AS_PLANNED}
    assert len({record.seed for record in records}) == len(NIGHTS)
    assert (stack.state.reports / WAVE / "forecast.png").stat().st_size > 10_000
    assert (stack.state.reports / WAVE / "rehearsals.png").stat().st_size > 10_000
    assert person.changes(mark) == []
    assert stack.twins["control"]["url"] != stack.endpoints["control"]["url"]


def test_the_same_nights_again_are_the_same_byte_by_byte(stack: Stack) -> None:
    before = timelines(stack)
    complete, told = rehearse(stack)
    assert complete, told
    assert timelines(stack) == before
    assert "2 of 2 nights rehearsed again have the same timeline, byte by byte" in told
    runs = stack.admin.runs(REHEARSAL)
    assert {run["run_type"] for run in runs} == {"backfill"}
    assert len(runs) == len(NIGHTS)


def test_a_night_with_a_fault_is_recorded_as_it_went(stack: Stack) -> None:
    complete, told = rehearse(stack, faults=("unextend-fails",))
    assert complete, told
    records = RecordStore(stack.state.reports).read_all(WAVE).records
    assert {record.faults for record in records} == {("unextend-fails",)}
    assert WaveOutcome.AS_PLANNED not in {record.outcome for record in records}
    assert all(run["state"] == "failed" for run in stack.admin.runs(REHEARSAL))


def test_a_stack_for_rehearsals_has_no_connection_that_a_live_wave_could_use(stack: Stack) -> None:
    names = set(stack.connections())
    assert names
    prefixes = ("twin_", "snapshot_")
    assert [name for name in names if not name.startswith(prefixes)] == []
    assert NIGHTS.last == datetime.now(UTC).date() - timedelta(days=1)
