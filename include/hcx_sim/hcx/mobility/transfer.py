"""A fluid model of the bandwidth that migrations share.

All transfers of one mesh share what its link and its IX appliance let through; none gets more than the limit per
migration (KB 321604). As every transfer has the same limit, max-min fairness gives each the same rate, so one
number per mesh, the bytes *served* to each transfer since the mesh was last idle, tells the progress of all: a
transfer that joins at ``served = s`` with ``n`` bytes ends when ``served`` reaches ``s + n``. Joining, leaving and
changes of the rate cost O(log n); reading is a function of the time alone.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hcx_sim.engine.clock import MICROSECONDS
from hcx_sim.engine.events import Event
from hcx_sim.world.model import Entity, Mesh
from hcx_sim.world.world import World

COMPLETED = "hcx.mobility.transferred"
_TOLERANCE_BYTES = 0.5
_BITS = 8


@dataclass(order=True, slots=True)
class _Stream:
    """One transfer; it ends when the pool has served ``target`` bytes to each of its streams."""

    target: float
    name: str
    migration_id: str
    joined_at: float = field(compare=False)
    size_bytes: int = field(compare=False)
    left: bool = field(compare=False, default=False)


@dataclass(slots=True)
class _Pool:
    """The transfers of one mesh: ``served`` bytes each at ``since_us``, growing by ``rate`` bytes per second."""

    served: float = 0.0
    since_us: int = 0
    rate: float = 0.0
    streams: dict[str, _Stream] = field(default_factory=dict)
    heap: list[_Stream] = field(default_factory=list)
    event: Event | None = None

    def served_at(self, now_us: int) -> float:
        return self.served + self.rate * (now_us - self.since_us) / MICROSECONDS


class Transfers:
    """Everything that is being transferred in one world.

    ``finished`` is called with the migration id of each transfer that has arrived, at its own instant; several of
    one instant in the order of their names.
    """

    def __init__(self, world: World, finished: Callable[[str], None]) -> None:
        """Start with nothing under way and follow changes of the meshes."""
        self._world = world
        self._finished = finished
        self._pools: dict[str, _Pool] = {}
        self._pool_of: dict[str, str] = {}
        world.engine.on(COMPLETED, self._complete)
        world.observers.append(self._observe)

    def start(self, mesh_key: str, migration_id: str, name: str, size_bytes: int) -> None:
        """Begin to transfer; a migration that transfers already raises :class:`ValueError`."""
        if migration_id in self._pool_of:
            raise ValueError(f"migration {migration_id!r} transfers already")
        pool = self._pools.setdefault(mesh_key, _Pool(since_us=self._world.now_us))
        self._settle(pool)
        stream = _Stream(pool.served + size_bytes, name, migration_id, pool.served, size_bytes)
        pool.streams[migration_id] = stream
        heapq.heappush(pool.heap, stream)
        self._pool_of[migration_id] = mesh_key
        self._reprice(mesh_key)

    def stop(self, migration_id: str) -> int:
        """End a transfer early; return the bytes that had arrived, 0 when there was none."""
        mesh_key = self._pool_of.pop(migration_id, None)
        if mesh_key is None:
            return 0
        pool = self._pools[mesh_key]
        self._settle(pool)
        stream = pool.streams.pop(migration_id)
        stream.left = True
        self._reprice(mesh_key)
        return _arrived(pool, stream, self._world.now_us)

    def arrived(self, migration_id: str) -> int:
        """Return the bytes of the running transfer that have arrived by now, 0 when there is none."""
        mesh_key = self._pool_of.get(migration_id)
        if mesh_key is None:
            return 0
        pool = self._pools[mesh_key]
        return _arrived(pool, pool.streams[migration_id], self._world.now_us)

    def stuck(self, migration_id: str) -> bool:
        """Tell whether a running transfer gets no bandwidth, as its mesh's tunnel is down."""
        mesh_key = self._pool_of.get(migration_id)
        return mesh_key is not None and self._pools[mesh_key].rate == 0.0

    def rate_of(self, migration_id: str) -> float:
        """Return the bytes per second that a transfer gets now."""
        mesh_key = self._pool_of.get(migration_id)
        return self._pools[mesh_key].rate if mesh_key is not None else 0.0

    def _settle(self, pool: _Pool) -> None:
        """Bring the books up to now; an idle pool starts counting from zero again, which keeps floats exact."""
        now_us = self._world.now_us
        pool.served = pool.served_at(now_us) if pool.streams else 0.0
        pool.since_us = now_us
        if not pool.streams:
            pool.heap.clear()

    def _reprice(self, mesh_key: str) -> None:
        """Set the rate by the number of transfers and schedule the next arrival; the pool is settled."""
        pool = self._pools[mesh_key]
        settings = self._world.settings.hcx
        mesh = self._world.meshes.get(mesh_key)
        shared = 0.0
        if mesh is not None and mesh.tunnel_up and pool.streams:
            shared = min(mesh.link_bits_per_second, settings.appliance_bits_per_second) / len(pool.streams)
        pool.rate = min(shared, settings.migration_bits_per_second) / _BITS
        self._schedule(mesh_key, pool)

    def _schedule(self, mesh_key: str, pool: _Pool) -> None:
        self._world.engine.cancel(pool.event)
        pool.event = None
        while pool.heap and pool.heap[0].left:
            heapq.heappop(pool.heap)
        if pool.heap and pool.rate > 0:
            # rounding away what is below a byte keeps equal histories at equal microseconds
            left = max(0.0, round(pool.heap[0].target - pool.served, 3))
            at_us = pool.since_us + math.ceil(round(left * MICROSECONDS / pool.rate, 3))
            pool.event = self._world.engine.schedule_at(at_us, COMPLETED, mesh_key, mesh_key=mesh_key)

    def _complete(self, mesh_key: str) -> None:
        pool = self._pools[mesh_key]
        pool.event = None
        self._settle(pool)
        done: list[_Stream] = []
        while pool.heap and (pool.heap[0].left or pool.heap[0].target <= pool.served + _TOLERANCE_BYTES):
            stream = heapq.heappop(pool.heap)
            if not stream.left:
                del pool.streams[stream.migration_id]
                del self._pool_of[stream.migration_id]
                done.append(stream)
        self._reprice(mesh_key)
        for stream in sorted(done, key=lambda each: each.name):
            self._finished(stream.migration_id)

    def _observe(self, _what: str, entity: Entity, _before: dict[str, Any]) -> None:
        if isinstance(entity, Mesh) and entity.key in self._pools:
            self._settle(self._pools[entity.key])
            self._reprice(entity.key)


def _arrived(pool: _Pool, stream: _Stream, now_us: int) -> int:
    done = pool.served_at(now_us) - stream.joined_at
    return max(0, min(stream.size_bytes, int(done + 1e-3)))
