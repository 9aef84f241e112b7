"""Which objects a view holds and which ones a filter's object set selects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyVmomi import VmomiSupport, vmodl

from hcx_sim.vcenter.faults import invalid_argument, invalid_property, object_not_found
from hcx_sim.vcenter.inventory import Found, Inventory, ancestry
from hcx_sim.vcenter.state import View
from hcx_sim.vcenter.values import plan_of, read


def view_members(inventory: Inventory, view: View) -> list[Found]:
    """Return what a view holds now; objects that are gone have left it."""
    if view.kind == "ListView":
        members = (inventory.find(object_id) for object_id in view.object_ids)
        return [found for found in members if found is not None]
    container = inventory.find(view.container_id)
    if container is None:
        return []
    wanted = frozenset(view.types)
    every = contained(inventory, container, recursive=view.recursive)
    return [found for found in every if not wanted or wanted & ancestry(found.type_name)]


def contained(inventory: Inventory, container: Found, *, recursive: bool) -> list[Found]:
    """Return what is inside a folder, datacenter, cluster, pool or host, each object once."""
    result: dict[str, Found] = {}
    queue = [container]
    while queue:
        for child in _children(inventory, queue.pop(0)):
            if child.object_id not in result:
                result[child.object_id] = child
                if recursive and child.type_name != "VirtualMachine":
                    queue.append(child)
    return list(result.values())


def _children(inventory: Inventory, parent: Found) -> Iterator[Found]:
    index, moref = inventory.index, parent.object_id
    for placement in inventory.children(moref):
        yield Found(placement.type_name, placement.moref, placement)
    tables = {"Folder": index.by_folder, "ResourcePool": index.by_pool, "HostSystem": index.by_host}
    for vm in tables.get(parent.type_name, {}).get(moref, ()):
        if parent.type_name != "ResourcePool" or not vm.template:
            yield Found("VirtualMachine", vm.moref, vm)
    if parent.type_name == "Folder":
        yield from _housed(inventory, moref)


def _housed(inventory: Inventory, folder_moref: str) -> Iterator[Found]:
    """Yield the networks or datastores, when the folder is the one in which they are."""
    for name, records in (("network", inventory.networks), ("datastore", inventory.datastores)):
        home = inventory.home_folder(name)
        if home is not None and home.moref == folder_moref:
            found = (inventory.find(record.moref) for record in records())
            yield from (each for each in found if each is not None)


class _Selector:
    """Follows the traversal specs of one object spec."""

    def __init__(self, inventory: Inventory, specs: Iterable[Any]) -> None:
        self._inventory = inventory
        self._named: dict[str, Any] = {}
        self._seen: set[tuple[str, int]] = set()
        self.selected: dict[str, Found] = {}
        self._collect(specs)

    def _collect(self, specs: Iterable[Any]) -> None:
        for spec in specs:
            if isinstance(spec, vmodl.query.PropertyCollector.TraversalSpec):
                if spec.name:
                    self._named[spec.name] = spec
                self._collect(spec.selectSet)

    def follow(self, found: Found, specs: Iterable[Any]) -> None:
        """Select what the specs reach from an object."""
        queue = [(found, list(specs))]
        while queue:
            current, pending = queue.pop(0)
            for spec in pending:
                traversal = self._resolve(spec)
                mark = (current.object_id, id(traversal))
                if mark in self._seen or traversal.type._wsdlName not in ancestry(current.type_name):
                    continue
                self._seen.add(mark)
                for target in self._targets(current, traversal.path):
                    if not traversal.skip:
                        self.selected[target.object_id] = target
                    if traversal.selectSet:
                        queue.append((target, list(traversal.selectSet)))

    def _resolve(self, spec: Any) -> Any:
        if isinstance(spec, vmodl.query.PropertyCollector.TraversalSpec):
            return spec
        try:
            return self._named[spec.name]
        except KeyError:
            raise invalid_argument("selectSet.name") from None

    def _targets(self, found: Found, path: str) -> Iterable[Found]:
        if isinstance(found.record, View) and path == "view":
            return view_members(self._inventory, found.record)
        value = read(self._inventory, found, plan_of(found.type_name, path))
        references = value if isinstance(value, list) else [value]
        if any(each is not None and not isinstance(each, VmomiSupport.ManagedObject) for each in references):
            raise invalid_property(path)
        targets = (self._inventory.find(each._moId) for each in references if each is not None)
        return [each for each in targets if each is not None]


def select(inventory: Inventory, spec: Any, *, lenient: bool = False) -> tuple[list[Found], list[Any]]:
    """Return what a FilterSpec's object set selects, and the references of named objects that do not exist.

    Such an object fails the whole call with ManagedObjectNotFound unless the spec asks to report it [D nsx-vsphere 4.2]
    or the caller is ``lenient``.
    """
    selected: dict[str, Found] = {}
    missing: list[Any] = []
    for object_spec in spec.objectSet:
        found = inventory.find_reference(object_spec.obj)
        if found is None:
            if not (lenient or spec.reportMissingObjectsInResults):
                raise object_not_found(object_spec.obj)
            missing.append(object_spec.obj)
            continue
        if not object_spec.skip:
            selected[found.object_id] = found
        if object_spec.selectSet:
            selector = _Selector(inventory, object_spec.selectSet)
            selector.follow(found, object_spec.selectSet)
            selected.update(selector.selected)
    return list(selected.values()), missing
