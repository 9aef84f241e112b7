"""No other connected segment of the destination overlaps a subnet that is to be routed there."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.model.subnets import overlap, subnets_of
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        own = subnets_of(segment.gateway_addresses)
        for other in context.destination_segments.values():
            if other.path == segment.destination_segment_path or other.is_disconnected:
                continue
            theirs = subnets_of(other.gateway_addresses)
            if any(overlap(one, two) for one in own for two in theirs):
                yield blocking(
                    "segment-subnet-overlaps",
                    segment.name,
                    f'"{other.display_name}" at the destination routes {", ".join(other.gateway_addresses)} already',
                    "Disconnect or readdress that segment; NSX refuses overlapping subnets on one gateway.",
                    path=other.path,
                )


CHECK = Check(
    "segment-overlaps",
    "Subnets are free at the destination",
    (Product.DESTINATION_NSX,),
    _run,
    WaveStep.CUTOVER,
    repeats=True,
)
