"""The managers' parser is Gson in lenient mode: what it takes, and what even it refuses."""

from __future__ import annotations

import pytest

from hcx_sim.hcx.lenient import MAX_DEPTH, LenientJsonError, parse
from support.hcx_wire import Manager
from support.site_pair import SitePair


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{filter={skipDrafts=true,ids=['a-1','b']}}", {"filter": {"skipDrafts": True, "ids": ["a-1", "b"]}}),
        ('{"a"=>1; b: 2.5}', {"a": 1, "b": 2.5}),
        ("{a: word, b: NULL, c: False}", {"a": "word", "b": None, "c": False}),
        ("[1,,2;]", [1, None, 2, None]),
        ("{} // end", {}),
        ("/* before */ {a: 1 # c\n}", {"a": 1}),
        ("{a: 'it\\'s \\u00e9\\n'}", {"a": "it's é\n"}),
        ('{"strict": [true, null]}', {"strict": [True, None]}),
        ("[ ]", []),
        ("{compat: 2.1, vm: vm-12}", {"compat": 2.1, "vm": "vm-12"}),
    ],
)
def test_lenient_texts_are_understood(text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "end of input"),
        ("{a:1,}", "expected name at line 1 column 6"),
        ("{a 1}", "expected ':'"),
        ("{a:1} b", "unexpected text after the value"),
        ("[1 2]", "unterminated array"),
        ("{a:1 b:2}", "unterminated object"),
        ("{a:'x", "unterminated string"),
        ("{a:'\\u12'}", "invalid \\u escape"),
        ("{a:'\\", "unterminated escape"),
        ("/* x", "unterminated comment"),
        ("{a:\n=}", "expected value at line 2 column 1"),
        ("[" * (MAX_DEPTH + 1) + "x", "nested more than"),
        ("[" * 100_000, "nested more than"),
    ],
)
def test_garbage_is_refused_with_the_place(text: str, problem: str) -> None:
    with pytest.raises(LenientJsonError) as caught:
        parse(text)
    assert problem in str(caught.value)


def test_lenient_body_is_taken_over_the_wire(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.call("POST", "/service/inventory/cloud/list", "{filter={local='true';remote=true}}")
    assert [item["name"] for item in answer.json()["data"]["items"]] == ["hcx-source", "hcx-destination"]


def test_filter_wrapper_may_be_missing_and_booleans_be_strings(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    items = manager.inventory("virtualmachines", {"cloud": {"local": "false", "remote": "true"}})
    assert {item["_origin"]["endpointName"] for item in items} == {"hcx-destination"}


@pytest.mark.parametrize("body", ["{nonsense", "[1]", "word", "\xff".encode("latin-1").decode("latin-1") + "{"])
def test_garbage_is_a_vendor_400(site_pair: SitePair, body: str) -> None:
    manager = Manager(site_pair)
    legacy = manager.call("POST", "/service/inventory/networks", body)
    assert legacy.status_code == 400
    assert legacy.json()["success"] is False
    assert "Malformed JSON" in legacy.json()["errors"][0]["text"]
    newer = manager.call("POST", "/interconnect/appliances/query", body)
    assert newer.status_code == 400
    assert "Malformed JSON" in newer.json()["errors"][0]["message"]
    assert site_pair.audit("change") == []
