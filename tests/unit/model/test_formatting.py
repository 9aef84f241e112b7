"""Lengths of time, instants, sizes and shares as people see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hcx_waves.model.formatting import (
    bit_rate,
    clock_time,
    counted,
    duration,
    instant,
    listed,
    period,
    rough_duration,
    share,
    size,
)

BERLIN = "Europe/Berlin"
EVENING = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "step_seconds", "text"),
    [
        (0, 1, "0s"), (59.6, 1, "1m"), (3725, 1, "1h2m5s"), (90_000, 1, "1d1h"), (-40, 1, "-40s"), (-0.2, 1, "0s"),
        (timedelta(minutes=90), 1, "1h30m"), (8.44, 0.1, "8.4s"), (60.4, 0.1, "1m"), (754, 10, "12m30s"),
    ],
)  # fmt: skip
def test_a_duration(length: float, step_seconds: float, text: str) -> None:
    assert duration(length, step_seconds=step_seconds) == text


@pytest.mark.parametrize(
    ("length", "step_seconds", "text"),
    [(188.4, 1, "3m8s"), (188.4, 10, "3m10s"), (7_289, 1, "2h1m"), (2, 10, "10s"), (0, 10, "0s"), (3599.9, 1, "1h")],
)
def test_an_estimated_duration_shows_no_more_than_is_known(length: float, step_seconds: float, text: str) -> None:
    assert rough_duration(length, step_seconds=step_seconds) == text


def test_an_instant_carries_its_zone() -> None:
    assert instant(EVENING) == "2026-10-24 20:00 UTC"
    assert instant(EVENING, BERLIN, seconds=True) == "2026-10-24 22:00:00 CEST"
    assert instant(EVENING, ZoneInfo(BERLIN), weekday=True) == "Sat 2026-10-24 22:00 CEST"
    assert instant(None) == ""


def test_a_clock_time_names_its_day_where_it_is_another() -> None:
    assert clock_time(EVENING, BERLIN) == clock_time(EVENING, BERLIN, on=EVENING) == "22:00 CEST"
    assert clock_time(EVENING + timedelta(hours=6), BERLIN, on=EVENING, seconds=True) == "Sun 25 Oct 03:00:00 CET"


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (1.5, "2026-10-24 22:00 to 23:30 CEST"),
        (2.5, "2026-10-24 22:00 to 2026-10-25 00:30 CEST"),
        (6, "2026-10-24 22:00 CEST to 2026-10-25 03:00 CET"),
    ],
)
def test_a_period_shows_once_what_its_ends_have_in_common(hours: float, text: str) -> None:
    assert period(EVENING, EVENING + timedelta(hours=hours), BERLIN) == text


def test_a_period_of_a_known_day() -> None:
    assert period(EVENING, EVENING + timedelta(hours=1), BERLIN, on=EVENING) == "22:00 to 23:00 CEST"
    later = EVENING + timedelta(days=1)
    assert period(later, later + timedelta(hours=1), BERLIN, on=EVENING) == "Sun 25 Oct 21:00 to 22:00 CET"


def test_sizes_rates_and_numbers_of_things() -> None:
    assert [size(one) for one in (12, 2**20, 100e9, 3 * 2**40)] == ["12 bytes", "1 MiB", "93.1 GiB", "3 TiB"]
    assert (bit_rate(1.6e9), bit_rate(1_500_000)) == ("1600 Mbit/s", "1.5 Mbit/s")
    assert (counted(1, "VM"), counted(0, "VM")) == ("1 VM", "0 VMs")
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0 %"), (1, "100 %"), (0.0004, "under 0.1 %"), (0.9996, "over 99.9 %"), (0.954, "95.4 %")],
)
def test_what_is_not_quite_certain_is_not_shown_as_certain(value: float | None, text: str) -> None:
    assert share(value) == text
