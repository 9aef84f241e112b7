"""Bounds of an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hcx_waves.cutover.outage import outage_bounds

ZERO = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def test_bounds_enclose_the_truth() -> None:
    bounds = outage_bounds(
        connected_last=at(0), disconnected_first=at(0.5), routed_not_last=at(119.0), routed_first=at(120.2)
    )
    assert (bounds.lower_seconds, bounds.upper_seconds) == (118.5, 120.2)
    assert bounds.width_seconds == pytest.approx(1.7)
    assert str(bounds) == "between 118.5 s and 120.2 s"


def test_outage_that_goes_on_has_no_upper_bound() -> None:
    bounds = outage_bounds(connected_last=at(0), disconnected_first=at(1), routed_not_last=at(61), routed_first=None)
    assert (bounds.lower_seconds, bounds.upper_seconds, bounds.width_seconds) == (60.0, None, None)
    assert str(bounds) == "at least 60.0 s, not over yet"


def test_gateway_that_was_seen_at_once() -> None:
    bounds = outage_bounds(connected_last=at(0), disconnected_first=at(2), routed_not_last=None, routed_first=at(3))
    assert (bounds.lower_seconds, bounds.upper_seconds) == (0.0, 3.0)
    early = outage_bounds(connected_last=at(0), disconnected_first=at(2), routed_not_last=at(1), routed_first=at(1.5))
    assert early.lower_seconds <= (early.upper_seconds or 0)
