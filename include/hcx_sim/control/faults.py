"""Control of fault rules."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from hcx_sim.control.base import Control, ControlError
from hcx_sim.faults.rules import FaultRule


def faults_router(control: Control) -> APIRouter:
    """Return the routes of fault rules."""
    router = APIRouter(prefix="/worlds/{world_id}/faults")

    @router.get("")
    async def list_faults(world_id: str) -> dict[str, Any]:
        return {"faults": control.world(world_id).faults.listing()}

    @router.post("", status_code=201)
    async def add_fault(world_id: str, body: FaultRule) -> dict[str, Any]:
        world = control.world(world_id)
        if any(rule["rule_id"] == body.rule_id for rule in world.faults.listing()):
            hint = "choose another rule_id, or delete that rule first"
            raise ControlError(409, f"fault rule {body.rule_id!r} exists already", hint)
        if reason := control.worlds.miss(body):
            raise ControlError(422, reason, "COVERAGE.md lists the operation keys and the fault points")
        with control.acting(world, "fault", added=body.model_dump(mode="json", exclude_defaults=True)):
            world.faults.add(body)
        control.worlds.changed(world_id)
        return body.model_dump(mode="json", exclude_none=True)

    @router.delete("", status_code=204)
    async def clear_faults(world_id: str) -> None:
        world = control.world(world_id)
        with control.acting(world, "fault", removed="all"):
            world.faults.clear()
        control.worlds.changed(world_id)

    @router.delete("/{rule_id}", status_code=204)
    async def remove_fault(world_id: str, rule_id: str) -> None:
        world = control.world(world_id)
        if all(rule["rule_id"] != rule_id for rule in world.faults.listing()):
            raise ControlError(404, f"no fault rule {rule_id!r}", "GET /worlds/{id}/faults lists the rules")
        with control.acting(world, "fault", removed=rule_id):
            world.faults.remove(rule_id)
        control.worlds.changed(world_id)

    return router
