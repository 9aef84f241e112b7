"""Following the world: every change wakes the waiters of the vCenter that shows it."""

from __future__ import annotations

from typing import Any

from hcx_sim.vcenter.state import vcenter_of
from hcx_sim.world.model import Entity, Placement, Power, Segment, SiteName, VcNetwork, Vm
from hcx_sim.world.world import World

_VM_STRUCTURE = frozenset(
    {"folder_moref", "host_moref", "pool_moref", "disks", "snapshots", "custom_attributes", "template", "nics"}
)


def follow(world: World) -> None:
    """Keep the change feeds, the indexes and the times of power-on of a new world up to date."""

    def observe(what: str, entity: Entity, before: dict[str, Any]) -> None:
        site = getattr(entity, "site", None)
        moref = getattr(entity, "moref", None)
        if not isinstance(site, SiteName):
            return
        state = vcenter_of(world).sites[site]
        structure = what != "updated"
        if isinstance(entity, Vm):
            structure = structure or bool(_VM_STRUCTURE & before.keys())
            _follow_power(world, what, entity, before)
        elif isinstance(entity, Placement):
            structure = structure or "parent_moref" in before
        elif isinstance(entity, VcNetwork):
            state.changes.touch(*(vm.moref for vm in world.vms_on(entity)))
        elif isinstance(entity, Segment):
            moref = entity.network_moref
        if structure:
            state.index.invalidate()
        if moref is not None:
            state.changes.touch(moref, structure=structure)

    world.observers.append(observe)


def _follow_power(world: World, what: str, vm: Vm, before: dict[str, Any]) -> None:
    """Remember when a workload was powered on; a migration that keeps it running takes that along.

    The leftover of a bulk migration counts no more once it is one.
    """
    booted = vcenter_of(world).booted_us
    if what == "updated" and "power" in before and (not vm.retired or "retired" in before):
        booted[vm.uid] = world.now_us if vm.power is Power.ON else None
    elif what == "added" and not vm.retired and vm.power is Power.ON and booted.get(vm.uid, 0) is None:
        booted[vm.uid] = world.now_us
