"""One intent under validation: what has been found out about it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from hcx_sim.hcx.mobility.intent import Intent
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import MigrationType, Target
from hcx_sim.world.model import Mesh, SiteName, Vm
from hcx_sim.world.world import World


@dataclass(slots=True)
class Case:
    """An intent, where it was submitted, and the findings; checks fill in what they resolve.

    ``claimed`` collects bytes per datastore and ``seen`` workloads across all intents of one request.
    """

    mobility: Mobility
    manager: SiteName
    intent: Intent
    claimed: dict[str, int]
    seen: set[str]
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    kind: MigrationType | None = None
    source: SiteName | None = None
    destination: SiteName | None = None
    vm: Vm | None = None
    mesh: Mesh | None = None
    target: Target | None = None
    networks: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """The world it is about."""
        return self.mobility.world

    def refuse(self, message: str) -> None:
        """Add an error."""
        self.errors.append(message)

    def warn(self, message: str) -> None:
        """Add a warning, which refuses nothing."""
        self.warnings.append(message)
