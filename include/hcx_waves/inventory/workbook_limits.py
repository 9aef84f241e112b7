"""What a workbook must not be: larger than it looks, mostly empty, or computed by something that is not in it.

The archive is looked through as a stream before any reader opens it. A sheet is laid out in memory as a rectangle, so
a few bytes can ask for gigabytes: rows, columns and blank rows are counted first.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 200 * 1024 * 1024
MOST_UNPACKED = 600 * 1024 * 1024
MOST_ROWS = 200_000
MOST_BLANK_ROWS = 10_000
MOST_COLUMNS = 256
_MOST_RATIO = 150
_FREE_OF_RATIO = 4 * 1024 * 1024
_CHUNK = 1024 * 1024
_SHEETS = "xl/worksheets/"
_WIDE = re.compile(rb'<c r="(?:[A-Z]{3}|[J-Z][A-Z]|I[W-Z])[0-9]')
_FAR = re.compile(rb'<(?:row|c)[^>]{0,200}? r="[A-Z]{0,3}[0-9]{7,}"|<(?:row|c)[^>]{0,200}? r="[A-Z]{0,3}[2-9][0-9]{5}"')
_EMPTY_ROW = re.compile(rb"<row\b[^>]{0,400}/>|<row\b[^>]{0,400}></row>")
_FORMULA = re.compile(rb"<f[ >/]")
# Widths up to which a cell's column is tried; the reader's rectangle is at most rows times the next one.
_WIDTHS = ((104, re.compile(rb'<c r="(?:[D-Z][A-Z]|[A-Z]{3})[0-9]')), (26, re.compile(rb'<c r="[A-Z]{2,3}[0-9]')))
_MOST_SPARSE = 20


class WorkbookRefusedError(ValueError):
    """A workbook that is not read; says which sheet and what to do. ``sheet`` is empty for the whole file."""

    def __init__(self, message: str, sheet: str = "") -> None:
        self.sheet = sheet
        super().__init__(message)


@dataclass
class _Seen:
    """What has been counted of a sheet."""

    rows: int = 0
    empty: int = 0
    cells: int = 0
    width: int = 26
    widths: dict[int, bool] = field(default_factory=dict)


def check_workbook(path: Path) -> None:
    """Look through a workbook.

    :raises WorkbookRefusedError: if it is not a workbook that can be read safely.
    :raises OSError: if it cannot be read.
    """
    if path.stat().st_size > MOST_BYTES:
        raise WorkbookRefusedError(f"is larger than {MOST_BYTES // 1024**2} MiB")
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            parts = archive.infolist()
            _check_parts(parts)
            names = _sheet_names(archive)
            for part in parts:
                _check_part(file, part, names.get(part.filename, ""))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WorkbookRefusedError("is damaged or encrypted: open it in a spreadsheet and save it as .xlsx") from error


def _check_parts(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if len(names) != len(parts) or len(parts) > 2000:
        raise WorkbookRefusedError("is not an Excel workbook: its archive has parts of one name, or thousands of them")
    if "xl/workbook.xml" not in names:
        raise WorkbookRefusedError("is not an Excel workbook (.xlsx): save the export as .xlsx, or each tab as CSV")
    if any(name.startswith("xl/externalLinks/") for name in names):
        raise WorkbookRefusedError("has links to other workbooks: copy it as values, or export it again")
    if any(name.startswith("xl/vbaProject") for name in names):
        raise WorkbookRefusedError("has macros: save it as .xlsx without macros")
    for part in parts:
        if part.file_size > _FREE_OF_RATIO and part.file_size > _MOST_RATIO * max(part.compress_size, 1):
            raise WorkbookRefusedError(f"unpacks to more than {_MOST_RATIO} times its size ({part.filename})")
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise WorkbookRefusedError(f"unpacks to more than {MOST_UNPACKED // 1024**2} MiB")


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the sheets' names by their parts; a sheet that is not found has no name."""
    if any(archive.getinfo(name).file_size > _FREE_OF_RATIO for name in ("xl/workbook.xml",)):
        raise WorkbookRefusedError("is not an Excel workbook: its list of sheets is too long")
    text = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    try:
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except KeyError:
        return {}
    targets = {}
    for one in re.findall(r"<Relationship\b[^>]{0,1000}>", relations):
        members = dict(re.findall(r'(\w+)="([^"]*)"', one))
        targets[members.get("Id", "")] = f"xl/{members.get('Target', '').removeprefix('/xl/')}"
    found = {}
    for one in re.findall(r"<sheet\b[^>]{0,1000}>", text):
        members = dict(re.findall(r'([\w:]+)="([^"]*)"', one))
        found[targets.get(members.get("r:id", ""), "")] = html.unescape(members.get("name", ""))
    return found


def _check_part(file: BinaryIO, part: zipfile.ZipInfo, sheet: str) -> None:
    is_sheet = part.filename.startswith(_SHEETS) and part.filename.endswith(".xml")
    seen, waiting = _Seen(), b""
    for chunk in _unpacked(file, part):
        if not is_sheet:
            continue
        waiting += chunk
        if len(waiting) < _CHUNK:
            continue
        # Up to the last row that has begun, so that nothing is cut through.
        cut = waiting.rfind(b"<row")
        if cut > 0:
            _look(waiting[:cut], seen, sheet)
            waiting = waiting[cut:]
        if len(waiting) > 8 * _CHUNK:
            raise WorkbookRefusedError("has a row that is too long", sheet)
    if waiting:
        _look(waiting, seen, sheet)


def _look(text: bytes, seen: _Seen, sheet: str) -> None:
    if _FORMULA.search(text):
        raise WorkbookRefusedError("has formulas: copy the sheet as values, or export it again", sheet)
    seen.rows += text.count(b"<row")
    seen.empty += len(_EMPTY_ROW.findall(text))
    seen.cells += text.count(b"<c ") + text.count(b"<c>")
    if seen.empty > MOST_BLANK_ROWS:
        raise WorkbookRefusedError(
            f"has more than {MOST_BLANK_ROWS} blank rows: delete the rows below the table and save it again", sheet
        )
    if seen.rows > MOST_ROWS or _FAR.search(text):
        raise WorkbookRefusedError(
            f"has more than {MOST_ROWS} rows: split it, or delete what is below the table", sheet
        )
    if _WIDE.search(text):
        raise WorkbookRefusedError(f"has more than {MOST_COLUMNS} columns: delete what is beside the table", sheet)
    last = _last_row(text)
    for width, pattern in _WIDTHS:
        if not seen.widths.get(width):
            seen.widths[width] = pattern.search(text) is not None
    seen.width = 256 if seen.widths.get(104) else 104 if seen.widths.get(26) else 26
    if last * seen.width > _MOST_SPARSE * seen.cells + 4_000_000:
        raise WorkbookRefusedError("is mostly blank: delete the rows and columns around the table", sheet)


def _last_row(text: bytes) -> int:
    place = text.rfind(b"<row")
    found = re.match(rb'<row[^>]{0,200}? r="([0-9]{1,7})"', text[place : place + 300]) if place >= 0 else None
    return int(found[1]) if found else 0


def _unpacked(file: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part's content, and refuse one whose stream holds anything else than the archive's list says."""
    if part.flag_bits & 1:
        raise WorkbookRefusedError("is encrypted: save it without a password")
    file.seek(part.header_offset)
    header = file.read(30)
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    left, size = part.compress_size, 0
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise WorkbookRefusedError("is packed in an unusual way: open it in a spreadsheet and save it as .xlsx")
    unpack = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
    waiting = b""
    while left or waiting:
        if not waiting:
            waiting = file.read(min(left, 65536))
            left -= len(waiting)
            if not waiting:
                break
        chunk, waiting = (
            (waiting, b"") if unpack is None else (unpack.decompress(waiting, _CHUNK), unpack.unconsumed_tail)
        )
        size += len(chunk)
        if size > part.file_size:
            break
        if chunk:
            yield chunk
    if size != part.file_size:
        raise WorkbookRefusedError(f"is damaged: {part.filename} is larger or smaller than the archive says")
