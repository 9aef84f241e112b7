"""Everything that the manager's product needs of the migrations: importing this registers routes and facts."""

from hcx_sim.hcx.mobility import facts, group_routes, migration_routes
from hcx_sim.hcx.mobility.migration_routes import operation_of
from hcx_sim.hcx.mobility.mobility import install

__all__ = ["facts", "group_routes", "install", "migration_routes", "operation_of"]
