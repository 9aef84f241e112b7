"""Mobility Optimized Networking is off before an extension is removed. [D+C hcx 5.5]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        extension = context.extensions.get(segment.extension_id)
        if extension is None or not extension.features.mobility_optimized_networking:
            continue
        listed = context.clients.hcx.mon_virtual_machines(
            segment.extension_id,
            destination_endpoint_id=context.plan.destination.endpoint_id,
            source_endpoint_id=context.plan.source.endpoint_id,
        )
        routed = sorted(vm.name for vm in listed if vm.is_proximity_routed)
        through = f"; {', '.join(routed)} are routed at the destination" if routed else ""
        yield blocking(
            "segment-mon-on",
            segment.name,
            f"Mobility Optimized Networking is on{through}",
            "Route each of its VMs back to the source's gateway in HCX (Network Extension, MON, router location), turn "
            "MON off for the network, then start a new run. Until then the destination may route the segment too, and "
            "the cutover would stop in its window: so this cannot be waived.",
            vms=routed,
        ).model_copy(update={"waivable": False})


CHECK = Check(
    "segment-mon",
    "MON is off on segments that are cut over",
    (Product.HCX,),
    _run,
    WaveStep.CUTOVER,
    repeats=True,
)
