"""No VM is left on a segment that is cut over: powered-off VMs, templates and VMs of other waves count as well."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.model.findings import Finding
from hcx_waves.model.spelling import KnownNames
from hcx_waves.preflight.base import Check, Product, advice, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.gateway_users import gateway_users
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    names = {vm.name for vm in context.source_vms}
    summaries = {vm.moref: vm for vm in context.source_vms}
    for segment in context.segments_to_cut:
        needing = [one for one in gateway_users(context, segment).found if one.kind.is_vm]
        left = sorted((summaries[one.object_id] for one in needing), key=lambda vm: vm.name)
        if left:
            yield blocking(
                "segment-vms-left-behind",
                segment.name,
                f"would lose its gateway under {', '.join(_described(context, vm) for vm in left)}",
                "Take them into the wave, leave the cutover to the wave that moves them (cutover: later), or say "
                "under stays why they may remain.",
                vms=[{"name": vm.name, "moref": vm.moref, "power_state": vm.power_state} for vm in left],
            )
        gone = [name for name in segment.stays if name not in names]
        if gone:
            yield advice(
                "segment-stay-absent",
                segment.name,
                f"{', '.join(gone)} may stay, but is not at the source",
                " ".join(("Correct stays.", *_near(gone, names))),
            )


def _near(gone: list[str], names: set[str]) -> Iterator[str]:
    known = KnownNames(names)
    for name in gone[:3]:
        near = known.nearest(name)
        if near:
            yield f"{name}: {known.hint(name, 'VMs')}"


def _described(context: PreflightContext, vm: VirtualMachineSummary) -> str:
    facts = []
    if vm.is_template:
        facts.append("template")
    elif vm.power_state != "poweredOn":
        facts.append(str(vm.power_state))
    other = context.wave_of(vm.name)
    if other is not None:
        facts.append(f"moved by wave {other}")
    return f"{vm.name} ({', '.join(facts)})" if facts else vm.name


CHECK = Check(
    "segment-left-behind",
    "No VM is left on a segment that is cut over",
    (Product.SOURCE_VCENTER, Product.HCX),
    _run,
    WaveStep.CUTOVER,
)
