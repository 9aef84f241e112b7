"""Problems of imported files, and remarks about them, each with its place: file, sheet, row and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hcx_waves.model.base import DomainModel
from hcx_waves.model.outside import shown

MOST_PROBLEMS = 200
"""How many problems are listed; a column of the wrong form makes one per row."""
_LONGEST = 500


@dataclass(frozen=True, order=True)
class FilePlace:
    """Where in a file; rows count from 1, as a spreadsheet shows them. 0 and empty texts mean the whole."""

    file: str
    sheet: str = ""
    row: int = 0
    column: str = ""

    def __str__(self) -> str:
        """Write it for people: ``export.xlsx, sheet vInfo, row 12, column "VM ID"``."""
        parts = [
            shown(self.file),
            f"sheet {shown(self.sheet, 80)}" if self.sheet else "",
            f"row {self.row}" if self.row else "",
            f'column "{shown(self.column, 80)}"' if self.column else "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, order=True)
class ImportProblem:
    """Something that keeps a file from being imported, and what to write instead."""

    place: FilePlace
    message: str

    def __str__(self) -> str:
        """Write place and message on one line."""
        return f"{self.place}: {shown(self.message, _LONGEST)}"


class ImportRefusedError(ValueError):
    """Files that cannot be imported; the message lists every problem, one a line, up to two hundred."""

    def __init__(self, problems: Iterable[ImportProblem]) -> None:
        found = sorted(set(problems))
        self.problems = tuple(found[:MOST_PROBLEMS])
        self.count = len(found)
        lines = [str(problem) for problem in self.problems]
        if len(found) > MOST_PROBLEMS:
            lines.append(f"and {len(found) - MOST_PROBLEMS} more problems; correct these first")
        super().__init__("\n".join(lines))


class InventoryRemark(DomainModel):
    """Something to know that does not keep the files from being imported."""

    kind: str
    """A word for programs: ``stale``, ``missing``, ``unmatched``, ``secret``, ``ignored``, ``assumed``."""
    file: str
    sheet: str = ""
    row: int = 0
    column: str = ""
    message: str

    def __str__(self) -> str:
        """Write place and message on one line."""
        return f"{FilePlace(self.file, self.sheet, self.row, self.column)}: {shown(self.message, _LONGEST)}"


def remark(kind: str, place: FilePlace, message: str) -> InventoryRemark:
    """Return a remark about a place."""
    return InventoryRemark(
        kind=kind, file=place.file, sheet=place.sheet, row=place.row, column=place.column, message=message
    )
