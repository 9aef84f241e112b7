"""What HCX knows of earlier migrations when a world begins; the managers take it over when they are installed."""

from __future__ import annotations

from dataclasses import dataclass

from hcx_sim.scenario.schema_sites import GroupSpec, MigrationSpec
from hcx_sim.world.world import World

HISTORY = "scenario.history"


@dataclass(frozen=True, slots=True)
class History:
    """Groups and migrations of before the world's first instant."""

    groups: list[GroupSpec]
    migrations: list[MigrationSpec]


def history_of(world: World) -> History:
    """Return a world's past; empty for one that was not built from a scenario."""
    found: History | None = world.products.get(HISTORY)
    return found or History([], [])
