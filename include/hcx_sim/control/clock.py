"""Control of time: mode, speed, advancing, and the participants of a stepped clock."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field, model_validator

from hcx_sim.control.base import Body, Control, ControlError
from hcx_sim.engine.clock import ClockMode, iso, seconds, to_us
from hcx_sim.world.world import World

_STEPPED_HINT = 'POST /worlds/{id}/clock {"mode": "stepped"} first'


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


class NewWaiter(Body):
    """A participant, who keeps time from moving unless it waits."""

    name: str = Field(min_length=1, max_length=200)


class Wait(Body):
    """Until when to wait: ``seconds`` of virtual time from now, or the instant ``until``."""

    seconds: float | None = Field(default=None, ge=0)
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Wait:
        if (self.seconds is None) == (self.until is None):
            raise ValueError("give seconds or until")
        return self


def clock_router(control: Control) -> APIRouter:
    """Return the routes of clock and waiters."""
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

    @router.get("/waiters")
    async def get_waiters(world_id: str) -> dict[str, Any]:
        return _waiters(control.world(world_id))

    @router.post("/waiters", status_code=201)
    async def register(world_id: str, body: NewWaiter) -> dict[str, Any]:
        world = control.world(world_id)
        world.waiters.register(body.name)
        return _waiters(world)

    @router.delete("/waiters/{name}")
    async def unregister(world_id: str, name: str) -> dict[str, Any]:
        world = control.world(world_id)
        world.waiters.unregister(name)
        return _waiters(world)

    @router.post("/waiters/{name}/wait")
    async def wait(world_id: str, name: str, body: Wait, request: Request) -> dict[str, Any]:
        world = control.world(world_id)
        until_us = to_us(body.until) if body.until else world.now_us + seconds(body.seconds or 0.0)
        reached_us = await _wait(control, world, name, until_us, request)
        return {"now": iso(reached_us)}

    return router


def _clock(world: World) -> dict[str, Any]:
    next_us = world.engine.next_at_us()
    return {
        "mode": world.clock.mode.value,
        "speed": world.clock.speed,
        "now": iso(world.clock.now_us()),
        "next_event_at": None if next_us is None else iso(next_us),
    }


def _waiters(world: World) -> dict[str, Any]:
    waiting = {name: iso(until_us) for name, until_us in world.waiters.waiting.items()}
    return {"registered": world.waiters.registered, "waiting": waiting}


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


async def _wait(control: Control, world: World, name: str, until_us: int, request: Request) -> int:
    if name not in world.waiters.registered:
        raise ControlError(404, f"no waiter {name!r}", "POST /worlds/{id}/waiters registers one")
    if world.clock.mode is not ClockMode.STEPPED:
        raise ControlError(409, "waiting needs a stepped clock", _STEPPED_HINT)
    if name in world.waiters.waiting:
        raise ControlError(409, f"{name!r} waits already", "use one name per participant")
    waiting = asyncio.create_task(world.waiters.wait(name, until_us))
    control.worlds.serving(world, waiting)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not waiting.done():
            waiting.cancel()
    try:
        return await waiting
    except asyncio.CancelledError:
        raise ControlError(410, f"the wait of {name!r} ended without its instant", "look at GET /worlds/{id}") from None


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
