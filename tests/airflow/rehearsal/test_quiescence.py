"""When time may move: by Airflow's states of a run's tasks."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.utils.state import TaskInstanceState

from hcx_airflow.clock.quiescence import ENDED, THERE, WITHOUT_SLOT, judge
from hcx_waves.twin.clock import Busy, Quiet

CHAIN = {"a": [], "b": ["a"], "c": ["b"]}
FORK = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


@pytest.mark.parametrize(
    ("upstream", "states", "live"),
    [
        (CHAIN, {"a": "running", "b": None, "c": None}, ["a"]),
        (CHAIN, {"a": "success", "b": "deferred", "c": None}, ["b"]),
        (CHAIN, {"a": "success", "b": "failed", "c": "upstream_failed"}, []),
        (CHAIN, {"a": "success", "b": "skipped", "c": "running"}, ["c"]),
        (CHAIN, {"a": "removed", "b": "running", "c": None}, ["b"]),
        (FORK, {"a": "success", "b": "deferred", "c": "running", "d": None}, ["b", "c"]),
        (FORK, {"a": "success", "b": "success", "c": "running", "d": None}, ["c"]),
        (FORK, {"a": "success", "b": "failed", "c": "deferred", "d": None}, ["c"]),
        ({}, {}, []),
    ],
)
def test_nobody_is_on_its_way(upstream: Any, states: Any, live: list[str]) -> None:
    assert judge(states, upstream) == Quiet(tuple(live))


@pytest.mark.parametrize(
    ("upstream", "states", "words", "starved"),
    [
        (CHAIN, {"a": "success", "b": None, "c": None}, "b is due", False),
        (CHAIN, {"a": None, "b": None, "c": None}, "a is due", False),
        (CHAIN, {"a": "success", "b": "queued", "c": None}, "b is queued", True),
        (CHAIN, {"a": "success", "b": "scheduled", "c": None}, "b is scheduled", True),
        (CHAIN, {"a": "success", "b": "up_for_retry", "c": None}, "b is up_for_retry", False),
        (CHAIN, {"a": "success", "b": "restarting", "c": None}, "b is restarting", False),
        (CHAIN, {"a": "success", "b": "up_for_reschedule", "c": None}, "b is up_for_reschedule", False),
        (CHAIN, {"a": "success", "b": "awaiting_input", "c": None}, "b is awaiting_input", False),
        (CHAIN, {"a": "success", "b": "failed", "c": None}, "c is due", False),
        (FORK, {"a": "success", "b": "running", "c": "queued", "d": None}, "c is queued", True),
        (FORK, {"a": "success", "b": "queued", "c": None, "d": None}, "b is queued, c is due", True),
        ({}, {"stranger": None}, "stranger is due", False),
    ],
)
def test_somebody_is_on_its_way(upstream: Any, states: Any, words: str, starved: bool) -> None:
    assert judge(states, upstream) == Busy(words, is_starved=starved)


def test_many_are_not_all_named() -> None:
    found = judge({f"t{number}": "queued" for number in range(9)}, {})
    assert isinstance(found, Busy)
    assert found.who.endswith("t5 is queued and 3 more")


def test_every_state_of_airflows_is_judged() -> None:
    known = {str(state.value) for state in TaskInstanceState}
    assert known >= ENDED | THERE | WITHOUT_SLOT
    assert known - ENDED - THERE - WITHOUT_SLOT == {
        "up_for_retry", "up_for_reschedule", "restarting", "awaiting_input",
    }  # fmt: skip
