"""Mobility Optimized Networking: VMs routed at the destination although its gateway is off. [C hcx 5.5]"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcx_sim.hcx.body import as_text
from hcx_sim.hcx.extension.records import destination_network, ends_of
from hcx_sim.hcx.wire import problem
from hcx_sim.world.model import Bridge, Vm, VmRole
from hcx_sim.world.world import World

SWITCHOVER_TYPES = ("", "switchoverNow", "switchoverOnVmMigration")


def routable_vms(world: World, bridge: Bridge) -> list[Vm]:
    """Return the workloads at the destination that have a card in the extended network."""
    network = destination_network(world, bridge)
    on_it = world.vms_on(network) if network is not None else []
    return [vm for vm in on_it if vm.role is not VmRole.HCX_APPLIANCE and not vm.retired and not vm.template]


def vm_items(world: World, bridge: Bridge) -> list[dict[str, Any]]:
    """Return the VMs with where they are routed."""
    far = world.site(ends_of(bridge)[1])
    return [
        {
            "name": vm.name,
            "vmId": vm.moref,
            "resourceId": far.vcenter_instance_uuid,
            "isProximityRouted": vm.uid in bridge.mon_vm_uids,
        }
        for vm in routable_vms(world, bridge)
    ]


def route(world: World, bridge: Bridge, wishes: list[Any]) -> list[dict[str, Any]]:
    """Route VMs at the endpoint that each item names; return one result per item, with ``errors`` when refused.

    The destination's endpoint id routes there; the source's routes back [I hcx 5.5].
    """
    vms = {vm.moref: vm for vm in routable_vms(world, bridge)}
    near, far = (world.site(site).hcx_endpoint_id for site in ends_of(bridge))
    routed = list(bridge.mon_vm_uids)
    results = []
    for wish in wishes:
        item: Mapping[str, Any] = wish if isinstance(wish, Mapping) else {}
        vm_id, router = as_text(item.get("vmId")), as_text(item.get("routerEndpointId"))
        refusal = _refusal(item, vm_id in vms, router in (near, far))
        if not refusal:
            uid = vms[vm_id].uid
            routed = [each for each in routed if each != uid] + ([uid] if router == far else [])
        results.append({"vmId": vm_id, "errors": [problem(refusal, "MON_REFUSED")] if refusal else [], "warnings": []})
    world.update(bridge, mon_vm_uids=routed)
    return results


def _refusal(item: Mapping[str, Any], known_vm: bool, known_router: bool) -> str:
    if not known_vm:
        return f"VM {as_text(item.get('vmId'))} is not on the extended network at the destination."
    if not known_router:
        return f"Router endpoint {as_text(item.get('routerEndpointId'))} is not an end of the extension."
    kind = as_text(item.get("switchoverType"))
    return "" if kind in SWITCHOVER_TYPES else f"Unknown switchoverType {kind}."
