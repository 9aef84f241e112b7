"""Traffic between VMs: the neutral CSV, and Azure Migrate's export of dependencies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hcx_waves.inventory.drafts import Collected, Matcher
from hcx_waves.inventory.model import EstateFlow
from hcx_waves.inventory.problems import FilePlace
from hcx_waves.inventory.tables import SheetTable

_NAMED_REMARKS = 50


@dataclass(frozen=True)
class _Columns:
    source: str
    destination: str
    port: str


_KINDS = {
    "flows": _Columns("source", "destination", "port"),
    "azure-dependencies": _Columns("source server name", "destination server name", "destination port"),
}


def kind_of_flows(table: SheetTable) -> str:
    """Return which kind of flows a table holds, by its columns; empty if it holds none."""
    for kind, columns in _KINDS.items():
        if table.has(columns.source, columns.destination, columns.port):
            return kind
    return ""


def read_flows(table: SheetTable, kind: str, collected: Collected) -> list[EstateFlow]:
    """Return the flows between VMs of the inventory; unknown ends are counted, ambiguous ones refused."""
    columns, matcher = _KINDS[kind], Matcher(collected.drafts.values())
    found: list[EstateFlow] = []
    strange, first = Counter[str](), dict[str, FilePlace]()
    for record in table.records():
        ends = []
        for column in (columns.source, columns.destination):
            name = record.text(column)
            fits = matcher.find(name=name, key=name, moref=name)
            if len(fits) > 1:
                collected.refuse(
                    record.place(column), f'"{name}" are {len(fits)} VMs: write the key of one, {fits[0].key}'
                )
            elif not fits and name:
                strange[name] += 1
                first.setdefault(name, record.place(column))
            ends.append(fits[0].key if len(fits) == 1 else "")
        port, size = record.number(collected.problems, columns.port), record.number(collected.problems, "bytes")
        if all(ends) and ends[0] != ends[1]:
            found.append(
                EstateFlow(
                    source=ends[0],
                    destination=ends[1],
                    port=None if port is None else int(port),
                    bytes=None if size is None else round(size),
                    first=record.text("first", "timeslot") or None,
                    last=record.text("last") or None,
                )
            )
    for name, count in strange.most_common(_NAMED_REMARKS):
        collected.note("unmatched", first[name], f'"{name}" is no VM of the inventory; {count} flows are left out')
    if len(strange) > _NAMED_REMARKS:
        left = len(strange) - _NAMED_REMARKS
        collected.note("unmatched", FilePlace(table.file), f"{left} more names are no VMs of the inventory")
    return found
