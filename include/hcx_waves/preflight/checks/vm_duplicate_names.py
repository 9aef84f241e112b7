"""The destination's folder has no VM of the same name yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    named: dict[str, list[VirtualMachineSummary]] = defaultdict(list)
    for one in context.destination_vms:
        named[one.name].append(one)
    for vm in context.to_move:
        # One with the same identity is a finding of its own.
        same = [one for one in named.get(vm.name, ()) if one.instance_uuid != vm.instance_uuid]
        taken = [one.moref for one in same if vm.folder is not None and one.folder == vm.folder.object_id]
        if taken and vm.folder is not None:
            yield blocking(
                "vm-name-taken",
                vm.name,
                f'folder "{vm.folder.name}" at the destination has a VM of this name: {", ".join(taken)}',
                "Rename one of them, or choose another folder.",
                morefs=taken,
            )
        elif same:
            morefs = sorted(one.moref for one in same)
            yield advice(
                "vm-name-elsewhere",
                vm.name,
                f"the destination has a VM of this name in another folder: {', '.join(morefs)}",
                "Make sure that the two cannot be confused.",
                morefs=morefs,
            )


CHECK = Check(
    "vm-duplicate-names", "Names are free at the destination", (Product.DESTINATION_VCENTER,), _run, WaveStep.START
)
