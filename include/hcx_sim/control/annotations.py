"""Notes that clients keep at a world, which end with it; the simulator does not read them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from hcx_sim.control.base import Control, ControlError
from hcx_sim.control.bodies import decode_json, read_bounded

LIMIT_BYTES = 1_000_000
_MOST = 64


def annotations_router(control: Control) -> APIRouter:
    """Return the routes of annotations."""
    router = APIRouter(prefix="/worlds/{world_id}/annotations")

    @router.get("")
    async def list_annotations(world_id: str) -> dict[str, Any]:
        return {"annotations": sorted(control.world(world_id).annotations)}

    @router.get("/{key}")
    async def get_annotation(world_id: str, key: str) -> JSONResponse:
        kept = control.world(world_id).annotations
        if key not in kept:
            raise ControlError(404, f"no annotation {key!r}", "GET /worlds/{id}/annotations lists the keys")
        return JSONResponse(kept[key])

    @router.put("/{key}", status_code=204)
    async def put_annotation(world_id: str, key: str, request: Request) -> None:
        control.world(world_id)
        body = await read_bounded(request, LIMIT_BYTES)
        value = decode_json(body, request.headers.get("content-encoding"), LIMIT_BYTES)
        kept = control.world(world_id).annotations
        if key not in kept and len(kept) >= _MOST:
            raise ControlError(409, f"a world keeps at most {_MOST} annotations", "overwrite one")
        kept[key] = value

    return router
