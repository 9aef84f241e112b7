"""What is seen of the segments that a run cuts over, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.gateway_users import dhcp_served_by
from hcx_waves.gateway_users.model import FoundKind
from hcx_waves.model.findings import SegmentSeen
from hcx_waves.preflight.gateway_users import gateway_users

if TYPE_CHECKING:
    from hcx_waves.model.plan import PlannedSegment
    from hcx_waves.preflight.context import PreflightContext

ON_IT = (
    FoundKind.WORKLOAD,
    FoundKind.POWERED_OFF_VM,
    FoundKind.TEMPLATE,
    FoundKind.STAYING,
    FoundKind.HCX_APPLIANCE,
)
"""What a VM that stays on a segment at the source can be; the originals that the wave itself leaves are no news."""


def see(context: PreflightContext, segment: PlannedSegment) -> SegmentSeen:
    """Return what is seen of a segment; what cannot be read is among the unknown."""
    source, destination = see_gateways(context, segment)
    try:
        users = gateway_users(context, segment)
    except ClientError as error:
        unknown = f"who else needs the gateway: {error.endpoint or error.system or 'a product'} could not be read"
        return SegmentSeen(segment=segment.name, source=source, destination=destination, unknown=(unknown,))
    return SegmentSeen(
        segment=segment.name,
        source=source,
        destination=destination,
        vms=tuple(sorted(one.name for one in users.found if one.kind in ON_IT)),
        unknown=users.unknown,
    )


def see_gateways(context: PreflightContext, segment: PlannedSegment) -> tuple[str, str]:
    """Return a segment's gateways in a few words, the source's first; empty where they cannot be read."""
    try:
        has_nsx = context.clients.source_nsx is not None and segment.source_segment_path is not None
        here = context.source_segments.get(str(segment.source_segment_path)) if has_nsx else None
        there = context.destination_segments.get(segment.destination_segment_path)
    except ClientError:
        return "", ""
    return _words(here), _words(there)


def differences(before: SegmentSeen, now: SegmentSeen) -> Iterator[str]:
    """Yield what has changed on a segment, one sentence each."""
    for site, then, since in (
        ("source", before.source, now.source),
        ("destination", before.destination, now.destination),
    ):
        if then and since and then != since:
            yield f"The gateway at the {site} was: {then}. It is: {since}"
    came, left = sorted(set(now.vms) - set(before.vms)), sorted(set(before.vms) - set(now.vms))
    if came:
        yield f"Came to the segment at the source: {', '.join(came)}"
    if left:
        yield f"Left the segment at the source: {', '.join(left)}"
    yield from (f"Now known, was not: {one}" for one in before.unknown if one not in now.unknown)
    yield from (f"Not known any more: {one}" for one in now.unknown if one not in before.unknown)


def _words(found: NsxSegment | None) -> str:
    if found is None:
        return ""
    connectivity = "off" if found.is_disconnected else "on"
    facts = [f"connectivity {connectivity}", f"gateway {', '.join(found.gateway_addresses) or 'none'}"]
    served = dhcp_served_by(found.raw)
    facts += [f"DHCP {', '.join(served)}"] if served else []
    return ", ".join(facts)
