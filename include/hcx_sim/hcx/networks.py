"""How the managers name networks: NSX segments by policy path, port groups by moref. [C hcx 1]"""

from __future__ import annotations

from hcx_sim.world.model import NetworkKind, SiteName, VcNetwork
from hcx_sim.world.operations import segment_path
from hcx_sim.world.world import World

NSX_SEGMENT = "NsxtSegment"
OPAQUE = "OpaqueNetwork"
PORT_GROUP = "DistributedVirtualPortgroup"
STANDARD = "Network"
_FLEXIBLE = "/infra/segments/"


def network_type(world: World, network: VcNetwork) -> str:
    """Return the type of a network, one of this module's constants."""
    if network.network_kind is NetworkKind.STANDARD:
        return STANDARD
    if world.segment_of_network(network) is None:
        return PORT_GROUP
    return OPAQUE if network.network_kind is NetworkKind.OPAQUE else NSX_SEGMENT


def network_id(world: World, network: VcNetwork) -> str:
    """Return a network's id: the policy path of a segment, else the moref."""
    segment = world.segment_of_network(network)
    return segment_path(world, segment) if segment is not None else network.moref


def find_network(world: World, site: SiteName, text: str) -> VcNetwork | None:
    """Return the network of a site that is meant by an id, None when there is none.

    Morefs and policy paths are understood; for a segment of a tier-1 also the short form ``/infra/segments/<id>``.
    """
    network = world.networks.get(f"{site}/{text}")
    segment = world.segments.get(f"{site}/{text.rpartition('/')[2]}") if network is None else None
    if segment is not None and text in (segment_path(world, segment), f"{_FLEXIBLE}{segment.segment_id}"):
        network = world.network_of_segment(segment)
    return None if network is None or network.removed else network
