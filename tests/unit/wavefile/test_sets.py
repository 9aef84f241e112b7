"""Wave files that contradict each other are told so, each at its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_waves.wavefile.sets import load_folder, load_waves, wave_paths
from support.wave_files import minimal, write

NOW = "cutover: now, cutover_window: {opens: +1h, lasts: 1h}"


def segments(*entries: str) -> str:
    """Return the segments of a wave file."""
    return "segments:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def conflicts(folder: Path, *texts: str) -> list[str]:
    """Write wave files and return the conflicts between them, without the folder."""
    found = load_waves(write(folder, *texts))
    assert found.problems == ()
    return [str(conflict).replace(f"{folder}/", "") for conflict in found.conflicts]


def test_waves_that_agree_have_no_conflicts(tmp_path: Path) -> None:
    first = minimal("a", "[x]", segments("name: s, cutover: later, cut_by: c"))
    middle = minimal("b", "[y]", "after: [a]\n" + segments("name: s, cutover: later, cut_by: c"))
    last = minimal("c", "[z]", "after: [b]\n" + segments(f"name: s, {NOW}", "name: t, cutover: never"))
    other = minimal("d", "[w]", segments("name: t, cutover: never"))

    assert conflicts(tmp_path, first, middle, last, other) == []


def test_two_waves_of_one_name(tmp_path: Path) -> None:
    paths = []
    for folder, vm in (("one", "x"), ("two", "y")):
        (tmp_path / folder).mkdir()
        paths += write(tmp_path / folder, minimal("a", f"[{vm}]"))

    found = [str(problem).replace(f"{tmp_path}/", "") for problem in load_waves(paths).conflicts]

    assert found == [
        'one/a.yaml:1:7 name: "a" is also the name of the wave in wave a (two/a.yaml)',
        'two/a.yaml:1:7 name: "a" is also the name of the wave in wave a (one/a.yaml)',
    ]


def test_after_a_wave_that_is_not_there(tmp_path: Path) -> None:
    assert conflicts(tmp_path, minimal("a", more="after: [b, c]\n"), minimal("c", "[z]")) == [
        'a.yaml:9:9 after[0]: there is no wave "b"'
    ]


def test_waves_that_come_after_each_other(tmp_path: Path) -> None:
    a, b, c, d = (minimal(name, f"[vm-{name}]", f"after: [{before}]\n") for name, before in ("ac", "ba", "cb", "dc"))

    assert conflicts(tmp_path, a, b, c, d) == [
        "a.yaml:9:8 after: forms a circle: a after c after b after a",
        "b.yaml:9:8 after: forms a circle: b after a after c after b",
        "c.yaml:9:8 after: forms a circle: c after b after a after c",
    ]


def test_a_window_before_the_wave_before_has_ended(tmp_path: Path) -> None:
    a = minimal("a", "[x]", "switchover_window: {opens: 2026-10-24 22:00, lasts: 6h}\n")
    b = minimal("b", "[y]", "after: [a]\nswitchover_window: {opens: 2026-10-25 03:00, lasts: 6h}\n")
    c = minimal("c", "[z]", "after: [a]\nswitchover_window: {opens: 2026-10-25 04:00, lasts: 6h}\n")

    assert conflicts(tmp_path, a, b, c) == [
        "b.yaml:9:9 after[0]: a window of this wave opens before the last window of a has closed"
    ]


def test_one_vm_in_two_waves(tmp_path: Path) -> None:
    found = conflicts(tmp_path, minimal("a", "[x, y]"), minimal("b", "[w, {name: X, folder: f}]"))

    assert found == [
        'a.yaml:8:7 vms[0]: "x" is also moved by wave b (b.yaml)',
        'b.yaml:8:10 vms[1]: "X" is also moved by wave a (a.yaml)',
    ]


def test_one_name_for_two_vms(tmp_path: Path) -> None:
    one, two = ("5012a3c4-0f1e-2d3c-4b5a-69788796a5b4", "5012a3c4-0f1e-2d3c-4b5a-69788796a5b5")
    a, b = (f"[{{name: x, instance_uuid: {uuid}}}]" for uuid in (one, two))

    assert conflicts(tmp_path, minimal("a", a), minimal("b", b)) == []
    assert len(conflicts(tmp_path, minimal("a", a), minimal("b", a))) == 2
    assert len(conflicts(tmp_path, minimal("a", a), minimal("b", "[x]"))) == 2


def test_equal_names_in_another_vcenter_are_others(tmp_path: Path) -> None:
    elsewhere = minimal("b", "[x]", segments(f"name: s, {NOW}")).replace("_old", "_older")

    assert conflicts(tmp_path, minimal("a", "[x]", segments(f"name: s, {NOW}")), elsewhere) == []


def test_a_vm_that_stays_for_one_wave_and_moves_with_another(tmp_path: Path) -> None:
    stays = segments(f"name: s, {NOW}, stays: [{{vm: Y, reason: r}}]")

    assert conflicts(tmp_path, minimal("a", "[x]", stays), minimal("b", "[y]")) == [
        'a.yaml:10:83 segments[0].stays[0].vm: "Y" is moved by wave b, so it does not stay'
    ]


def test_a_segment_cut_over_twice(tmp_path: Path) -> None:
    cut = segments(f"name: s, {NOW}")

    assert conflicts(tmp_path, minimal("a", "[x]", cut), minimal("b", "[y]", cut.replace("name: s", "name: S"))) == [
        "a.yaml:10:24 segments[0].cutover: s is also cut over by wave b (b.yaml); only the last wave may say now",
        "b.yaml:10:24 segments[0].cutover: S is also cut over by wave a (a.yaml); only the last wave may say now",
    ]


def test_a_segment_that_one_wave_leaves_for_ever_and_another_cuts_over(tmp_path: Path) -> None:
    never = minimal("a", "[x]", segments("name: s, cutover: never"))

    assert conflicts(tmp_path, never, minimal("b", "[y]", segments(f"name: s, {NOW}"))) == [
        "a.yaml:10:24 segments[0].cutover: wave b cuts s over: write later and cut_by here"
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (minimal("c", "[y]"), 'there is no wave "b", so s would never be cut over'),
        (minimal("b", "[y]"), "wave b does not cut s over (cutover: now), so it would never be cut over"),
        (
            minimal("b", "[y]", segments("name: s, cutover: never")),
            "wave b does not cut s over (cutover: now), so it would never be cut over",
        ),
        (
            minimal("b", "[y]", segments(f"name: s, {NOW}")),
            "wave b does not come after this one (its after), so it could cut s over too early",
        ),
    ],
)
def test_a_segment_that_would_never_be_cut_over_or_too_early(tmp_path: Path, other: str, message: str) -> None:
    later = minimal("a", "[x]", segments("name: s, cutover: later, cut_by: b"))

    assert conflicts(tmp_path, later, other) == [f"a.yaml:10:39 segments[0].cut_by: {message}"]


def test_a_broken_file_spoils_no_other(tmp_path: Path) -> None:
    broken = minimal("a", more=segments("nme: s, cutover: now")).replace("UTC", "Nowhere/City")
    follower = minimal("b", "[y]", "after: [a]\n" + segments("name: s, cutover: later, cut_by: a"))

    found = load_waves(write(tmp_path, broken, follower))

    assert [file.wave.name for file in found.files] == ["b"]
    assert [problem.field for problem in found.problems] == ["time_zone", "segments[0].name", "segments[0].nme"]
    assert found.conflicts == ()


def test_conflicts_take_no_wave_away(tmp_path: Path) -> None:
    paths = write(tmp_path, minimal("a", "[x]"), minimal("b", "[x]"))

    found = load_waves(paths)

    assert [file.wave.name for file in found.files] == ["a", "b"]
    assert str(paths[0]) in [conflict.file for conflict in found.conflicts]


def test_a_folder_is_read_without_what_is_hidden_or_no_wave(tmp_path: Path) -> None:
    write(tmp_path, minimal("a", "[x]"))
    (tmp_path / ".b.yaml").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "c.yml").write_text(minimal("c", "[y]"))

    assert [path.name for path in wave_paths(tmp_path)] == ["a.yaml", "c.yml"]
    assert [problem.message for problem in load_folder(tmp_path).problems] == [
        '"c" must match the name of its file: name the file c.yaml, or the wave c'
    ]


@pytest.mark.parametrize("count", [200])
def test_many_wave_files_are_read_quickly(tmp_path: Path, count: int) -> None:
    vms = "[{}]"
    texts = [minimal(f"w{n}", vms.format(", ".join(f"vm-{n}-{m}" for m in range(50)))) for n in range(count)]

    found = load_waves(write(tmp_path, *texts))

    assert (len(found.files), found.conflicts) == (count, ())


@pytest.mark.parametrize(
    ("finding", "message"),
    [
        ("vm-tools-not-runing", "there is no finding vm-tools-not-runing; did you mean vm-tools-not-running?"),
        ("zzz", "there is no finding zzz; docs/preflight.md lists them"),
        ("segment-two-gateways", "segment-two-gateways cannot be waived"),
        ("vm-has-snapshots", None),
        ("check-incomplete", None),
    ],
)
def test_waivers_that_can_never_hold(tmp_path: Path, finding: str, message: str | None) -> None:
    waiver = f"waivers:\n  - {{finding: {finding}, subject: x, reason: r, approved_by: a, expires: 2026-10-31}}\n"
    found = conflicts(tmp_path, minimal("a", "[x]", waiver))
    assert found == ([] if message is None else [f"a.yaml:10:15 waivers[0].finding: {message}"])
