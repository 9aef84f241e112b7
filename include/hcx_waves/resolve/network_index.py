"""The networks of one site, as vCenter and as HCX name them, and which of their names mean the same one.

HCX names an NSX segment by policy path and a port group by MoRef ([C] T91). A fixed segment of VMware Cloud may
be given with or without its tier-1 in the path, so paths are compared by the segment's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hcx_waves.clients.hcx import InventoryNetwork, NetworkExtension
from hcx_waves.clients.hcx.extensions import ExtensionNetwork
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import Nic
from hcx_waves.domain.plan import NetworkRef

_SEGMENTS = "/segments/"


def same_network(one: str | None, other: str | None) -> bool:
    """Whether two ids mean the same network of a site; segment paths are compared by the segment's id."""
    if not one or not other:
        return False
    return one == other or (_SEGMENTS in one and _SEGMENTS in other and segment_id_of(one) == segment_id_of(other))


def segment_id_of(path: str) -> str:
    """Return the last part of a segment's policy path; of anything else the text itself."""
    return path.rpartition(_SEGMENTS)[2]


def extension_ref(network: ExtensionNetwork) -> NetworkRef:
    """Return one end of an extension as HCX's record names it."""
    return NetworkRef(
        network_id=network.network_id or "", name=network.network_name or "", network_type=network.network_type or ""
    )


class NetworkIndex:
    """The networks of one site."""

    def __init__(self, networks: Iterable[Network], hcx_networks: Iterable[InventoryNetwork]) -> None:
        self.networks: tuple[Network, ...] = tuple(
            one for one in networks if not (isinstance(one, DistributedVirtualPortgroup) and one.is_uplink)
        )
        self._hcx = tuple(hcx_networks)

    def of_nic(self, nic: Nic) -> Network | None:
        """Return the network that a NIC is in, None if its backing names none that exists."""
        for network in self.networks:
            if isinstance(network, DistributedVirtualPortgroup) and nic.backing == "distributed":
                keys = {network.key, network.moref}
            elif isinstance(network, OpaqueNetwork) and nic.backing == "opaque":
                keys = {network.opaque_id or network.moref}
            elif nic.backing == "standard":
                keys = {network.moref, network.name}
            else:
                continue
            if nic.network_id in keys:
                return network
        return None

    def named(self, name: str) -> tuple[Network, ...]:
        """Return the networks of a name, MoRef, or segment path; in order of their MoRefs."""
        found = [one for one in self.networks if one.name == name or self.is_meant(one, name)]
        return tuple(sorted(found, key=lambda one: one.moref))

    def of_segment(self, segment_id: str) -> tuple[Network, ...]:
        """Return the networks behind an NSX segment of that id."""
        return tuple(one for one in self.networks if segment_id_of(segment_path_of(one) or "") == segment_id)

    def is_meant(self, network: Network, network_id: str | None) -> bool:
        """Whether HCX's id of a network means this one."""
        ids = (network.moref, segment_path_of(network), self.ref(network).network_id)
        return any(same_network(one, network_id) for one in ids)

    def ref(self, network: Network) -> NetworkRef:
        """Return a network as HCX names it; where HCX lists it not, as vCenter does."""
        ids = (network.moref, segment_path_of(network), getattr(network, "opaque_id", None))
        by_id = [one for one in self._hcx if any(same_network(one.entity_id, own) for own in ids)]
        by_name = [one for one in self._hcx if one.name == network.name]
        listed = by_id or (by_name if len(by_name) == 1 else [])
        if listed and listed[0].entity_id:
            kind = listed[0].network_type or _kind(network)
            return NetworkRef(network_id=listed[0].entity_id, name=network.name, network_type=kind)
        return NetworkRef(
            network_id=segment_path_of(network) or network.moref, name=network.name, network_type=_kind(network)
        )

    def extension_of(self, network: Network, extensions: Sequence[NetworkExtension]) -> tuple[NetworkExtension, ...]:
        """Return the extensions of a source network: by the record's network id, by its name only without one."""
        return tuple(
            one
            for one in extensions
            if (
                self.is_meant(network, one.source_network.network_id)
                if one.source_network.network_id
                else one.source_network.network_name == network.name
            )
        )


def segment_path_of(network: Network) -> str | None:
    """Return the policy path of the NSX segment behind a port group, None if vCenter gives none."""
    segment = getattr(network, "segment_id", None)
    return segment if segment and _SEGMENTS in segment else None


def _kind(network: Network) -> str:
    if isinstance(network, OpaqueNetwork):
        return "OpaqueNetwork"
    if isinstance(network, DistributedVirtualPortgroup):
        return "NsxtSegment" if network.is_nsx else "DistributedVirtualPortgroup"
    return "Network"
