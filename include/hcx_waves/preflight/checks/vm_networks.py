"""Every NIC is planned, in the network that the plan says, and its destination network exists."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedVm
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        changes = [*_unplanned(context, vm, detail), *_gone(vm, detail)]
        if changes:
            yield blocking(
                "vm-nics-changed",
                vm.name,
                f"its network cards have changed since the wave was planned: {'; '.join(changes)}",
                "Start a new run, which plans the wave again.",
            )
        there = context.destination_networks
        missing = [nic for nic in vm.nics if not there.meant_by(nic.destination.network_id)]
        for nic in missing:
            yield blocking(
                "vm-network-missing",
                vm.name,
                f'{nic.label} goes to "{nic.destination.name}" ({nic.destination.network_id}), which is not at the '
                "destination",
                "Create the network, or map the NIC to another one.",
            )


def _unplanned(context: PreflightContext, vm: PlannedVm, detail: VirtualMachineDetail) -> Iterator[str]:
    planned = {nic.mac_address: nic for nic in vm.nics}
    for nic in detail.nics:
        known = planned.get(nic.mac)
        network = context.source_networks.of_nic(nic)
        if known is None:
            yield f"{nic.label} ({nic.mac}) is new"
        elif network is None or not context.source_networks.is_meant(network, known.source.network_id):
            yield f'{nic.label} is in "{network.name if network else "no network"}", not in "{known.source.name}"'


def _gone(vm: PlannedVm, detail: VirtualMachineDetail) -> Iterator[str]:
    for nic in vm.nics:
        if nic.mac_address not in detail.macs:
            yield f"{nic.label} ({nic.mac_address}) is gone"


CHECK = Check(
    "vm-networks",
    "Every NIC is mapped",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER, Product.HCX),
    _run,
    WaveStep.START,
)
