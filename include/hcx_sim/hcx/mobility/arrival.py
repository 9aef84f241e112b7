"""A VM arrives: what it keeps, what is new, and what a bulk migration leaves behind.

The moref is new [C hcx 4.8]; names, addresses and UUIDs stay; MACs stay unless ``retainMac`` is false. Bulk renames the
source VM with a POSIX timestamp and moves it to the folder "Migrated VMs" [D hcx 4.8]; whether it keeps the UUIDs is
not published [? nsx-vsphere 6.8] (``settings.hcx.bulk_keeps_uuids``).
"""

from __future__ import annotations

from dataclasses import replace

from hcx_sim.engine.clock import MICROSECONDS
from hcx_sim.hcx.mobility.cpus import cpu_problem, settle_cpu
from hcx_sim.hcx.mobility.hardware import newest_hardware
from hcx_sim.hcx.mobility.model import Migration, Plan
from hcx_sim.world.model import Placement, Power, SiteName, Vm
from hcx_sim.world.operations import MIGRATED_FOLDER, Destination, copy_arrival, relocate
from hcx_sim.world.world import World


def target_problem(world: World, plan: Plan, vm: Vm) -> str | None:
    """Return why a VM cannot arrive any more, as something of its target has gone since the validation."""
    site, target = plan.destination, plan.target
    for moref in (target.folder_moref, target.pool_moref, target.cluster_moref, target.host_moref):
        if f"{site}/{moref}" not in world.placements:
            return f"Switchover failed: {moref} no longer exists at the destination."
    if f"{site}/{target.datastore_moref}" not in world.datastores:
        return f"Switchover failed: {target.datastore_moref} no longer exists at the destination."
    for nic in vm.nics:
        network = world.networks.get(f"{site}/{plan.networks.get(nic.mac, '')}")
        if network is None or network.removed:
            return f"Switchover failed: the target network of {nic.label} ({nic.mac}) no longer exists."
    return cpu_problem(world, vm, site, target.cluster_moref) if plan.migration_type.live else None


def arrive(world: World, migration: Migration, vm: Vm) -> Vm:
    """Let a VM live at its destination and return it there; :func:`target_problem` must have found nothing."""
    plan = migration.known
    _return_reserve(world, migration)
    destination = Destination(site=plan.destination, networks=plan.networks, **_target(plan))
    new_macs = {} if plan.options.retain_mac else {nic.mac: _new_mac(world, vm.name) for nic in vm.nics}
    if plan.migration_type.restarts:
        power = Power.ON if migration.powered_off else vm.power
        arrived = copy_arrival(
            world,
            vm,
            destination,
            retired_name=f"{vm.name}-{world.now_us // MICROSECONDS}",
            retired_folder_moref=migrated_folder(world, vm),
            power=power,
            new_macs=new_macs,
            keep_uuids=world.settings.hcx.bulk_keeps_uuids,
        )
    else:
        arrived = relocate(world, vm, destination, new_macs=new_macs)
    _finish_options(world, plan, arrived, new_macs)
    return arrived


def _target(plan: Plan) -> dict[str, str]:
    target = plan.target
    return {
        "folder_moref": target.folder_moref,
        "pool_moref": target.pool_moref,
        "cluster_moref": target.cluster_moref,
        "datacenter_moref": target.datacenter_moref,
        "host_moref": target.host_moref,
        "datastore_moref": target.datastore_moref,
    }


def _return_reserve(world: World, migration: Migration) -> None:
    """The arrival takes the space itself."""
    plan = migration.known
    datastore = world.datastores[f"{plan.destination}/{plan.target.datastore_moref}"]
    world.update(datastore, free_bytes=datastore.free_bytes + migration.reserved_bytes)
    migration.reserved_bytes = 0


def _new_mac(world: World, name: str) -> str:
    digits = world.random.token(f"mac/{name}", 6)
    return f"00:50:56:{int(digits[:2], 16) % 0x40:02x}:{digits[2:4]}:{digits[4:]}"


def _finish_options(world: World, plan: Plan, arrived: Vm, new_macs: dict[str, str]) -> None:
    options = plan.options
    settle_cpu(world, arrived, plan.target.cluster_moref, masked=world.settings.hcx.per_vm_evc)
    if options.upgrade_hardware and plan.migration_type.restarts:
        newest = newest_hardware(world, plan.destination, plan.target.cluster_moref)
        world.update(arrived, hardware_version=f"vmx-{newest}")
    if options.upgrade_tools and arrived.tools_running:
        world.update(arrived, tools_version_status="guestToolsCurrent")
    if not options.retain_tags:
        world.update(arrived, tags=[])
    if not options.update_custom_attributes:
        world.update(arrived, custom_attributes={})
    addresses = {new_macs.get(mac, mac): ips for mac, ips in plan.addresses.items()}
    if plan.migration_type.restarts and addresses:
        nics = [replace(nic, ip_addresses=addresses.get(nic.mac, nic.ip_addresses)) for nic in arrived.nics]
        world.update(arrived, nics=nics)


def migrated_folder(world: World, vm: Vm) -> str:
    """Return the moref of the source's "Migrated VMs" folder, which is made when it is first needed."""
    parent = _vm_root(world, vm.site, vm.folder_moref)
    for placement in world.placements.values():
        if (placement.site, placement.name, placement.parent_moref) == (vm.site, MIGRATED_FOLDER, parent):
            return placement.moref
    moref = world.next_moref("group-v", vm.site).replace("group-v-", "group-v")
    kinds = {"child_type": ["Folder", "VirtualMachine"]}
    world.put(Placement(f"{vm.site}/{moref}", vm.site, moref, "Folder", MIGRATED_FOLDER, parent, kinds))
    return moref


def _vm_root(world: World, site: SiteName, folder_moref: str) -> str:
    """Return the topmost VM folder above a folder: the one right below the datacentre."""
    placement = world.placements[f"{site}/{folder_moref}"]
    while placement.parent_moref is not None:
        parent = world.placements.get(f"{site}/{placement.parent_moref}")
        if parent is None or parent.type_name == "Datacenter":
            break
        placement = parent
    return placement.moref
