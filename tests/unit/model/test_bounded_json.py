"""JSON that others wrote: whatever it is, it is a value within the bounds or one error that quotes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_waves.model.bounded_json import DEEPEST, UnreadableJsonError, is_too_deep, read_json, read_json_file

DEEP = 100_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * DEEP + "]" * DEEP, "nested more than 64 levels"),
        ('{"a":' * DEEP + "1" + "}" * DEEP, "nested more than 64 levels"),
        ("[" * 500 + "]" * 500, "nested more than 64 levels"),
        ("[1e999]", "a number beyond counting"),
        ("[-1e999]", "a number beyond counting"),
        ("9" * 5000, "a number beyond counting"),
        ("[NaN]", "NaN is not a number"),
        ("[Infinity]", "Infinity is not a number"),
        ('["\\ud800"]', "half of a character"),
        ('{"password": "geheim"', "at line 1, column 22"),
        (b"\xff\xfe[]"[0:1] + b"[]", "not a text in UTF-8"),
    ],
)
def test_what_is_beyond_the_bounds_is_one_error(text: str | bytes, says: str) -> None:
    with pytest.raises(UnreadableJsonError, match=says) as caught:
        read_json(text)
    assert "geheim" not in str(caught.value)
    assert len(str(caught.value)) < 100


def test_what_is_within_them_is_read() -> None:
    deepest = "[" * DEEPEST + "]" * DEEPEST
    assert not is_too_deep(read_json(deepest))
    assert read_json('[1, -2.5e3, "\\u00e9\\ud83d\\ude00", null, true]') == [1, -2500.0, "é😀", None, True]
    assert read_json(b"  3 ") == 3


def test_a_file_is_not_read_beyond_its_largest_size(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1]" + " " * 100)
    assert read_json_file(path, 103) == [1]
    with pytest.raises(UnreadableJsonError, match="larger than 102 bytes"):
        read_json_file(path, 102)
