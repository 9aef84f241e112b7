"""The vendor contracts in docs/vendor: their sections and source keys, and the marks in the code that lead to them."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR_ROOT = ROOT / "docs" / "vendor"
NAMES = ("hcx", "nsx-vsphere")

MARK = re.compile(r"\[(D\+C|D|C|I|\?) (hcx|nsx-vsphere) (\d+(?:\.\d+)?)\]")
_LIKE_A_MARK = re.compile(r"\[(?:[DCBIXW?](?:\+[DCBIXW?])*|2nd(?:-hand)?)(?:[ ,;:][^\]\n]*)?\]")
_REFERENCE = re.compile(r"(?<![\w-])(hcx|nsx-vsphere)\s+(\d+(?:\.\d+)?)(?![\w.]*\w)")
_ARTICLE = re.compile(r"\bKB[ -]\d+")
_GUIDE = re.compile(r"\bUG \d+\.\d+")
_FORMER_NAME = re.compile(r"\b(?:hcx-api|nsx-vsphere-api)\b")


@dataclass(frozen=True)
class Page:
    """One vendor contract."""

    name: str
    text: str

    @property
    def anchors(self) -> list[str]:
        """Anchors of the sections, in their order."""
        return re.findall(r'^<a id="([\d.]+)"></a>$', self.text, re.MULTILINE)

    @property
    def headings(self) -> list[str]:
        """Numbers of the headings, in their order."""
        return re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", self.text, re.MULTILINE)

    @property
    def keys(self) -> dict[str, str]:
        """Source keys with what they stand for, from the table in section 0."""
        table = self.text.split('<a id="0"></a>')[1].split("<a id=")[0]
        rows = re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE)
        return {key: source for key, source in rows if key != "key"}

    @property
    def marks(self) -> list[str]:
        """What stands in the brackets of the page's own marks, such as ``D XWM; C ASAF``."""
        return [found[1:-1] for found in _LIKE_A_MARK.findall(" ".join(self.text.split()))]


@cache
def pages() -> dict[str, Page]:
    """The vendor contracts by name, which is the stem of the file."""
    return {name: Page(name, (VENDOR_ROOT / f"{name}.md").read_text(encoding="utf-8")) for name in NAMES}


def sources_of(mark: str) -> dict[str, list[str]]:
    """The source keys of a mark of a page, by letter; ``?`` and ``I`` have none."""
    parts = [part.strip().partition(" ") for part in mark.split(";")]
    return {letter: [key.strip() for key in keys.split(",") if key.strip()] for letter, _, keys in parts}


def problems_in(text: str) -> list[str]:
    """What is wrong with marks, section numbers and article numbers in a text outside docs/vendor."""
    marks = [match[0] for match in _LIKE_A_MARK.finditer(text)]
    found = [f"{mark} is not of the form [D hcx 4.4]" for mark in marks if not MARK.fullmatch(mark)]
    for match in _REFERENCE.finditer(text):
        if match[2] not in pages()[match[1]].anchors:
            found.append(f"{match[1]} has no section {match[2]}")
    known = {key for page in pages().values() for key in page.keys}
    for match in (*_ARTICLE.finditer(text), *_GUIDE.finditer(text)):
        if match[0].replace("-", " ") not in known:
            found.append(f"{match[0]} is no source key")
    return found + [f"{match[0]} is a former name" for match in _FORMER_NAME.finditer(text)]


def problems_of(path: Path) -> list[str]:
    """What is wrong in comments and strings of a Python file, or in the whole text of any other."""
    text = path.read_text(encoding="utf-8")
    problems = problems_in(text)
    if not problems or path.suffix != ".py":
        return problems
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    prose = "\n".join(token.string for token in tokens if token.type in (tokenize.COMMENT, tokenize.STRING))
    return problems_in(prose)
