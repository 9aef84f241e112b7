"""Which VMs are being switched over, as the hosts' ports show it."""

from __future__ import annotations

from hcx_sim.hcx.mobility.mobility import KEY, mobility_of
from hcx_sim.hcx.mobility.model import Phase
from hcx_sim.world.model import Vm
from hcx_sim.world.world import World


def in_motion(world: World, vm: Vm) -> bool:
    """Tell whether a running VM is in its switchover to the other site."""
    if KEY not in world.products:
        return False
    migration = mobility_of(world).store.active_of(vm.uid)
    return migration is not None and migration.phase is Phase.SWITCHOVER and migration.known.migration_type.live
