"""Read exports, lists and flows into one inventory document; nothing is imported unless everything can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcx_snapshot import Snapshot, SnapshotFileError, load_snapshot
from hcx_waves.inventory.drafts import Collected, Matcher
from hcx_waves.inventory.files import RawFile, UnreadableFileError, csv_table, read_raw, text_of, workbook_tables
from hcx_waves.inventory.flows import kind_of_flows, read_flows
from hcx_waves.inventory.from_snapshot import compare, read_snapshot
from hcx_waves.inventory.lists import (
    ListedVm,
    hcx_wave_vms,
    is_hcx_wave,
    kind_of_list,
    listed_vms,
    plain_names,
)
from hcx_waves.inventory.model import (
    EstateFlow,
    EstateNetwork,
    EstateVm,
    InventoryCoverage,
    InventoryDocument,
    InventorySource,
)
from hcx_waves.inventory.problems import FilePlace, ImportProblem, ImportRefusedError
from hcx_waves.inventory.rvtools import TABS, captured_at, own_columns, read_rvtools, tab_of
from hcx_waves.inventory.tables import SheetTable
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_SHOWN_COLUMNS = 12


@dataclass
class _Sorted:
    """The files, each sorted by what it is."""

    sources: list[InventorySource] = field(default_factory=list)
    tabs: dict[str, dict[str, list[SheetTable]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    """Tabs of RVTools by export: a workbook, or the CSV files of one folder."""
    lists: list[tuple[str, SheetTable]] = field(default_factory=list)
    listed: list[tuple[str, list[ListedVm]]] = field(default_factory=list)
    flows: list[tuple[str, SheetTable]] = field(default_factory=list)
    snapshots: list[tuple[str, Snapshot]] = field(default_factory=list)


def read_inventory(
    paths: Sequence[Path],
    roles: Mapping[str, str] | None = None,
    live: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> InventoryDocument:
    """Read files into one document.

    :param roles: columns of one's own that mean something, by their role: ``{"application": "App Name"}``.
    :param live: a snapshot of today, which every VM is checked against.
    :param progress: is called with the name of each file before it is read.
    :raises ImportRefusedError: with every problem of every file.
    """
    collected, found = Collected(), _Sorted()
    for path in paths:
        progress(path.name)
        try:
            _sort(path, found, collected)
        except UnreadableFileError as error:
            collected.problems.append(error.problem)
        except SnapshotFileError as error:
            collected.problems.extend(ImportProblem(FilePlace(path.name), line) for line in str(error).splitlines())
    networks = _read_estates(found, roles or {}, collected)
    _read_lists(found, roles or {}, collected)
    if live is not None:
        try:
            compare(collected, load_snapshot(live), live.name)
        except SnapshotFileError as error:
            collected.refuse(FilePlace(live.name), str(error))
    flows = [flow for kind, table in found.flows for flow in read_flows(table, kind, collected)]
    vms = collected.models()
    if not vms and not collected.problems:
        collected.refuse(FilePlace(paths[0].name), "no file lists any VM: give an RVTools export, a snapshot or a list")
    if collected.problems:
        raise ImportRefusedError(collected.problems)
    return InventoryDocument(
        sources=tuple(found.sources),
        coverage=tuple(_coverage(vms, flows)),
        vms=tuple(vms),
        networks=tuple(_each_once(networks)),
        flows=tuple(flows),
        remarks=tuple(collected.remarks),
    )


def _sort(path: Path, found: _Sorted, collected: Collected) -> None:
    raw = read_raw(path)
    if raw.content.startswith(_ZIP):
        tables, ignored = workbook_tables(raw, TABS)
        _sort_tables(raw, tables, ignored, found, collected)
    elif raw.content.startswith(_GZIP) or raw.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        _sort_json(raw, found, collected)
    elif raw.content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFileError(
            FilePlace(raw.name), "is an old or encrypted Excel workbook: save it as .xlsx without a password"
        )
    else:
        text = text_of(raw)
        if any(mark in line for line in text.splitlines()[:3] for mark in ",;\t"):
            _sort_tables(raw, [csv_table(raw)], [], found, collected)
        else:
            rows = list(plain_names(raw.name, text))
            found.listed.append(("list", rows))
            found.sources.append(_source(raw, "list", {"lines": len(rows)}))


def _sort_tables(
    raw: RawFile, tables: list[SheetTable], ignored: list[str], found: _Sorted, collected: Collected
) -> None:
    read = {table.sheet or "rows": len(table.rows) for table in tables}
    kinds = [(tab_of(table), kind_of_flows(table), kind_of_list(table)) for table in tables]
    if any(tab for tab, _, _ in kinds):
        export = raw.name if len(tables) > 1 or tables[0].sheet else str(raw.path.parent)
        tabs: dict[str, list[SheetTable]] = defaultdict(list)
        for table, (tab, _, _) in zip(tables, kinds, strict=True):
            tabs[tab].append(table)
            found.tabs[export][tab].append(table)
        own = tuple(name for table in tabs["vinfo"] for name in own_columns(table))
        found.sources.append(_source(raw, "rvtools", read, ignored, own, captured_at(tabs, collected)))
        return
    _, flows, vms = kinds[0]
    if flows:
        found.flows.append((flows, tables[0]))
    elif vms:
        found.lists.append((vms, tables[0]))
    else:
        names = ", ".join(name for name in tables[0].header if name)[:300]
        message = f"has no column that names a VM, such as VM, Name or server_name; it has: {names}"
        collected.refuse(FilePlace(raw.name, tables[0].sheet, 1), message)
        return
    found.sources.append(_source(raw, flows or vms, read, ignored))


def _sort_json(raw: RawFile, found: _Sorted, collected: Collected) -> None:
    if raw.content.startswith(_GZIP) or b'"hcx-waves-snapshot"' in raw.content:
        snapshot = load_snapshot(raw.path)
        found.snapshots.append((raw.name, snapshot))
        found.sources.append(_source(raw, "snapshot", {"VMs": len(snapshot.source.vms)}, at=snapshot.taken_at))
        return
    try:
        body = read_json(text_of(raw).lstrip("\ufeff"))
    except UnreadableJsonError as error:
        raise UnreadableFileError(FilePlace(raw.name), f"is not valid JSON: {error}") from error
    if not is_hcx_wave(body):
        raise UnreadableFileError(FilePlace(raw.name), "is neither a snapshot nor a wave of HCX (mobilityGroups)")
    rows = list(hcx_wave_vms(raw.name, body, collected))
    found.listed.append(("hcx-wave", rows))
    found.sources.append(_source(raw, "hcx-wave", {"VMs": len(rows)}))


def _source(
    raw: RawFile,
    kind: str,
    read: dict[str, int],
    ignored: Iterable[str] = (),
    own: tuple[str, ...] = (),
    at: Any = None,
) -> InventorySource:
    return InventorySource(
        file=raw.name,
        kind=kind,
        sha256=raw.sha256,
        captured_at=at,
        read=read,
        ignored=tuple(ignored),
        own_columns=own,
    )


def _read_estates(found: _Sorted, roles: Mapping[str, str], collected: Collected) -> list[EstateNetwork]:
    networks: list[EstateNetwork] = []
    for name, snapshot in found.snapshots:
        networks += read_snapshot(snapshot, name, collected)
    # Without an export the columns are those of the lists.
    for tabs in found.tabs.values():
        networks += read_rvtools(tabs, roles, collected)
    return networks


def _read_lists(found: _Sorted, roles: Mapping[str, str], collected: Collected) -> None:
    of_lists = {} if found.tabs else roles
    lists = [(kind, list(listed_vms(table, of_lists, collected))) for kind, table in found.lists]
    has_estate, matcher = bool(collected.drafts), Matcher(collected.drafts.values())
    for _, rows in (*lists, *found.listed):
        for row in rows:
            fits = matcher.find(name=row.name, moref=row.moref, uuid=row.uuid) if has_estate else []
            if len(fits) > 1:
                keys = ", ".join(one.key for one in fits[:3])
                collected.refuse(
                    row.place, f'"{row.name}" are {len(fits)} VMs ({keys}): add a column "VM ID" with the id'
                )
            elif fits:
                fits[0].fill(**row.fields)
            elif has_estate:
                name = row.name or row.moref or row.uuid
                collected.note("stale", row.place, f'"{name}" is not in the inventory. {matcher.hint(name)}')
            else:
                _add(row, collected)


def _add(row: ListedVm, collected: Collected) -> None:
    draft = row.draft()
    if not draft.name:
        collected.refuse(row.place, "has an id and no name: import the inventory in the same command")
        return
    other = collected.drafts.get(draft.key)
    if other is None or other.place.file == draft.place.file:
        collected.add(draft)
    else:
        other.fill(**draft.fields)


def _each_once(networks: Iterable[EstateNetwork]) -> list[EstateNetwork]:
    found: dict[tuple[str, str, str], EstateNetwork] = {}
    for one in networks:
        key = (one.name, one.switch or "", one.vlan or "")
        if key not in found or one.extended:
            found[key] = one
    return [found[key] for key in sorted(found)]


def _coverage(vms: Sequence[EstateVm], flows: Sequence[EstateFlow]) -> Iterable[InventoryCoverage]:
    seen = {end for flow in flows for end in (flow.source, flow.destination)}
    known = {
        "inventory": sum(vm.moref is not None or vm.instance_uuid is not None for vm in vms),
        "networks": sum(bool(vm.networks) for vm in vms),
        "disks": sum(vm.used_bytes is not None or bool(vm.disks) for vm in vms),
        "applications": sum(vm.application is not None for vm in vms),
        "flows": sum(vm.key in seen for vm in vms),
        "criticality": sum(vm.criticality is not None or vm.environment is not None for vm in vms),
    }
    for category, count in known.items():
        yield InventoryCoverage.model_validate({"category": category, "known": count, "vms": len(vms)})
