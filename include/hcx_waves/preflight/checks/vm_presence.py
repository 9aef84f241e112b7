"""Each VM exists once: at the source, or at the destination where it has been moved to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedVm
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

Groups = dict[str, list[VirtualMachineSummary]]


def _run(context: PreflightContext) -> Iterator[Finding]:
    here = {vm.moref: vm for vm in context.source_vms}
    by_uuid: Groups = defaultdict(list)
    by_name: Groups = defaultdict(list)
    for one in context.source_vms:
        by_uuid[(one.instance_uuid or one.moref).lower()].append(one)
        by_name[one.name].append(one)
    there = {vm.instance_uuid.lower() for vm in context.destination_vms if vm.instance_uuid}
    for vm in context.of_this_run:
        uuid = vm.instance_uuid.lower()
        if vm.already_there:
            if uuid not in there:
                yield _missing(vm, "destination")
            continue
        found = here.get(vm.vm_id)
        if found is None or (found.instance_uuid or "").lower() != uuid:
            yield _missing(vm, "source")
        if uuid in there:
            yield blocking(
                "vm-at-both-sites",
                vm.name,
                f"exists at both sites with instance UUID {vm.instance_uuid}",
                "An earlier migration did not finish: look at it in HCX, then remove the copy that is not in use.",
            )
        yield from _namesakes(vm, by_uuid, by_name)


def _missing(vm: PlannedVm, site: str) -> Finding:
    return blocking(
        "vm-missing",
        vm.name,
        f"is no longer at the {site} as {vm.vm_id} with instance UUID {vm.instance_uuid}",
        "Start a new run, which plans the wave again.",
    )


def _namesakes(vm: PlannedVm, by_uuid: Groups, by_name: Groups) -> Iterator[Finding]:
    twins = [one for one in by_uuid.get(vm.instance_uuid.lower(), ()) if one.moref != vm.vm_id]
    if twins:
        yield blocking(
            "vm-uuid-not-unique",
            vm.name,
            f"shares its instance UUID with {', '.join(sorted(one.name for one in twins))} at the source",
            "Give one of them a new instance UUID, so that the two cannot be confused.",
            morefs=sorted(one.moref for one in twins),
        )
    same = sorted(one.moref for one in by_name.get(vm.name, ()) if one.moref != vm.vm_id)
    if same:
        yield warning(
            "vm-name-not-unique",
            vm.name,
            f"the source has further VMs of this name: {', '.join(same)}",
            "Rename them, so that they cannot be confused.",
            morefs=same,
        )


CHECK = Check(
    "vm-presence", "Each VM exists once", (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER), _run, WaveStep.START
)
