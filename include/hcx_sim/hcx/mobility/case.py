"""One intent under validation: what has been found out about it so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hcx_sim.hcx.mobility.intent import Intent
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import MigrationType, Target
from hcx_sim.world.model import Mesh, SiteName, Vm
from hcx_sim.world.world import World


@dataclass(slots=True)
class Batch:
    """What the intents of one request have in common.

    ``claimed`` counts bytes per datastore, ``chosen`` migrations per mesh, ``seen`` holds the workloads named so far.
    """

    claimed: Counter[str] = field(default_factory=Counter)
    chosen: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Case:
    """An intent, where it was submitted, and the findings; checks fill in what they resolve."""

    mobility: Mobility
    manager: SiteName
    intent: Intent
    batch: Batch
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
