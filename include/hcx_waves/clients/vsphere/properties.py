"""Bulk reads by ``RetrievePropertiesEx``: leaf paths only, whole in one or in many pages.

What vCenter does not set is absent from the answer; what the account may not read is in ``missingSet`` with a
fault. Both are kept apart here: ``values`` lacks the first, ``unreadable`` lists the second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyVmomi import vmodl

from hcx_waves.clients.errors import MalformedResponse
from hcx_waves.clients.onlooker import onlooker
from hcx_waves.clients.vsphere.faults import fault_name
from hcx_waves.clients.vsphere.models import UnreadableProperty
from hcx_waves.clients.vsphere.session import Live, VsphereSession

_PropertyCollector = vmodl.query.PropertyCollector
_log = logging.getLogger(__name__)
PAGE_SIZE = 1000


@dataclass(frozen=True)
class PropertyPaths:
    """What to read of one kind of object.

    :param kind: pyvmomi class, e.g. ``vim.VirtualMachine``.
    :param required: leaf paths that every supported vCenter knows.
    :param optional: leaf paths that an older vCenter may not know; it is then asked without them.
    """

    kind: Any
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass
class ObjectProperties:
    """What was read of one object."""

    moref: str
    kind: type
    values: dict[str, Any] = field(default_factory=dict)
    unreadable: list[UnreadableProperty] = field(default_factory=list)

    def get(self, path: str, default: Any = None) -> Any:
        """Return a property, or the default if it is unset or unreadable."""
        return self.values.get(path, default)

    def reference(self, path: str) -> str | None:
        """Return the moref that a property refers to, None if unset."""
        target = self.values.get(path)
        return None if target is None else str(target._moId)

    def references(self, path: str) -> tuple[str, ...]:
        """Return the morefs that a list property refers to, in the order given."""
        return tuple(str(target._moId) for target in self.values.get(path) or ())


class PropertyReader:
    """Reads properties of many objects. Safe to share between threads."""

    def __init__(self, session: VsphereSession) -> None:
        self._session = session
        self._unknown_paths: set[tuple[Any, str]] = set()

    def all_of(self, paths: PropertyPaths) -> list[ObjectProperties]:
        """Read every object of a kind below the root folder, by a ContainerView.

        The order is undefined [D nsx-vsphere 4.2]. Objects of a derived kind are included.
        """

        def call(live: Live) -> list[ObjectProperties]:
            content = live.content
            view = content.viewManager.CreateContainerView(content.rootFolder, [paths.kind], True)
            return self._read_view(live, view, paths)

        return self._shown(paths, self._session.read("RetrievePropertiesEx", _type_name(paths.kind), call))

    def some_of(self, paths: PropertyPaths, morefs: Sequence[str]) -> list[ObjectProperties]:
        """Read the named objects, by a ListView.

        :raises NotFound: if vCenter refuses because one of them does not exist. It may also leave it out.
        """
        if not morefs:
            return []

        def call(live: Live) -> list[ObjectProperties]:
            targets = [live.managed(paths.kind, moref) for moref in morefs]
            view = live.content.viewManager.CreateListView(targets)
            return self._read_view(live, view, paths)

        return self._shown(paths, self._session.read("RetrievePropertiesEx", ",".join(morefs), call))

    def one(self, kind: Any, moref: str, *leaf_paths: str) -> ObjectProperties:
        """Read properties of one object, without a view.

        :raises NotFound: if the object does not exist.
        """

        def call(live: Live) -> ObjectProperties:
            object_spec = _PropertyCollector.ObjectSpec(obj=live.managed(kind, moref), skip=False)
            found = _retrieve(live, _filter(kind, leaf_paths, object_spec))
            return found[0] if found else ObjectProperties(moref, kind)

        found = self._session.read("RetrievePropertiesEx", moref, call)
        return self._shown(PropertyPaths(kind, leaf_paths), [found])[0]

    def _shown(self, paths: PropertyPaths, found: list[ObjectProperties]) -> list[ObjectProperties]:
        """Return what was read, and show it to the one who looks on."""
        watching = onlooker()
        if watching is not None:
            asked = [*paths.required, *(one for one in paths.optional if (paths.kind, one) not in self._unknown_paths)]
            objects = [{"obj": one.moref, "values": one.values} for one in found if issubclass(one.kind, paths.kind)]
            watching.saw_objects(self._session.address.url, paths.kind, asked, objects)
        return found

    def _read_view(self, live: Live, view: Any, paths: PropertyPaths) -> list[ObjectProperties]:
        """Read the members of a view, then destroy it."""
        try:
            return self._read_known_paths(live, view, paths)
        finally:
            destroy(view)

    def _read_known_paths(self, live: Live, view: Any, paths: PropertyPaths) -> list[ObjectProperties]:
        """Read the members of a view; leave out optional paths that this vCenter does not know."""
        traversal = _PropertyCollector.TraversalSpec(name="view", path="view", skip=False, type=type(view))
        object_spec = _PropertyCollector.ObjectSpec(obj=view, skip=True, selectSet=[traversal])
        while True:
            optional = [path for path in paths.optional if (paths.kind, path) not in self._unknown_paths]
            try:
                return _retrieve(live, _filter(paths.kind, [*paths.required, *optional], object_spec))
            except vmodl.query.InvalidProperty as fault:
                unknown = [path for path in optional if _is_named(path, fault.name)]
                if not unknown:
                    raise
                _log.info("this vCenter does not know %s of %s", ", ".join(unknown), _type_name(paths.kind))
                self._unknown_paths.update((paths.kind, path) for path in unknown)


def destroy(server_object: Any) -> None:
    """Destroy a view or filter; a failure is logged, since the session's end destroys it anyway."""
    try:
        server_object.Destroy()
    except Exception:  # noqa: BLE001  (whatever it was, it must not hide what came before)
        _log.debug("could not destroy %s", server_object._moId, exc_info=True)


def _filter(kind: Any, leaf_paths: Iterable[str], object_spec: Any) -> Any:
    """Build a filter for one kind of object."""
    property_spec = _PropertyCollector.PropertySpec(type=kind, all=False, pathSet=list(leaf_paths))
    return _PropertyCollector.FilterSpec(propSet=[property_spec], objectSet=[object_spec])


def _retrieve(live: Live, filter_spec: Any) -> list[ObjectProperties]:
    """Retrieve all pages; a server that never pages simply sends no token."""
    collector = live.collector
    found: dict[str, ObjectProperties] = {}
    options = _PropertyCollector.RetrieveOptions(maxObjects=PAGE_SIZE)
    page = collector.RetrievePropertiesEx([filter_spec], options)
    while page is not None:
        news = _merge(found, page.objects or [])
        if not page.token:
            break
        if not news:
            raise MalformedResponse("vCenter sends pages without end that say nothing new", system="vcenter")
        page = collector.ContinueRetrievePropertiesEx(page.token)
    return list(found.values())


def _merge(found: dict[str, ObjectProperties], contents: Iterable[Any]) -> bool:
    """Add the objects of one page; an object that is split over two pages becomes one again.

    Returns whether anything was new.
    """
    news = False
    for content in contents:
        moref = str(content.obj._moId)
        target = found.setdefault(moref, ObjectProperties(moref, type(content.obj)))
        known = len(target.values) + len(target.unreadable)
        for changed in content.propSet or ():
            target.values[changed.name] = changed.val
        for missing in content.missingSet or ():
            withheld = UnreadableProperty(str(missing.path), fault_name(missing.fault))
            if withheld not in target.unreadable:
                target.unreadable.append(withheld)
        news = news or known == 0 or len(target.values) + len(target.unreadable) > known
    return news


def _is_named(path: str, name: str | None) -> bool:
    """Whether an ``InvalidProperty`` fault's name means this path (some servers give the last part only)."""
    return bool(name) and (path == name or path.startswith(f"{name}.") or path.endswith(f".{name}"))


def _type_name(kind: Any) -> str:
    """Return the vendor's name of a managed object type."""
    return str(kind.__name__).rpartition(".")[2]
