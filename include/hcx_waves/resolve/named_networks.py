"""Which network of a site a wave file means, and how to write another one: by name, switch and name, path or MoRef."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network
from hcx_waves.model.formatting import listed
from hcx_waves.model.spelling import MOST_NAMES, KnownNames
from hcx_waves.resolve.network_index import NetworkIndex, segment_path_of


class NamedNetworks:
    """Finds networks of one site by what a person writes.

    :param switches: reads the names of the site's distributed switches by MoRef; asked only if a name alone does not
        tell.
    """

    def __init__(self, index: NetworkIndex, switches: Callable[[], Mapping[str, str]] = dict) -> None:
        self.index = index
        self._read_switches = switches

    def named(self, text: str) -> tuple[Network, ...]:
        """Return the networks that a text may mean: a name, MoRef or segment path, else ``switch/port group``."""
        found = self.index.named(text)
        if found or "/" not in text:
            return found
        return tuple(one for one in self.index.networks if text == self._with_switch(one))

    def names_of(self, network: Network) -> tuple[str, ...]:
        """Return what a network may be called, the most exact first."""
        others = [one for one in self.index.named(network.name) if one is not network]
        switch = self._with_switch(network) if others else None
        return (network.moref, *(() if switch is None else (switch,)), network.name)

    def how_to_choose(self, found: Sequence[Network]) -> str:
        """Return what to write for one of several networks of a name, by what they are: segments have an id in NSX."""
        if all(segment_path_of(one) for one in found):
            return "Write the segment_id of the one that is intended."
        return self.switches_of(found) or f"Write the MoRef: {listed([one.moref for one in found], MOST_NAMES)}."

    def switches_of(self, found: Sequence[Network]) -> str:
        """Return how port groups of one name are told apart by their switches; nothing if they cannot be."""
        places = {one.moref: self._with_switch(one) for one in found}
        if None in places.values() or len(set(places.values())) < len(found):
            return ""
        each = listed([f"{place} ({moref})" for moref, place in sorted(places.items())], MOST_NAMES)
        return f"Write switch and port group, or the MoRef: {each}."

    def hint(self, text: str) -> str:
        """Return a sentence that helps to correct a name that no network has."""
        return KnownNames(one.name for one in self.index.networks).hint(text, "networks")

    def is_near(self, text: str) -> bool:
        """Whether a network has nearly that name."""
        return bool(KnownNames(one.name for one in self.index.networks).nearest(text))

    def _with_switch(self, network: Network) -> str | None:
        switch = network.switch if isinstance(network, DistributedVirtualPortgroup) else None
        name = None if switch is None else self._switches.get(switch)
        return None if name is None else f"{name}/{network.name}"

    @cached_property
    def _switches(self) -> Mapping[str, str]:
        return self._read_switches()
