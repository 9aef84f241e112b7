"""DHCP that the source serves on a segment vanishes for its VMs with the cutover. [D hcx 10.2]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.gateway_users import dhcp_served_by
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        here = context.source_segments.get(segment.source_segment_path or "")
        there = context.destination_segments.get(segment.destination_segment_path)
        served = [] if here is None else dhcp_served_by(here.raw)
        if not served:
            continue
        if there is not None and dhcp_served_by(there.raw):
            yield advice(
                "segment-dhcp-at-both-sites",
                segment.name,
                "DHCP is configured at both sites",
                "Compare ranges and options.",
            )
        else:
            yield warning(
                "segment-dhcp-at-source",
                segment.name,
                f"the source serves DHCP on it ({', '.join(served)}), the destination does not",
                "Have a relay or server ready at the destination; leases end some time after the cutover.",
                dhcp=served,
            )


CHECK = Check(
    "segment-dhcp",
    "DHCP goes on after the cutover",
    (Product.SOURCE_NSX, Product.DESTINATION_NSX),
    _run,
    WaveStep.CUTOVER,
    repeats=True,
)
