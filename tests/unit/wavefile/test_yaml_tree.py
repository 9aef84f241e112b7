"""Wave files are data: whatever is in them, reading is safe, and says where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_waves.wavefile.loader import load_wave, load_wave_file
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.yaml_tree import SIZE_LIMIT_BYTES, read_yaml
from support.wave_files import FULL, changed, minimal, place_in, problems_of

TEMPLATE = "templates are not supported: write the value itself"

# text, where the problem is, field, message
CASES = [
    ("", (1, 1), "wave", "the file is empty"),
    ("# nothing\n", (1, 1), "wave", "the file is empty"),
    ("- a\n- b\n", (1, 1), "wave", "must be a mapping of fields to values"),
    ("just words\n", (1, 1), "wave", "must be a mapping of fields to values"),
    ("name: [a, b\n", (2, 1), "wave", "is not valid YAML: did not find expected ',' or ']'"),
    ("name: a\n\tvms: b\n", (2, 1), "wave", "is not valid YAML: found a tab character that violates indentation"),
    ("name: a: b\n", (1, 8), "wave", "is not valid YAML: mapping values are not allowed in this context"),
    (minimal() + "---\nname: b\n", "|---", "wave", "contains a second document: write one wave per file"),
    (
        changed("defaults:\n", "defaults: &d\n"),
        "|&d",
        "wave",
        "anchors (&d) are not supported: write the value out, or use defaults",
    ),
    (
        minimal(more="limits: *d\n"),
        "limits: |*d",
        "wave",
        "aliases (*d) are not supported: write the value out, or use defaults",
    ),
    (minimal(more="<<: {after: [x]}\n"), "|<<:", "wave", "merge keys (<<) are not supported: use defaults"),
    (
        changed("name: erp-1", "name: !!python/object/apply:os.system [id]"),
        "name: |!!",
        "wave",
        "tags (tag:yaml.org,2002:python/object/apply:os.system) are not allowed",
    ),
    (changed("name: erp-1", "name: !!str erp-1"), "name: |!!", "wave", "tags (tag:yaml.org,2002:str) are not allowed"),
    (minimal(more="name: other\n"), "|name: other", "name", "is written twice; the first is in line 1"),
    (
        changed("    retain_mac: true\n", "    retain_mac: true\n    retain_mac: true\n"),
        "retain_mac: true\n    |retain_mac",
        "defaults.options.retain_mac",
        "is written twice; the first is in line 31",
    ),
    (minimal(more="? [a, b]\n: c\n"), "? |[a, b]", "wave", "a key must be a word, not a mapping or a list"),
    (
        changed("The first half", '"{{ conn.hcx_old.password }}"').replace(" of the ERP system.", ""),
        '|"{{',
        "description",
        TEMPLATE,
    ),
    (
        changed("The first half", "{% for").replace("{% for", "'{% for %}'").replace(" of the ERP system.", ""),
        "|'{%",
        "description",
        TEMPLATE,
    ),
    (changed("reason: Removed on the way.", "reason: 'ask {# x #}'"), "|'ask", "waivers[0].reason", TEMPLATE),
    (changed("  folder: Workloads", "  folder: {{ folder }}"), "folder: {|{ folder }}", "defaults.folder", TEMPLATE),
    (changed("  folder: Workloads", "  folder: {% x %}"), "folder: {|% x", "wave", TEMPLATE),
    (minimal(more='"{{ x }}": y\n'), '|"{{ x', "wave", TEMPLATE),
    (
        minimal(more="limits: " + "[" * 40 + "]" * 40 + "\n"),
        (len(minimal().splitlines()) + 1, 28),
        "wave",
        "nested more than 20 deep",
    ),
    (
        minimal(more="limits: \x07\n"),
        (len(minimal().splitlines()) + 1, 9),
        "wave",
        "contains a character that YAML does not allow",
    ),
]


@pytest.mark.parametrize(("text", "place", "field", "message"), CASES, ids=range(len(CASES)))
def test_what_is_not_plain_data_is_refused(text: str, place: str | tuple[int, int], field: str, message: str) -> None:
    line, column = place if isinstance(place, tuple) else place_in(text, place)

    problem = problems_of(text)[0]

    assert (problem.line, problem.column, problem.field, problem.message) == (line, column, field, message)


def test_a_template_is_the_only_problem_that_is_told_about_its_field() -> None:
    text = changed("  folder: Workloads", "  folder: {{ folder }}")

    assert [problem.message for problem in problems_of(text)] == [TEMPLATE]


def test_nested_aliases_are_refused_before_they_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    *problems, rest = problems_of("\n".join(lines))

    assert {problem.message.split(" (")[0] for problem in problems} == {"anchors", "aliases"}
    assert rest.message == "at least 11 more problems follow; correct these first"


def test_very_deep_nesting_is_refused_without_recursion() -> None:
    problems = problems_of("a: " + "[" * 200_000)

    assert [problem.message for problem in problems] == ["nested more than 20 deep"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"), ("no", "no"), ("yes", "yes"), ("Off", "Off"), ("22:00", "22:00"), ("0x1F", "0x1F"),
        ("012", "012"), ("1_000", "1_000"), ("1e3", "1e3"), (".inf", ".inf"), ("2026-10-24", "2026-10-24"),
        ("TRUE", "TRUE"), ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("17", 17),
        ("-3", -3), ("1.5", 1.5), ('"17"', "17"), ("'true'", "true"), ('""', ""), ("9" * 30, "9" * 30),
    ],
)  # fmt: skip
def test_plain_words_are_read_alike_by_everybody(written: str, value: object) -> None:
    data = read_yaml(f"a: {written}\n").data["a"]

    assert (data, type(data)) == (value, type(value))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("#" * (SIZE_LIMIT_BYTES + 1))

    with pytest.raises(WaveFileError) as caught:
        load_wave(path)

    assert str(caught.value) == f"{path}:1:1 wave: is larger than 1024 KiB"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WaveFileError) as caught:
        load_wave(tmp_path / "none.yaml")

    assert str(caught.value) == f"{tmp_path}/none.yaml:1:1 wave: cannot be read: No such file or directory"


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_bytes(minimal().encode() + b"# caf\xe9\n")

    with pytest.raises(WaveFileError) as caught:
        load_wave(path)

    assert str(caught.value) == f"{path}:9:1 wave: is not UTF-8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + minimal().encode())

    assert load_wave(path).name == "small"


def test_a_wave_is_called_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(minimal("small"))

    with pytest.raises(WaveFileError) as caught:
        load_wave_file(path)

    assert str(caught.value) == (
        f'{path}:1:7 name: "small" must match the name of its file: name the file small.yaml, or the wave other'
    )


def test_problems_read_as_editors_read_them() -> None:
    text = changed("Europe/Berlin", "Mars/Olympus")

    assert str(problems_of(text, "dags/waves/erp-1.yaml")[0]).startswith(
        'dags/waves/erp-1.yaml:3:12 time_zone: "Mars/Olympus" is not a time zone'
    )
    assert FULL.splitlines()[2] == "time_zone: Europe/Berlin"
