"""Stand-ins for what names a site: the same one each time, of the same form, so that what reads the original reads it.

A stand-in says nothing of the original: it is a number in the order of first use.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

_BENCHMARK_NETWORKS = 512


class Pseudonyms:
    """Gives each text one stand-in, whatever kind it is met as first."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def known(self, text: str) -> str | None:
        """Return the stand-in of a text that has one."""
        return self._known.get(text.lower())

    def of(self, text: str, kind: str, form: Callable[[int], str] | None = None) -> str:
        """Return the stand-in of a text; a new one is ``<kind>-<number>`` or what ``form`` makes of the number.

        Upper and lower case make no difference: products write ids and host names either way.
        """
        found = self.known(text)
        if found is None:
            number = self._next(kind)
            found = f"{kind}-{number}" if form is None else form(number)
            self._known[text.lower()] = found
        return found

    def uuid(self, text: str) -> str:
        """Return a UUID."""
        return self.of(text, "uuid", lambda number: f"00000000-0000-4000-8000-{number:012x}")

    def mac(self, text: str) -> str:
        """Return a locally administered MAC address."""
        own = self.of(text.replace("-", ":"), "mac", lambda number: ":".join(_octets(0x02 << 40 | number)))
        return own.replace(":", "-") if "-" in text else own

    def host(self, text: str) -> str:
        """Return a host name that leads nowhere."""
        return self.of(text, "host", lambda number: f"host-{number}.example.invalid")

    def account(self, text: str) -> str:
        """Return an account with a domain."""
        return self.of(text, "user", lambda number: f"user-{number}@example.invalid")

    def moref(self, text: str) -> str:
        """Return a managed object reference of the same type."""
        prefix = text.rstrip("0123456789")
        return self.of(text, f"moref {prefix}", lambda number: f"{prefix}{number}")

    def address(self, text: str) -> str:
        """Return an address; those of one network stay in one network, with the same last number.

        Masks, loopback and "no address" stay as they are; what is no address as well.
        """
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if isinstance(address, ipaddress.IPv6Address):
            is_special = address.is_unspecified or address.is_loopback
            return text if is_special else self.of(text, "ipv6", lambda number: f"2001:db8::{number:x}")
        if address.is_unspecified or address.is_loopback or _is_mask(int(address)):
            return text
        network, _, last = text.rpartition(".")
        return f"{self.of(network, 'network', _network)}.{last}"

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]


def _octets(number: int) -> list[str]:
    return [f"{octet:02x}" for octet in number.to_bytes(6, "big")]


def _is_mask(number: int) -> bool:
    inverse = number ^ 0xFFFFFFFF
    return number >> 24 == 0xFF and inverse & (inverse + 1) == 0


def _network(number: int) -> str:
    """Return the first three numbers of a network that nobody has: for benchmarks, then reserved ones."""
    if number < _BENCHMARK_NETWORKS:
        return f"198.{18 + number // 256}.{number % 256}"
    return f"240.{number // 256 % 256}.{number % 256}"
