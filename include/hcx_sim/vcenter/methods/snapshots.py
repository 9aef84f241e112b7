"""Snapshots: created below the current one, removed alone or with what is below, all removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.vm import CURRENT_SNAPSHOT, current_snapshot
from hcx_sim.vcenter.faults import faulted, invalid_name
from hcx_sim.vcenter.inventory import Found, Inventory
from hcx_sim.vcenter.methods.power import refuse_template
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import Power, Snapshot, Vm

VM = "VirtualMachine"
_CHOSEN = "snapshot"


def _check_create(job: Job) -> None:
    refuse_template(job.entity)
    if not job.argument("name").strip():
        raise invalid_name(job.argument("name"), vim.VirtualMachine(job.entity.moref))


def _fresh_moref(inventory: Inventory) -> str:
    while True:
        moref = inventory.world.next_moref("snapshot", inventory.site)
        if moref not in inventory.index.by_snapshot:
            return moref


@operation("createSnapshot", _check_create, cancelable=True)
def _create(job: Job) -> Any:
    vm: Vm = job.entity
    snapshot = Snapshot(
        moref=_fresh_moref(job.inventory),
        name=job.argument("name"),
        description=job.argument("description") or "",
        created_us=job.world.now_us,
        parent_moref=current_snapshot(vm),
        with_memory=bool(job.task.arguments.get("memory")) and vm.power is Power.ON,
    )
    others = {name: value for name, value in vm.properties.items() if name != CURRENT_SNAPSHOT}
    job.world.update(vm, snapshots=[*vm.snapshots, snapshot], properties=others, change_version=vm.change_version + 1)
    return vim.vm.Snapshot(snapshot.moref)


@operation("removeSnapshot")
def _remove(job: Job) -> None:
    vm: Vm = job.entity
    chosen = job.argument(_CHOSEN)
    gone = {chosen} | (_below(vm, chosen) if job.argument("removeChildren") else set())
    parents = {each.moref: each.parent_moref for each in vm.snapshots}
    kept = []
    for snapshot in vm.snapshots:
        if snapshot.moref not in gone:
            parent = snapshot.parent_moref
            while parent is not None and parent in gone:
                parent = parents[parent]
            kept.append(replace(snapshot, parent_moref=parent))
    job.world.update(vm, snapshots=kept, change_version=vm.change_version + 1)


def _below(vm: Vm, moref: str) -> set[str]:
    children = {each.moref for each in vm.snapshots if each.parent_moref == moref}
    return children.union(*(_below(vm, child) for child in children))


@operation("removeAllSnapshots")
def _remove_all(job: Job) -> None:
    vm: Vm = job.entity
    job.world.update(vm, snapshots=[], change_version=vm.change_version + 1)


@operation("revertToSnapshot")
def _revert(job: Job) -> None:
    """Return to a snapshot: the VM runs afterwards when the snapshot has its memory, else it is off."""
    vm: Vm = job.entity
    chosen = next((each for each in vm.snapshots if each.moref == job.argument(_CHOSEN)), None)
    if chosen is None:
        raise faulted(vim.fault.NotFound, "The snapshot was not found.")
    runs = chosen.with_memory and not job.argument("suppressPowerOn")
    job.world.update(
        vm,
        power=Power.ON if runs else Power.OFF,
        tools_running=vm.tools_running and runs,
        properties={**vm.properties, CURRENT_SNAPSHOT: chosen.moref},
        change_version=vm.change_version + 1,
    )


@method("VirtualMachineSnapshot", "RevertToSnapshot_Task", mutating=True)
def revert_to_snapshot(context: Context) -> Any:
    """Return a VM to a snapshot, which is the current one from then on."""
    record = context.target.record
    context.arguments[_CHOSEN] = record.moref
    return run_task(context, "revertToSnapshot", Found(VM, record.vm.moref, record.vm))


@method(VM, "RevertToCurrentSnapshot_Task", mutating=True)
def revert_to_current_snapshot(context: Context) -> Any:
    """Return a VM to its current snapshot; NotFound without any."""
    context.arguments[_CHOSEN] = current_snapshot(context.target.record)
    return run_task(context, "revertToSnapshot")


@method(VM, "CreateSnapshot_Task", mutating=True)
@method(VM, "CreateSnapshotEx_Task", mutating=True)
def create_snapshot(context: Context) -> Any:
    """Take a snapshot; the task's result is its reference."""
    return run_task(context, "createSnapshot")


@method("VirtualMachineSnapshot", "RemoveSnapshot_Task", mutating=True)
def remove_snapshot(context: Context) -> Any:
    """Remove a snapshot, with those below it if asked; otherwise these move up."""
    record = context.target.record
    context.arguments[_CHOSEN] = record.moref
    return run_task(context, "removeSnapshot", Found(VM, record.vm.moref, record.vm))


@method(VM, "RemoveAllSnapshots_Task", mutating=True)
def remove_all_snapshots(context: Context) -> Any:
    """Remove all snapshots; having none is no error."""
    return run_task(context, "removeAllSnapshots")
