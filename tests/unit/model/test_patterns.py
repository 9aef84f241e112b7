"""Expressions that can take for ever are refused, by looking at them alone; those that people write are not."""

from __future__ import annotations

import re
import time

import pytest

from hcx_waves.model.patterns import why_not_bounded

FINE = [
    "CHG[0-9]{7}", r"(CHG|RITM|TASK)\d{7,10}", r"[A-Z]+-\d+", "[A-Z]+(-[A-Z]+)*", r".*CHG\d+.*", "CHG-?[0-9]+", "CHG",
    r"(?i)chg\d+", r"CHG\d+( CHG\d+)*", r"^CHG\d+$", r"\d{4}-\d{2}-\d{2}", r"[^\s]+", "CHG.+", ".*",
    r"(?:INC|CHG)_[A-Za-z0-9]+(/\d+)?", r"CHG\d{1,10}|EMERGENCY", "CHG[0-9]+(,CHG[0-9]+){0,9}",
]  # fmt: skip
ENDLESS = [
    "(A+)+", "(A|A)*B", "(A*)*B", "(A|AA)+", r"(\w+\s?)*x", ".*.*.*.*x", "A?" * 30 + "A" * 30, "(A+B?)+C",
    r"([A-Z]+)*\d", "^(([A-Z])+.)+[a-z]$", "(.*,){11}P", "(A|B|AB)*C", "(A+A+)+B", "(A|A)" * 30 + "B", "((A?){9}){9}B",
    "(?i)(A|aA|Aa)*b", "(" * 60 + "A" + ")?" * 60 + "A" * 20,
]  # fmt: skip


@pytest.mark.parametrize("pattern", FINE)
def test_what_people_write_is_taken_and_fast(pattern: str) -> None:
    assert why_not_bounded(pattern) is None
    for text in ("A" * 199 + "!", "CHG" + "1" * 196 + "!", "CHG1" * 50, "A-" * 99 + "!", ",CHG1" * 40):
        began = time.process_time()
        re.fullmatch(pattern, text)
        assert time.process_time() - began < 20


@pytest.mark.parametrize("pattern", ENDLESS)
def test_what_takes_for_ever_is_refused_at_once(pattern: str) -> None:
    began = time.process_time()
    assert why_not_bounded(pattern)
    assert time.process_time() - began < 20


@pytest.mark.parametrize("pattern", ["(?=A)B", "(?<!A)B", r"(A)\1", "(A)?(?(1)B|C)"])
def test_looking_around_is_not_supported(pattern: str) -> None:
    assert "is not supported here" in (why_not_bounded(pattern) or "")


def test_a_few_hundred_letters_are_looked_at_quickly() -> None:
    for pattern in (
        "(" * 90 + "A" + ")*" * 90,
        "(A" * 60 + ")?" * 60,
        "|".join("ABCDEFGHIJ" * 10),
        "[A-Z]{0,999}" * 16,
    ):
        began = time.process_time()
        why_not_bounded(pattern)
        assert time.process_time() - began < 20
