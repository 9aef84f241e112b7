"""Serial lanes: one at a time, the one that was ready first goes first.

RAV switchovers share a lane per service mesh, HCX vMotion has one per site pair [C hcx 8.1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hcx_sim.world.world import World

GRANT = "hcx.mobility.grant"
VMOTION_LANE = "vmotion"


@dataclass(slots=True)
class _Lane:
    holder: str | None = None
    queue: dict[str, tuple[int, str]] = field(default_factory=dict)  # migration id -> readiness, VM name


class Lanes:
    """The lanes of one world; ``granted`` is called with the migration id whose turn has come."""

    def __init__(self, world: World, granted: Callable[[str], None]) -> None:
        """Start with all lanes free."""
        self._world = world
        self._granted = granted
        self._lanes: dict[str, _Lane] = {}
        self._lane_of: dict[str, str] = {}
        world.engine.on(GRANT, self._grant)

    def join(self, lane_key: str, migration_id: str, ready_us: int, name: str) -> None:
        """Wait for the lane; the turn never comes before everything else of this instant has happened."""
        self._lanes.setdefault(lane_key, _Lane()).queue[migration_id] = (ready_us, name)
        self._lane_of[migration_id] = lane_key
        self._ask(lane_key)

    def leave(self, migration_id: str) -> None:
        """Give up the turn or the place in the queue; without either nothing happens."""
        lane_key = self._lane_of.pop(migration_id, None)
        if lane_key is None:
            return
        lane = self._lanes[lane_key]
        lane.queue.pop(migration_id, None)
        if lane.holder == migration_id:
            lane.holder = None
            self._ask(lane_key)

    def _ask(self, lane_key: str) -> None:
        # the name sorts behind all others, so that ties of readiness are decided by VM name, not by arrival
        self._world.engine.schedule(0.0, GRANT, f"~{lane_key}", lane_key=lane_key)

    def _grant(self, lane_key: str) -> None:
        lane = self._lanes[lane_key]
        if lane.holder is not None or not lane.queue:
            return
        migration_id = min(lane.queue, key=lambda each: lane.queue[each])
        del lane.queue[migration_id]
        lane.holder = migration_id
        self._granted(migration_id)
