"""A live way back exists after the move: CPU, virtual hardware, space at the source, a slot to extend again.

RAV and vMotion leave no copy at the source, so the way back is a migration in the other direction; Bulk leaves the
original, powered off [D hcx 4.8]. A running VM does not move to an older CPU; HCX can mask features per VM, which no
interface shows [C hcx 10.1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hcx_waves.clients.vsphere.inventory_models import Host
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.model.findings import Finding
from hcx_waves.model.formatting import size
from hcx_waves.model.plan import PlannedVm
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.checks.extension_appliances import MOST_NETWORKS
from hcx_waves.preflight.checks.target_places import hosts_for
from hcx_waves.preflight.checks.vm_cpu_generation import offers
from hcx_waves.preflight.checks.vm_hardware_version import newest_hardware
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.wavefile.document import Reversible

Maker = Callable[..., Finding]


def _run(context: PreflightContext) -> Iterator[Finding]:
    make: Maker = blocking if context.wave.reversible is Reversible.REQUIRED else warning
    for vm, detail in context.moving:
        yield from _cpu(context, vm, make)
        yield from _hardware(context, vm, detail, make)
        yield from _space(context, vm, detail, make)
    for segment in context.segments_to_cut:
        extension = context.extensions.get(segment.extension_id)
        wanted = None if extension is None else extension.source_appliance.appliance_id
        carried = next((one for one in context.appliances if wanted and one.appliance_id == wanted), None)
        if carried is not None and (carried.network_extension_count or 0) > MOST_NETWORKS:
            yield make(
                "segment-way-back-no-slot",
                segment.name,
                f"once it is unextended, {carried.appliance_name or carried.appliance_id} has no slot to extend it "
                f"again: it carries {carried.network_extension_count} networks, and {MOST_NETWORKS} are supported",
                "Free a slot on the appliance, or add an appliance to the mesh.",
                reason="no extension slot",
            )


def _cpu(context: PreflightContext, vm: PlannedVm, make: Maker) -> Iterator[Finding]:
    if not vm.migration.keeps_running:
        return
    there = _modes(hosts_for(context, vm))
    here = _modes(_hosts_at_source(context, vm))
    verdicts = [offers(back, new) for back in here for new in there]
    # Where one host of the source can run what any host there may give it, there is a way back.
    if verdicts and all(any(offers(back, new) is False for new in there) for back in here):
        newest = ", ".join(sorted(set(there)))
        yield make(
            "vm-way-back-cpu",
            vm.name,
            f"its destination's CPUs ({newest}) are newer than those of the source ({', '.join(sorted(set(here)))}), "
            "so it may not come back while it runs",
            "Choose a cluster whose EVC mode is that of the source, let HCX set EVC per VM, or accept a way back by "
            "Bulk or Cold, which restarts it.",
            reason="newer CPU",
        )


def _modes(hosts: tuple[Host, ...]) -> list[str]:
    return [mode for host in hosts if (mode := host.current_evc_mode or host.max_evc_mode)]


def _hosts_at_source(context: PreflightContext, vm: PlannedVm) -> tuple[Host, ...]:
    """Return the hosts that a VM may come back to: those of its cluster, else its own."""
    place = vm.source_place
    if place is None:
        return ()
    if place.cluster is not None:
        return tuple(host for host in context.source_hosts if host.parent == place.cluster.object_id)
    return tuple(host for host in context.source_hosts if place.host and host.moref == place.host.object_id)


def _hardware(context: PreflightContext, vm: PlannedVm, detail: VirtualMachineDetail, make: Maker) -> Iterator[Finding]:
    if not vm.options.upgrade_hardware:
        return
    back = [newest_hardware(host.version) for host in _hosts_at_source(context, vm)]
    there = [newest_hardware(host.version) for host in hosts_for(context, vm)]
    runs = [one for one in back if one is not None]
    upgraded = max((one for one in there if one is not None), default=None)
    if upgraded is None or not runs or upgraded > max(runs, default=0):
        most = f"vmx-{max(runs)}" if runs else "an unknown version"
        yield make(
            "vm-way-back-hardware",
            vm.name,
            f"its virtual hardware ({detail.hardware_version}) is upgraded, and the source's hosts run {most} at most",
            "Set upgrade_hardware: false until the hold is over; virtual hardware cannot be downgraded.",
            reason="hardware upgraded",
        )


def _space(context: PreflightContext, vm: PlannedVm, detail: VirtualMachineDetail, make: Maker) -> Iterator[Finding]:
    """Judge the space that the VM leaves behind: its own is free again, unless Bulk keeps the original there."""
    stores = {one.moref: one for one in context.source_datastores}
    home = None if vm.source_place is None else next(iter(vm.source_place.datastores), None)
    store = None if home is None else stores.get(home.object_id)
    if store is None:
        return
    if store.accessible is False or store.maintenance_mode not in (None, "normal"):
        yield make(
            "vm-way-back-storage",
            vm.name,
            f"its datastore at the source, {store.name}, is not in service",
            "End the maintenance of the datastore.",
            reason="source datastore",
        )
        return
    needed = sum(disk.capacity_bytes for disk in detail.disks if disk.datastore in (None, store.moref))
    if all(disk.thin for disk in detail.disks):
        needed = min(needed, detail.committed_bytes or needed)
    left = (store.free_bytes or 0) + (0 if vm.migration.value == "Bulk" else detail.committed_bytes or 0)
    if store.free_bytes is not None and needed > left:
        yield make(
            "vm-way-back-storage",
            vm.name,
            f"its datastore at the source, {store.name}, would have {size(left)} for its way back, which takes "
            f"{size(needed)}",
            "Free space in the datastore, and keep it free until the hold is over.",
            reason="source datastore full",
        )


CHECK = Check(
    "way-back",
    "VMs can come back",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER, Product.HCX),
    _run,
    WaveStep.START,
)
