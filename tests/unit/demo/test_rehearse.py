"""Which nights are rehearsed, by which command, and what is told of them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from hcx_demo.commands import slots_for
from hcx_demo.errors import DemoError
from hcx_demo.rehearsal.backfill import NightRange, backfill_arguments, shown_command
from hcx_demo.rehearsal.progress import RehearsalRun
from hcx_demo.rehearsal.series import SeriesOptions
from hcx_demo.rehearsal.view import RehearsalsView, line_of
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.wavefile.loader import load_wave

WAVES = Path(__file__).parents[3] / "dags" / "waves"
TODAY = date(2026, 11, 23)


def test_unless_said_otherwise_the_last_night_is_yesterday() -> None:
    nights = NightRange.of(30, None, TODAY)
    assert (nights.first, nights.last) == (date(2026, 10, 24), date(2026, 11, 22))
    assert len(nights) == len(nights.dates()) == 30
    assert nights.dates()[1] == date(2026, 10, 25)


def test_a_first_night_is_where_they_begin() -> None:
    nights = NightRange.of(3, date(2026, 10, 24), TODAY)
    assert nights.dates() == (date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26))


def test_nights_that_are_not_over_are_refused() -> None:
    assert NightRange.of(1, date(2026, 11, 22), TODAY).last == date(2026, 11, 22)
    with pytest.raises(DemoError, match=r"the night of 2026-11-23 is not over.* 2026-11-22 or earlier"):
        NightRange.of(2, date(2026, 11, 22), TODAY)


def test_the_backfill_is_airflow_s_own_command() -> None:
    nights = NightRange(date(2026, 10, 24), date(2026, 10, 26))
    arguments = backfill_arguments("rehearsal__three-tier-1", nights, {"faults": ["x"]}, 4)
    assert " ".join(arguments) == (
        "backfill create --dag-id rehearsal__three-tier-1 --from-date 2026-10-24 --to-date 2026-10-27 "
        '--max-active-runs 4 --reprocess-behavior completed --dag-run-conf {"faults": ["x"]}'
    )


@pytest.mark.parametrize(
    ("faults", "conf"),
    [
        ((), {"faults": [], "rotate_faults": False}),
        (("tunnel-down",), {"faults": ["tunnel-down"], "rotate_faults": False}),
        (("rotate",), {"faults": [], "rotate_faults": True}),
        (("rotate", "tunnel-down"), {"faults": ["tunnel-down"], "rotate_faults": True}),
    ],
)
def test_a_night_is_told_all_its_params_as_it_would_keep_older_ones(
    faults: tuple[str, ...], conf: dict[str, object]
) -> None:
    wave = load_wave(WAVES / "three-tier-1.yaml")
    assert SeriesOptions(wave, NightRange(TODAY, TODAY), faults).conf == conf


def test_the_command_is_shown_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed = shown_command(tmp_path / "bin" / "airflow", ["x", '{"a": 1}', f"{tmp_path}/dags/x.yaml"])
    assert typed == """bin/airflow x '{"a": 1}' dags/x.yaml"""
    assert shown_command(Path("/else where/airflow"), []) == "'/else where/airflow'"


def test_there_is_a_slot_for_every_task_that_may_wait() -> None:
    wave = load_wave(WAVES / "three-tier-1.yaml")
    assert len(wave.segments_to_cut) == 2
    assert slots_for(wave, 4) >= 4 * 3


def record(outcome: WaveOutcome, faults: tuple[str, ...] = ()) -> RehearsalRecord:
    """What a night has left."""
    return RehearsalRecord(
        wave="three-tier-1",
        night=date(2026, 10, 24),
        time_zone="Europe/Berlin",
        seed=1,
        outcome=outcome,
        verdict="as planned",
        faults=faults,
        starts_at=datetime(2026, 10, 24, 16, tzinfo=UTC),
    )


def test_a_night_is_told_once_when_it_has_ended() -> None:
    text = io.StringIO()
    done = RehearsalRun(
        date(2026, 10, 24), "success", "r1", wall_seconds=41.2, record=record(WaveOutcome.AS_PLANNED, ("x",))
    )
    ahead = RehearsalRun(date(2026, 10, 25), "running", "r2", activity="Migration: waiting for HCX")
    lost = RehearsalRun(date(2026, 10, 26), "failed", "r3", wall_seconds=2)
    with RehearsalsView(Console(file=text, width=200), 3) as view:
        view.show([done, ahead], 50)
        view.show([done, ahead, lost], 60)
    assert text.getvalue().splitlines() == [
        f"  1/3  2026-10-24 [x]  {WaveOutcome.AS_PLANNED.value}: as planned  (41.2 s wall)",
        "  2/3  2026-10-26  failed: no record; see the log of its run  (2.0 s wall)",
    ]
    assert line_of(done) in text.getvalue()


def test_a_terminal_shows_what_is_under_way_and_how_long_it_will_take() -> None:
    text = io.StringIO()
    done = RehearsalRun(date(2026, 10, 24), "success", "r1", wall_seconds=41.2, record=record(WaveOutcome.AS_PLANNED))
    ahead = RehearsalRun(date(2026, 10, 25), "running", "r2", activity="Migration: waiting for HCX")
    with RehearsalsView(Console(file=text, width=200, force_terminal=True), 3) as view:
        view.show([done, ahead], 50)
    assert "1 of 3 nights, 1 in progress, 50.0 s, about 1 min 40 s left" in text.getvalue()
    assert "Migration: waiting for HCX" in text.getvalue()
