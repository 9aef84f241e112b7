"""What the managers remember besides the facts of the world: sessions, deleted objects, indexes and counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hcx_sim.nsx.errors import stale
from hcx_sim.world.world import World

if TYPE_CHECKING:
    from hcx_sim.nsx.ports import PortIndex
    from hcx_sim.nsx.search_index import SearchLag

NSX = "nsx"


@dataclass(slots=True)
class Session:
    """A log-in at one manager; ``last_used_us`` is a reading of :meth:`World.idle_now_us`."""

    site: str
    user: str
    session_id: str = field(repr=False)
    xsrf_token: str = field(repr=False)
    last_used_us: int


@dataclass(slots=True)
class Tombstone:
    """A deleted segment that is not purged: its last body, and when it goes, in virtual microseconds."""

    site: str
    path: str
    body: dict[str, Any]
    purge_at_us: int


@dataclass(slots=True)
class NsxRecords:
    """Records of both managers of one world."""

    ports: PortIndex
    search: SearchLag
    sessions: dict[str, Session] = field(default_factory=dict)
    tombstones: dict[str, Tombstone] = field(default_factory=dict)  # "<site><policy path>" -> deleted segment
    limits: dict[str, Any] = field(default_factory=dict)  # site -> hcx_sim.nsx.limits.SiteLimits
    port_bodies: dict[str, dict[str, Any]] = field(default_factory=dict)  # port key -> body of a port made by call
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)  # "<site>/<policy id>" -> gateway policy
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)  # "<site>/<group id>" -> group body


def records_of(world: World) -> NsxRecords:
    """Return the managers' records of a world."""
    records: NsxRecords = world.products[NSX]
    return records


def check_revision(world: World, path: str, current: int, sent: int | None) -> None:
    """Raise 412 (or 409) when a PUT lacks the current ``_revision``. [D nsx-vsphere 2.4]"""
    if sent != current:
        raise stale(path, world.settings.nsx.stale_status)
