"""What one vCenter remembers besides the facts of the world: sessions, views, collectors and tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hcx_sim.vcenter.changes import Changes
from hcx_sim.vcenter.index import SiteIndex
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

PRODUCT_NAME = "vcenter"


@dataclass(slots=True)
class View:
    """A container or list view. ``object_ids`` are a list view's members; ``types`` wire names, empty means all."""

    view_id: str
    kind: str  # ContainerView or ListView
    session_key: str
    container_id: str = ""
    types: tuple[str, ...] = ()
    recursive: bool = False
    object_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Filter:
    """A property filter: what it selects, and what it told its client last.

    ``sets`` are its checked property sets. ``told`` maps an object's id to the signatures of its property values;
    ``stamp`` is the change number up to which ``told`` is complete.
    """

    filter_id: str
    collector_id: str
    spec: Any
    sets: Any
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    stamp: int = 0
    complete: bool = False


@dataclass(slots=True)
class Collector:
    """A property collector of one session; ``last`` is the latest answer, kept until the next is asked for."""

    collector_id: str
    session_key: str
    filters: dict[str, Filter] = field(default_factory=dict)
    version: int = 0
    last: str = ""
    canceled: int = 0


@dataclass(slots=True)
class Retrieval:
    """What is left of a ``RetrievePropertiesEx`` whose answer comes in pages."""

    session_key: str
    remaining: list[Any]
    page_size: int


@dataclass(slots=True)
class Session:
    """A log-in; the times are readings of ``World.idle_now_us``, ``login_us`` is virtual."""

    key: str
    token: str = field(repr=False)
    username: str
    login_us: int
    last_used_us: int
    last_used_virtual_us: int
    client: str = ""
    agent: str = ""
    calls: int = 0


@dataclass(slots=True)
class TaskRecord:
    """A task. ``arguments`` are those of the operation; ``error`` is a pyVmomi fault, ``result`` a typed value."""

    task_id: str
    operation: str
    description_id: str
    method: str
    entity_id: str
    entity_name: str
    username: str
    queued_us: int
    arguments: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    progress: int | None = None
    started_us: int | None = None
    completed_us: int | None = None
    cancelable: bool = False
    cancelled: bool = False
    result: Any = None
    error: Any = None

    @property
    def over(self) -> bool:
        """Whether the task has ended."""
        return self.state in ("success", "error")


@dataclass(slots=True)
class SiteState:
    """The records of the vCenter of one site."""

    site: SiteName
    index: SiteIndex
    sessions: dict[str, Session] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    collectors: dict[tuple[str, str], Collector] = field(default_factory=dict)
    retrievals: dict[str, Retrieval] = field(default_factory=dict)
    tasks: dict[str, TaskRecord] = field(default_factory=dict)
    running: dict[str, list[str]] = field(default_factory=dict)  # object id -> ids of its unfinished tasks
    policies: dict[str, Any] = field(default_factory=dict)  # port group id -> its default port policy
    rollback: dict[str, Any] = field(default_factory=dict)  # port group id -> the policy before the last change
    changes: Changes = field(default_factory=Changes)
    custom_fields: dict[str, int] = field(default_factory=dict)  # defined by a call: name -> key
    message: str = ""  # of the administrator, for everybody who logs in
    counters: dict[str, int] = field(default_factory=dict)

    def next_id(self, kind: str, first: int = 1) -> int:
        """Return the next number of a kind."""
        number = self.counters.get(kind, first - 1) + 1
        self.counters[kind] = number
        return number

    def drop_session(self, session: Session) -> None:
        """Forget a session and everything that belonged to it."""
        self.sessions.pop(session.token, None)
        key = session.key
        self.views = {name: view for name, view in self.views.items() if view.session_key != key}
        self.collectors = {name: each for name, each in self.collectors.items() if each.session_key != key}
        self.retrievals = {token: each for token, each in self.retrievals.items() if each.session_key != key}
        self.changes.touch()


@dataclass(slots=True)
class VcenterState:
    """Both vCenters of a world."""

    started_us: int
    sites: dict[SiteName, SiteState]
    booted_us: dict[str, int | None] = field(default_factory=dict)  # workload uid -> its last power-on, None: it is off


def new_state(world: World) -> VcenterState:
    """Return the records of two vCenters that were just started."""
    sites = {site: SiteState(site, SiteIndex(world, site)) for site in SiteName}
    return VcenterState(started_us=world.now_us, sites=sites)


def vcenter_of(world: World) -> VcenterState:
    """Return the records of both vCenters."""
    state: VcenterState = world.products[PRODUCT_NAME]
    return state


def state_of(world: World, site: SiteName) -> SiteState:
    """Return the records of one vCenter."""
    return vcenter_of(world).sites[site]
