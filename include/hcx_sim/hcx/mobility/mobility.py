"""Everything that moves VMs in one world, put together."""

from __future__ import annotations

from hcx_sim.hcx.mobility.admission import Admission
from hcx_sim.hcx.mobility.endings import Endings
from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.model import Migration, Plan
from hcx_sim.hcx.mobility.replication import Replication
from hcx_sim.hcx.mobility.store import Store
from hcx_sim.hcx.mobility.switchover import Switchover
from hcx_sim.hcx.mobility.windows import Windows
from hcx_sim.world.world import World

KEY = "hcx.mobility"


class Mobility:
    """The migrations of both managers of a world: records, and the machinery behind them."""

    def __init__(self, world: World) -> None:
        """Start without any migration; registers the engine's event handlers."""
        self.world = world
        self.store = Store()
        self.flow = Flow(world, self.store)
        self.admission = Admission(self.flow)
        self.replication = Replication(self.flow)
        self.windows = Windows(self.flow, self.admission, self.replication)
        self.switchover = Switchover(self.flow)
        self.endings = Endings(self.flow, self.admission, self.replication)

    def start(self, migration: Migration, plan: Plan, warnings: list[str]) -> None:
        """Start a draft by its accepted plan."""
        migration.plan = plan
        migration.warnings = list(warnings)
        migration.started_us = self.world.now_us
        self.store.begin(migration)
        self.flow.advance(migration)


def install(world: World) -> None:
    """Give a new world its migrations."""
    world.products[KEY] = Mobility(world)


def mobility_of(world: World) -> Mobility:
    """Return the migrations of a world."""
    mobility: Mobility = world.products[KEY]
    return mobility


def restart_services(world: World) -> int:
    """Restart the services of the managers; return how many lost switchovers were found again. [D hcx 7]"""
    return mobility_of(world).windows.restart_services()
