"""What the server needs to know about the simulated managers."""

from __future__ import annotations

from fastapi import Response

from hcx_sim.hcx import sessions as _sessions  # noqa: F401 - registers its routes
from hcx_sim.hcx.app import app, coverage
from hcx_sim.hcx.state import PRODUCT_NAME, HcxState
from hcx_sim.hcx.wire import failure
from hcx_sim.http.context import Call, Product
from hcx_sim.world.world import World


def install(world: World) -> None:
    """Give a new world the managers' records and event handlers."""
    world.products[PRODUCT_NAME] = HcxState(started_us=world.now_us)


def _failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    return failure(call.world, call.path, status, code, message)


PRODUCT = Product(name=PRODUCT_NAME, app=app, coverage=coverage, install=install, failure=_failure)
