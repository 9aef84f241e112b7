"""The virtual clock in its three modes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock, iso, seconds, to_datetime, to_ms, to_us

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
START_US = to_us(START)


class _Wall:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_instants_convert_without_loss() -> None:
    assert to_datetime(START_US) == START
    assert to_us(START.astimezone(timezone(timedelta(hours=5)))) == START_US
    assert to_ms(START_US + 1999) == START_US // 1000 + 1
    assert iso(START_US + 1234) == "2026-01-05T08:00:00.001Z"
    with pytest.raises(ValueError, match="has no time zone"):
        to_us(datetime(2026, 1, 5, 8, 0))


def test_a_scaled_clock_runs_faster_than_the_wall() -> None:
    wall = _Wall()
    clock = VirtualClock(START_US, ClockMode.SCALED, speed=600, monotonic=wall)
    wall.seconds += 2.5

    assert clock.now_us() == START_US + seconds(1500)
    assert clock.wall_seconds_until(START_US + seconds(2100)) == pytest.approx(1.0)
    assert clock.wall_seconds_until(START_US) == 0.0
    with pytest.raises(ValueError, match="a scaled clock moves by itself"):
        clock.advance_to(START_US + seconds(9999))


@pytest.mark.parametrize("mode", [ClockMode.PAUSED, ClockMode.STEPPED])
def test_a_still_clock_moves_only_by_hand_and_only_forward(mode: ClockMode) -> None:
    wall = _Wall()
    clock = VirtualClock(START_US, mode, monotonic=wall)
    wall.seconds += 100
    assert clock.now_us() == START_US
    assert clock.wall_seconds_until(START_US + 1) is None

    clock.advance_to(START_US + seconds(5))

    assert clock.now_us() == START_US + seconds(5)
    with pytest.raises(ValueError, match=r"cannot move back from .*08:00:05\.000Z to .*08:00:00\.000Z"):
        clock.advance_to(START_US)


def test_switching_mode_or_speed_never_jumps() -> None:
    wall = _Wall()
    clock = VirtualClock(START_US, ClockMode.SCALED, speed=10, monotonic=wall)
    wall.seconds += 1
    clock.set_mode(ClockMode.PAUSED)
    wall.seconds += 50
    clock.set_mode(ClockMode.SCALED, speed=2)
    wall.seconds += 1

    assert clock.now_us() == START_US + seconds(12)
    assert clock.speed == 2


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_must_be_greater_than_0(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be greater than 0"):
        VirtualClock(START_US, speed=speed)
    clock = VirtualClock(START_US)
    with pytest.raises(ValueError, match="speed must be greater than 0"):
        clock.set_mode(ClockMode.SCALED, speed)
    assert clock.speed == 1.0
