"""The application of the control port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from hcx_sim.worlds import WorldManager


def control_app(worlds: WorldManager, token: str, endpoints: Callable[[str], dict[str, Any]]) -> FastAPI:
    """Return the control API over ``worlds``; every call but ``/health`` needs the bearer ``token``."""
    app = FastAPI(openapi_url=None)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "up", "worlds": worlds.ids()}

    return app
