"""The search index, which may lag behind the objects by ``settings.nsx.search_lag_seconds``.

Nothing is delayed in fact: earlier states of changed segments are kept for as long as the index would show them, and
a search picks the one of its instant, so searching changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hcx_sim.engine.clock import seconds
from hcx_sim.world.model import Entity, Segment
from hcx_sim.world.world import World


@dataclass(slots=True)
class SearchLag:
    """Per segment key: until when (virtual microseconds) the index shows an earlier state, None for not yet."""

    earlier: dict[str, list[tuple[int, Segment | None]]] = field(default_factory=dict)


def follow(world: World, lag: SearchLag) -> None:
    """Remember earlier states of the world's segments from now on."""

    def observe(what: str, entity: Entity, before: dict[str, Any]) -> None:
        lag_seconds = world.settings.nsx.search_lag_seconds
        if not isinstance(entity, Segment) or lag_seconds <= 0:
            return
        old: Segment | None = None
        if what != "added":
            old = replace(entity, **before)
        kept = [each for each in lag.earlier.get(entity.key, []) if each[0] > world.now_us]
        lag.earlier[entity.key] = [*kept, (world.now_us + seconds(lag_seconds), old)]

    world.observers.append(observe)


def indexed_segments(world: World, lag: SearchLag) -> list[Segment]:
    """Return the segments as the index shows them now."""
    found = dict(world.segments)
    for key, states in lag.earlier.items():
        shown = next(((segment,) for until_us, segment in states if until_us > world.now_us), None)
        if shown is None:
            continue
        if shown[0] is None:
            found.pop(key, None)
        else:
            found[key] = shown[0]
    return list(found.values())
