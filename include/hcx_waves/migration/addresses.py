"""Which of a guest's addresses have to be there after a migration, and which come and go by themselves.

A guest has more addresses than the one that identifies its NIC: a virtual IP address that keepalived or a failover
cluster moves, a DHCP lease, temporary IPv6 addresses, those of VPNs and container bridges behind the same MAC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hcx_waves.model.plan import PlannedAddress, PlannedNic
from hcx_waves.model.subnets import Subnet, address_of, subnets_of

_STATIC = "manual"
_PASSING = frozenset({"dhcp", "random", "linklayer"})
"""Origins of addresses that a network gives, or that a guest makes up."""


@dataclass(frozen=True)
class AddressComparison:
    """What became of a NIC's addresses.

    :param lost: addresses that identify the NIC and are gone.
    :param changes: what has changed and may, one sentence each.
    """

    lost: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


def identifying(nic: PlannedNic, subnets: Sequence[Subnet]) -> tuple[PlannedAddress, ...]:
    """Return the addresses that a NIC is known by: those that may be configured in the guest, in its own subnets.

    :param subnets: of the NIC's segment; empty where they are not known.
    """
    known = nic.guest_addresses or tuple(PlannedAddress(address=one) for one in nic.ip_addresses)
    return tuple(one for one in known if not _passes(one, subnets))


def compare_addresses(
    nic: PlannedNic, subnets: Sequence[Subnet], seen: Collection[str], holders: Mapping[str, str]
) -> AddressComparison:
    """Compare what a guest reported for a NIC before with what it reports now.

    An address that another VM has now has moved there. Of the others that identify the NIC, one that is left in
    their subnet is enough. Without any, those configured by hand are lost; those whose origin is not known only if
    the guest has nothing else in that subnet.

    :param seen: what the guest reports now.
    :param holders: the names of other VMs by the addresses that they report.
    """
    known = identifying(nic, subnets)
    lost: set[str] = set()
    for here in _by_subnet(known, subnets):
        left = {one.address for one in here} & set(seen)
        gone = [one for one in here if one.address not in seen and one.address not in holders]
        if not left and (any(one.origin == _STATIC for one in gone) or not _neighbours(here, subnets, seen)):
            lost.update(one.address for one in gone)
    missing = [address for address in sorted(nic.ip_addresses) if address not in seen and address not in lost]
    return AddressComparison(tuple(sorted(lost)), tuple(_change(one, seen, nic, holders) for one in missing))


def _change(address: str, seen: Collection[str], nic: PlannedNic, holders: Mapping[str, str]) -> str:
    if address in holders:
        return f"{address} is now at {holders[address]}"
    new = ", ".join(sorted(set(seen) - set(nic.ip_addresses)))
    return f"{address} is gone" + (f"; new: {new}" if new else "")


def _passes(one: PlannedAddress, subnets: Sequence[Subnet]) -> bool:
    """Whether an address is known to come and go."""
    address = address_of(one.address)
    if address is None:
        return False
    # keepalived adds a virtual address without a subnet of its own.
    if one.origin in _PASSING or address.is_link_local or one.prefix_length == address.max_prefixlen:
        return True
    return bool(subnets) and not any(address in subnet for subnet in subnets)


def _by_subnet(known: Iterable[PlannedAddress], subnets: Sequence[Subnet]) -> Iterator[list[PlannedAddress]]:
    """Yield the addresses subnet by subnet; where the segment's are not known, family by family."""
    groups: dict[object, list[PlannedAddress]] = {}
    for one in known:
        address = address_of(one.address)
        home = next((subnet for subnet in subnets if address is not None and address in subnet), None)
        groups.setdefault(home or (address and address.version), []).append(one)
    yield from groups.values()


def _neighbours(here: Sequence[PlannedAddress], subnets: Sequence[Subnet], seen: Iterable[str]) -> list[str]:
    """Return what a guest reports now in the subnets that some addresses were in."""
    own = subnets_of(f"{one.address}/{one.prefix_length}" for one in here if one.prefix_length is not None)
    homes = [subnet for subnet in subnets if any(_is_in(one.address, subnet) for one in here)] or own
    return [address for address in seen if any(_is_in(address, subnet) for subnet in homes)]


def _is_in(address: str, subnet: Subnet) -> bool:
    parsed = address_of(address)
    return parsed is not None and parsed in subnet
