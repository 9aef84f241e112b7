"""Local times become instants: on ordinary nights, on nights when the clocks change, and on other nights."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hcx_waves.model.schedule import TimeWindow
from hcx_waves.wavefile.clock import ClockError
from hcx_waves.wavefile.loader import read_wave
from hcx_waves.wavefile.wave import Wave
from support.wave_files import changed, full_wave, minimal


def utc(text: str) -> datetime:
    """Read ``2026-10-24 20:00`` as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(opens: str, closes: str) -> TimeWindow:
    """Return a window between two UTC times."""
    return TimeWindow(opens=utc(opens), closes=utc(closes))


def wave(zone: str, switchover: str, cutover: str = "", start: str = "") -> Wave:
    """Return a wave with one segment that has these times."""
    more = f"start: {start}\n" if start else ""
    more += f"switchover_window: {{{switchover}}}\n" if switchover else ""
    if cutover:
        more += f"segments: [{{name: s, cutover: now, cutover_window: {{{cutover}}}}}]\n"
    return read_wave(minimal(more=more).replace("UTC", zone))


def test_the_full_wave_on_the_night_when_berlin_puts_the_clocks_back() -> None:
    clock = full_wave().clock()

    assert clock.starts_at == utc("2026-10-23 18:00")
    assert clock.latest_start == utc("2026-10-23 19:30")
    assert clock.switchover == window("2026-10-24 20:00", "2026-10-25 03:00")
    assert clock.switchover.length == timedelta(hours=7)
    assert clock.cutover("erp") == window("2026-10-25 03:00", "2026-10-25 06:00")
    assert clock.cutover("voice") == window("2026-10-25 04:00", "2026-10-25 08:00")
    assert clock.last_instant == utc("2026-10-25 08:00")
    assert clock.local(clock.switchover.closes).isoformat() == "2026-10-25T04:00:00+01:00"


@pytest.mark.parametrize(
    ("zone", "night", "opens", "closes", "hours"),
    [
        ("Europe/Berlin", date(2026, 10, 23), "2026-10-23 20:00", "2026-10-24 02:00", 6),
        ("Europe/Berlin", date(2026, 10, 24), "2026-10-24 20:00", "2026-10-25 03:00", 7),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-25 21:00", "2026-10-26 03:00", 6),
        ("Europe/Berlin", date(2027, 3, 27), "2027-03-27 21:00", "2027-03-28 02:00", 5),
        ("America/New_York", date(2026, 10, 31), "2026-11-01 02:00", "2026-11-01 09:00", 7),
        ("America/New_York", date(2026, 11, 1), "2026-11-02 03:00", "2026-11-02 09:00", 6),
        ("America/New_York", date(2027, 3, 13), "2027-03-14 03:00", "2027-03-14 08:00", 5),
        ("Asia/Tokyo", date(2026, 10, 24), "2026-10-24 13:00", "2026-10-24 19:00", 6),
        ("Asia/Tokyo", date(2026, 10, 31), "2026-10-31 13:00", "2026-10-31 19:00", 6),
        ("UTC", date(2026, 10, 24), "2026-10-24 22:00", "2026-10-25 04:00", 6),
    ],
)
@pytest.mark.parametrize(
    "written", ["opens: 2026-08-01 22:00, closes: 2026-08-02 04:00", 'opens: "22:00", closes: "04:00"']
)
def test_a_window_keeps_its_clock_times_on_any_night(
    zone: str, night: date, opens: str, closes: str, hours: int, written: str
) -> None:
    clock = wave(zone, written).for_night(night)

    assert clock.switchover == window(opens, closes)
    assert clock.switchover.length == timedelta(hours=hours)
    assert clock.notes == ()


def test_the_planned_night_is_that_of_the_switchover_window() -> None:
    planned = full_wave()

    assert planned.night == date(2026, 10, 24)
    assert planned.for_night(date(2026, 10, 24)) == planned.clock()


def test_a_wave_moves_as_a_whole_and_its_start_stays_the_day_before() -> None:
    clock = full_wave().for_night(date(2027, 1, 2))

    assert clock.starts_at == utc("2027-01-01 19:00")
    assert clock.switchover == window("2027-01-02 21:00", "2027-01-03 03:00")
    assert clock.cutover("voice") == window("2027-01-03 04:00", "2027-01-03 08:00")


def test_a_time_that_the_night_skips_is_settled_and_noted() -> None:
    clock = wave("Europe/Berlin", "opens: 2026-08-01 02:30, closes: 2026-08-01 06:00").for_night(date(2027, 3, 28))

    assert clock.switchover == window("2027-03-28 01:30", "2027-03-28 04:00")
    assert clock.notes == ("2027-03-28 02:30 does not exist in Europe/Berlin; taken as 03:30",)


def test_a_time_that_the_night_repeats_is_the_first_unless_the_file_says_otherwise() -> None:
    first = wave("America/New_York", "opens: 2026-08-01 01:30, closes: 2026-08-01 06:00").for_night(date(2026, 11, 1))
    second = wave("America/New_York", "opens: 2025-11-02 01:30-05:00, closes: 2025-11-02 06:00").for_night(
        date(2026, 11, 1)
    )

    assert first.switchover == window("2026-11-01 05:30", "2026-11-01 11:00")
    assert first.notes == ("2026-11-01 01:30 happens twice in America/New_York; the one at UTC-04:00",)
    assert second.switchover == window("2026-11-01 06:30", "2026-11-01 11:00")


def test_a_window_that_the_clock_change_turns_around_keeps_its_length() -> None:
    clock = wave("Europe/Berlin", "opens: 2026-08-01 02:30, closes: 2026-08-01 03:00").for_night(date(2027, 3, 28))

    assert clock.switchover == window("2027-03-28 01:30", "2027-03-28 02:00")
    assert clock.notes[-1] == "a window of 30m falls into a clock change; it keeps its length"


def test_elapsed_time_takes_no_notice_of_the_clocks() -> None:
    clock = wave("Europe/Berlin", "opens: 2026-10-24 22:00, lasts: 6h").clock()

    assert clock.switchover == window("2026-10-24 20:00", "2026-10-25 02:00")


def test_midnight_may_not_exist_either() -> None:
    clock = wave("Africa/Cairo", 'opens: "22:00", lasts: 1h').for_night(date(2026, 4, 24))

    assert clock.starts_at == utc("2026-04-23 22:00")
    assert clock.local(clock.starts_at).isoformat() == "2026-04-24T01:00:00+03:00"


def test_clock_times_are_the_first_after_the_start() -> None:
    planned = wave("Europe/Berlin", 'opens: "22:00", closes: "04:00"', 'opens: "04:00", lasts: 2h')

    evening, night = planned.clock(utc("2026-06-01 12:00")), planned.clock(utc("2026-06-01 20:30"))

    assert evening.switchover == window("2026-06-01 20:00", "2026-06-02 02:00")
    assert evening.cutover("s") == window("2026-06-02 02:00", "2026-06-02 04:00")
    assert night.switchover == window("2026-06-02 20:00", "2026-06-03 02:00")


def test_a_clock_time_that_is_the_start_is_not_put_off_by_a_day() -> None:
    planned = wave("Europe/Berlin", 'opens: "22:00", closes: "22:00"', start="2026-06-01 22:00")

    assert planned.clock().switchover == window("2026-06-01 20:00", "2026-06-02 20:00")


def test_offsets_count_from_the_run_s_start() -> None:
    planned = wave("Asia/Tokyo", "opens: +2h, lasts: 6h", "opens: +8h, lasts: 90m")

    clock = planned.clock(datetime(2026, 6, 1, 21, 0, tzinfo=ZoneInfo("Asia/Tokyo")))

    assert clock.starts_at == utc("2026-06-01 12:00")
    assert clock.latest_start is None
    assert clock.switchover == window("2026-06-01 14:00", "2026-06-01 20:00")
    assert clock.cutover("s") == window("2026-06-01 20:00", "2026-06-01 21:30")


def test_a_start_in_the_file_precedes_the_run_s() -> None:
    planned = full_wave()

    assert planned.clock(utc("2030-01-01 00:00")) == planned.clock()


def test_without_a_start_nothing_can_count_from_it() -> None:
    planned = wave("UTC", "opens: +2h, lasts: 6h")

    with pytest.raises(ClockError, match=r"^windows without a date count from the run's start, and no start is given$"):
        planned.clock()


def test_a_run_that_starts_after_its_dated_window_is_told_so() -> None:
    planned = wave("UTC", "opens: 2026-10-24 22:00, lasts: 6h")

    with pytest.raises(ClockError, match=r"^switchover_window.opens: is before the wave's start$"):
        planned.clock(utc("2026-10-25 00:00"))


def test_a_run_whose_clock_times_fall_into_a_clock_change_is_told_so() -> None:
    planned = wave("Europe/Berlin", 'opens: "02:30", lasts: 6h')

    with pytest.raises(ClockError, match=r"^switchover_window.opens: 2026-10-25 02:30 happens twice in Europe/Berlin"):
        planned.clock(utc("2026-10-24 20:00"))


def test_without_windows_there_is_only_a_start() -> None:
    clock = read_wave(minimal(more="start: 2026-10-24 20:00\n")).clock()

    assert (clock.switchover, clock.cutovers, clock.last_instant) == (None, (), None)
    assert clock.starts_at == utc("2026-10-24 20:00")


def test_a_window_knows_how_long_it_is_still_open() -> None:
    opened = window("2026-10-24 20:00", "2026-10-24 22:00")

    assert [opened.contains(utc(f"2026-10-24 {at}")) for at in ("19:59", "20:00", "21:59", "22:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert opened.time_left(utc("2026-10-24 12:00")) == timedelta(hours=2)
    assert opened.time_left(utc("2026-10-24 21:30")) == timedelta(minutes=30)
    assert opened.time_left(utc("2026-10-24 23:00")) == timedelta()


def test_a_segment_that_is_not_cut_has_no_window() -> None:
    with pytest.raises(KeyError, match='no cutover window for segment "shared"'):
        full_wave().clock().cutover("shared")


def test_clocks_survive_json() -> None:
    clock = full_wave().for_night(date(2027, 3, 28))

    assert type(clock).model_validate_json(clock.model_dump_json()) == clock


def test_seconds_may_be_written() -> None:
    text = changed("start: 2026-10-23 20:00", "start: 2026-10-23T20:00:30")

    assert read_wave(text).starts_at == utc("2026-10-23 18:00") + timedelta(seconds=30)
