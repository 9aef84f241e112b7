"""No address is used twice on a segment, as the guests report it and NSX sees it.

NSX marks duplicates port by port, one request each; it is asked only about ports whose guests report nothing, and
about so many of them that its limit of 100 requests a second [D nsx-vsphere 2.7] is not met.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.subnets import plain_address
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

MOST_PORTS_ASKED = 50


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.extended_segments:
        twice = _twice(context, segment) if segment.source_segment_path is not None else {}
        if twice:
            text = "; ".join(f"{address} by {', '.join(macs)}" for address, macs in twice.items())
            yield warning(
                "segment-address-duplicate",
                segment.name,
                f"IP addresses are used more than once: {text}",
                "Correct the duplicates; otherwise addresses cannot be compared after the move.",
                addresses=twice,
            )


def _twice(context: PreflightContext, segment: PlannedSegment) -> dict[str, list[str]]:
    """Return the addresses with several MACs; the second may be one that only NSX knows of."""
    users: dict[str, set[str]] = defaultdict(set)
    marked: set[str] = set()
    reported = {vif.attachment_id: vif for vif in context.vifs if vif.attachment_id}
    asked = 0
    for port in context.source_nsx.ports(str(segment.source_segment_path)):
        vif = reported.get(port.attachment_id or "")
        mac = None if vif is None else vif.mac_address
        if vif is None or mac is None:
            continue
        addresses = {plain_address(one) for one in vif.ip_addresses}
        if not addresses and asked < MOST_PORTS_ASKED:
            asked += 1
            state = context.source_nsx.port_state(port.path)
            addresses = {
                plain_address(one.ip_address) for one in (*state.discovered, *state.duplicates) if one.ip_address
            }
            marked |= {plain_address(one.ip_address) for one in state.duplicates if one.ip_address}
        for address in addresses:
            users[address].add(mac.lower())
    for address in marked:
        if len(users[address]) == 1:
            users[address].add("another port")
    return {address: sorted(macs) for address, macs in sorted(users.items()) if len(macs) > 1}


CHECK = Check("segment-address-duplicates", "No address is used twice", (Product.SOURCE_NSX,), _run, WaveStep.CUTOVER)
