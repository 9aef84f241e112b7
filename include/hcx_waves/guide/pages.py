"""Write the guide's pages. ``python -m hcx_waves.guide.pages docs/guide`` does so; a test holds them to the code."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from hcx_waves.guide.entries import FAMILIES
from hcx_waves.guide.model import Entry, Family

_WIDTH = 118
_FIRST = """# The guide

What every id that a message can name means, what to do, and by which button or command. In an outage read
[03:00](../operations.md#0300) first. Messages lead here: `HCX_WAVES_GUIDE_URL` names the address under which these
pages are served, for links in logs, reports and Airflow.

| page | ids |
|---|---|
"""


def pages() -> dict[str, str]:
    """Return the text of each page, by the name of its file."""
    rows = "".join(f"| [{one.title}]({one.name}.md) | {len(one.entries)} |\n" for one in FAMILIES)
    return {"README.md": f"{_FIRST}{rows}", **{f"{one.name}.md": _page(one) for one in FAMILIES}}


def _page(family: Family) -> str:
    parts = [f"# {family.title}", _wrapped(family.introduction)]
    for entry_id in sorted(family.entries):
        parts.append(_entry(entry_id, family.entries[entry_id]))
    return "\n\n".join(parts) + "\n"


def _entry(entry_id: str, entry: Entry) -> str:
    said = [entry.meaning, f"**What to do:** {entry.what_to_do}", f"**By:** {entry.button}"]
    return "\n\n".join([f"## {entry_id}", *map(_wrapped, said)])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def write(folder: Path) -> None:
    """Write all pages.

    :raises OSError: if one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
