"""Nobody else needs the gateway of a segment that is cut over: other sites, L2 VPNs, other subnets, strangers."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.gateway_users.model import FoundKind, GatewayUsers
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.gateway_users import gateway_users
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        found = gateway_users(context, segment)
        yield from _elsewhere(segment, found)
        outside = found.of(FoundKind.OUTSIDE_ADDRESS)
        if outside:
            yield blocking(
                "segment-addresses-outside",
                segment.name,
                "would leave NICs without a gateway: " + "; ".join(f"{one.name} {one.reason}" for one in outside),
                "Route that subnet at the destination as well, give the VMs other addresses, or waive this if nobody "
                "needs those addresses to be reached.",
                vms=[one.name for one in outside],
            )
        strangers = found.of(FoundKind.NEIGHBOUR)
        if strangers:
            yield warning(
                "segment-neighbours-unknown",
                segment.name,
                f"{', '.join(one.name for one in strangers)} answer its gateway and are no VMs that NSX knows",
                "Find out what they are: a physical device loses its gateway with the cutover.",
                macs=[one.object_id for one in strangers],
            )


def _elsewhere(segment: PlannedSegment, found: GatewayUsers) -> Iterator[Finding]:
    others = found.of(FoundKind.OTHER_EXTENSION)
    if others:
        yield blocking(
            "segment-extended-elsewhere",
            segment.name,
            f"is extended to {', '.join(one.name for one in others)} as well, whose VMs use the gateway that would go",
            "Unextend it there first, or leave the segment stretched (cutover: never).",
            extensions=[one.object_id for one in others],
        ).model_copy(update={"waivable": False})
    vpns = found.of(FoundKind.L2VPN)
    if vpns:
        yield blocking(
            "segment-in-vpn",
            segment.name,
            f"is stretched by NSX L2 VPN as well: {', '.join(one.name for one in vpns)}",
            "Take it out of the L2 VPN first, or leave the segment stretched (cutover: never).",
        ).model_copy(update={"waivable": False})


CHECK = Check(
    "segment-gateway-users",
    "Nobody else needs the gateway of a segment that is cut over",
    (Product.HCX, Product.SOURCE_VCENTER),
    _run,
    WaveStep.CUTOVER,
)
