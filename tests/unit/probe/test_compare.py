"""Comparing answers with the contract: one difference for one cause, and none where the contract is silent."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.probe.compare import AnswerComparison
from hcx_waves.probe.contract import CallFacts, load_contract

JSON = {"Content-Type": "application/json; charset=utf-8"}
FACTS = CallFacts(
    system="hcx",
    call="things.list",
    method="GET",
    path="/things",
    headers=("X-Token",),
    content_type="application/json",
    required=("items[].id", "items[].place.name", "items[].place.kind"),
    types={
        "": ("object",),
        "items": ("array",),
        "items[]": ("object",),
        "items[].id": ("string",),
        "items[].size": ("number",),
        "items[].place": ("object",),
    },
    words={"items[].place.kind": ("A", "B")},
)


def thing(**changes: Any) -> dict[str, Any]:
    """A thing that is as it should be, with changes."""
    return {"id": "1", "size": 2, "place": {"name": "n", "kind": "A"}, **changes}


def differences(*things: dict[str, Any], **answer: Any) -> list[str]:
    """What differs in one answer."""
    comparison = AnswerComparison(FACTS)
    body = answer.get("body", {"items": list(things)})
    headers = answer.get("headers", {**JSON, "x-token": "t"})
    comparison.take(answer.get("status", 200), headers, body)
    return [str(one) for one in comparison.differences()]


def test_an_answer_as_expected_has_no_differences() -> None:
    assert differences(thing(), thing(new={"members": "are welcome"}, size=None)) == []


def test_a_missing_parent_is_one_difference() -> None:
    lacking = thing()
    del lacking["place"]

    assert differences(lacking, lacking) == ["items[].place: missing"]
    assert differences(lacking, thing()) == ["items[].place: missing in 1 of 2"]
    assert differences(thing(place=None)) == ["items[].place: null"]


def test_another_type_is_one_difference_and_its_members_are_not_missed() -> None:
    assert differences(thing(place="n")) == ["items[].place: object expected, string found"]
    assert differences(thing(size=True), thing(size="2")) == [
        "items[].size: number expected, boolean found",
        "items[].size: number expected, string found",
    ]


def test_unknown_words_are_shown_each_once() -> None:
    other = thing(place={"name": "n", "kind": "C"})

    assert differences(other, other, thing()) == ['items[].place.kind: unknown word "C"']


def test_the_other_envelope_is_named() -> None:
    assert differences(body={"data": {"items": [thing()]}}) == ["items: missing; there is a list at data.items"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"headers": JSON}, ["header X-Token: missing"]),
        ({"headers": {"X-TOKEN": "t"}}, ["header Content-Type: none instead of application/json"]),
        (
            {"headers": {"X-TOKEN": "t", "Content-Type": "text/html"}, "body": None},
            ["header Content-Type: text/html instead of application/json"],
        ),
        ({"status": 202}, ["status 202 instead of 200"]),
        ({"status": 400, "headers": {}, "body": None}, ["status 400 instead of 200"]),
    ],
)
def test_what_is_around_the_body_counts(answer: dict[str, Any], expected: list[str]) -> None:
    assert differences(thing(), **answer) == expected


def test_an_empty_list_shows_no_members() -> None:
    comparison = AnswerComparison(FACTS)
    comparison.take(200, {**JSON, "X-Token": "t"}, {"items": []})

    assert comparison.differences() == []
    assert not comparison.has_seen_elements


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/policy/api/v1/infra/tier-1s/cgw/segments/a%2Fb", "nsx.fixed_segments.get"),
        ("GET", "/policy/api/v1/infra/tier-1s/cgw/segments/a/state", "nsx.fixed_segments.state"),
        ("GET", "/policy/api/v1/infra/segments", "nsx.flexible_segments.list"),
        ("PATCH", "/policy/api/v1/infra/segments/a", "nsx.flexible_segments.patch"),
        ("GET", "/policy/api/v1/nowhere", None),
    ],
)
def test_a_request_is_recognised(method: str, path: str, key: str | None) -> None:
    found = load_contract().of_request("nsx", method, path, {})

    assert (found and found.key) == key


def test_a_query_that_belongs_to_a_call_makes_it_another() -> None:
    path = "/policy/api/v1/infra/segments/a"
    asked = ({}, {"force": "true"}, {"force": "true", "cursor": "1"})
    found = [load_contract().of_request("nsx", "DELETE", path, query) for query in asked]

    plain, forced = "nsx.flexible_segments.delete", "nsx.flexible_segments.force_delete"
    assert [one and one.key for one in found] == [plain, forced, forced]
