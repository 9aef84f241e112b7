"""Markdown that no name can break out of: what is shown is what was given. Held against a CommonMark parser."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hcx_waves.report.markup import Markdown, bold, bullets, code, document, escape, facts, fence, section, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "web|01", "`code`", "``", "*bold* **bold**", "_x_ vm_app_01 __init__", "<b>gone</b>", "<!-- gone", "&lt;b&gt;",
    "[here](http://a.example)", "![x](y)", "[x]: y", "~~gone~~", "# title", "###### title", "- item", "+ item", "-",
    "---", "===", "1. item", "12) item", "> quote", "```", "~~~", "back\\slash", "end\\", "\\|", "\\\\|", "||", "$x$",
    "a\nb\n\nc", "    indented", "| a | b |\n|---|---|", "* * *", "_ _ _", "a  \nb", "&#42;x&#42;", "10.0.0.1",
    "2026-03-01",
]  # fmt: skip
ADDRESS = re.compile(r"<code>([^<]*://[^<]*)</code>")
"""A bare address is code, so that no reader makes a link of it."""
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(alphabet="ab1 _*`~[]()<>&#|\\!-+=.$\n", max_size=30))


def shown(html: str) -> str:
    """Return what a reader sees of HTML that may hold no other tags than paragraphs'."""
    html = ADDRESS.sub(r"\1", html)
    assert re.fullmatch(r"(<p>.*</p>)?\s*", html, re.DOTALL), html
    text = html.strip().removeprefix("<p>").removesuffix("</p>")
    assert "<" not in text, html
    return unescape(text)


def flat(text: str) -> str:
    return " ".join(text.split())


@given(TEXTS)
@example("- -")
@example("\\_")
def test_an_escaped_text_is_shown_as_it_is(text: str) -> None:
    assert shown(PARSER.render(escape(text))) == flat(text)


@given(st.lists(TEXTS, min_size=2, max_size=2), TEXTS)
def test_cells_stay_cells_whatever_they_hold(row: list[str], heading: str) -> None:
    html = ADDRESS.sub(r"\1", PARSER.render(table((heading, "Name"), [row, row])))
    cells = re.findall(r"<t[hd]>(.*?)</t[hd]>", html, re.DOTALL)
    assert [unescape(cell) for cell in cells] == [flat(one) for one in (heading, "Name", *row, *row)]
    assert set(re.findall(r"</?(\w+)", html)) == {"table", "thead", "tbody", "tr", "th", "td"}


@given(TEXTS, TEXTS)
def test_bullets_and_facts_hold_one_line_each(one: str, other: str) -> None:
    html = ADDRESS.sub(r"\1", PARSER.render(bullets([one, other])))
    assert [unescape(item) for item in re.findall(r"<li>(.*?)</li>", html, re.DOTALL)] == [flat(one), flat(other)]
    assert set(re.findall(r"</?(\w+)", html)) == {"ul", "li"}
    shown_facts = unescape(ADDRESS.sub(r"\1", PARSER.render(facts([("Name", one)]))))
    assert shown_facts == f"<ul>\n<li>Name: {flat(one)}".rstrip() + "</li>\n</ul>\n"


@given(TEXTS.filter(str.strip))
def test_code_is_shown_as_it_is(text: str) -> None:
    assert unescape(PARSER.render(code(text))) == f"<p><code>{flat(text)}</code></p>\n"


@pytest.mark.parametrize("text", ["a|b", "a||b", "`|`", "|"])
def test_code_in_a_cell_stays_in_its_cell(text: str) -> None:
    html = PARSER.render(table(("Plan", "Name"), [(code(text), "b")]))
    assert [unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", html)] == [f"<code>{text}</code>", "b"]


@given(TEXTS)
def test_a_fence_keeps_lines_and_cannot_be_closed_from_within(text: str) -> None:
    html = PARSER.render(document(fence(text), "after"))
    begin, end = "<pre><code>", "</code></pre>\n<p>after</p>\n"
    assert html.startswith(begin)
    assert html.endswith(end)
    assert unescape(html.removeprefix(begin).removesuffix(end)).splitlines() == (text.splitlines() or [""])


def test_of_many_rows_the_first_are_shown_and_the_others_counted() -> None:
    rows = [(str(number),) for number in range(5)]
    assert table(("N",), rows, most=3, rest="the plan holds all of them") == (
        "| N |\n|---|\n| 0 |\n| 1 |\n| 2 |\n\nand 2 more; the plan holds all of them."
    )
    assert "more" not in table(("N",), rows, most=5)
    assert table(("N",), []) == ""


def test_pieces_nest_and_what_is_empty_leaves_nothing_behind() -> None:
    head = bold("web_1 *")
    assert head == "**web_1 \\***"
    assert facts([("Wave", head), ("*", "<b>")]) == "- Wave: **web_1 \\***\n- \\*: &lt;b&gt;"
    assert document("a", "", section("Empty", ""), section("Full", bullets(["x"]), level=3)) == "a\n\n### Full\n\n- x"
    assert code("") == ""


def test_what_was_put_together_outside_is_escaped_as_plain_text() -> None:
    assert isinstance(escape("x"), Markdown)
    assert escape(f"{bold('a')} and <b>") == "\\*\\*a\\*\\* and &lt;b&gt;"


def test_what_cannot_be_printed_is_marked() -> None:
    assert escape("a\x00b\u202ec\u200bd") == "a\ufffdb\ufffdc\ufffdd"
