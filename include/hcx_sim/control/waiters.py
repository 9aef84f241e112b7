"""Control of the participants of a stepped clock: joining, waiting by long poll, settling, leaving."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field, model_validator

from hcx_sim.control.base import Body, Control, ControlError
from hcx_sim.engine.clock import ClockMode, iso, seconds, to_us
from hcx_sim.engine.guard import GuardedWaiters, SettleError
from hcx_sim.engine.waiters import Woken
from hcx_sim.world.world import World

_STEPPED_HINT = 'POST /worlds/{id}/clock {"mode": "stepped"} first'


class NewWaiter(Body):
    """A participant, who keeps time from moving unless it waits."""

    name: str = Field(min_length=1, max_length=200)


class Wait(Body):
    """Until when to wait: ``seconds`` of virtual time from now, or the instant ``until``.

    ``hold_seconds`` of wall time at most: then the answer has neither reached the instant nor a question.
    """

    seconds: float | None = Field(default=None, ge=0)
    until: AwareDatetime | None = None
    hold_seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_end(self) -> Wait:
        if (self.seconds is None) == (self.until is None):
            raise ValueError("give seconds or until")
        return self


class Settlement(Body):
    """The answer to the question of ``epoch``: the names of all who take part, and nobody else is on its way."""

    epoch: int
    live: list[str]


def waiters_router(control: Control) -> APIRouter:
    """Return the routes of waiters."""
    router = APIRouter(prefix="/worlds/{world_id}")

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

    @router.post("/waiters/settle")
    async def settle(world_id: str, body: Settlement) -> dict[str, Any]:
        world = control.world(world_id)
        if not isinstance(world.waiters, GuardedWaiters):
            raise ControlError(409, "this world's clock is not guarded", 'POST /worlds with "guarded": true makes one')
        try:
            dropped = world.waiters.settle(body.epoch, body.live)
        except SettleError as error:
            raise ControlError(409, str(error), error.hint) from error
        return {"dropped": dropped, **_waiters(world)}

    @router.post("/waiters/{name}/wait")
    async def wait(world_id: str, name: str, body: Wait, request: Request) -> dict[str, Any]:
        world = control.world(world_id)
        until_us = to_us(body.until) if body.until else world.now_us + seconds(body.seconds or 0.0)
        woken = await _wait(control, world, name, until_us, body.hold_seconds, request)
        answer = {"now": iso(woken.now_us), "reached": woken.reached}
        return answer if woken.reached else {**answer, "epoch": woken.epoch, "until": iso(until_us)}

    return router


def _waiters(world: World) -> dict[str, Any]:
    waiting = {name: iso(until_us) for name, until_us in world.waiters.waiting.items()}
    shown: dict[str, Any] = {"registered": world.waiters.registered, "waiting": waiting}
    if isinstance(world.waiters, GuardedWaiters):
        guard = world.waiters
        shown.update(guarded=True, settled=guard.settled, epoch=guard.epoch, asked=guard.asked)
    return shown


async def _wait(
    control: Control, world: World, name: str, until_us: int, hold_seconds: float | None, request: Request
) -> Woken:
    if name not in world.waiters.registered:
        raise ControlError(404, f"no waiter {name!r}", "POST /worlds/{id}/waiters registers one")
    if world.clock.mode is not ClockMode.STEPPED:
        raise ControlError(409, "waiting needs a stepped clock", _STEPPED_HINT)
    if name in world.waiters.waiting and not isinstance(world.waiters, GuardedWaiters):
        raise ControlError(409, f"{name!r} waits already", "use one name per participant")
    waiting = asyncio.create_task(world.waiters.wait(name, until_us))
    control.worlds.serving(world, waiting)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({waiting, leaving}, timeout=hold_seconds, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and not leaving.done():
            return Woken(world.now_us, reached=False)
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
