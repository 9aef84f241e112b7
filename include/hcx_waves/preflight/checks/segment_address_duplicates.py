"""No address is used twice on a segment, as NSX and the guests report it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.domain.findings import Finding
from hcx_waves.domain.plan import PlannedSegment
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.extended_segments:
        if segment.source_segment_path is None:
            continue
        twice = _by_ports(context, segment)
        if twice:
            text = "; ".join(f"{address} by {', '.join(sorted(macs))}" for address, macs in sorted(twice.items()))
            yield warning(
                "segment-address-duplicate",
                segment.name,
                f"addresses are used more than once: {text}",
                "Find out which of them is right; comparing addresses after the move would be misled.",
                addresses={address: sorted(macs) for address, macs in twice.items()},
            )


def _by_ports(context: PreflightContext, segment: PlannedSegment) -> dict[str, set[str]]:
    """Return addresses with several MACs: what NSX marks as duplicate, and what several NICs report."""
    users: dict[str, set[str]] = defaultdict(set)
    marked: dict[str, set[str]] = defaultdict(set)
    reported = {vif.attachment_id: vif for vif in context.vifs if vif.attachment_id}
    for port in context.source_nsx.ports(str(segment.source_segment_path)):
        vif = reported.get(port.attachment_id or "")
        if vif is None or vif.mac_address is None:
            continue
        for address in vif.ip_addresses:
            users[address].add(vif.mac_address.lower())
        for binding in context.source_nsx.port_state(port.path).duplicates:
            if binding.ip_address:
                marked[binding.ip_address].update({vif.mac_address.lower(), (binding.mac_address or "?").lower()})
    twice = {address: macs for address, macs in users.items() if len(macs) > 1}
    return {**marked, **{address: macs | marked.get(address, set()) for address, macs in twice.items()}}


CHECK = Check("segment-address-duplicates", "No address is used twice", (Product.SOURCE_NSX,), _run)
