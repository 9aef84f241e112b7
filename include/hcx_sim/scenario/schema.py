"""The closed schema of a scenario document."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from hcx_sim.faults.rules import FaultRule
from hcx_sim.scenario.checks import problems_of
from hcx_sim.scenario.schema_parts import (
    ALL_SERVICES,
    DiskSpec,
    MeshSpec,
    NetworkSpec,
    NicSpec,
    SiteSpec,
    SnapshotSpec,
    VmSpec,
)
from hcx_sim.scenario.schema_sites import ExtensionSpec, GroupSpec, MigrationSpec
from hcx_sim.settings import WorldSettings
from hcx_sim.world.model import SiteName

__all__ = [
    "ALL_SERVICES",
    "DiskSpec",
    "MeshSpec",
    "NetworkSpec",
    "NicSpec",
    "Scenario",
    "SiteSpec",
    "SnapshotSpec",
    "VmSpec",
]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Scenario(_Document):
    """Everything from which a world is built.

    ``start`` is the first virtual instant; without it a scaled world starts at the wall clock's now, a paused
    or stepped one at a fixed instant. ``extensions`` are those between networks that are both listed; the short
    form for made-up ones is ``stretched``. ``migrations`` and ``groups`` are HCX's past.
    """

    name: str
    description: str = ""
    seed: int = 1
    start: AwareDatetime | None = None
    settings: WorldSettings = WorldSettings()
    sites: dict[SiteName, SiteSpec] = Field(default_factory=dict)
    meshes: list[MeshSpec] = Field(default_factory=lambda: [MeshSpec()])
    networks: list[NetworkSpec] = []
    vms: list[VmSpec] = []
    faults: list[FaultRule] = []
    extensions: list[ExtensionSpec] = []
    migrations: list[MigrationSpec] = []
    groups: list[GroupSpec] = []

    def site_spec(self, site: SiteName) -> SiteSpec:
        """Return a site's description, the default one when the document has none."""
        return self.sites.get(site, SiteSpec())

    def start_at(self, default: datetime) -> datetime:
        """Return the first virtual instant."""
        return self.start or default

    @model_validator(mode="after")
    def _names_fit(self) -> Scenario:
        problems = problems_of(self.sites, self.meshes, self.networks, self.vms, self.extensions)
        if problems:
            raise ValueError("; ".join(problems))
        return self
