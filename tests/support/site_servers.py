"""The simulators that serve this test session, and who still waits for the time of one of their worlds."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

running: weakref.WeakSet[Any] = weakref.WeakSet()
"""Every :class:`hcx_sim.server.SimServer` that :class:`support.site_pair.SiteServer` has started and not stopped."""


def open_waits() -> list[str]:
    """Name the waits that are open in any world."""
    return [
        f"wait of {name!r} in world {world_id!r}"
        for server in list(running)
        for world_id, names in server.run(lambda server=server: dict(_waits(server))).items()
        for name in names
    ]


def forget_waits() -> None:
    """Drop every world in which somebody waits; the default one begins anew."""
    for server in list(running):
        server.run(lambda server=server: [_drop(server, world_id) for world_id, _names in list(_waits(server))])


def _waits(server: Any) -> Iterator[tuple[str, list[str]]]:
    for world_id in server.worlds.ids():
        if names := sorted(server.world(world_id).waiters.waiting):
            yield world_id, names


def _drop(server: Any, world_id: str) -> None:
    if world_id == "default":
        server.worlds.reset(world_id)
    else:
        server.worlds.delete(world_id)
