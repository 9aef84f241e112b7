"""DHCP that the source serves on a segment vanishes for its VMs with the cutover. [D hcx 10.2]"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        here = context.source_segments.get(segment.source_segment_path or "")
        there = context.destination_segments.get(segment.destination_segment_path)
        served = [] if here is None else served_by(here.raw)
        if not served:
            continue
        if there is not None and served_by(there.raw):
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


def served_by(segment: Mapping[str, Any]) -> list[str]:
    """Return what makes a segment's body serve DHCP: ranges, a server, or a relay. [D nsx-vsphere 2.2]"""
    found = [str(segment["dhcp_config_path"])] if segment.get("dhcp_config_path") else []
    for subnet in segment.get("subnets") or []:
        found += [str(one) for one in subnet.get("dhcp_ranges") or []]
        server = (subnet.get("dhcp_config") or {}).get("server_address")
        found += [str(server)] if server else []
    return found


CHECK = Check(
    "segment-dhcp",
    "DHCP goes on after the cutover",
    (Product.SOURCE_NSX, Product.DESTINATION_NSX),
    _run,
    WaveStep.CUTOVER,
)
