"""Control of time: mode, speed, advancing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, model_validator

from hcx_sim.control.base import Body, Control, ControlError
from hcx_sim.engine.clock import ClockMode, iso, seconds, to_us
from hcx_sim.world.world import World


class ClockChange(Body):
    """Mode and speed first, then the advance; ``advance_seconds`` are virtual."""

    mode: ClockMode | None = None
    speed: float | None = Field(default=None, gt=0)
    advance_seconds: float | None = Field(default=None, ge=0)
    advance_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_advance(self) -> ClockChange:
        if self.advance_seconds is not None and self.advance_to is not None:
            raise ValueError("give advance_seconds or advance_to, not both")
        return self


def clock_router(control: Control) -> APIRouter:
    """Return the routes of the clock."""
    router = APIRouter(prefix="/worlds/{world_id}")

    @router.get("/clock")
    async def get_clock(world_id: str) -> dict[str, Any]:
        return _clock(control.world(world_id))

    @router.post("/clock")
    async def set_clock(world_id: str, body: ClockChange) -> dict[str, Any]:
        world = control.world(world_id)
        _check_advance(world, body)
        data = body.model_dump(mode="json", exclude_none=True)
        with control.acting(world, "clock", **data):
            if body.mode is not None or body.speed is not None:
                world.clock.set_mode(body.mode or world.clock.mode, body.speed)
            target_us = _target_us(world, body)
            if target_us is not None:
                world.clock.advance_to(target_us)
                world.catch_up()
        world.waiters.release_due()
        control.worlds.changed(world_id)
        return _clock(world)

    return router


def _clock(world: World) -> dict[str, Any]:
    next_us = world.engine.next_at_us()
    return {
        "mode": world.clock.mode.value,
        "speed": world.clock.speed,
        "now": iso(world.clock.now_us()),
        "next_event_at": None if next_us is None else iso(next_us),
    }


def _target_us(world: World, body: ClockChange) -> int | None:
    if body.advance_to is not None:
        return to_us(body.advance_to)
    if body.advance_seconds is not None:
        return world.clock.now_us() + seconds(body.advance_seconds)
    return None


def _check_advance(world: World, body: ClockChange) -> None:
    target_us = _target_us(world, body)
    if target_us is None:
        return
    if (body.mode or world.clock.mode) is ClockMode.SCALED:
        hint = 'send "mode": "paused" (or "stepped") with the advance'
        raise ControlError(409, "a scaled clock moves by itself and cannot be advanced", hint)
    if target_us < world.clock.now_us():
        raise ControlError(409, f"time cannot move back from {iso(world.clock.now_us())}", "advance to a later instant")
