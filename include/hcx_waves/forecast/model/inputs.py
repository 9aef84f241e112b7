"""The input of a forecast: VMs, service meshes, segments and windows, whatever they were read from."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.choices import Disconnect, MigrationType
from hcx_waves.model.schedule import TimeWindow

DEFAULT_MESH = "mesh"


class Progress(StrEnum):
    """How far a VM is when the forecast is made during a run."""

    PENDING = "pending"
    """Not started, or still queued."""
    SYNCING = "syncing"
    """Its base sync runs."""
    SEEDED = "seeded"
    """Replicated; waits for its window or its turn."""
    SWITCHING = "switching"
    """Its switchover has begun."""
    DONE = "done"
    FAILED = "failed"


class ForecastVm(DomainModel):
    """One VM to move."""

    name: str
    disk_bytes: float = Field(ge=0)
    """What a first replication copies."""
    change_bytes_per_second: float | None = Field(default=None, ge=0)
    """What it writes anew; None where it is not known."""
    memory_bytes: float = Field(default=0, ge=0)
    """A vMotion transfers it as well."""
    migration: MigrationType = MigrationType.RAV
    mesh: str = DEFAULT_MESH
    segments: tuple[str, ...] = ()
    """Those of the wave that it has NICs in."""
    progress: Progress = Progress.PENDING
    remaining_bytes: float | None = Field(default=None, ge=0)
    """Of the base sync that is under way; all of it unless given."""
    synced_at: AwareDatetime | None = None
    """When its last sync began, or its switchover; the forecast's start unless given."""


class ForecastMesh(DomainModel):
    """One service mesh."""

    name: str
    link_bits_per_second: float | None = Field(default=None, gt=0)
    """Between the sites; None where it is not known."""


class ForecastSegment(DomainModel):
    """One segment that the wave cuts over."""

    name: str
    window: TimeWindow | None = None
    """When its gateway may move; None: at any time."""
    disconnect: Disconnect = Disconnect.NSX
    cut_already: bool = False
    """Whether an earlier run, or this one, has done it."""


class ForecastInput(DomainModel):
    """One wave on one night."""

    wave: str
    time_zone: str = "UTC"
    starts_at: AwareDatetime
    """When the run begins; the migrations follow once the wave is approved."""
    under_way: bool = False
    """Whether the migrations run already at :attr:`starts_at`, so that nobody is asked and nothing is resolved."""
    switchover: TimeWindow | None = None
    """When VMs may switch over; None: as soon as they are ready."""
    vms: tuple[ForecastVm, ...]
    """Those that are still to be moved, or under way; without any there is nothing to forecast."""
    meshes: tuple[ForecastMesh, ...] = ()
    """Those that are missing here have the parameters' bandwidth."""
    segments: tuple[ForecastSegment, ...] = ()
    """Only those that are cut over."""
    switchover_order: tuple[str, ...] = ()
    """VMs that are released one by one, before all others."""
    asks_switchover: bool = False
    """Whether switchovers are held until a person approves them."""
    poll_seconds: float | None = Field(default=None, gt=0)
    """How often migrations are asked about, if the wave says so."""
    notes: tuple[str, ...] = ()
    """What had to be assumed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [vm.name for vm in self.vms]
        broken = []
        if len(set(names)) != len(names):
            broken.append(BrokenRule(("vms",), "names a VM twice"))
        unknown = sorted(set(self.switchover_order) - set(names))
        if unknown:
            broken.append(BrokenRule(("switchover_order",), f"names VMs that do not move: {', '.join(unknown)}"))
        refuse(broken)
        return self

    @property
    def holds_switchovers(self) -> bool:
        """Whether switchovers are held back and released, as an approval or an order needs it."""
        return self.asks_switchover or bool(self.switchover_order)

    @property
    def mesh_names(self) -> tuple[str, ...]:
        """All meshes that a VM uses, sorted."""
        return tuple(sorted({vm.mesh for vm in self.vms}))

    def link_of(self, mesh: str) -> float | None:
        """Return what is known of a mesh's bandwidth in bits per second."""
        return next((one.link_bits_per_second for one in self.meshes if one.name == mesh), None)
