"""The networks of one site under the names of vCenter and of HCX, matched with each other.

HCX names an NSX segment by policy path and a port group by MoRef ([C hcx 1]). A fixed segment of VMware Cloud may
be given with or without its tier-1 in the path, so paths are compared by the segment's id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from hcx_waves.clients.hcx import InventoryNetwork, NetworkExtension
from hcx_waves.clients.hcx.extensions import ExtensionNetwork
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import Nic, NicBacking
from hcx_waves.model.plan import NetworkRef

_SEGMENTS = "/segments/"
_KeyType = TypeVar("_KeyType", bound=Hashable)
_Item = TypeVar("_Item")


def same_network(one: str | None, other: str | None) -> bool:
    """Whether two ids mean the same network of a site; segment paths are compared by the segment's id."""
    return bool(one) and _key(one) == _key(other)


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
        hcx = tuple(hcx_networks)
        self._hcx_by_key = _grouped((_key(one.entity_id), one) for one in hcx if one.entity_id)
        self._hcx_by_name = _grouped((one.name, one) for one in hcx)
        self._refs = {one.moref: self._ref(one) for one in self.networks}
        self._by_key = _grouped((key, one) for one in self.networks for key in self._keys(one))
        self._by_nic = _grouped((key, one) for one in self.networks for key in _nic_keys(one))

    def of_nic(self, nic: Nic) -> Network | None:
        """Return the network that a NIC is in, None if its backing names none that exists."""
        return next(iter(self._by_nic.get((nic.backing, nic.network_id), ())), None)

    def named(self, name: str) -> tuple[Network, ...]:
        """Return the networks of a name, MoRef, or segment path; in order of their MoRefs."""
        found = [one for one in self.networks if one.name == name or self.is_meant(one, name)]
        return tuple(sorted(found, key=lambda one: one.moref))

    def of_segment(self, segment_id: str) -> tuple[Network, ...]:
        """Return the networks behind an NSX segment of that id."""
        return tuple(one for one in self.networks if segment_id_of(segment_path_of(one) or "") == segment_id)

    def meant_by(self, network_id: str | None) -> tuple[Network, ...]:
        """Return the networks that HCX's id means: one, or none."""
        return self._by_key.get(_key(network_id), ()) if network_id else ()

    def is_meant(self, network: Network, network_id: str | None) -> bool:
        """Whether HCX's id of a network means this one."""
        return bool(network_id) and _key(network_id) in self._keys(network)

    def ref(self, network: Network) -> NetworkRef:
        """Return a network as HCX names it; where HCX lists it not, as vCenter does."""
        return self._refs[network.moref]

    def _keys(self, network: Network) -> set[str]:
        ids = (network.moref, segment_path_of(network), self._refs[network.moref].network_id)
        return {_key(one) for one in ids if one}

    def _ref(self, network: Network) -> NetworkRef:
        ids = (network.moref, segment_path_of(network), getattr(network, "opaque_id", None))
        by_id = [one for own in ids if own for one in self._hcx_by_key.get(_key(own), ())]
        by_name = self._hcx_by_name.get(network.name, ())
        listed = by_id or (by_name if len(by_name) == 1 else ())
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


def _key(network_id: str | None) -> str:
    """Return what all ids of one network have in common: of a segment's path the part from ``/segments/`` on."""
    text = network_id or ""
    return _SEGMENTS + segment_id_of(text) if _SEGMENTS in text else text


def _nic_keys(network: Network) -> Iterator[tuple[NicBacking, str | None]]:
    """Yield what backings of NICs in a network say."""
    if isinstance(network, DistributedVirtualPortgroup):
        yield from (("distributed", key) for key in {network.key, network.moref})
    elif isinstance(network, OpaqueNetwork):
        yield "opaque", network.opaque_id or network.moref
    yield from (("standard", key) for key in {network.moref, network.name})


def _grouped(pairs: Iterable[tuple[_KeyType, _Item]]) -> dict[_KeyType, tuple[_Item, ...]]:
    found: dict[_KeyType, list[_Item]] = defaultdict(list)
    for key, item in pairs:
        found[key].append(item)
    return {key: tuple(items) for key, items in found.items()}


def _kind(network: Network) -> str:
    if isinstance(network, OpaqueNetwork):
        return "OpaqueNetwork"
    if isinstance(network, DistributedVirtualPortgroup):
        return "NsxtSegment" if network.is_nsx else "DistributedVirtualPortgroup"
    return "Network"
