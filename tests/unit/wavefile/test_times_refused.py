"""Every rule about times refuses with its own message, at the field that breaks it."""

from __future__ import annotations

import pytest

from support.wave_files import changed, place_in, problems_of, told

WINDOW = "switchover_window: {opens: 2026-10-24 22:00, closes: 2026-10-25 04:00}"
VOICE = "{opens: 2026-10-25 05:00, closes: 2026-10-25 09:00}"
FORWARD = "2026-03-29 02:30 does not exist in Europe/Berlin: clocks go forward then; the next time that exists is 03:30"
TWICE = (
    "2026-10-25 02:30 happens twice in Europe/Berlin: clocks go back then; "
    'write "2026-10-25 02:30+02:00" for the first or "2026-10-25 02:30+01:00" for the second'
)

# old passage, new passage, where the problem is, field, message
CASES = [
    # windows by themselves
    (
        "04:00, lasts: 3h}",
        "04:00}",
        "window: |{opens: 2026-10-25 04:00}",
        "segments[0].cutover_window",
        "needs either closes or lasts, one of them",
    ),
    (
        "04:00, lasts: 3h}",
        "04:00, lasts: 3h, closes: 2026-10-25 07:00}",
        "window: |{opens: 2026-10-25 04:00",
        "segments[0].cutover_window",
        "needs either closes or lasts, one of them",
    ),
    (
        "closes: 2026-10-25 04:00}",
        "closes: +6h}",
        "closes: |+6h",
        "switchover_window.closes",
        '"+6h" would count from the start: write lasts instead',
    ),
    (
        "opens: 2026-10-24 22:00",
        'opens: "22:00"',
        "closes: |2026-10-25 04:00}",
        "switchover_window.closes",
        "has a date while opens has none: date both, or write lasts",
    ),
    (
        "lasts: 3h",
        "lasts: 0s",
        "lasts: |0s",
        "segments[0].cutover_window.lasts",
        "must be more than 0s and at most 14d",
    ),
    (
        "lasts: 3h",
        "lasts: 15d",
        "lasts: |15d",
        "segments[0].cutover_window.lasts",
        "must be more than 0s and at most 14d",
    ),
    # times between each other
    (
        "closes: 2026-10-25 04:00}",
        "closes: 2026-10-24 21:00}",
        "closes: |2026-10-24 21:00",
        "switchover_window.closes",
        "is not after opens",
    ),
    (
        VOICE,
        "{opens: 2026-10-25 05:00, closes: 2026-11-25 09:00}",
        "|{opens: 2026-10-25 05:00",
        "segments[1].cutover_window",
        "is open for 31d4h, more than 14d: check the dates",
    ),
    (
        "start: 2026-10-23 20:00",
        "start: 2026-10-24 22:30",
        "opens: |2026-10-24 22:00",
        "switchover_window.opens",
        "is before the wave's start",
    ),
    (
        "start_tolerance: 1h30m",
        "start_tolerance: 2d",
        "tolerance: |2d",
        "start_tolerance",
        "lets a run begin after the switchover window has closed",
    ),
    (
        "opens: 2026-10-25 05:00",
        "opens: 2026-10-24 21:00",
        "opens: |2026-10-24 21:00",
        "segments[1].cutover_window.opens",
        "is before the switchover window opens",
    ),
    (
        VOICE,
        "{opens: 2026-10-25 01:00, closes: 2026-10-25 03:30}",
        "closes: |2026-10-25 03:30",
        "segments[1].cutover_window.closes",
        "is before the switchover window closes",
    ),
    # times that the clocks skip or show twice
    ("start: 2026-10-23 20:00", "start: 2026-03-29 02:30", "start: |2026-03-29", "start", FORWARD),
    (
        "opens: 2026-10-24 22:00",
        "opens: 2026-10-25 02:30",
        "opens: |2026-10-25 02:30",
        "switchover_window.opens",
        TWICE,
    ),
    (
        "opens: 2026-10-24 22:00",
        "opens: 2026-10-24 22:00+01:00",
        "opens: |2026-10-24 22:00+",
        "switchover_window.opens",
        "Europe/Berlin is not +01:00 from UTC at 2026-10-24 22:00, but +02:00",
    ),
    (
        "opens: 2026-10-24 22:00",
        "opens: 2026-10-25 02:30+05:00",
        "opens: |2026-10-25 02:30+",
        "switchover_window.opens",
        "Europe/Berlin is not +05:00 from UTC at 2026-10-25 02:30, but +02:00 or +01:00",
    ),
    ("closes: 2026-10-25 04:00}", 'closes: "02:30"}', 'closes: |"02:30"', "switchover_window.closes", TWICE),
]


@pytest.mark.parametrize(("old", "new", "place", "field", "message"), CASES)
def test_a_broken_rule_is_refused_by_its_own_message_at_its_place(
    old: str, new: str, place: str, field: str, message: str
) -> None:
    text = changed(old, new)

    assert told(text) == [(*place_in(text, place), field, message)]


def test_without_a_start_all_windows_have_dates_or_none_has() -> None:
    text = changed("start: 2026-10-23 20:00\n", "", changed(WINDOW, "switchover_window: {opens: +2h, lasts: 6h}"))

    words = "has no date while another window has one: date all windows, or write start"
    assert told(text) == [(*place_in(text, "opens: |+2h"), "switchover_window.opens", words)]


def test_a_time_that_exists_twice_is_taken_with_its_offset() -> None:
    assert problems_of(changed("opens: 2026-10-24 22:00", "opens: 2026-10-25 02:30+02:00")) == ()
    assert problems_of(changed("opens: 2026-10-24 22:00", "opens: 2026-10-25 02:30+01:00")) == ()
