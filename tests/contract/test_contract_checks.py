"""The checks that simulator and clients are held to must themselves be able to say no."""

from __future__ import annotations

from typing import Any

import pytest

from support import contract

BODY = {"data": {"items": [{"id": "a", "size": 1, "tags": []}, {"id": "b", "size": 2.5, "tags": []}]}, "ok": True}


def test_shape_names_types_and_takes_the_first_of_a_list() -> None:
    assert contract.shape_of(BODY) == {
        "data": {"items": [{"id": "string", "size": "number", "tags": []}]},
        "ok": "boolean",
    }
    assert contract.shape_of([None, 1]) == ["null"]


def test_field_paths_walk_objects_and_lists() -> None:
    assert contract.field_paths(BODY) == [
        "data",
        "data.items",
        "data.items[].id",
        "data.items[].size",
        "data.items[].tags",
        "ok",
    ]
    assert contract.field_paths([{"a": {"b": 1}}]) == ["[].a", "[].a.b"]


@pytest.mark.parametrize(
    ("body", "path", "problem"),
    [
        ({"data": {}}, "data.items[].id", "data.items: missing"),
        ({"data": {"items": []}}, "data.items[].id", "data.items[]: empty, id cannot be seen"),
        ({"data": {"items": [{"id": "a"}, {}]}}, "data.items[].id", "data.items[].id: missing"),
        ({"data": {"items": [{"id": None}]}}, "data.items[].id", "data.items[].id: null"),
        ({"data": {"items": {}}}, "data.items[].id", "data.items: expected array, got object"),
        ({"data": "text"}, "data.items", "data: expected object, got string"),
        (None, "data", "body: null"),
        ([], "[].id", "[]: empty, id cannot be seen"),
    ],
)
def test_missing_required_field_is_reported(body: Any, path: str, problem: str) -> None:
    assert contract.check_required(body, [path]) == [problem]


def test_required_field_that_is_there_is_no_problem() -> None:
    assert contract.check_required(BODY, ["data.items[].id", "data.items[].tags", "ok"]) == []
    assert contract.check_required([{"id": 1}], ["[].id"]) == []


@pytest.mark.parametrize(
    ("actual", "problems"),
    [
        ({"a": {"b": "x"}, "c": 2.5, "d": [{"e": 1}]}, []),
        ({"a": {"b": "y"}}, []),
        ({"a": {"b": "y"}, "c": None, "extra": 1}, []),
        ({"a": {"b": "y"}, "d": []}, []),
        ({"a": {}}, ["a.b: missing"]),
        ({}, ["a: missing"]),
        ({"a": None}, ["a: null"]),
        ({"a": {"b": None}}, ["a.b: null"]),
        ({"a": {"b": 7}}, ["a.b: expected string, got number"]),
        ({"a": {"b": "y"}, "c": True}, ["c: expected number, got boolean"]),
        ({"a": {"b": "y"}, "d": {"e": 1}}, ["d: expected array, got object"]),
        ({"a": {"b": "y"}, "d": [{"e": "1"}]}, ["d[].e: expected number, got string"]),
        ([], ["body: expected object, got array"]),
    ],
)
def test_shape_is_held_against_the_sample(actual: Any, problems: list[str]) -> None:
    expected = {"a": {"b": "x"}, "c": 1, "d": [{"e": 1}]}

    assert contract.check_shape(expected, actual, ["a.b"]) == problems


def test_empty_and_full_bodies_are_told_apart() -> None:
    empty = contract.sample("hcx.sessions.create.bad_credentials")
    full = contract.sample("hcx.jobs.get.running")

    assert contract.check_answer(empty, {}) == ["body: expected null, got object"]
    assert contract.check_answer(full, None) == ["body: expected object, got null"]
    assert "isDone: missing" in contract.check_answer(full, {"jobId": "1"})


def test_filling_keeps_numbers_and_names_what_is_missing() -> None:
    body = {"at": "{window_start_ms}", "path": "/infra/{segment_id}", "raw": "{filter={x=1}}", "n": 3}

    assert contract.fill(body, {"window_start_ms": 5, "segment_id": "s"}) == {
        "at": 5,
        "path": "/infra/s",
        "raw": "{filter={x=1}}",
        "n": 3,
    }
    with pytest.raises(KeyError, match="segment_id"):
        contract.fill(body, {"window_start_ms": 5})


def test_unknown_sample_is_a_key_error() -> None:
    with pytest.raises(KeyError, match=r"hcx\.no\.such"):
        contract.sample("hcx.no.such")
