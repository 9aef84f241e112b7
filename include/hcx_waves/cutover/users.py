"""Who else needs a segment's gateway, asked again right before it is cut off."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.leftovers import Found, FoundKind
from hcx_waves.gateway_users import GatewayFacts, Tenant, who_needs
from hcx_waves.gateway_users.model import GatewayUsers, UserKind
from hcx_waves.model.plan import PlannedSegment, WavePlan

_BLOCKING = {UserKind.OTHER_EXTENSION: FoundKind.OTHER_EXTENSION, UserKind.L2VPN: FoundKind.L2VPN}


def read_users(
    plan: WavePlan, segment: PlannedSegment, clients: SiteClients, network_ids: Sequence[str]
) -> tuple[GatewayUsers, list[Found]]:
    """Ask HCX and the source's NSX who else needs the gateway; return the answer, and what of it blocks.

    Addresses outside the subnets are those that the plan knows of its VMs; whoever must answer for them has been asked
    before the wave.
    """
    extensions = clients.hcx.extensions()
    nsx, path = clients.source_nsx, segment.source_segment_path
    tenants = [
        Tenant(vm.name, vm.vm_id, nic.ip_addresses) for vm in plan.vms for nic in vm.nics if nic.segment == segment.name
    ]
    users = who_needs(
        plan,
        segment,
        GatewayFacts(
            extensions=extensions,
            network_ids=network_ids,
            source_segment=None if nsx is None or path is None else nsx.segment(path),
            tenants=tenants,
        ),
    )
    found = [
        Found(kind=_BLOCKING[one.kind], name=one.name, object_id=one.object_id, reason=one.reason)
        for one in users.users
        if one.kind in _BLOCKING
    ]
    found += [
        Found(
            kind=FoundKind.MON,
            name="Mobility Optimized Networking",
            object_id=one.extension_id,
            reason="it is on, so the destination may route the segment already",
        )
        for one in extensions
        if one.extension_id == segment.extension_id and one.features.mobility_optimized_networking
    ]
    return users, found
