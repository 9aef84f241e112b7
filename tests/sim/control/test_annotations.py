"""What clients keep at a world."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from support.waiting import HANG_SECONDS


def test_an_annotation_is_kept_overwritten_and_listed(control: Any) -> None:
    value = {"upstream": {"b": ["a"]}, "größe": [1, 2.5, None]}

    assert control.put("/annotations/run", {"old": True}).status_code == 204
    assert control.put("/annotations/run", value).status_code == 204

    assert control.get("/annotations/run").json() == value
    assert control.get("/annotations").json() == {"annotations": ["run"]}


def test_an_annotation_may_be_compressed(control: Any) -> None:
    body = gzip.compress(json.dumps(["a"] * 100_000).encode())

    answer = control.session.put(
        f"{control.world}/annotations/big", data=body, headers={"Content-Encoding": "gzip"}, timeout=HANG_SECONDS
    )

    assert answer.status_code == 204
    assert control.get("/annotations/big").json() == ["a"] * 100_000


@pytest.mark.parametrize(
    ("body", "encoding", "status", "error"),
    [
        (b'"' + b"x" * 1_000_000 + b'"', None, 413, "the body is larger than 1000000 bytes"),
        (gzip.compress(b" " * 50_000_000, mtime=0), "gzip", 413, "the body is larger than 1000000 bytes"),
        (gzip.compress(b"[1, 2]", mtime=0)[:-4], "gzip", 422, "the body is not gzip: it ends early"),
        (b"[1]", "gzip", 422, "the body is not gzip: "),
        (b"[1", None, 422, "the body is not JSON: "),
        (b"[" * 200_000, None, 422, "the body is not JSON: "),
        (b"[1]", "br", 415, "content encoding 'br' is not understood"),
    ],
)
def test_what_is_no_annotation_is_refused(
    control: Any, body: bytes, encoding: str | None, status: int, error: str
) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}

    answer = control.session.put(f"{control.world}/annotations/x", data=body, headers=headers, timeout=HANG_SECONDS)

    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert control.get("/annotations/x").json() == {
        "error": "no annotation 'x'",
        "hint": "GET /worlds/{id}/annotations lists the keys",
    }


def test_a_world_keeps_a_bounded_number(control: Any) -> None:
    for number in range(64):
        assert control.put(f"/annotations/{number}", number).status_code == 204

    answer = control.put("/annotations/one-more", 0)

    assert (answer.status_code, answer.json()["error"]) == (409, "a world keeps at most 64 annotations")
    assert control.put("/annotations/63", "again").status_code == 204
