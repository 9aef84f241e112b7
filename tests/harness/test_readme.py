"""The page about the tests names what is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS / "README.md").read_text()


def test_files_and_folders_are_there() -> None:
    shown = re.findall(r"`(\w+/(?:\w+\.py)?)`|\]\(([\w/.]+)\)", PAGE)
    named = {one or other for one, other in shown}
    assert "support/threads.py" in named
    assert [path for path in sorted(named) if not (TESTS / path).exists()] == []


def test_harnesses_are_there() -> None:
    found = re.findall(r"`(\w+)`[^`|]*?in `(support/\w+\.py)`", PAGE)
    assert len(found) >= 6
    assert [
        pair for pair in found if not re.search(rf"^(?:class|def) {pair[0]}\b", (TESTS / pair[1]).read_text(), re.M)
    ] == []


def test_the_limit_is_the_one_in_force() -> None:
    (limit,) = re.findall(r"^timeout = (\d+)$", (TESTS.parent / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"the {limit} s of `pyproject.toml`" in PAGE
