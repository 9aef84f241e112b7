"""Control of worlds: make, list, reset, snapshot, forget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Discriminator, Field, Tag, model_validator

from hcx_sim.control.base import Body, Control, ControlError
from hcx_sim.engine.clock import ClockMode, iso
from hcx_sim.engine.guard import ASK_AGAIN_SECONDS
from hcx_sim.faults.catalogue import FAULT_SCENARIOS
from hcx_sim.faults.rules import FaultRule
from hcx_sim.faults.scenarios import KEY as FAULTS
from hcx_sim.faults.scenarios import NamedFault
from hcx_sim.http.dispatch import identity_of
from hcx_sim.scenario import Scenario, shipped_scenarios
from hcx_sim.scenario.assumptions import Assumptions
from hcx_sim.scenario.export import export_world
from hcx_sim.worlds import WorldOptions


class ClockChoice(Body):
    """How a new world's time moves."""

    mode: ClockMode = ClockMode.SCALED
    speed: float = Field(default=1.0, gt=0)
    start: AwareDatetime | None = None


def _kind_of_fault(value: Any) -> str:
    if isinstance(value, str):
        return "name"
    named = "scenario" in value if isinstance(value, dict) else isinstance(value, NamedFault)
    return "scenario" if named else "rule"


Fault = Annotated[
    Annotated[str, Tag("name")] | Annotated[NamedFault, Tag("scenario")] | Annotated[FaultRule, Tag("rule")],
    Discriminator(_kind_of_fault),
]


class NewWorld(Body):
    """A world to make, from a scenario (a shipped name or a whole document) or a stored snapshot.

    ``settings`` (part of a document) are laid over the scenario's; ``faults`` are rules, fault scenarios or just
    their names; ``idle_seconds`` and ``ask_again_seconds`` are
    wall time.
    """

    world_id: str
    scenario: str | dict[str, Any] | None = None
    snapshot_id: str | None = None
    role: Literal["site", "twin"] = "twin"
    seed: int | None = None
    clock: ClockChoice = ClockChoice()
    idle_seconds: float | None = Field(default=None, gt=0)
    guarded: bool = False
    ask_again_seconds: float = Field(default=ASK_AGAIN_SECONDS, gt=0)
    settings: dict[str, Any] = Field(default_factory=dict)
    faults: list[Fault] = Field(default_factory=list)
    assumptions: Assumptions | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> NewWorld:
        if (self.scenario is None) == (self.snapshot_id is None):
            raise ValueError("give scenario or snapshot_id")
        return self


class ResetWorld(Body):
    """What a world has after a reset: ``faults`` are fault scenarios or their names, instead of those that it had."""

    faults: list[str | NamedFault] | None = None


def worlds_router(control: Control) -> APIRouter:
    """Return the routes under ``/worlds`` that are about whole worlds."""
    router = APIRouter()
    worlds = control.worlds

    @router.get("/fault-scenarios")
    async def fault_scenarios() -> dict[str, Any]:
        return {"scenarios": [scenario.describe() for _, scenario in sorted(FAULT_SCENARIOS.items())]}

    @router.get("/worlds")
    async def list_worlds() -> dict[str, Any]:
        return {"worlds": [describe(control, world_id) for world_id in worlds.ids()]}

    @router.post("/worlds", status_code=201)
    async def make_world(body: NewWorld) -> dict[str, Any]:
        options = WorldOptions(
            scenario=_origin(control, body),
            role=body.role,
            seed=body.seed,
            mode=body.clock.mode,
            speed=body.clock.speed,
            start=body.clock.start,
            idle_seconds=worlds.limits.idle_seconds if body.idle_seconds is None else body.idle_seconds,
            guarded=body.guarded,
            ask_again_seconds=body.ask_again_seconds,
            settings=body.settings,
            faults=tuple(fault for fault in body.faults if isinstance(fault, FaultRule)),
            named_faults=_named(body.faults),
            assumptions=body.assumptions,
        )
        await worlds.create_beside(body.world_id, options)
        return {"world": describe(control, body.world_id), "endpoints": control.endpoints(body.world_id)}

    @router.get("/worlds/{world_id}")
    async def get_world(world_id: str) -> dict[str, Any]:
        control.world(world_id)
        return describe(control, world_id)

    @router.delete("/worlds/{world_id}", status_code=204)
    async def delete_world(world_id: str) -> None:
        worlds.delete(world_id)

    @router.get("/worlds/{world_id}/endpoints")
    async def world_endpoints(world_id: str) -> dict[str, Any]:
        control.world(world_id)
        return control.endpoints(world_id)

    @router.post("/worlds/{world_id}/reset")
    async def reset_world(world_id: str, body: ResetWorld | None = None) -> dict[str, Any]:
        worlds.reset(world_id, _faults_after(body))
        return describe(control, world_id)

    @router.get("/worlds/{world_id}/snapshot")
    async def snapshot(world_id: str) -> dict[str, Any]:
        world = control.world(world_id)
        in_flight = [
            {"at": iso(event.at_us), "kind": event.kind, "name": event.name} for event in world.engine.scheduled()
        ]
        return {**export_world(world), "in_flight": in_flight}

    return router


def _faults_after(reset: ResetWorld | None) -> tuple[NamedFault, ...] | None:
    """Return the faults that a reset asks for; None keeps those that there are.

    An unknown one is refused before the reset, as a world that cannot be built anew would be lost.
    """
    if reset is None or reset.faults is None:
        return None
    named = _named(reset.faults)
    if unknown := sorted({fault.scenario for fault in named} - set(FAULT_SCENARIOS)):
        hint = f"there are: {', '.join(sorted(FAULT_SCENARIOS))}"
        raise ControlError(422, f"no fault scenario {unknown[0]!r}", hint)
    return named


def _named(faults: Sequence[str | NamedFault | FaultRule]) -> tuple[NamedFault, ...]:
    named = [NamedFault(scenario=fault) if isinstance(fault, str) else fault for fault in faults]
    return tuple(fault for fault in named if isinstance(fault, NamedFault))


def _origin(control: Control, body: NewWorld) -> str | dict[str, Any] | Scenario:
    if body.snapshot_id is not None:
        return control.snapshots.get(body.snapshot_id).scenario
    # A path would let a caller read files of the simulator's machine.
    if isinstance(body.scenario, str) and body.scenario not in shipped_scenarios():
        names = ", ".join(shipped_scenarios())
        raise ControlError(422, f"no shipped scenario {body.scenario!r}", f"send a document, or one of: {names}")
    return body.scenario or {}


def describe(control: Control, world_id: str) -> dict[str, Any]:
    """Return what there is to know about a world at a glance."""
    world = control.worlds.get(world_id)
    options = control.worlds.options(world_id)
    return {
        "world_id": world_id,
        "identity": identity_of(world),
        "role": world.role,
        "scenario": control.worlds.scenario(world_id).name,
        "seed": world.random.seed,
        "clock": {"mode": world.clock.mode.value, "speed": world.clock.speed, "now": iso(world.clock.now_us())},
        "guarded": options.guarded,
        "idle_seconds": options.idle_seconds,
        "vms": sum(not vm.retired for vm in world.vms.values()),
        "events_in_flight": world.engine.pending(),
        "audit_entries": len(world.audit),
        "faults": len(world.faults),
        "fault_scenarios": [strike.describe() for strike in world.products[FAULTS]],
    }
