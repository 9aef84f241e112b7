"""The body of a segment as a manager shows it. [D nsx-vsphere 2.2]

``type`` is derived, never stored: connectivity OFF or no gateway is DISCONNECTED; an L2VPN makes it EXTENDED
(without) or ROUTED_AND_EXTENDED (with a connected gateway) [I nsx-vsphere 5]; anything else is ROUTED. A segment that
HCX extends to has connectivity OFF and therefore reads DISCONNECTED, never EXTENDED.
"""

from __future__ import annotations

from typing import Any

from hcx_sim.engine.clock import to_ms
from hcx_sim.nsx.segment_model import network_of
from hcx_sim.world.model import Segment
from hcx_sim.world.operations import segment_path
from hcx_sim.world.world import World

TYPES = ("ROUTED", "EXTENDED", "ROUTED_AND_EXTENDED", "DISCONNECTED")
CREATE_USER = "_create_user"
MODIFIED_USER = "_last_modified_user"
MORE_SUBNETS = "more_subnets"
_HIDDEN = ("advanced_config", "subnet", MORE_SUBNETS, CREATE_USER, MODIFIED_USER)
_ADVANCED_DEFAULTS: dict[str, Any] = {
    "address_pool_paths": [],
    "hybrid": False,
    "inter_router": False,
    "local_egress": False,
    "multicast": True,
    "node_local_switch": False,
    "urpf_mode": "STRICT",
}


def effective_gateway(world: World, segment: Segment) -> str | None:
    """Return the gateway address in CIDR form that clients see.

    With ``settings.nsx.disconnected_lacks_subnets`` a disconnected segment has none. [C nsx-vsphere 2.2]
    """
    if world.settings.nsx.disconnected_lacks_subnets and segment.connectivity == "OFF":
        return None
    return segment.gateway_cidr


def under_mon(world: World, segment: Segment) -> bool:
    """Tell whether a segment is the destination of an extension with Mobility Optimized Networking."""
    return any(bridge.mon and bridge.destination_segment_key == segment.key for bridge in world.bridges.values())


def segment_type(world: World, segment: Segment) -> str:
    """Return the derived ``type``; what a segment under MON reads is unknown, ``settings.nsx.mon_reads`` decides."""
    if segment.connectivity == "OFF" and segment.l2_extension is None and under_mon(world, segment):
        return world.settings.nsx.mon_reads
    attached = segment.fixed or segment.connectivity_path is not None
    routed = segment.connectivity != "OFF" and segment.gateway_cidr is not None and attached
    if segment.l2_extension is not None:
        return "ROUTED_AND_EXTENDED" if routed else "EXTENDED"
    return "ROUTED" if routed else "DISCONNECTED"


def bookkeeping(
    path: str, unique_id: str, created_us: int, modified_us: int, users: tuple[str, str], revision: int
) -> dict[str, Any]:
    """Return the read-only fields that every policy object has; times in epoch milliseconds."""
    parent, _, relative = path.rsplit("/", 2)
    return {
        "path": path,
        "relative_path": relative,
        "parent_path": parent,
        "unique_id": unique_id,
        "realization_id": unique_id,
        "owner_id": "owner",
        "marked_for_delete": False,
        "overridden": False,
        "_create_time": to_ms(created_us),
        "_create_user": users[0],
        "_last_modified_time": to_ms(modified_us),
        "_last_modified_user": users[1],
        "_system_owned": False,
        "_protection": "NOT_PROTECTED",
        "_revision": revision,
    }


def segment_body(world: World, segment: Segment) -> dict[str, Any]:
    """Return the whole body of a segment."""
    path = segment_path(world, segment)
    site = world.site(segment.site)
    creator = segment.extra.get(CREATE_USER) or ("hcx" if segment.hcx_created else "admin")
    body: dict[str, Any] = {
        "resource_type": "Segment",
        "id": segment.segment_id,
        "display_name": segment.display_name,
        "type": segment_type(world, segment),
        "transport_zone_path": site.transport_zone_path,
        "admin_state": "UP",
        "replication_mode": "MTEP",
        **{name: value for name, value in segment.extra.items() if name not in _HIDDEN},
    }
    body.update(_connectivity(world, segment))
    body.update(
        bookkeeping(
            path,
            world.random.stable_uuid(f"segment/{segment.key}/{segment.created_us}"),
            segment.created_us,
            segment.modified_us,
            (creator, segment.extra.get(MODIFIED_USER) or creator),
            segment.revision,
        )
    )
    if segment.hcx_created:
        body["_protection"] = world.settings.nsx.hcx_segments_protection
    return body


def _connectivity(world: World, segment: Segment) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if segment.connectivity_path is not None:
        body["connectivity_path"] = segment.connectivity_path
    gateway = effective_gateway(world, segment)
    if gateway is not None:
        subnet = {"gateway_address": gateway, **segment.extra.get("subnet", {}), "network": network_of(gateway)}
        if segment.dhcp_ranges:
            subnet["dhcp_ranges"] = list(segment.dhcp_ranges)
        more = segment.extra.get(MORE_SUBNETS, [])
        body["subnets"] = [subnet, *({**each, "network": network_of(each["gateway_address"])} for each in more)]
    if segment.l2_extension is not None:
        body["l2_extension"] = segment.l2_extension
    advanced = advanced_config(world, segment)
    if advanced is not None:
        body["advanced_config"] = advanced
    return body


def advanced_config(world: World, segment: Segment) -> dict[str, Any] | None:
    """Return ``advanced_config``; None when the body has none, which means connectivity ON. [C nsx-vsphere 2.2]"""
    absent = segment.connectivity is None or (
        world.settings.nsx.advanced_config_absent and segment.connectivity == "ON"
    )
    if absent:
        return None
    shown = {**_ADVANCED_DEFAULTS, **segment.extra.get("advanced_config", {}), "connectivity": segment.connectivity}
    if segment.connectivity == "OFF" and under_mon(world, segment) and world.settings.nsx.mon_reads == "ROUTED":
        shown.update(connectivity="ON", local_egress=True)  # inferred from the text of local_egress [I nsx-vsphere 2.3]
    return shown
