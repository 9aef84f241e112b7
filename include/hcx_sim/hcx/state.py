"""What the managers remember besides the facts of the world: sessions, jobs, tasks, pairings and extensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

PRODUCT_NAME = "hcx"


@dataclass(slots=True)
class Session:
    """A log-in at one manager; ``created_us`` and ``last_used_us`` are readings of ``World.idle_now_us``."""

    token: str = field(repr=False)
    username: str
    created_us: int
    last_used_us: int


@dataclass(slots=True)
class Job:
    """A long-running operation that ``/jobs`` shows; progress is computed from the times when it is read.

    ``expected_us`` is when it should end, ``ended_us`` when it did. ``data`` becomes ``jobData``.
    """

    job_id: str
    kind: str
    username: str
    created_us: int
    expected_us: int
    ended_us: int | None = None
    failed: bool = False
    error_message: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Task:
    """An interconnect task; like :class:`Job` its progress follows from the times."""

    task_id: str
    kind: str
    entity_type: str
    entity_id: str
    entity_name: str
    step_titles: tuple[str, ...]
    created_us: int
    starts_us: int
    expected_us: int
    ended_us: int | None = None
    failed: bool = False
    error_message: str = ""
    request: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Extension:
    """What the managers remember of a network extension beyond the bridge of the same id.

    ``job_id`` names the job that is taking it down, if any; ``cut`` says that its bridge has gone down for good.
    ``redeploying`` holds the workload ids of its appliances that are being replaced. ``moving_to`` is the id of the
    appliance that is to take it over; ``moving`` says that frames are lost at this moment because of that.
    """

    gateway: str
    netmask: str
    egress_optimization: bool = False
    job_id: str = ""
    cut: bool = False
    redeploying: set[str] = field(default_factory=set)
    moving_to: str = ""
    moving: bool = False


@dataclass(slots=True)
class Extending:
    """A network extension in the making; ``appliance_uid`` is the slot it takes at the site of the network."""

    network_key: str
    appliance_uid: str
    gateway: str
    netmask: str
    mon: bool
    egress_optimization: bool
    job_id: str


@dataclass(slots=True)
class HcxState:
    """Everything both managers remember; what belongs to one manager is kept per site."""

    started_us: int
    sessions: dict[SiteName, dict[str, Session]] = field(default_factory=lambda: {site: {} for site in SiteName})
    jobs: dict[SiteName, dict[str, Job]] = field(default_factory=lambda: {site: {} for site in SiteName})
    tasks: dict[SiteName, dict[str, Task]] = field(default_factory=lambda: {site: {} for site in SiteName})
    paired: bool = True  # both managers know of a pairing, or neither does
    trusted_certificates: dict[SiteName, set[str]] = field(default_factory=lambda: {site: set() for site in SiteName})
    compute_profiles: dict[SiteName, dict[str, dict[str, Any]]] = field(default_factory=lambda: _per_site())
    network_profiles: dict[SiteName, dict[str, dict[str, Any]]] = field(default_factory=lambda: _per_site())
    mesh_profiles: dict[str, dict[SiteName, str]] = field(default_factory=dict)  # mesh -> compute profiles it was given
    extensions: dict[str, Extension] = field(default_factory=dict)
    extending: dict[str, Extending] = field(default_factory=dict)  # by the key of the network


def _per_site() -> dict[SiteName, dict[str, dict[str, Any]]]:
    return {site: {} for site in SiteName}


def state_of(world: World) -> HcxState:
    """Return the managers' records of a world."""
    state: HcxState = world.products[PRODUCT_NAME]
    return state
