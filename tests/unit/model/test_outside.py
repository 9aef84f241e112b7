"""What comes from outside is shown as it is, and nothing of it is obeyed, hidden or without end."""

from __future__ import annotations

import pytest

from hcx_waves.clients.errors import ClientError, MalformedResponse, ValidationFailed, VendorFault
from hcx_waves.cutover.errors import TwoGatewaysError
from hcx_waves.model.outside import LONGEST, shown, shown_lines, shown_values
from hcx_waves.report.markup import bullets, code, escape, fence, table

BAD = "\N{REPLACEMENT CHARACTER}"
HOSTILE = [
    "a\x1b[31mred\x1b[0m",
    "a\x1b]0;title\x07b",
    "a\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "a\x9b31mred",
    "a\x9d0;title\x9cb",
    "a\x1bP payload \x1b\\b",
    "a\x1bc",
    "\u202egnp.exe",
    "a\u2066b\u2069",
    "a\u200bb\u200d\ufeff",
    "a\u2028b\u2029c\x85d",
    "one\r\ntwo\nthree",
    "a\x00b\x07\x08",
    "\ud800",
    "a\u3164\u115f\u2800\ufe0f\U000e0041",
    "a" + "\u0301" * 500,
    "x" * 100_000,
    "\x1b" * 100_000,
    "\x1b]" * 50_000,
]
UNSEEN = "\u3164\u115f\u2800\ufe0f\u034f"


def is_harmless(text: str) -> bool:
    return text.isprintable() and not any(one in UNSEEN for one in text) and len(text) <= LONGEST


@pytest.mark.parametrize("text", HOSTILE)
def test_one_function_makes_every_text_harmless(text: str) -> None:
    assert is_harmless(shown(text))
    assert shown(shown(text)) == shown(text)
    shown(text).encode()
    assert all(is_harmless(line) for line in shown_lines(text).split("\n"))


def test_what_is_seen_stays() -> None:
    for text in ("web-01", "Ünï çødé 日本 العربية", "[bracket] {x} $ * _", "😀", "a b"):
        assert shown(text) == text
    assert shown("a\x1b[31mb") == f"a{BAD}b"
    assert shown("  a \n b ") == "a b"
    assert shown("x" * 30, 10) == "xxxxxxxxx…"
    assert shown_lines("  a\n\tb") == "  a\n        b"
    assert shown_lines("\n".join("abc"), most_lines=2) == "a\nb\n… and 1 more lines"
    assert shown_values({"a\n": ["b\x1b[1m", 1, None]}) == {"a": [f"b{BAD}", 1, None]}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("write", [escape, code, lambda text: bullets([text]), lambda text: table(["h"], [[text]])])
def test_reports_and_gates_show_nothing_else(text: str, write: object) -> None:
    written = write(text)  # type: ignore[operator]
    assert all(line.isprintable() and not set(line) & set(UNSEEN) for line in written.split("\n"))
    assert len(written) < 10 * LONGEST
    assert all(line.isprintable() for line in fence(text).split("\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error_shows_nothing_else_however_it_is_made(text: str) -> None:
    errors: list[ClientError] = [
        VendorFault(text, vendor_message=text, vendor_code=text, request_id=text, path=text, hint=text),
        ValidationFailed("no", messages=[text], items=[{"entity_id": "vm-1", "errors": [text]}]),
        MalformedResponse("no", snippet=text),
        TwoGatewaysError(f"segment {text}"),
    ]
    for error in (*errors, *(ClientError.from_dict(one.to_dict()) for one in errors)):
        assert str(error).isprintable()
        assert len(str(error)) < 8 * LONGEST
    assert all(one.isprintable() for one in ValidationFailed("no", messages=[text]).messages)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("see https://evil.example/a_b for help", "see `https://evil.example/a_b` for help"),
        ("www.evil.example", "`www.evil.example`"),
        ("HTTP://X.example|y", "`HTTP://X.example`\\|y"),
        ("javascript://x `tick`", "`javascript://x` \\`tick\\`"),
        ("mailto:a@b.example", "`mailto:a@b.example`"),
    ],
)
def test_a_bare_address_is_no_link(text: str, written: str) -> None:
    assert escape(text) == written
