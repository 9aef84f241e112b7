"""Migrate VMs back: the plan of the opposite direction, one VM each, to where the wave's plan found them.

Reverse migration is the same manager and the same call with source and destination swapped [C hcx 4.3]. What is left
where it came from follows from the type as on the way out: RAV and vMotion leave no copy; Bulk leaves a powered-off
one at the destination, and the original of the way out stays at the source beside the VM that has come back
[D hcx 4.8].
"""

from __future__ import annotations

from collections.abc import Iterable

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.migration.identity import Arrivals, may_be_one_of
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import ObjectRef, PlannedNic, PlannedVm, SourcePlace, WavePlan
from hcx_waves.procedure_errors import ProcedureError


class NoWayBackError(ProcedureError):
    """A VM cannot be migrated back by its plan."""

    default_hint = "Move it back by hand in HCX, to the place that you choose; then clear the task."
    default_options = (
        "In HCX, migrate the VM back by hand, to a place of your choice.",
        "Then clear the task: it looks where the VM is first.",
    )


def swapped(clients: SiteClients) -> SiteClients:
    """Return the clients as a plan of the opposite direction sees the sites; HCX stays the manager that paired them."""
    return SiteClients(
        hcx=clients.hcx,
        source_vcenter=clients.destination_vcenter,
        destination_vcenter=clients.source_vcenter,
        source_nsx=clients.destination_nsx,
        destination_nsx=clients.source_nsx or clients.destination_nsx,
    )


def away_now(plan: WavePlan, clients: SiteClients) -> dict[str, VirtualMachineDetail]:
    """Return the VMs of a plan that are at the destination now, by name; those that the plan found there are left out.

    :raises ClientError: if the destination's vCenter cannot be read.
    """
    vms = [vm for vm in plan.vms if not vm.already_there]
    vcenter = clients.destination_vcenter
    chosen = {one.moref for one in may_be_one_of(vcenter.list_virtual_machines(), vms)}
    details = vcenter.read_virtual_machines(sorted(chosen), skip_missing=True) if chosen else []
    arrivals = Arrivals(details)
    found = {vm.name: arrivals.of(vm) for vm in vms}
    return {name: one for name, one in found.items() if one is not None and _is_itself(one)}


def _is_itself(vm: VirtualMachineDetail) -> bool:
    """Whether it is the VM and not the copy that a Bulk migration back has left, renamed by a time stamp."""
    stem, _, stamp = vm.name.rpartition("-")
    return not (stem and stamp.isdigit() and len(stamp) >= 10 and vm.power_state == "poweredOff")


def reverse_plan(plan: WavePlan, name: str, there: VirtualMachineDetail) -> WavePlan:
    """Return the plan that migrates one VM back; the same facts give the same plan, so a second try finds the first.

    :param there: the VM at the destination.
    :raises NoWayBackError: if the plan does not say where it was.
    """
    vm = plan.vm(name)
    place = vm.source_place
    if place is None or not place.datastores:
        raise NoWayBackError(f"the plan does not say where {name} was at the source", vm=name)
    migration = MigrationType.COLD if there.power_state == "poweredOff" else vm.migration
    if migration is MigrationType.COLD and there.power_state != "poweredOff":
        # It was off when it was moved, and somebody has switched it on since.
        migration = MigrationType.RAV
    back = PlannedVm(
        name=name,
        vm_id=there.moref,
        instance_uuid=there.instance_uuid or vm.instance_uuid,
        bios_uuid=there.bios_uuid or vm.bios_uuid,
        powered_on=there.power_state == "poweredOn",
        guest=vm.guest,
        cpus=vm.cpus,
        memory_mb=vm.memory_mb,
        disk_bytes=vm.disk_bytes,
        migration=migration,
        service_mesh_id=vm.service_mesh_id,
        cluster=place.cluster,
        resource_pool=place.resource_pool,
        folder=place.folder,
        datastore=place.datastores[0],
        disk_format=vm.disk_format,
        options=vm.options.model_copy(update={"upgrade_hardware": None, "upgrade_vm_tools": None}),
        # The original that Bulk has left at the source is not the VM that comes back.
        there_before=(vm.vm_id,) if vm.migration is MigrationType.BULK else (),
        nics=tuple(_reversed(nic, there) for nic in vm.nics),
    )
    return plan.model_copy(
        update={
            "mobility_group": f"{plan.wave}_back",
            "source": plan.destination,
            "destination": plan.source,
            "clock": plan.clock.model_copy(update={"switchover": None}),
            "vms": (back,),
            "switchover_order": (),
        }
    )


def _reversed(nic: PlannedNic, there: VirtualMachineDetail) -> PlannedNic:
    now = next((one for one in there.nics if one.mac == nic.mac_address), None)
    connected = nic.connected if now is None or now.connected is None else now.connected
    return nic.model_copy(update={"source": nic.destination, "destination": nic.source, "connected": connected})


def place_differences(vm: PlannedVm, back: VirtualMachineDetail, owner: str | None) -> tuple[str, ...]:
    """Say in which ways a VM that has come back is not where the wave's plan found it; hosts of a cluster are alike.

    :param owner: MoRef of the cluster that its resource pool is of.
    """
    place = vm.source_place or SourcePlace()
    wanted = {
        "resource pool": (place.resource_pool, back.resource_pool),
        "folder": (place.folder, back.folder),
        "cluster": (place.cluster, owner),
    }
    wrong = [_wrong(kind, was, now) for kind, (was, now) in wanted.items() if was and now != was.object_id]
    known = {one.object_id for one in place.datastores}
    strange = sorted(set(back.datastores) - known) if known else []
    return (*wrong, *(f"it is in datastore {one}" for one in strange))


def _wrong(kind: str, was: ObjectRef, now: str | None) -> str:
    return f"its {kind} is {now or 'unknown'} and was {was.name} ({was.object_id})"


def prove_back(plan: WavePlan, names: Iterable[str], clients: SiteClients) -> dict[str, tuple[str, ...]]:
    """Return for each VM why it is not back where the wave's plan found it, nothing for one that is.

    :raises ClientError: if a vCenter cannot be read.
    """
    chosen = [plan.vm(name) for name in names]
    vcenter = clients.source_vcenter
    away = away_now(plan, clients)
    listed = {one.moref for one in may_be_one_of(vcenter.list_virtual_machines(), chosen)}
    details = vcenter.read_virtual_machines(sorted(listed), skip_missing=True) if listed else []
    owners = {one.moref: one.owner for one in vcenter.list_resource_pools()}
    found: dict[str, tuple[str, ...]] = {}
    for vm in chosen:
        retired = {vm.vm_id} if vm.migration is MigrationType.BULK else set()
        here = Arrivals([one for one in details if one.moref not in retired or one.name == vm.name]).of(
            vm.model_copy(update={"there_before": ()})
        )
        reasons = [f"it is still at the destination ({away[vm.name].moref})"] if vm.name in away else []
        if here is None:
            found[vm.name] = (*reasons, "it is not at the source")
            continue
        if here.name != vm.name:
            reasons.append(f"it is called {here.name}")
        reasons += place_differences(vm, here, owners.get(here.resource_pool or ""))
        found[vm.name] = tuple(reasons)
    return found
