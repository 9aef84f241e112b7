"""Files as tables: workbooks by python-calamine, CSV in the encodings and with the delimiters that exports have."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hcx_waves.inventory.problems import FilePlace, ImportProblem
from hcx_waves.inventory.tables import SheetTable, decimal_comma_of, plain_header
from hcx_waves.inventory.workbook_limits import MOST_ROWS, WorkbookRefusedError, check_workbook

MOST_CSV_BYTES = 200 * 1024 * 1024
_MOST_FIELD = 1_000_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t"
_SAMPLED_ROWS = 2000
_HEADER_WITHIN = 10


class UnreadableFileError(ValueError):
    """A file that cannot be read as a table; carries the problem with its place."""

    def __init__(self, place: FilePlace, message: str) -> None:
        self.problem = ImportProblem(place, message)
        super().__init__(str(self.problem))


@dataclass(frozen=True)
class RawFile:
    """A file's content with its digest."""

    path: Path
    content: bytes
    sha256: str

    @property
    def name(self) -> str:
        """The name that problems show."""
        return self.path.name


def read_raw(path: Path) -> RawFile:
    """Read a file.

    :raises UnreadableFileError: if it cannot be read or is too large.
    """
    place = FilePlace(path.name)
    try:
        if path.stat().st_size > MOST_CSV_BYTES:
            raise UnreadableFileError(place, f"is larger than {MOST_CSV_BYTES // 1024**2} MiB")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(place, f"cannot be read: {error.strerror or type(error).__name__}") from error
    if not content.strip():
        raise UnreadableFileError(place, "is empty")
    return RawFile(path, content, hashlib.sha256(content).hexdigest())


def workbook_tables(raw: RawFile, wanted: Iterable[str]) -> tuple[list[SheetTable], list[str]]:
    """Return the sheets of a workbook that are wanted, and the names of the others.

    :param wanted: names of sheets, in lower case; of a workbook that has none of them the first sheet is read.
    :raises UnreadableFileError: if it is no workbook that can be read safely.
    """
    try:
        check_workbook(raw.path)
    except WorkbookRefusedError as error:
        raise UnreadableFileError(FilePlace(raw.name, error.sheet), str(error)) from error
    # Only here: the package belongs to an extra, and lists and CSV files do without it.
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(raw.content))
        names = [name for name in book.sheet_names if name.strip().casefold() in set(wanted)]
        names = names or book.sheet_names[:1]
        tables = [_sheet(raw.name, name, book.get_sheet_by_name(name)) for name in names]
    except python_calamine.CalamineError as error:
        raise UnreadableFileError(FilePlace(raw.name), f"is not a workbook that can be read: {error}") from error
    return tables, [name for name in book.sheet_names if name not in names]


def _sheet(file: str, name: str, sheet: Any) -> SheetTable:
    begin = (sheet.start or (0, 0))[0] + 1
    rows = ((begin + number, row) for number, row in enumerate(sheet.iter_rows()))
    return _table(file, name, ((number, row) for number, row in rows if any(cell != "" for cell in row)), None)


def text_of(raw: RawFile) -> str:
    """Return a file as text: UTF-8, with or without a mark, or UTF-16 with one.

    :raises UnreadableFileError: if it is in another encoding.
    """
    encoding = next((name for mark, name in _MARKS if raw.content.startswith(mark)), "utf-8")
    try:
        text = raw.content.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.content.count(b"\n", 0, error.start) + 1
        message = "is neither UTF-8 nor UTF-16: save it as CSV UTF-8 (in Excel: CSV UTF-8, comma delimited)"
        raise UnreadableFileError(FilePlace(raw.name, "", line), message) from None
    if "\0" in text:
        raise UnreadableFileError(FilePlace(raw.name), "has characters that no text has: export it again as CSV UTF-8")
    return text


def csv_table(raw: RawFile) -> SheetTable:
    """Return a CSV file as a table.

    :raises UnreadableFileError: if it is not text, or a row is broken.
    """
    text, skipped = text_of(raw), 0
    for line in islice(io.StringIO(text), _HEADER_WITHIN):
        # What Excel and PowerShell put in front of the header.
        if not line.lower().startswith(("sep=", "#type ")) and line.strip():
            break
        skipped += 1
    body = io.StringIO(text)
    for _ in range(skipped):
        body.readline()
    header = body.readline()
    delimiter = max(_DELIMITERS, key=lambda mark: _outside_quotes(header, mark))
    body = io.StringIO(text, newline="")
    for _ in range(skipped):
        body.readline()
    rows = list(_csv_rows(raw.name, csv.reader(body, delimiter=delimiter), skipped))
    sample = (cell for _, row in rows[1:_SAMPLED_ROWS] for cell in row)
    return _table(raw.name, "", rows, decimal_comma_of(delimiter, sample))


def _outside_quotes(line: str, mark: str) -> int:
    return sum(part.count(mark) for part in line.split('"')[::2])


def _csv_rows(file: str, reader: Any, skipped: int) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_MOST_FIELD)
    begin = skipped + 1
    try:
        for row in reader:
            number, begin = begin, skipped + reader.line_num + 1
            if number > MOST_ROWS * 4:
                raise UnreadableFileError(FilePlace(file, "", number), f"has more than {MOST_ROWS} rows: split it")
            if any(cell.strip() for cell in row):
                yield number, row
    except csv.Error as error:
        raise UnreadableFileError(FilePlace(file, "", begin), f"is not a CSV row: {error}; check the quotes") from error


def _table(file: str, sheet: str, rows: Iterable[tuple[int, Sequence[Any]]], decimal_comma: bool | None) -> SheetTable:
    waiting = iter(rows)
    _, header = next(waiting, (0, ()))
    body = list(islice(waiting, MOST_ROWS + 1))
    if len(body) > MOST_ROWS:
        raise UnreadableFileError(FilePlace(file, sheet), f"has more than {MOST_ROWS} rows: split it")
    names = tuple(str(cell).strip() for cell in header)
    if not any(plain_header(name) for name in names):
        raise UnreadableFileError(FilePlace(file, sheet, 1), "has no header: the first row must name the columns")
    return SheetTable(file, sheet, names, body, decimal_comma)
