"""Where things are in a site that has been furnished: MoRefs by name, and what is above what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hcx_sim.world.model import Datastore, Placement, SiteName
from hcx_sim.world.world import World

_COMPUTE = ("ClusterComputeResource", "ComputeResource")
_POOLS = ("ResourcePool", "VirtualApp")


@dataclass(frozen=True, slots=True)
class Furniture:
    """The places and datastores of one site, in the order of the scenario."""

    site: SiteName
    places: dict[str, Placement]
    datastores: dict[str, Datastore]
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, site: SiteName) -> Furniture:
        """Look around in a site."""
        places = {place.moref: place for place in world.placements.values() if place.site is site}
        stores = {store.moref: store for store in world.datastores.values() if store.site is site}
        names: dict[tuple[str, str], str] = {}
        for place in places.values():
            names.setdefault((place.type_name, place.name), place.moref)
        for store in stores.values():
            names.setdefault(("Datastore", store.name), store.moref)
        return cls(site, places, stores, names)

    def folder(self, name: str) -> str:
        """Return the MoRef of a folder by its MoRef or name; raises :class:`KeyError` when there is none."""
        return self._one(name, ["Folder"])

    def pool(self, name: str) -> str:
        """Return the MoRef of a resource pool or vApp; raises :class:`KeyError` when there is none."""
        return self._one(name, _POOLS)

    def datastore(self, name: str | None) -> str:
        """Return the MoRef of a datastore; without a name the first one's."""
        if name is None:
            return next(iter(self.datastores))
        return name if name in self.datastores else self._names["Datastore", name]

    def host(self, name: str | None, number: int, near: str | None) -> str:
        """Return the MoRef of a host; without a name the one that the VM of that ``number`` gets.

        ``near`` is a pool or cluster whose hosts come first.
        """
        if name is not None:
            return self._one(name, ["HostSystem"])
        hosts = [place.moref for place in self.places.values() if place.type_name == "HostSystem"]
        cluster = self.above(near, _COMPUTE)
        close = [moref for moref in hosts if self.places[moref].parent_moref == cluster]
        chosen = close or hosts
        return chosen[number % len(chosen)]

    def cluster_of(self, host_moref: str) -> str:
        """Return the MoRef of the compute resource that a host is in."""
        return self.above(host_moref, _COMPUTE) or host_moref

    def datacenter_of(self, moref: str) -> str:
        """Return the MoRef of the datacentre that a place is in; the site's first where it is in none."""
        found = self.above(moref, ("Datacenter",))
        return found or next(place.moref for place in self.places.values() if place.type_name == "Datacenter")

    def above(self, moref: str | None, kinds: Iterable[str]) -> str | None:
        """Return the MoRef of the nearest place of these kinds at or above another one, None without one."""
        wanted = frozenset(kinds)
        place = self.places.get(moref or "")
        while place is not None and place.type_name not in wanted:
            place = self.places.get(place.parent_moref or "")
        return None if place is None else place.moref

    def _one(self, name: str, kinds: Iterable[str]) -> str:
        if name in self.places:
            return name
        for kind in kinds:
            if (kind, name) in self._names:
                return self._names[kind, name]
        raise KeyError(f"{self.site}/{name}")
