"""docs/glossary.md is short, and the other pages lead to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
GLOSSARY = DOCS / "glossary.md"
PAGES = sorted(page for page in DOCS.glob("*.md") if page != GLOSSARY)
MOST_TERMS = 30
MOST_SENTENCES = 2


def terms() -> dict[str, str]:
    """Return what the glossary says, by term."""
    parts = re.split(r"^#{2,3} (.+)$", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    said = zip(parts[::2], parts[1::2], strict=True)
    return {term: text.strip() for term, text in said if text.strip()}


def anchor(term: str) -> str:
    return term.lower().replace(" ", "-")


def test_the_glossary_is_short() -> None:
    assert 20 < len(terms()) <= MOST_TERMS


@pytest.mark.parametrize("term", terms())
def test_a_term_is_explained_in_few_sentences(term: str) -> None:
    assert 1 <= len(re.findall(r"[.!?](?=\s|$)", terms()[term])) <= MOST_SENTENCES


def test_terms_are_in_order() -> None:
    sections = re.split(r"^## .*$", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    listed = [[term.lower() for term in re.findall(r"^### (.+)$", part, re.MULTILINE)] for part in sections]

    assert len(listed) == 2
    assert listed == [sorted(names) for names in listed]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_leads_to_the_glossary(page: Path) -> None:
    assert "](glossary.md" in page.read_text(encoding="utf-8")


def test_links_to_terms_exist() -> None:
    texts = [page.read_text(encoding="utf-8") for page in [*PAGES, DOCS.parent / "README.md"]]
    linked = {found for text in texts for found in re.findall(r"glossary\.md#([\w-]+)\)", text)}

    assert linked
    assert linked - {anchor(term) for term in terms()} == set()
