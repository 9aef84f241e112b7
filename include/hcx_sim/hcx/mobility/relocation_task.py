"""What the source vCenter shows of a relocation: a ``RelocateVM_Task`` that holds the VM until it is over.

RAV, vMotion and cold end in vSphere's own relocation (KB 440117), so other operations on the VM end with
``TaskInProgress`` meanwhile. Bulk starts a replica instead and shows no such task. That the task is the source's
alone is inferred.
"""

from __future__ import annotations

from hcx_sim.hcx.mobility.model import TERMINAL, Migration, Phase
from hcx_sim.vcenter.tasks import begin_external, end_external
from hcx_sim.world.world import World

METHOD = "RelocateVM_Task"
USERNAME = "hcx@vsphere.local"  # the account of the managers' extension, a made-up name
RELOCATING = frozenset({Phase.RELOCATION, Phase.SWITCHOVER})
_UNSUCCESSFUL = (TERMINAL - {Phase.COMPLETE}) | {Phase.ROLLBACK, Phase.CANCELLING}


def follow(world: World, migration: Migration) -> None:
    """Begin or end the task as the phase that a migration has just entered has it."""
    if migration.phase in RELOCATING:
        _begin(world, migration)
    elif migration.relocate_task_id is not None:
        _end(world, migration)


def _begin(world: World, migration: Migration) -> None:
    plan = migration.known
    if plan.migration_type.restarts or migration.relocate_task_id is not None or plan.vm_key not in world.vms:
        return
    moref = world.vms[plan.vm_key].moref
    migration.relocate_task_id = begin_external(world, plan.source, moref, METHOD, USERNAME)


def _end(world: World, migration: Migration) -> None:
    task_id, migration.relocate_task_id = migration.relocate_task_id, None
    if task_id is not None:
        reason = (migration.error or migration.message) if migration.phase in _UNSUCCESSFUL else None
        end_external(world, migration.known.source, task_id, reason)
