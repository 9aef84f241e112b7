"""While a segment is extended its destination gateway is off: else both sites route the subnet."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
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


CHECK = Check(
    "segment-destination-gateway",
    "The destination gateways of extended segments are off",
    (Product.HCX, Product.DESTINATION_NSX),
    _run,
    WaveStep.CUTOVER,
)
