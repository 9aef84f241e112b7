"""Placeholder of the simulated vmc and csp: no routes yet."""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from hcx_sim.coverage import Coverage
from hcx_sim.http.context import Call, Product
from hcx_sim.world.world import World

APP = FastAPI(openapi_url=None)
COVERAGE = Coverage("vmc")


def install(world: World) -> None:
    """Give a new world this product's records."""
    world.products["vmc"] = {}


def failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    """Render an error."""
    return JSONResponse({"error": code, "message": message, "path": call.path}, status)


VMC = Product("vmc", APP, COVERAGE, install, failure)
CSP = Product("csp", FastAPI(openapi_url=None), Coverage("csp"), lambda _world: None, failure)
