"""Nobody else needs the gateway of a segment that is cut over: other sites, L2 VPNs, other subnets, strangers."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.errors import NotFound, PermissionDenied
from hcx_waves.gateway_users import GatewayFacts, Tenant, who_needs
from hcx_waves.gateway_users.model import GatewayUsers, UserKind
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        found = who_needs(context.plan, segment, _facts(context, segment))
        yield from _elsewhere(segment, found)
        outside = found.of(UserKind.OUTSIDE_ADDRESS)
        if outside:
            yield blocking(
                "segment-addresses-outside",
                segment.name,
                "would leave NICs without a gateway: " + "; ".join(f"{one.name} {one.reason}" for one in outside),
                "Route that subnet at the destination as well, give the VMs other addresses, or waive this if nobody "
                "needs those addresses to be reached.",
                vms=[one.name for one in outside],
            )
        strangers = found.of(UserKind.NEIGHBOUR)
        if strangers:
            yield warning(
                "segment-neighbours-unknown",
                segment.name,
                f"{', '.join(one.name for one in strangers)} answer its gateway and are no VMs that NSX knows",
                "Find out what they are: a physical device loses its gateway with the cutover.",
                macs=[one.object_id for one in strangers],
            )


def _elsewhere(segment: PlannedSegment, found: GatewayUsers) -> Iterator[Finding]:
    others = found.of(UserKind.OTHER_EXTENSION)
    if others:
        yield blocking(
            "segment-extended-elsewhere",
            segment.name,
            f"is extended to {', '.join(one.name for one in others)} as well, whose VMs use the gateway that would go",
            "Unextend it there first, or leave the segment stretched (cutover: never).",
            extensions=[one.object_id for one in others],
        ).model_copy(update={"waivable": False})
    vpns = found.of(UserKind.L2VPN)
    if vpns:
        yield blocking(
            "segment-in-vpn",
            segment.name,
            f"is stretched by NSX L2 VPN as well: {', '.join(one.name for one in vpns)}",
            "Take it out of the L2 VPN first, or leave the segment stretched (cutover: never).",
        ).model_copy(update={"waivable": False})


def _facts(context: PreflightContext, segment: PlannedSegment) -> GatewayFacts:
    has_nsx = context.clients.source_nsx is not None and segment.source_segment_path is not None
    network = context.source_network(segment)
    tenants = [
        Tenant(vm.name, vm.vm_id, tuple(one.address for one in detail.addresses_of(nic)))
        for vm, detail in context.moving
        for nic in detail.nics
        if any(one.mac_address == nic.mac.lower() and one.segment == segment.name for one in vm.nics)
    ]
    return GatewayFacts(
        extensions=tuple(context.extensions.values()),
        network_ids=() if network is None else (network.moref,),
        source_segment=context.source_segments.get(str(segment.source_segment_path)) if has_nsx else None,
        tenants=tenants,
        neighbours=_neighbours(context, segment) if has_nsx else None,
        known_macs=_known_macs(context) if has_nsx else frozenset(),
    )


def _neighbours(context: PreflightContext, segment: PlannedSegment) -> dict[str, str] | None:
    try:
        rows = context.source_nsx.gateway_arp_table(str(segment.source_segment_path))
    except (NotFound, PermissionDenied):
        return None
    return {str(row.get("ip")): str(row.get("mac_address")) for row in rows if row.get("ip") and row.get("mac_address")}


def _known_macs(context: PreflightContext) -> frozenset[str]:
    here = {nic.mac.lower() for _, detail in context.moving for nic in detail.nics}
    return frozenset({*here, *(vif.mac_address.lower() for vif in context.vifs if vif.mac_address)})


CHECK = Check(
    "segment-gateway-users",
    "Nobody else needs the gateway of a segment that is cut over",
    (Product.HCX, Product.SOURCE_VCENTER),
    _run,
    WaveStep.CUTOVER,
)
