"""While a segment is extended its destination gateway is off: else both sites route the subnet."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.subnets import interfaces_of
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.extended_segments:
        found = context.destination_segments.get(segment.destination_segment_path)
        if found is None:
            yield blocking(
                "segment-destination-missing",
                segment.name,
                f"NSX at the destination has no {segment.destination_segment_path}",
                "Start a new run; if the segment was deleted, extend the network again first.",
            ).model_copy(update={"waivable": False})
            continue
        yield from _lost_families(segment, found)
        extension = context.extensions.get(segment.extension_id)
        if found.is_disconnected or (extension is not None and extension.features.mobility_optimized_networking):
            continue
        yield blocking(
            "segment-two-gateways",
            segment.name,
            f'is extended while "{found.display_name}" at the destination reads '
            f"{found.segment_type or 'connected'}: both sites route it",
            "Turn the destination segment's connectivity off before anything is moved.",
            path=found.path,
        ).model_copy(update={"waivable": False})


def _lost_families(segment: PlannedSegment, found: NsxSegment) -> Iterator[Finding]:
    """Find gateways of a family that the destination segment has none of; one without any may just not show it."""
    there = {one.version for one in interfaces_of(found.gateway_addresses)}
    lost = [str(one) for one in interfaces_of(segment.gateway_addresses) if there and one.version not in there]
    if lost and segment.cutover is CutoverPolicy.NOW:
        yield warning(
            "segment-gateway-lost",
            segment.name,
            f"the source routes {', '.join(lost)}, for which the destination segment has no gateway: after "
            "the cutover nobody routes it",
            "Add that gateway to the destination segment in NSX while its connectivity is off.",
            gateways=lost,
        )


CHECK = Check(
    "segment-destination-gateway",
    "The destination gateways of extended segments are off",
    (Product.HCX, Product.DESTINATION_NSX),
    _run,
    WaveStep.CUTOVER,
    repeats=True,
)
