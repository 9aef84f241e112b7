"""Control API of stored snapshots, from which worlds are made."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from hcx_sim.control.base import Control
from hcx_sim.control.bodies import decode_json, read_bounded
from hcx_sim.garbage import collector_at_rest
from hcx_sim.snapshots import StoredSnapshot, read_snapshot

LIMIT_BYTES = 64_000_000
LIMIT_INFLATED_BYTES = 512_000_000


def snapshots_router(control: Control) -> APIRouter:
    """Return the routes of snapshots."""
    router = APIRouter(prefix="/snapshots")
    store = control.snapshots

    @router.get("")
    async def list_snapshots() -> dict[str, Any]:
        return {"snapshots": [each.describe() for each in store.listing()]}

    @router.post("", status_code=201)
    async def add_snapshot(request: Request, response: Response) -> dict[str, Any]:
        body = await read_bounded(request, LIMIT_BYTES)
        # Reading ten thousand VMs takes a second, in which the worlds go on.
        snapshot = await asyncio.to_thread(_read, body, request.headers.get("content-encoding"))
        if any(each.snapshot_id == snapshot.snapshot_id for each in store.listing()):
            response.status_code = 200
        store.add(snapshot)
        return snapshot.describe()

    @router.get("/{snapshot_id}")
    async def get_snapshot(snapshot_id: str) -> dict[str, Any]:
        return store.get(snapshot_id).describe()

    @router.delete("/{snapshot_id}", status_code=204)
    async def delete_snapshot(snapshot_id: str) -> None:
        store.delete(snapshot_id)

    return router


def _read(body: bytes, encoding: str | None) -> StoredSnapshot:
    with collector_at_rest():
        return read_snapshot(decode_json(body, encoding, LIMIT_INFLATED_BYTES))
