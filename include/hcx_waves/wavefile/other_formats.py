"""Recognise what is given in place of a wave file: spreadsheets, archives, pages, other encodings."""

from __future__ import annotations

import codecs
import re
from collections import Counter

from hcx_waves.model.formatting import counted

IS_SPREADSHEET = "A wave file is YAML and names its VMs under vms"
"""What is said of every kind of spreadsheet."""
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_ROWS_READ = 5
_YAML = re.compile(r"\s*[-\[{]|[^\"]*:(\s|$)")
"""Rows that are meant to be YAML, though they may be wrong: lists, mappings, keys."""
_MARKS = (
    (b"PK\x03\x04", f"is an Excel workbook or another ZIP file. {IS_SPREADSHEET}"),
    (b"\xd0\xcf\x11\xe0", f"is an old Excel workbook or another Office file. {IS_SPREADSHEET}"),
    (b"\x1f\x8b", "is a gzip file, such as a snapshot, and not a wave file"),
    (b"%PDF", "is a PDF file, not a wave file"),
    (codecs.BOM_UTF16_LE, "is in UTF-16, as Excel saves Unicode text. Save it as UTF-8"),
    (codecs.BOM_UTF16_BE, "is in UTF-16. Save it as UTF-8"),
)


def other_content(content: bytes) -> str | None:
    """Return what a file is that cannot be text, None if its first bytes say nothing."""
    return next((words for mark, words in _MARKS if content.startswith(mark)), None)


def other_text(text: str) -> str | None:
    """Return what a text is that is no mapping in YAML: a table or a page; None if it is neither."""
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        return "is an HTML or XML page, not a wave file: download the raw file instead of the page that shows it"
    rows = [row for row in text.splitlines() if row.strip()][: _ROWS_READ + 1]
    if rows and rows[0].lower().startswith("sep="):
        rows = rows[1:]
    if any(_YAML.match(row) for row in rows):
        return None
    for separator, name in _SEPARATORS.items():
        columns = Counter(row.count(separator) + 1 for row in rows)
        width, alike = columns.most_common(1)[0] if columns else (1, 0)
        if width > 1 and alike * 2 > len(rows):
            return f"is a CSV file ({counted(width, 'column')}, separated by {name}), not YAML. {IS_SPREADSHEET}"
    return None
