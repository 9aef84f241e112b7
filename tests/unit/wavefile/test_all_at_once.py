"""Everything that is wrong is told at once, nothing is told that follows from it, and hints are plausible."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_waves.model.spelling import edits
from hcx_waves.wavefile.sets import load_waves
from support.wave_files import minimal, told, write

SEGMENTS = """\
segments:
  - {name: app, cutover: now}
  - {name: web, cutover: nowe, hook: {act: [a], check: [""], undo: [u], timeout: 0s}}
  - {name: db, cutover: never, cut_by: b}
"""


def found(folder: Path, *texts: str, files: list[str] | None = None) -> list[str]:
    """Return every problem of wave files, field and message."""
    paths = write(folder, *texts)
    for path, name in zip(paths, files or [], strict=False):
        path.rename(path.with_name(name))
    read = load_waves(folder.glob("*.yaml"))
    return [f"{Path(one.file).stem} {one.field}: {one.message}" for one in (*read.problems, *read.conflicts)]


def test_fields_rules_the_file_name_and_other_files_are_judged_in_one_go(tmp_path: Path) -> None:
    first = minimal(
        "a",
        "[x, y, Y, {name: z, migration: Slow}, {name: w, folder: 3}]",
        "after: [a]\noptions: {poll_interval: 1s}\n" + SEGMENTS,
    ).replace("UTC", "Mars/Olympus")
    said = found(tmp_path, first, minimal("b", "[X]"), files=["one.yaml", "b.yaml"])
    fields = [line.partition(": ")[0] for line in said]
    assert fields == [
        "one name", "one time_zone", "one vms[2]", "one vms[3].migration", "one vms[4].folder",
        "one options.poll_interval", "one segments[0].cutover", "one segments[1].cutover",
        "one segments[1].hook.check[0]", "one segments[1].hook.timeout", "one segments[2].cut_by",
        "b vms[0]", "one vms[0]", "one after",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("vms", "more", "only"),
    [
        # An entry without a usable name may be the one that is meant.
        ("[{nme: x}, y]", "switchover_order: [x]\n", {"vms[0].name", "vms[0].nme"}),
        ("[{name: x, datastore: 3}]", "", {"vms[0].datastore"}),
        ("[x]", "defaults: {resource_pool: 3}\n", {"defaults.resource_pool"}),
        ("[x]", "segments: [{name: s, cutover: now, cutover_window: soon}]\n", {"segments[0].cutover_window"}),
        ("[x]", "segments: [{name: s, cutover: later, cut_by: B!}]\n", {"segments[0].cut_by"}),
        ("[x]", "start: soon\nafter: [b]\n", {"start"}),
    ],
)
def test_nothing_is_said_that_may_follow_from_something_else(vms: str, more: str, only: set[str]) -> None:
    text = minimal("a", vms, more)
    if "defaults" in more:
        text = text.replace(next(line for line in text.splitlines() if line.startswith("defaults")) + "\n", "")
    assert {field for _, _, field, _ in told(text)} == only


def test_an_entry_that_is_wrong_hides_no_rule_of_the_others() -> None:
    said = {field for _, _, field, _ in told(minimal("a", "[{name: x, migration: Slow}, y, y]"))}
    assert said == {"vms[0].migration", "vms[2]"}


@pytest.mark.parametrize(
    ("more", "field", "message"),
    [
        ("gates: {approvers: [ada]}", "gates.approvers",
         "unknown field here; it belongs under gates.approve_wave, gates.approve_switchover, gates.approve_cutover "
         "and 1 more"),
        ("gates: {aprove_wave: {}}", "gates.aprove_wave", 'unknown field; did you mean "approve_wave"?'),
        ("gates: {aprove_wave: true}", "gates.aprove_wave",
         "unknown field; there are: approve_cleanup, approve_cutover, approve_switchover, approve_wave, four_eyes"),
        ("cleanup: {folder: x}", "cleanup.folder", "unknown field here; it belongs under defaults, vms"),
        ("switchover_windows: {opens: '22:00', lasts: 1h}", "switchover_windows",
         'unknown field; did you mean "switchover_window"?'),
        ("limits: {poll_interval: 20s}", "limits.poll_interval", "unknown field here; it belongs under options"),
        ("cleanup: {xyz: 1}", "cleanup.xyz", "unknown field; there are: delete_source, hold"),
    ],
)  # fmt: skip
def test_a_hint_is_near_and_takes_what_was_written(more: str, field: str, message: str) -> None:
    assert [(place, words) for _, _, place, words in told(minimal("a", more=f"{more}\n"))] == [(field, message)]


def test_letters_that_differ_are_counted() -> None:
    pairs = (("folder", "foldr"), ("ab", "ba"), ("web01", "web02"), ("", "abcd"))
    assert [edits(one, other, 3) for one, other in pairs] == [1, 1, 1, 4]
