"""A wave on another night: when it begins, its windows through clock changes, its seed and its turn of the faults."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hcx_waves.wavefile.loader import read_wave
from hcx_waves.wavefile.night import RehearsedWave, begin_of, rotated, seed_of
from hcx_waves.wavefile.wave import Wave
from support.wave_files import full_wave, minimal

BERLIN, NEW_YORK, TOKYO = "Europe/Berlin", "America/New_York", "Asia/Tokyo"
LATE = 'switchover_window: {opens: "22:00", closes: "04:00"}\n'
CUT = "segments: [{name: net, cutover: now, cutover_window: {opens: %s, lasts: 3h}}]\n"


def wave(zone: str, more: str) -> Wave:
    return read_wave(minimal(more=more).replace("UTC", zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "night", "begins", "opens", "closes", "cutover"),
    [
        # The night before the clocks go back lasts an hour longer; the one after it has its full length again.
        (BERLIN, date(2026, 10, 24), "2026-10-24 12:00", "2026-10-24 20:00", "2026-10-25 03:00", "2026-10-25 03:00"),
        (BERLIN, date(2026, 10, 25), "2026-10-25 13:00", "2026-10-25 21:00", "2026-10-26 03:00", "2026-10-26 03:00"),
        (NEW_YORK, date(2026, 10, 31), "2026-10-31 18:00", "2026-11-01 02:00", "2026-11-01 09:00", "2026-11-01 09:00"),
        (NEW_YORK, date(2026, 11, 1), "2026-11-01 19:00", "2026-11-02 03:00", "2026-11-02 09:00", "2026-11-02 09:00"),
        (TOKYO, date(2026, 10, 25), "2026-10-25 05:00", "2026-10-25 13:00", "2026-10-25 19:00", "2026-10-25 19:00"),
    ],
)
def test_a_wave_without_start_begins_a_lead_before_its_first_window(
    zone: str, night: date, begins: str, opens: str, closes: str, cutover: str
) -> None:
    moved = RehearsedWave.of(wave(zone, LATE + CUT % '"04:00"'), night)
    clock = moved.clock()
    assert moved.begins_at == clock.starts_at == utc(begins)
    assert clock.switchover is not None
    assert (clock.switchover.opens, clock.switchover.closes) == (utc(opens), utc(closes))
    assert clock.cutover("net").opens == utc(cutover)
    assert clock.local(clock.switchover.opens).date() == night


def test_the_lead_can_be_chosen_and_never_reaches_the_day_before() -> None:
    planned = wave(BERLIN, LATE)
    assert begin_of(planned, date(2026, 10, 25), timedelta(hours=2)) == utc("2026-10-25 19:00")
    for hours in (0, 22):
        for day in (date(2026, 10, 25), date(2027, 3, 28), date(2026, 12, 1)):
            clock = RehearsedWave.of(planned, day, timedelta(hours=hours)).clock()
            assert clock.switchover is not None
            assert clock.local(clock.switchover.opens).isoformat()[:16] == f"{day}T22:00"
    with pytest.raises(ValueError, match="at most 22 hours"):
        begin_of(planned, date(2026, 10, 25), timedelta(hours=23))


def test_the_first_window_is_the_one_that_the_file_names_first() -> None:
    """As in Wave.night; else the gateway of the second segment would move on the morning before."""
    more = (
        'segments:\n  - {name: a, cutover: now, cutover_window: {opens: "23:00", lasts: 1h}}\n'
        '  - {name: b, cutover: now, cutover_window: {opens: "01:00", lasts: 1h}}\n'
    )
    clock = RehearsedWave.of(wave("UTC", more), date(2026, 10, 25)).clock()
    assert (clock.cutover("a").opens, clock.cutover("b").opens) == (utc("2026-10-25 23:00"), utc("2026-10-26 01:00"))


@pytest.mark.parametrize("more", ["", CUT % "+2h"])
def test_a_wave_without_clock_times_begins_at_nightfall(more: str) -> None:
    moved = RehearsedWave.of(wave(BERLIN, more), date(2026, 10, 25))
    assert moved.begins_at == utc("2026-10-25 19:00"), "20:00 in Berlin, winter time"
    assert [entry.window.opens for entry in moved.clock().cutovers] == ([utc("2026-10-25 21:00")] if more else [])


def test_a_wave_with_a_start_begins_there_whatever_the_lead() -> None:
    planned = full_wave()
    moved = RehearsedWave.of(planned, date(2026, 10, 24), timedelta(hours=1))
    assert moved.clock() == planned.clock()
    assert moved.begins_at == planned.starts_at
    assert RehearsedWave.of(planned, date(2026, 11, 7)).begins_at == utc("2026-11-06 19:00"), "now in winter time"


def test_a_moved_wave_means_what_the_file_means() -> None:
    planned = full_wave()
    moved = RehearsedWave.of(planned, date(2027, 3, 27))
    assert moved.wave_hash == planned.wave_hash
    assert moved.night == date(2027, 3, 27)
    assert moved.segments_to_cut == planned.segments_to_cut
    assert moved.clock(utc("2030-01-01 00:00")) == moved.clock(), "when the run was started makes no difference"


def test_the_seed_follows_from_wave_and_date() -> None:
    seeds = {seed_of(name, date(2026, 10, day)) for name in ("erp-1", "erp-2") for day in range(1, 31)}
    assert len(seeds) == 60
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of("three-tier-1", date(2026, 10, 24)) == 7921047747866033678, "records of years ago stay comparable"


def test_faults_take_turns_over_the_nights_and_not_alike_for_all_waves() -> None:
    nights = [date(2026, 10, 1) + timedelta(days=day) for day in range(30)]
    turns = [rotated(("a", "b", "c", "d"), "erp-1", night) for night in nights]
    assert {turn: turns.count(turn) for turn in turns} == dict.fromkeys([None, "a", "b", "c", "d"], 6)
    assert turns[:5] == turns[5:10]
    start = turns.index(None)
    assert turns[start : start + 5] == [None, "a", "b", "c", "d"]
    assert len({rotated(("a", "b", "c", "d"), f"wave-{number}", nights[0]) for number in range(40)}) == 5
    assert rotated((), "erp-1", nights[0]) is None
