"""Links between the pages lead to a file and to a heading of it; prose is wrapped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "docker/README.md", "tests/README.md", "tests/contract/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
LONGEST_LINE = 118
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def prose_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    """Return a page without any code."""
    return re.sub(r"`[^`\n]+`", "", prose_of(page))


def anchors(page: Path) -> set[str]:
    """Return what a link to a page may name: its headings as GitHub spells them, and anchors written out."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {slug(heading) for heading in headings} | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def problem(page: Path, link: str) -> str | None:
    """Return why a link leads nowhere; None if it leads somewhere or out of the project."""
    if "://" in link or link.startswith("mailto:"):
        return None
    path, _, anchor = link.partition("#")
    target = page if not path else (page.parent / path).resolve()
    if not target.exists():
        return f"{link}: no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{link}: no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    found = (problem(page, link) for link in LINK.findall(text_of(page)))

    assert [one for one in found if one] == []


def test_there_are_links_to_check() -> None:
    assert sum(len(LINK.findall(text_of(page))) for page in PAGES) > 100


@pytest.mark.parametrize("link", ["nowhere.md", "demo.md#nowhere", "#nowhere"])
def test_a_link_that_leads_nowhere_is_found(link: str) -> None:
    assert problem(ROOT / "docs" / "airflow.md", link)


# The vendor pages quote requests that are longer than a line.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "vendor"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_prose_is_wrapped(page: Path) -> None:
    lines = prose_of(page).splitlines()

    # A row of a table cannot be wrapped.
    assert [line for line in lines if len(line) > LONGEST_LINE and not line.lstrip().startswith("|")] == []
