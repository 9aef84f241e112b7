"""Whole rehearsed nights in one process: what they leave, that they are repeatable, and what goes wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import UnansweredError
from hcx_waves.model.states import SegmentOutcome, WaveOutcome
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.rehearsals.store import RecordStore
from support.night_player import NightRun
from support.untouched import assert_only_read, mutating_calls

Rehearse = Callable[..., NightRun]


def record_of(bundle: Path, run: NightRun) -> RehearsalRecord:
    return RecordStore(bundle / "reports").read(run.wave, date.fromisoformat(run.night or ""))


def timeline_of(bundle: Path, run: NightRun) -> bytes:
    return RecordStore(bundle / "reports").timeline(run.wave, date.fromisoformat(run.night or ""))


def twins_of(site_server: Any) -> list[str]:
    found: list[str] = site_server.server.run(site_server.server.worlds.ids)
    return [world_id for world_id in found if world_id.startswith("rh-")]


def comparable(record: RehearsalRecord) -> dict[str, Any]:
    return record.model_dump(exclude={"recorded_at", "run_id"})


@pytest.mark.world(scenario="three-tier", mode="paused")
def test_a_night_of_the_three_tier_wave_as_planned(
    rehearse: Rehearse, site_pair: Any, site_server: Any, bundle: Path
) -> None:
    run = rehearse("three-tier-1").play()
    assert run.errors == {}
    assert set(run.states.values()) == {"success"}
    record = record_of(bundle, run)
    assert record.outcome is WaveOutcome.AS_PLANNED
    assert record.starts_at == datetime(2026, 10, 24, 12, 0, tzinfo=UTC), "eight hours before 22:00 in Berlin"
    assert [one.outcome for one in record.segments] == [SegmentOutcome.CUT_OVER] * 2 + [SegmentOutcome.STRETCHED]
    assert len(record.vms) == 17
    assert record.forecast is not None
    assert record.forecast.starts_at == record.starts_at
    assert {gate.by for gate in record.gates} == {"rehearsal-approver"}
    assert all(
        one.outage is not None and one.outage.lower_seconds <= (one.outage_seconds or 0) <= one.outage.upper_seconds
        for one in record.segments[:2]
    ), "what the run has measured holds what the twin knows"
    assert (bundle / "reports" / "three-tier-1" / "rehearsals.md").is_file()
    assert_only_read(site_pair)
    assert twins_of(site_server) == [], "its world is gone"


def test_the_same_night_again_has_the_same_timeline_whatever_airflow_does_meanwhile(
    rehearse: Rehearse, bundle: Path
) -> None:
    """As with ``--reprocess-behavior completed``: the same run, all of whose tasks were cleared."""
    first = rehearse(disorder=1).play()
    timeline, record = timeline_of(bundle, first), record_of(bundle, first)
    again = rehearse(disorder=2, tries=first.tries, stores=first.stores).play()
    assert again.errors == {}
    assert again.left("take_snapshot")["origin"] == "kept"
    assert timeline_of(bundle, again) == timeline
    assert comparable(record_of(bundle, again)) == comparable(record)
    other_run = rehearse(disorder=3, run_id="backfill__2").play()
    assert timeline_of(bundle, other_run) == timeline, "nothing of the run shows"
    other_night = rehearse(night="2026-10-25").play()
    assert timeline_of(bundle, other_night) != timeline, "another night draws anew"


def test_thirty_nights_read_the_live_site_once_and_a_scheduled_one_reads_it_anew(
    rehearse: Rehearse, site_pair: Any
) -> None:
    def only_snapshot(**given: Any) -> Any:
        run = rehearse(**given)
        run.states.update({one: "skipped" for one in run.states if one != "take_snapshot"})
        return run.play().left("take_snapshot")

    first = only_snapshot()
    read = site_pair.mark()
    assert first["origin"] == "live"
    assert {only_snapshot(night=f"2026-10-{day}")["snapshot_id"] for day in range(10, 20)} == {first["snapshot_id"]}
    assert only_snapshot(run_type="manual", night=None)["origin"] == "kept"
    assert site_pair.mark() == read, "not a single call"
    assert only_snapshot(run_type="scheduled")["origin"] == "live"
    assert site_pair.mark() > read
    assert only_snapshot(conf={"snapshot_max_age_hours": 0})["origin"] == "live"
    given = only_snapshot(conf={"snapshot": first["path"]})
    assert (given["origin"], given["snapshot_id"]) == ("file", first["snapshot_id"])
    assert_only_read(site_pair)


def test_an_approver_who_sleeps_costs_the_cutover_and_the_run_is_red(rehearse: Rehearse, bundle: Path) -> None:
    run = rehearse(conf={"faults": ["approver-asleep"]}).play()
    gate = "cutover_seed-net.approve_cutover"
    assert isinstance(run.errors[gate], UnansweredError)
    assert run.red == {gate, "conclude_wave", "confirm_outcome"}
    record = record_of(bundle, run)
    assert record.faults == ("approver-asleep",)
    assert [one.outcome for one in record.segments] == [SegmentOutcome.REJECTED]
    assert {one.gate: one.decision for one in record.gates} == {"approve_wave": "approve", gate: "no answer"}


def test_a_fault_of_the_twin_is_met_as_in_life_and_recorded(rehearse: Rehearse, bundle: Path, site_pair: Any) -> None:
    run = rehearse(conf={"faults": ["unextend-fails"]}).play()
    assert {"conclude_wave", "confirm_outcome"} < run.red
    record = record_of(bundle, run)
    assert record.outcome is not WaveOutcome.AS_PLANNED
    assert record.faults == ("unextend-fails",)
    assert run.states["close_twin"] == "success"
    assert_only_read(site_pair)


def test_a_world_that_an_earlier_try_left_is_replaced(rehearse: Rehearse, site_server: Any) -> None:
    run = rehearse()
    run.states.update({one: "skipped" for one in run.states if one not in ("take_snapshot", "open_twin")})
    run.play()
    (left,) = twins_of(site_server)
    before = site_server.server.run(lambda: site_server.server.worlds.get(left))
    again = rehearse().play()
    assert again.red == set()
    assert again.left("open_twin")["world_id"] == left
    assert site_server.server.run(lambda: site_server.server.worlds.find(left)) is not before


def test_without_a_snapshot_nothing_is_rehearsed_and_an_earlier_record_stays(
    rehearse: Rehearse, bundle: Path, site_server: Any
) -> None:
    record = record_of(bundle, rehearse().play())
    run = rehearse(conf={"snapshot": str(bundle / "none.json.gz")}).play()
    assert "none.json.gz: cannot be read" in str(run.errors["take_snapshot"])
    assert run.states["open_twin"] == "upstream_failed"
    assert run.states["close_twin"] == "skipped"
    assert "confirm_outcome" in run.red
    assert record_of(bundle, run) == record
    assert twins_of(site_server) == []


def test_the_record_says_with_what_the_night_was_rehearsed(rehearse: Rehearse, bundle: Path) -> None:
    """Airflow keeps an old conf for a date that it has a run of; the record tells what was in force."""
    run = rehearse(conf={"faults": ["slow-link"], "reaction_minutes": 3}).play()
    record = record_of(bundle, run)
    assert record.params["faults"] == ["slow-link"]
    assert record.params["reaction_minutes"] == 3
    assert {gate.reaction_seconds for gate in record.gates} == {180.0}


@pytest.mark.parametrize(
    ("zone", "night", "begins", "opens"),
    [
        ("Europe/Berlin", "2026-10-24", "2026-10-23 18:00", "2026-10-24 02:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24 19:00", "2026-10-25 03:00"),
        ("America/New_York", "2026-11-01", "2026-11-01 01:00", "2026-11-01 09:00"),
        ("Asia/Tokyo", "2026-10-25", "2026-10-24 11:00", "2026-10-24 19:00"),
    ],
)
def test_nights_of_a_clock_change(
    rehearse: Rehearse, bundle: Path, zone: str, night: str, begins: str, opens: str
) -> None:
    """Once the clocks were put back, 04:00 comes an hour later; the night began eight hours before."""
    path = bundle / "waves" / "seed-wave.yaml"
    text = path.read_text().replace("time_zone: UTC", f"time_zone: {zone}")
    path.write_text(
        text.replace("cutover_window: {opens: +0m, lasts: 12h}", 'cutover_window: {opens: "04:00", lasts: 3h}')
    )
    run = rehearse(night=night).play()
    assert run.red == set()
    record = record_of(bundle, run)
    assert f"{record.starts_at:%Y-%m-%d %H:%M}" == begins
    (cut,) = record.segments
    assert cut.cutover_began_at is not None
    assert f"{cut.cutover_began_at:%Y-%m-%d %H:%M}" == opens, "the gateway moves as soon as its window opens"
    assert record.night == date.fromisoformat(night)
    assert timeline_of(bundle, run).decode().count(begins[:10]) > 0


def test_the_only_thing_that_reads_as_a_change_is_one() -> None:
    """What all refusals rest on must be able to fail."""

    class Site:
        def calls(self, after: int = 0) -> list[dict[str, Any]]:
            operations = [("POST", "migrations.query"), ("POST", "mobility.groups.start"), ("PATCH", "segments.patch")]
            return [{"data": {"method": m, "operation": o, "path": "/"}} for m, o in operations][after:]

    assert mutating_calls(Site()) == ["mobility.groups.start", "segments.patch"]
