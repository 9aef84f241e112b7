"""Placeholder of the simulated vcenter: no routes yet."""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from hcx_sim.coverage import Coverage
from hcx_sim.http.context import Call, Product
from hcx_sim.world.world import World

APP = FastAPI(openapi_url=None)
COVERAGE = Coverage("vcenter")


def install(world: World) -> None:
    """Give a new world this product's records."""
    world.products["vcenter"] = {}


def failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    """Render an error."""
    return JSONResponse({"error": code, "message": message, "path": call.path}, status)


PRODUCT = Product("vcenter", APP, COVERAGE, install, failure)
