"""Tables as they are read from workbooks and CSV files: a header, and rows with the numbers that people see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hcx_waves.inventory.problems import FilePlace, ImportProblem

Cell = Any
"""Text, a number, a truth value or a date, as the file has it; an empty text where there is nothing."""
_UNITS = (("megabytes", "mib"), (" mb", " mib"), ("(mb)", "mib"))


def plain_header(text: object) -> str:
    """Return a column's name for comparing: without case, blanks around, stars of required columns."""
    return re.sub(r"\s+", " ", str(text)).strip().strip("*").strip().casefold()


@dataclass(frozen=True)
class SheetTable:
    """A table of a file.

    :param header: the columns' names as they are written; columns without a name are empty texts.
    :param rows: row number and cells; rows without anything in them are left out.
    :param decimal_comma: whether numbers in texts are written with a decimal comma; None if nothing says so.
    """

    file: str
    sheet: str
    header: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[Cell]]]
    decimal_comma: bool | None = None
    places: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the columns by their plain names; of two with one name the first counts."""
        for index, name in enumerate(self.header):
            if plain_header(name):
                self.places.setdefault(plain_header(name), index)

    def has(self, *names: str) -> bool:
        """Whether it has all of these columns."""
        return all(plain_header(name) in self.places for name in names)

    def column(self, *names: str) -> str | None:
        """Return the first of these columns that it has, as it is written."""
        for name in names:
            if plain_header(name) in self.places:
                return self.header[self.places[plain_header(name)]]
        return None

    def records(self) -> Iterator[TableRecord]:
        """Yield the rows."""
        for number, cells in self.rows:
            yield TableRecord(self, number, cells)


class TableRecord:
    """A row whose cells are read by the names of their columns."""

    __slots__ = ("_cells", "_table", "row")

    def __init__(self, table: SheetTable, row: int, cells: Sequence[Cell]) -> None:
        self._table, self.row, self._cells = table, row, cells

    def place(self, *names: str) -> FilePlace:
        """Return where it is; with the first of these columns that the table has."""
        return FilePlace(self._table.file, self._table.sheet, self.row, self._table.column(*names) or "")

    def cell(self, *names: str) -> Cell:
        """Return the first of these columns that the table has; an empty text if it has none."""
        for name in names:
            index = self._table.places.get(name)
            if index is not None:
                return self._cells[index] if index < len(self._cells) else ""
        return ""

    def text(self, *names: str) -> str:
        """Return a cell as text; whole numbers without a decimal point, as names of digits are stored with one."""
        value = self.cell(*names)
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return "" if value is None else str(value)

    def number(self, problems: list[ImportProblem], *names: str) -> float | None:
        """Return a cell as a number; what is none is a problem."""
        value = self.cell(*names)
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return self._counted(float(value), problems, names)
        text = str(value).strip()
        if text in ("", "-", "n/a", "N/A"):
            return None
        found = read_number(text, self._table.decimal_comma)
        if found is None:
            problems.append(ImportProblem(self.place(*names), f'must be a number such as 40960, not "{text[:40]}"'))
            return None
        return self._counted(found, problems, names)

    def _counted(self, value: float, problems: list[ImportProblem], names: Sequence[str]) -> float | None:
        if 0 <= value < 1e15:
            return value
        problems.append(ImportProblem(self.place(*names), "must be a number of at least 0 that a VM can have"))
        return None

    def flag(self, *names: str) -> bool:
        """Whether a cell says yes; exports are written in many languages."""
        value = self.cell(*names)
        if isinstance(value, bool):
            return value
        return str(value).strip().casefold() in (
            "true",
            "yes",
            "1",
            "1.0",
            "ja",
            "wahr",
            "vrai",
            "oui",
            "verdadero",
            "si",
        )


_GROUPS = re.compile(r"[\s\u00a0\u202f']")


def read_number(text: str, decimal_comma: bool | None) -> float | None:
    """Return a number that is written in some country's way; None if it is none.

    Both marks, or one of them twice, say by themselves which is the decimal one. One mark alone is read by
    ``decimal_comma``; where nothing says so, as a decimal mark unless three digits follow it.
    """
    plain = _GROUPS.sub("", text)
    if not re.fullmatch(r"[+-]?[0-9][0-9.,]*", plain):
        return None
    comma, dot = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and dot >= 0:
        mark = "," if comma > dot else "."
    elif comma < 0 and dot < 0:
        return float(plain)
    else:
        one = "," if comma >= 0 else "."
        mark = _single_mark(plain, one, decimal_comma)
    other = "." if mark == "," else ","
    whole, _, part = plain.partition(mark) if mark else (plain, "", "")
    groups = whole.split(other) if mark else re.split("[.,]", plain)
    if mark in part or other in part or any(len(group) != 3 for group in groups[1:]):
        return None
    return float("".join(groups) + (f".{part}" if mark and part else ""))


def _single_mark(plain: str, one: str, decimal_comma: bool | None) -> str:
    """Return the decimal mark of a number with one kind of mark; empty if the mark only makes groups."""
    if plain.count(one) > 1:
        return ""
    grouped = len(plain.rpartition(one)[2]) == 3
    if not grouped or decimal_comma is None:
        return one
    return one if decimal_comma == (one == ",") else ""


def decimal_comma_of(delimiter: str, cells: Iterator[str]) -> bool | None:
    """Return which decimal mark a CSV file uses: as its numbers say, else as its delimiter does."""
    for cell in cells:
        plain = _GROUPS.sub("", cell.strip())
        found = re.fullmatch(r"[+-]?[0-9]+([.,])([0-9]+)", plain)
        if found and len(found[2]) != 3:
            return found[1] == ","
        both = re.fullmatch(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})+([.,])[0-9]+", plain)
        if both and both[1] != both[2]:
            return both[2] == ","
    return {";": True, ",": False}.get(delimiter)
