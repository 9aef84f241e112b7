"""Fault rules as data: where, how often and for how long they strike."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hcx_sim.engine.clock import seconds
from hcx_sim.engine.randomness import Randomness
from hcx_sim.faults.rules import FaultBook, FaultRule


class _Time:
    def __init__(self) -> None:
        self.now_us = 0

    def __call__(self) -> int:
        return self.now_us


def _book(*rules: dict[str, Any], time: _Time | None = None, seed: int = 1) -> FaultBook:
    book = FaultBook(Randomness(seed), time or _Time())
    for number, rule in enumerate(rules):
        book.add(FaultRule(**{"rule_id": f"r{number}", "product": "nsx", "behaviour": "reset_before", **rule}))
    return book


def _pattern(book: FaultBook, times: int, call: str = "segments.patch") -> str:
    return "".join("x" if book.strike("nsx", "source", call) else "." for _ in range(times))


def test_skip_and_count_say_which_matches_are_struck() -> None:
    assert _pattern(_book({"skip": 2, "count": 3}), 8) == "..xxx..."


def test_probability_follows_the_seed() -> None:
    first, same, other = (_pattern(_book({"probability": 0.5}, seed=seed), 40) for seed in (1, 1, 2))

    assert first == same != other
    assert 5 < first.count("x") < 35
    assert _pattern(_book({"probability": 0.0}), 20) == "." * 20


def _struck(book: FaultBook, names: list[str], times: int = 1) -> dict[str, list[bool]]:
    """Ask for every name in turn, so many times; return for each whether it was struck."""
    answers: dict[str, list[bool]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            answers[name].append(book.strike_engine("migration.switchover", name) is not None)
    return answers


ENGINE = {"product": "engine", "behaviour": "fail", "call": "migration.switchover", "probability": 0.5}
NAMES = [f"vm-{number}" for number in range(40)]


def test_in_the_engine_chance_does_not_depend_on_who_comes_first() -> None:
    forwards, backwards = _struck(_book(ENGINE), NAMES, 3), _struck(_book(ENGINE), NAMES[::-1], 3)

    assert forwards == backwards
    assert 20 < sum(map(sum, forwards.values())) < 100
    assert any(len(set(answers)) == 2 for answers in forwards.values()), "each time anew"


def test_what_is_once_decided_stays_so() -> None:
    answers = _struck(_book({**ENGINE, "once_decided": True}), NAMES, 3)

    assert all(len(set(each)) == 1 for each in answers.values())
    assert 8 < sum(each[0] for each in answers.values()) < 32
    assert _struck(_book({**ENGINE, "once_decided": True}, seed=2), NAMES, 3) != answers


def test_calls_are_matched_by_glob_and_site() -> None:
    book = _book({"call": "segments.*", "site": "destination"})

    assert book.strike("nsx", "source", "segments.patch") is None
    assert book.strike("nsx", "destination", "tier1.patch") is None
    assert book.strike("hcx", "destination", "segments.patch") is None
    assert book.strike("nsx", "destination", "segments.patch") is not None


def test_the_first_rule_that_strikes_decides_and_the_others_are_not_used_up() -> None:
    book = _book({"count": 1}, {"count": 1, "behaviour": "slow"})

    struck = [book.strike("nsx", None, "x") for _ in range(3)]

    assert [rule.rule_id if rule else None for rule in struck] == ["r0", "r1", None]
    assert [(row["matched"], row["struck"]) for row in book.listing()] == [(3, 1), (2, 1)]


def test_a_predicate_looks_into_the_body() -> None:
    book = _book({"predicate": {"advanced_config.connectivity": "OFF"}})

    assert book.strike("nsx", None, "x", body={"advanced_config": {"connectivity": "ON"}}) is None
    assert book.strike("nsx", None, "x", body=[1]) is None
    assert book.strike("nsx", None, "x", body={"advanced_config": {"connectivity": "OFF"}}) is not None


def test_engine_rules_strike_at_points_for_an_object() -> None:
    rule = {"product": "engine", "behaviour": "fail", "call": "migration.switchover", "object": "app07"}
    book = _book(rule)

    assert book.strike_engine("migration.switchover", "app01") is None
    assert book.strike_engine("migration.transfer", "app07") is None
    assert book.strike_engine("migration.switchover", "app07") is not None


def test_a_rule_ends_when_its_virtual_time_is_over() -> None:
    time = _Time()
    book = _book({"expires_after_seconds": 60}, {"behaviour": "refuse", "expires_after_seconds": 30}, time=time)
    time.now_us = seconds(29)
    assert book.refused("nsx", "source")

    time.now_us = seconds(30)
    assert not book.refused("nsx", "source")
    assert _pattern(book, 1) == "x"
    time.now_us = seconds(60)
    assert _pattern(book, 1) == "."


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"behaviour": "fail"}, "behaviour 'fail' cannot strike at a socket"),
        ({"product": "engine"}, "behaviour 'reset_before' cannot strike at the engine"),
        ({"behaviour": "refuse", "call": "a.*"}, "refuse closes the listening socket"),
        ({"probability": 2}, "less than or equal to 1"),
        ({"once_decided": True}, "once_decided is about objects in the engine"),
        ({"exact": True, "object": "a"}, "exact asks for a name in the engine"),
        ({"product": "engine", "behaviour": "fail", "exact": True}, "exact asks for a name in the engine"),
        ({"rule_id": "with space"}, "String should match pattern"),
        ({"status": 99}, "greater than or equal to 100"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _book(rule)


def test_ids_are_unique_and_known() -> None:
    book = _book({})

    with pytest.raises(ValueError, match="fault rule 'r0' exists already"):
        book.add(FaultRule(rule_id="r0", product="nsx", behaviour="slow"))
    with pytest.raises(KeyError, match="r9"):
        book.remove("r9")
    assert len(book) == 1
    book.clear()
    assert len(book) == 0
