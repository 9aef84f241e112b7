"""Everything that the manager's product needs of the migrations: importing this registers routes and facts."""

from hcx_sim.hcx.mobility import facts, group_routes, history, migration_routes, mobility
from hcx_sim.hcx.mobility.migration_routes import operation_of
from hcx_sim.world.world import World

__all__ = ["facts", "group_routes", "install", "migration_routes", "operation_of"]


def install(world: World) -> None:
    """Give a new world its migrations, past ones included."""
    mobility.install(world)
    history.adopt(world)
