"""VMs come and go: create, unregister, template and back."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.faults import (
    faulted,
    invalid_argument,
    invalid_power_state,
    invalid_state,
    not_supported,
    object_not_found,
)
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.methods.device_changes import apply_changes
from hcx_sim.vcenter.naming import checked_name, is_vm_folder, refuse_duplicate
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import Placement, Power, Vm, VmRole
from hcx_sim.world.world import World

VM = "VirtualMachine"
_GUESTS = {"ubuntu64Guest": "Ubuntu Linux (64-bit)", "windows2019srv_64Guest": "Microsoft Windows Server 2019 (64-bit)"}
_DEFAULT_GUEST = "otherGuest64"
_DEFAULT_HARDWARE = "vmx-19"
_DEFAULT_MEMORY_MB = 1024


def destroy_vm(world: World, vm: Vm) -> None:
    """Remove a VM and give its space back."""
    for disk in vm.disks:
        datastore = world.datastores.get(f"{vm.site}/{disk.datastore_moref}")
        if datastore is not None:
            free_bytes = min(datastore.capacity_bytes, datastore.free_bytes + disk.used_bytes)
            world.update(datastore, free_bytes=free_bytes)
    world.remove(vm)


def pool_of(inventory: Inventory, reference: Any) -> Placement:
    """Return the resource pool of a reference; ManagedObjectNotFound when it is none."""
    pool = inventory.require_reference(reference)
    if pool.type_name != "ResourcePool":
        raise object_not_found(reference)
    placement: Placement = pool.record
    return placement


def _check_create(job: Job) -> None:
    config = job.argument("config")
    if not is_vm_folder(job.inventory, job.entity):
        raise not_supported("Virtual machines cannot be created in this folder.")
    if not config.name:
        raise invalid_argument("configSpec.name")
    pool_of(job.inventory, job.argument("pool"))
    refuse_duplicate(job.inventory, job.entity.moref, checked_name(config.name))


def _host(job: Job, cluster: Placement) -> str:
    """Return the given host, else the cluster's host with the fewest VMs."""
    given = job.argument("host")
    if given is not None:
        return job.inventory.require_reference(given).object_id
    return least_loaded_host(job.inventory, cluster)


def least_loaded_host(inventory: Inventory, cluster: Placement) -> str:
    """Return the host of a cluster with the fewest VMs; a fault when there is none."""
    hosts = inventory.children(cluster.moref, "HostSystem")
    if not hosts:
        raise faulted(vim.fault.InsufficientResourcesFault, "The cluster has no host.")
    by_host = inventory.index.by_host
    return min(hosts, key=lambda host: (len(by_host.get(host.moref, ())), host.moref)).moref


def _fresh_uid(world: World, name: str, moref: str) -> str:
    taken = any(vm.uid == name for vm in world.vms.values())
    return f"{name}-{moref}" if taken else name


@operation("createVM", _check_create, cancelable=True)
def _create(job: Job) -> Any:
    world, inventory, config = job.world, job.inventory, job.argument("config")
    pool = pool_of(inventory, job.argument("pool"))
    cluster = inventory.enclosing(pool.moref, "ClusterComputeResource")
    datacenter = inventory.enclosing(job.entity.moref, "Datacenter")
    if cluster is None or datacenter is None:
        raise not_supported("The resource pool belongs to no cluster.")
    moref = world.next_moref("vm", inventory.site)
    name, guest_id = checked_name(config.name), config.guestId or _DEFAULT_GUEST
    uid = _fresh_uid(world, name, moref)
    vm = Vm(
        key=f"{inventory.site}/{moref}",
        uid=uid,
        site=inventory.site,
        moref=moref,
        name=name,
        instance_uuid=config.instanceUuid or world.random.uuid(f"instance/{uid}"),
        bios_uuid=config.uuid or world.random.uuid(f"bios/{uid}"),
        power=Power.OFF,
        role=VmRole.WORKLOAD,
        template=False,
        folder_moref=job.entity.moref,
        pool_moref=pool.moref,
        host_moref=_host(job, cluster),
        cluster_moref=cluster.moref,
        datacenter_moref=datacenter.moref,
        guest_id=guest_id,
        guest_name=config.alternateGuestName or _GUESTS.get(guest_id, guest_id),
        host_name=name,
        num_cpu=config.numCPUs or 1,
        memory_mb=int(config.memoryMB or _DEFAULT_MEMORY_MB),
        hardware_version=config.version or _DEFAULT_HARDWARE,
        nics=[],
        disks=[],
        tools_running=False,
        properties={"config.annotation": config.annotation} if config.annotation else {},
    )
    changes = apply_changes(inventory, vm, config.deviceChange)
    for field_name, value in changes.items():
        setattr(vm, field_name, value)
    world.put(vm)
    return vim.VirtualMachine(moref)


@method("Folder", "CreateVM_Task", mutating=True)
def create_vm(context: Context) -> Any:
    """Create a VM in a folder; the task's result is its reference."""
    return run_task(context, "createVM")


def _refuse_running(vm: Vm) -> None:
    if vm.power is not Power.OFF:
        raise invalid_power_state(Power.OFF.value, vm.power.value)


@method(VM, "UnregisterVM", mutating=True)
def unregister(context: Context) -> None:
    """Take a VM out of the inventory; its files stay. InvalidPowerState while it runs."""
    _refuse_running(context.target.record)
    context.world.remove(context.target.record)


@method(VM, "MarkAsTemplate", mutating=True)
def mark_as_template(context: Context) -> None:
    """Make a template of a powered-off VM; it leaves its resource pool."""
    vm: Vm = context.target.record
    _refuse_running(vm)
    if vm.template:
        raise invalid_state("The virtual machine is a template already.")
    context.world.update(vm, template=True, pool_moref=None, change_version=vm.change_version + 1)


@method(VM, "MarkAsVirtualMachine", mutating=True)
def mark_as_virtual_machine(context: Context) -> None:
    """Make a VM of a template again, in a resource pool."""
    vm: Vm = context.target.record
    if not vm.template:
        raise invalid_state("The virtual machine is not a template.")
    pool = pool_of(context.inventory, context.arguments["pool"])
    context.world.update(vm, template=False, pool_moref=pool.moref, change_version=vm.change_version + 1)
