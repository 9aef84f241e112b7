"""What all parts of the control API share: who may call, which world, how errors look."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from hcx_sim.scenario import ScenarioError
from hcx_sim.snapshots import NoSuchSnapshotError, SnapshotStore
from hcx_sim.world.world import World
from hcx_sim.worlds import NoSuchWorldError, WorldError, WorldLimitError, WorldManager, WorldRoleError

OPEN_PATHS = frozenset({"/health"})


class Body(BaseModel):
    """A request body of the control API: closed, so that a misspelt field is not ignored."""

    model_config = ConfigDict(extra="forbid")


class ControlError(Exception):
    """A call of the control API that cannot be done; ``hint`` says what to do instead."""

    def __init__(self, status: int, error: str, hint: str) -> None:
        """Keep the HTTP status and both texts."""
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Control:
    """What the control API works on; ``endpoints`` returns a world's endpoints document."""

    worlds: WorldManager
    token: str
    endpoints: Callable[[str], dict[str, Any]]
    snapshots: SnapshotStore = field(default_factory=SnapshotStore)

    def world(self, world_id: str) -> World:
        """Return a world in which everything that is due has happened; raises :class:`NoSuchWorldError`."""
        world = self.worlds.find(world_id)
        if world is None:
            raise NoSuchWorldError(world_id)
        world.catch_up()
        return world

    def acting(self, world: World, what: str, **data: Any) -> AbstractContextManager[None]:
        """Audit a control action and attribute what happens inside the block to it."""
        world.audit.add("control", what, **data)
        return world.audit.caused_by(f"control:{what}")


def problem(status: int, error: str, hint: str) -> JSONResponse:
    """Return an error of the control API."""
    return JSONResponse({"error": error, "hint": hint}, status)


def authorised(request: Request, token: str) -> bool:
    """Tell whether a request carries the control token (or needs none)."""
    if request.url.path in OPEN_PATHS:
        return True
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


# Status and hint of what the worlds refuse by themselves.
_REFUSALS: dict[type[Exception], tuple[int, str]] = {
    NoSuchWorldError: (404, "GET /worlds lists the worlds"),
    NoSuchSnapshotError: (404, "POST /snapshots stores one; GET /snapshots lists them"),
    WorldLimitError: (429, "delete worlds that are done with, or serve with a higher --max-worlds"),
    WorldRoleError: (403, "ask for a twin, or ask a server that was started without --twins-only"),
    ScenarioError: (422, "correct the scenario document; nothing was made"),
    WorldError: (409, "GET /worlds shows what there is"),
}


def install_errors(app: FastAPI) -> None:
    """Give every error of the control API one shape: ``{"error", "hint"}``."""

    @app.exception_handler(ControlError)
    async def control_error(_request: Request, error: ControlError) -> JSONResponse:
        return problem(error.status, error.error, error.hint)

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        status, hint = _REFUSALS[type(error)]
        return problem(status, str(error), hint)

    for kind in _REFUSALS:
        app.add_exception_handler(kind, refused)

    @app.exception_handler(RequestValidationError)
    async def bad_body(_request: Request, error: RequestValidationError) -> JSONResponse:
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return problem(422, where, "see the control API in the simulator's documentation")

    @app.exception_handler(HTTPException)
    async def not_served(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), "see the control API in the simulator's documentation")

    @app.exception_handler(Exception)
    async def bug(_request: Request, error: Exception) -> JSONResponse:
        return problem(500, f"simulator bug: {type(error).__name__}: {error}", "the simulator's log has the traceback")
