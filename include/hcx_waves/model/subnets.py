"""Addresses and subnets of both families, as products write them: compared by what they mean, never as text."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Subnet = IPv4Network | IPv6Network


def address_of(text: str) -> Address | None:
    """Return an address without its zone and prefix length; None for what is none."""
    try:
        return ip_address(text.partition("%")[0].partition("/")[0].strip())
    except ValueError:
        return None


def plain_address(text: str) -> str:
    """Return an address in the one spelling that it is compared in; what is none as it is."""
    found = address_of(text)
    return text if found is None else str(found)


def interfaces_of(gateways: Iterable[str]) -> tuple[Interface, ...]:
    """Return gateway addresses in CIDR form, of both families; what cannot be read is passed over."""
    found = []
    for gateway in gateways:
        try:
            found.append(ip_interface(gateway.strip()))
        except ValueError:
            continue
    return tuple(found)


def subnets_of(gateways: Iterable[str]) -> tuple[Subnet, ...]:
    """Return the subnets of gateway addresses in CIDR form."""
    return tuple(one.network for one in interfaces_of(gateways))


def one_of_each_family(gateways: Iterable[str]) -> tuple[str, ...]:
    """Return the first gateway address of IPv4 and of IPv6, in the order given: as many as an NSX segment may have."""
    found: dict[int, str] = {}
    for one in interfaces_of(gateways):
        found.setdefault(one.version, str(one))
    return tuple(found.values())


def overlap(one: Subnet, other: Subnet) -> bool:
    """Whether two subnets have addresses in common; those of different families never have."""
    return one.version == other.version and one.overlaps(other)
