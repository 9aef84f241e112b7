"""One vCenter's inventory: managed objects translated from the world's entities when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyVmomi import VmomiSupport, vim

from hcx_sim.vcenter.faults import object_not_found
from hcx_sim.vcenter.index import SiteIndex
from hcx_sim.vcenter.singletons import HELPERS, SINGLETONS
from hcx_sim.vcenter.state import state_of, vcenter_of
from hcx_sim.world.model import Datastore, NetworkKind, Placement, Segment, Site, SiteName, VcNetwork, Vm
from hcx_sim.world.world import World

ROOT_FOLDER = "group-d1"
_NETWORK_TYPES = {
    NetworkKind.DVPG: "DistributedVirtualPortgroup",
    NetworkKind.OPAQUE: "OpaqueNetwork",
    NetworkKind.STANDARD: "Network",
}


@cache
def managed_type(wsdl_name: str) -> Any:
    """Return pyVmomi's class of a managed type by its wire name; an unknown one raises :class:`KeyError`."""
    return VmomiSupport.GuessWsdlType(wsdl_name)


@cache
def ancestry(wsdl_name: str) -> frozenset[str]:
    """Return the wire names of a managed type and all types that it derives from."""
    bases = managed_type(wsdl_name).__mro__
    return frozenset(base._wsdlName for base in bases if hasattr(base, "_wsdlName"))


@dataclass(frozen=True, slots=True)
class Found:
    """An object of the inventory: its wire type, its id, and the record or entity behind it."""

    type_name: str
    object_id: str
    record: Any

    @property
    def reference(self) -> Any:
        """The managed object reference."""
        return managed_type(self.type_name)(self.object_id)


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A snapshot with the VM that has it."""

    vm: Vm
    moref: str


class Inventory:
    """One vCenter of one world, as seen by the session ``session_key`` (views and collectors are per session)."""

    def __init__(self, world: World, site: SiteName, session_key: str = "") -> None:
        """Look at ``site``."""
        self.world = world
        self.site = site
        self.state = state_of(world, site)
        self.session_key = session_key

    @property
    def world_started_us(self) -> int:
        """The virtual instant at which this world began."""
        return vcenter_of(self.world).started_us

    @property
    def index(self) -> SiteIndex:
        """The site's look-ups, complete."""
        return self.state.index.ready()

    @property
    def identity(self) -> Site:
        """Who this vCenter says it is."""
        return self.world.site(self.site)

    def find(self, object_id: str) -> Found | None:
        """Return the object of an id, None when there is none (any more)."""
        if object_id in SINGLETONS:
            return Found(SINGLETONS[object_id], object_id, self)
        return self._find_entity(object_id) or self._find_record(object_id)

    def _find_entity(self, object_id: str) -> Found | None:
        world, key = self.world, f"{self.site}/{object_id}"
        if (vm := world.vms.get(key)) is not None:
            return Found("VirtualMachine", object_id, vm)
        if (placement := world.placements.get(key)) is not None:
            return Found(placement.type_name, object_id, placement)
        if (network := world.networks.get(key)) is not None and not network.removed:
            return Found(_NETWORK_TYPES[network.network_kind], object_id, network)
        if (datastore := world.datastores.get(key)) is not None:
            return Found("Datastore", object_id, datastore)
        return None

    def _find_record(self, object_id: str) -> Found | None:
        state = self.state
        if (task := state.tasks.get(object_id)) is not None:
            return Found("Task", object_id, task)
        view = state.views.get(object_id)
        if view is not None and view.session_key == self.session_key:
            return Found(view.kind, object_id, view)
        if (collector := state.collectors.get((self.session_key, object_id))) is not None:
            return Found("PropertyCollector", object_id, collector)
        if (record := self._find_filter(object_id)) is not None:
            return Found("PropertyFilter", object_id, record)
        vm = self.index.by_snapshot.get(object_id) if object_id.startswith("snapshot-") else None
        if vm is not None:
            return Found("VirtualMachineSnapshot", object_id, SnapshotRecord(vm, object_id))
        prefix, _, owner_id = object_id.partition("-")
        owner = self._find_entity(owner_id) if prefix in HELPERS else None
        return Found(HELPERS[prefix], object_id, owner.record) if owner is not None else None

    def _find_filter(self, object_id: str) -> Any:
        for collector in self.state.collectors.values():
            if collector.session_key == self.session_key and object_id in collector.filters:
                return collector.filters[object_id]
        return None

    def find_reference(self, reference: Any) -> Found | None:
        """Return the object of a reference, None when its type is not the object's own or there is no such id.

        A type that the object's type derives from does not do: ``Network`` is not ``DistributedVirtualPortgroup``.
        [D nsx-vsphere 4.2]
        """
        found = self.find(reference._moId)
        return found if found is not None and type(reference)._wsdlName == found.type_name else None

    def require_reference(self, reference: Any) -> Found:
        """Return the object of a reference; raises a ManagedObjectNotFound like :meth:`find_reference` says None."""
        found = self.find_reference(reference)
        if found is None:
            raise object_not_found(reference)
        return found

    # References -------------------------------------------------------------------------------------------

    def reference(self, object_id: str) -> Any:
        """Return the reference of an existing object, None when there is none."""
        found = self.find(object_id)
        return found.reference if found is not None else None

    def network_reference(self, network: VcNetwork) -> Any:
        """Return a network's reference with its proper type."""
        return managed_type(_NETWORK_TYPES[network.network_kind])(network.moref)

    @staticmethod
    def vm_references(vms: list[Vm]) -> list[Any]:
        """Return the references of VMs."""
        return [vim.VirtualMachine(vm.moref) for vm in vms]

    # Parts ------------------------------------------------------------------------------------------------

    def network(self, moref: str) -> VcNetwork | None:
        """Return a network of this site that still exists."""
        network = self.world.networks.get(f"{self.site}/{moref}")
        return None if network is None or network.removed else network

    def segment_of(self, network: VcNetwork) -> Segment | None:
        """Return the NSX segment behind a network."""
        return self.world.segment_of_network(network)

    def networks(self) -> list[VcNetwork]:
        """Return all networks of this site."""
        return [each for each in self.world.networks.values() if each.site is self.site and not each.removed]

    def datastores(self) -> list[Datastore]:
        """Return all datastores of this site."""
        return [each for each in self.world.datastores.values() if each.site is self.site]

    def datastore(self, moref: str) -> Datastore | None:
        """Return a datastore of this site."""
        return self.world.datastores.get(f"{self.site}/{moref}")

    def placement(self, moref: str | None) -> Placement | None:
        """Return a folder, datacenter, cluster, host, pool or switch of this site."""
        return self.world.placements.get(f"{self.site}/{moref}")

    def placements(self, type_name: str) -> list[Placement]:
        """Return all placements of one type."""
        every = self.world.placements.values()
        return [each for each in every if each.site is self.site and each.type_name == type_name]

    def children(self, moref: str, type_name: str | None = None) -> list[Placement]:
        """Return the placements right below another one."""
        below = (self.placement(child) for child in self.index.children.get(moref, ()))
        return [each for each in below if each is not None and type_name in (None, each.type_name)]

    def below(self, moref: str) -> Iterator[Placement]:
        """Yield all placements below another one, at any depth, parents first."""
        for child in self.children(moref):
            yield child
            yield from self.below(child.moref)

    def root_id(self) -> str:
        """Return the id of the root folder."""
        roots = [each for each in self.placements("Folder") if each.parent_moref is None]
        return roots[0].moref if roots else ROOT_FOLDER

    def enclosing(self, moref: str | None, type_name: str) -> Placement | None:
        """Return the nearest placement of a type at or above another one."""
        placement = self.placement(moref)
        while placement is not None and placement.type_name != type_name:
            placement = self.placement(placement.parent_moref)
        return placement

    def datacenter_folder(self, datacenter_moref: str, name: str) -> Placement | None:
        """Return the vm, host, network or datastore folder of a datacenter."""
        for folder in self.children(datacenter_moref, "Folder"):
            if folder.name == name:
                return folder
        return None

    def home_folder(self, name: str) -> Placement | None:
        """Return the network or datastore folder in which this site's networks or datastores are."""
        for datacenter in self.placements("Datacenter"):
            folder = self.datacenter_folder(datacenter.moref, name)
            if folder is not None:
                return folder
        return None

    def custom_fields(self) -> dict[str, int]:
        """Return the keys of the custom attributes by name: those that were defined, and those that VMs have."""
        return {**self.index.custom_fields, **self.state.custom_fields}

    def switch(self, name: str | None = None) -> Placement | None:
        """Return the site's distributed switch, of several the one of a name, else the first."""
        switches = self.placements("VmwareDistributedVirtualSwitch")
        return next((one for one in switches if one.name == name), switches[0] if switches else None)

    def switch_uuid(self, switch: Placement) -> str:
        """Return a distributed switch's UUID."""
        uuid = switch.properties.get("uuid")
        return str(uuid) if uuid else self.world.random.stable_uuid(f"switch/{switch.key}")
