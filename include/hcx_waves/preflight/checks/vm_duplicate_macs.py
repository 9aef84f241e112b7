"""No other VM, here or there, has a MAC address of the wave: stretched, they would share one network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    owners: dict[str, set[str]] = defaultdict(set)
    for vif in context.vifs:
        if vif.mac_address and vif.owner_vm_id:
            owners[vif.mac_address.lower()].add(vif.owner_vm_id.lower())
    for vm in context.plan.vms:
        for nic in vm.nics:
            owners[nic.mac_address].add(vm.instance_uuid.lower())
    names = {(vm.instance_uuid or "").lower(): vm.name for vm in (*context.source_vms, *context.destination_vms)}
    for vm in context.to_move:
        for nic in vm.nics:
            others = sorted(names.get(one, one) for one in owners[nic.mac_address] - {vm.instance_uuid.lower()})
            if others:
                yield blocking(
                    "vm-mac-duplicate",
                    vm.name,
                    f"{nic.label} has MAC {nic.mac_address}, as has {', '.join(others)}",
                    "Give one of them another MAC address.",
                )


CHECK = Check(
    "vm-duplicate-macs",
    "MAC addresses are unique",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER, Product.DESTINATION_NSX),
    _run,
    WaveStep.START,
)
