"""Property filters and ``WaitForUpdatesEx``: what changed since a version, waiting for it if need be.

A filter remembers, per object and property, a signature of the value that it told its client last; an answer tells
the difference. Waiting is bounded by wall time, as a client's own time-out is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from hcx_sim.coverage import Confidence
from hcx_sim.vcenter.collector.properties import PropertySets, Wanted, missing_of, values_of
from hcx_sim.vcenter.faults import invalid_argument, invalid_collector_version, request_canceled
from hcx_sim.vcenter.inventory import Found, Inventory, managed_type
from hcx_sim.vcenter.registry import Context, RawXml, method
from hcx_sim.vcenter.render import reference_xml
from hcx_sim.vcenter.selection import select
from hcx_sim.vcenter.state import Collector, Filter

_COLLECTOR = "PropertyCollector"
_LONGEST_WAIT_SECONDS = 1800
_LONG_VALUE = 64
# Types whose properties depend on other objects too: looked at again after every change.
_DERIVED = frozenset(
    {
        "Folder", "Datacenter", "ClusterComputeResource", "HostSystem", "ResourcePool", "Datastore", "Network",
        "OpaqueNetwork", "DistributedVirtualPortgroup", "VmwareDistributedVirtualSwitch", "ContainerView", "ListView",
        "TaskManager", "ViewManager", "SessionManager", "ServiceInstance", "VirtualMachineSnapshot",
    }
)  # fmt: skip


def collector_of(context: Context) -> Collector:
    """Return the collector that was called; the well-known one exists once per session."""
    moref, key = context.target.object_id, context.inventory.session_key
    collector = context.state.collectors.get((key, moref))
    if collector is None:
        collector = context.state.collectors[key, moref] = Collector(moref, key)
    return collector


def _signature(xml: str) -> str:
    return xml if len(xml) <= _LONG_VALUE else hashlib.blake2b(xml.encode(), digest_size=16).hexdigest()


@dataclass(slots=True)
class _Update:
    """One ``objectSet`` entry with what telling it leaves behind: new signatures, or None when the object left."""

    object_id: str
    type_name: str
    xml: str
    signatures: dict[str, str] | None = None


class _Examiner:
    """Compares a filter's selection with what it told last."""

    def __init__(self, inventory: Inventory, record: Filter, version: str) -> None:
        self._inventory = inventory
        self._filter = record
        self._version = version
        self._changes = inventory.state.changes

    def difference(self) -> list[_Update]:
        """Return what changed; nothing is noted as told yet."""
        record, stamp = self._filter, self._filter.stamp
        if record.complete and self._changes.stamp == stamp:
            return []
        if record.complete and self._changes.structure <= stamp:
            return self._examine_all(self._touched(stamp))
        wanted = {each.object_id: each for each in self._selected()}
        left = [self._leave(object_id) for object_id in record.told if object_id not in wanted]
        touched = {each.object_id for each in self._touched(stamp)} if record.complete else set()
        looked_at = (
            each
            for each in wanted.values()
            if not record.complete or each.object_id in touched or each.object_id not in record.told
        )
        return [*self._examine_all(looked_at), *left]

    def _selected(self) -> list[Wanted]:
        selected, _ = select(self._inventory, self._filter.spec, lenient=True)
        return self._filter.sets.wanted(selected)  # type: ignore[no-any-return]

    def _touched(self, stamp: int) -> list[Wanted]:
        """Return the selected objects that changed since, and those that depend on others."""
        types = self._filter.types
        touched = [object_id for object_id in self._changes.since(stamp) if object_id in types]
        derived = [object_id for object_id, type_name in types.items() if type_name in _DERIVED]
        return [
            Wanted(object_id, types[object_id], self._filter.sets.plans_for(types[object_id]) or ())
            for object_id in dict.fromkeys([*touched, *derived])
        ]

    def _examine_all(self, wanted: Iterable[Wanted]) -> list[_Update]:
        updates = []
        for each in wanted:
            found = self._inventory.find(each.object_id)
            update = self._examine(found, each) if found is not None else None
            if update is not None:
                updates.append(update)
        return updates

    def _examine(self, found: Found, wanted: Wanted) -> _Update | None:
        told = self._filter.told.get(found.object_id)
        signatures: dict[str, str] = {}
        rows = []
        for path, xml in values_of(self._inventory, found, wanted.plans, self._version):
            signatures[path] = _signature(xml)
            if told is None or told.get(path) != signatures[path]:
                rows.append(f"<changeSet><name>{path}</name><op>assign</op>{xml}</changeSet>")
        rows += [
            f"<changeSet><name>{path}</name><op>assign</op></changeSet>"
            for path in told or ()
            if path not in signatures
        ]
        if told is not None and not rows:
            return None
        kind = "enter" if told is None else "modify"
        missing = missing_of(found, wanted.plans, self._version) if told is None else ""
        content = f"<kind>{kind}</kind>{reference_xml('obj', found.reference)}{''.join(rows)}{missing}"
        return _Update(found.object_id, found.type_name, f"<objectSet>{content}</objectSet>", signatures)

    def _leave(self, object_id: str) -> _Update:
        type_name = self._filter.types[object_id]
        reference = reference_xml("obj", managed_type(type_name)(object_id))
        return _Update(object_id, type_name, f"<objectSet><kind>leave</kind>{reference}</objectSet>")


def _tell(record: Filter, updates: list[_Update], stamp: int, *, complete: bool) -> str:
    for update in updates:
        if update.signatures is None:
            record.told.pop(update.object_id, None)
            record.types.pop(update.object_id, None)
        else:
            record.told[update.object_id] = update.signatures
            record.types[update.object_id] = update.type_name
    if complete:
        record.stamp, record.complete = stamp, True
    rows = "".join(update.xml for update in updates)
    return f'<filterSet><filter type="PropertyFilter">{record.filter_id}</filter>{rows}</filterSet>'


def _update_set(context: Context, collector: Collector, limit: int | None) -> str:
    """Return the inside of the next UpdateSet and take note of it; empty when there is nothing to tell."""
    filter_sets, left, truncated = [], limit, False
    for record in collector.filters.values():
        stamp = context.state.changes.stamp
        updates = _Examiner(context.inventory, record, context.version).difference()
        shown = updates if left is None else updates[:left]
        complete = len(shown) == len(updates)
        truncated = truncated or not complete
        if shown:
            filter_sets.append(_tell(record, shown, stamp, complete=complete))
            left = None if left is None else left - len(shown)
        elif complete:
            _tell(record, [], stamp, complete=True)
    if not filter_sets:
        return ""
    collector.version += 1
    tail = "<truncated>true</truncated>" if truncated else ""
    collector.last = f"<version>{collector.version}</version>{''.join(filter_sets)}{tail}"
    return collector.last


def _check_version(collector: Collector, asked: str | None) -> str:
    """Return an earlier answer that got lost; raises InvalidCollectorVersion for a version that never was."""
    if not asked:
        for record in collector.filters.values():
            record.told, record.types, record.complete = {}, {}, False
        return ""
    if asked == str(collector.version):
        return ""
    if asked == str(collector.version - 1) and collector.last:
        return collector.last
    raise invalid_collector_version()


async def _wait(context: Context, seconds: float | None, limit: int | None) -> RawXml:
    collector = collector_of(context)
    lost = _check_version(collector, context.arguments["version"])
    if lost:
        return RawXml(f"<returnval>{lost}</returnval>")
    longest = _LONGEST_WAIT_SECONDS if seconds is None else min(seconds, _LONGEST_WAIT_SECONDS)
    deadline, canceled = time.monotonic() + longest, collector.canceled
    while True:
        told = _update_set(context, collector, limit)
        left = deadline - time.monotonic()
        if told:
            return RawXml(f"<returnval>{told}</returnval>")
        if left <= 0:
            return RawXml("")
        await context.state.changes.wait(left)
        _still_there(context, collector, canceled)


def _still_there(context: Context, collector: Collector, canceled: int) -> None:
    key = (context.inventory.session_key, collector.collector_id)
    if collector.canceled != canceled or context.state.collectors.get(key) is not collector:
        raise request_canceled()


@method(_COLLECTOR, "WaitForUpdatesEx", note="a long poll, bounded in wall time; wakes on changes of the world")
async def wait_for_updates_ex(context: Context) -> RawXml:
    """Return what changed since a version, or nothing after ``maxWaitSeconds``."""
    options = context.arguments["options"]
    seconds = options.maxWaitSeconds if options is not None else None
    limit = options.maxObjectUpdates if options is not None else None
    if seconds is not None and seconds < 0:
        raise invalid_argument("options.maxWaitSeconds")
    if limit is not None and limit < 1:
        raise invalid_argument("options.maxObjectUpdates")
    return await _wait(context, seconds, limit)


@method(_COLLECTOR, "WaitForUpdates")
async def wait_for_updates(context: Context) -> RawXml:
    """The older form: no limit on time or objects."""
    return await _wait(context, None, None)


@method(_COLLECTOR, "CheckForUpdates")
async def check_for_updates(context: Context) -> RawXml:
    """The older form that does not wait."""
    return await _wait(context, 0, None)


@method(_COLLECTOR, "CancelWaitForUpdates")
def cancel_wait(context: Context) -> None:
    """End a wait of the same collector with RequestCanceled."""
    collector_of(context).canceled += 1
    context.state.changes.touch()


@method(_COLLECTOR, "CreateFilter")
def create_filter(context: Context) -> object:
    """Add a filter; its paths and its named objects are checked at once."""
    spec = context.arguments["spec"]
    sets = PropertySets(spec.propSet)
    select(context.inventory, spec)
    collector = collector_of(context)
    name = f"{context.inventory.session_key}-filter-{context.state.next_id('filter')}"
    collector.filters[name] = Filter(name, collector.collector_id, spec, sets)
    context.state.changes.touch()
    return managed_type("PropertyFilter")(name)


@method("PropertyFilter", "DestroyPropertyFilter")
def destroy_filter(context: Context) -> None:
    """Take a filter back."""
    name = context.target.object_id
    for collector in context.state.collectors.values():
        collector.filters.pop(name, None)
    context.state.changes.touch()


@method(_COLLECTOR, "CreatePropertyCollector")
def create_collector(context: Context) -> object:
    """Make a collector of one's own: one per thread. [D nsx-vsphere 4.2]"""
    key = context.inventory.session_key
    name = f"{key}-collector-{context.state.next_id('collector')}"
    context.state.collectors[key, name] = Collector(name, key)
    return managed_type(_COLLECTOR)(name)


@method(_COLLECTOR, "DestroyPropertyCollector", Confidence.DOCUMENTED)
def destroy_collector(context: Context) -> None:
    """Drop a collector with its filters; a wait on it ends."""
    context.state.collectors.pop((context.inventory.session_key, context.target.object_id), None)
    context.state.changes.touch()
