"""Tables of VMs that stay readable: what all VMs share is said once, and VMs that do not differ share a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from hcx_waves.model.formatting import counted, listed, size
from hcx_waves.report.markup import Markdown, bold, document, escape, table

MOST_SINGLE_ROWS = 12
"""Up to so many VMs have a row each."""
MOST_NAMES = 100
"""So many names or ranges of names are shown of one group."""
MOST_GROUPS = 40
_NUMBERED = re.compile(r"(.*?)(\d+)\Z", re.DOTALL)
_SHORTEST_RANGE = 3


@dataclass(frozen=True)
class Row:
    """One VM.

    :param cells: what is shown of it, one for each heading.
    :param disk_bytes: of all its disks; None where sizes are not shown.
    """

    name: str
    cells: tuple[str, ...]
    disk_bytes: int | None = None


def vm_table(headings: Sequence[str], rows: Sequence[Row], rest: str) -> Markdown:
    """Return a table of VMs with what differs between them, below a line with what does not.

    :param headings: of the cells; the column of names is added, and those of counts and sizes where they are needed.
    :param rest: where the names can be found that are not shown.
    """
    if not rows:
        return Markdown()
    shared = [at for at in range(len(headings)) if len(rows) > 1 and len({row.cells[at] for row in rows}) == 1]
    kept = [at for at in range(len(headings)) if at not in shared]
    with_sizes = any(row.disk_bytes is not None for row in rows)
    single = len(rows) <= MOST_SINGLE_ROWS
    groups = [[row] for row in rows] if single else list(_groups(rows, kept))
    head = ["VM" if single else "VMs", *([] if single else ["Count"]), *(["Disk size"] if with_sizes else [])]
    lines = [
        (
            _names(group),
            *([] if single else [str(len(group))]),
            *([_size(group)] if with_sizes else []),
            *(group[0].cells[at] for at in kept),
        )
        for group in groups
    ]
    return document(
        _shared(headings, rows, shared),
        table([*head, *(headings[at] for at in kept)], lines, most=MOST_GROUPS, rest=rest),
        f"Not all names are shown; {rest}." if any(len(ranges(_of(group))) > MOST_NAMES for group in groups) else "",
    )


def ranges(names: Sequence[str]) -> list[str]:
    """Return names, with three or more that are numbered without a gap as ``web01 to web40``."""
    found: list[str] = []
    numbered = sorted((name, *_split(name)) for name in names)
    for (_, digits), family in groupby(
        sorted(numbered, key=lambda one: (one[1], len(one[2]), one[2])), key=lambda one: (one[1], len(one[2]))
    ):
        members = list(family)
        if not digits:
            found += [name for name, _, _ in members]
            continue
        for _, run in groupby(enumerate(members), key=lambda one: int(one[1][2]) - one[0]):
            found += _run([name for _, (name, _, _) in run])
    return sorted(found)


def _split(name: str) -> tuple[str, str]:
    """Return a name without the number at its end, and that number as it is written."""
    match = _NUMBERED.match(name)
    return (name, "") if match is None or not match[2].isascii() else (match[1], match[2])


def _run(names: list[str]) -> list[str]:
    return names if len(names) < _SHORTEST_RANGE else [f"{names[0]} to {names[-1]}"]


def _groups(rows: Sequence[Row], kept: Sequence[int]) -> Iterator[list[Row]]:
    """Yield the VMs that do not differ in the columns that are left; small groups, which are the odd ones, first."""
    by_cells: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        by_cells.setdefault(tuple(row.cells[at] for at in kept), []).append(row)
    yield from sorted(by_cells.values(), key=len)


def _shared(headings: Sequence[str], rows: Sequence[Row], shared: Sequence[int]) -> Markdown:
    said = [Markdown(f"{escape(headings[at].lower())} {bold(rows[0].cells[at])}") for at in shared if rows[0].cells[at]]
    return Markdown(f"The same for all {counted(len(rows), 'VM')}: {'; '.join(said)}.") if said else Markdown()


def _of(group: Sequence[Row]) -> list[str]:
    return [row.name for row in group]


def _names(group: Sequence[Row]) -> str:
    return group[0].name if len(group) == 1 else listed(ranges(_of(group)), MOST_NAMES)


def _size(group: Sequence[Row]) -> str:
    known = [row.disk_bytes for row in group if row.disk_bytes is not None]
    if not known:
        return "unknown"
    unknown = len(group) - len(known)
    return size(sum(known)) + (f" and {unknown} of unknown size" if unknown else "")
