"""Sessions expire by the clock a client lives in, and never because that clock changed."""

from __future__ import annotations

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock, seconds
from hcx_sim.engine.idle import IdleClock


class Wall:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def clocks(mode: ClockMode, speed: float, choice: str = "auto") -> tuple[Wall, VirtualClock, IdleClock]:
    """A wall clock, a virtual one and the idle clock between them."""
    wall = Wall()
    virtual = VirtualClock(seconds(1_000_000), mode, speed, monotonic=wall)
    return wall, virtual, IdleClock(virtual, choice, virtual.now_us, monotonic=wall)


@pytest.mark.parametrize(
    ("speed", "choice", "passed"),
    [(600, "auto", 2), (600, "virtual", 1200), (1, "auto", 2), (0.5, "auto", 1), (600, "wall", 2)],
)
def test_two_wall_seconds(speed: float, choice: str, passed: float) -> None:
    wall, _, idle = clocks(ClockMode.SCALED, speed, choice)
    before = idle.now_us()
    wall.seconds += 2
    assert idle.now_us() - before == seconds(passed)


def test_it_does_not_jump_when_the_mode_changes() -> None:
    wall, virtual, idle = clocks(ClockMode.SCALED, 600)
    before = idle.now_us()
    wall.seconds += 5
    assert idle.now_us() - before == seconds(5)
    virtual.set_mode(ClockMode.PAUSED)
    assert idle.now_us() - before == seconds(5)
    virtual.advance_to(virtual.now_us() + seconds(60))
    assert idle.now_us() - before == seconds(65)
    virtual.set_mode(ClockMode.SCALED, 600)
    assert idle.now_us() - before == seconds(65)
    wall.seconds += 1
    assert idle.now_us() - before == seconds(66)
