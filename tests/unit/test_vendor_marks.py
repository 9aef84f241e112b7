"""Every mark that says how a vendor fact is known leads to a section or source of docs/vendor."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from support import contract
from support.vendor_pages import MARK, NAMES, ROOT, VENDOR_ROOT, Page, pages, problems_in, problems_of, sources_of

FOLDERS = ("include", "plugins", "dags", "tests/contract", "tests/sim", "tests/support", "docs")


def files() -> list[Path]:
    """Return every file that may hold marks, without the vendor pages and the tests of marks."""
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    wanted = [path for path in found if path.suffix in (".py", ".json", ".md") and "__pycache__" not in path.parts]
    return [path for path in wanted if VENDOR_ROOT not in path.parents and path.name != "vendor_pages.py"]


def test_every_mark_leads_to_a_section() -> None:
    problems = {str(path.relative_to(ROOT)): problems_of(path) for path in files()}

    assert {path: found for path, found in problems.items() if found} == {}


def test_there_are_marks_to_check() -> None:
    marked = [path for path in files() if MARK.search(path.read_text(encoding="utf-8"))]

    assert len(marked) > 150


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("limit [D hcx 99.1]", "hcx has no section 99.1"),
        ("limit [C nsx-vsphere 9.7]", "nsx-vsphere has no section 9.7"),
        ("limit [D] XWM", "[D] is not of the form [D hcx 4.4]"),
        ("limit [B] VMCPOL", "[B] is not of the form [D hcx 4.4]"),
        ("limit [2nd]", "[2nd] is not of the form [D hcx 4.4]"),
        ("limit [?]", "[?] is not of the form [D hcx 4.4]"),
        ("limit [W hcx 8.1]", "[W hcx 8.1] is not of the form [D hcx 4.4]"),
        ("see hcx 4.99 and KB 1", "hcx has no section 4.99"),
        ("see KB 1", "KB 1 is no source key"),
        ("see UG 1.0", "UG 1.0 is no source key"),
        ("see hcx-api", "hcx-api is a former name"),
    ],
)
def test_a_mark_that_leads_nowhere_is_found(text: str, problem: str) -> None:
    assert problem in problems_in(text)


def test_marks_that_lead_somewhere_are_no_problem() -> None:
    text = (
        "[D hcx 8.1], [D+C hcx 4.3] [? nsx-vsphere 6.3]; see hcx 9.7. KB 321604, KB-321654, UG 4.9; HCX 4.99, rows[i]"
    )

    assert problems_in(text) == []


@pytest.mark.parametrize("page", pages().values(), ids=NAMES)
def test_every_section_has_an_anchor_of_its_number(page: Page) -> None:
    numbers = [tuple(int(part) for part in anchor.split(".")) for anchor in page.anchors]

    assert page.anchors == page.headings
    assert all(earlier < later for earlier, later in pairwise(numbers))


@pytest.mark.parametrize("page", pages().values(), ids=NAMES)
def test_every_mark_of_a_page_names_its_sources(page: Page) -> None:
    named = [(mark, sources_of(mark)) for mark in page.marks]

    assert [mark for mark, found in named if not set(found) <= {"D", "C", "I", "?"}] == []
    assert [mark for mark, found in named for letter, keys in found.items() if bool(keys) != (letter in "DC")] == []
    assert [
        (mark, key) for mark, found in named for keys in found.values() for key in keys if key not in page.keys
    ] == []


@pytest.mark.parametrize("page", pages().values(), ids=NAMES)
def test_every_source_of_a_page_is_used(page: Page) -> None:
    used = {key for mark in page.marks for keys in sources_of(mark).values() for key in keys}
    sampled = {key for sample in contract.load_samples() for key in sample.sources}

    assert sorted(set(page.keys) - used - sampled) == []


@pytest.mark.parametrize("page", pages().values(), ids=NAMES)
def test_a_page_refers_to_sections_and_articles_that_exist(page: Page) -> None:
    assert [problem for problem in problems_in(page.text) if "not of the form" not in problem] == []


def test_links_to_sections_exist() -> None:
    anchors = {f"{name}.md#{anchor}" for name, page in pages().items() for anchor in page.anchors}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    linked = {found for text in texts for found in _section_links(text)}

    assert linked
    assert linked - anchors == set()


def _section_links(text: str) -> list[str]:
    return re.findall(r"\(vendor/([\w-]+\.md#[\d.]+)\)", text)
