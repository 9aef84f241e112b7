"""What all nights say together: outcomes, figures, faults, findings that came and went; as text, JSON and picture."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hcx_waves.cli import main
from hcx_waves.model.expectation import Expectation, ExpectedOutage, Spread
from hcx_waves.model.findings import Severity
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.files import write_summary
from hcx_waves.rehearsals.markdown import longest_outage, nights_by_origin, render_summary
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.rehearsals.picture import PictureError, draw_summary, summary_figure
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import RehearsalSummary, summarise, summary_of
from hcx_waves.rehearsals.verdict import verdict_of
from support.pictures import illegible, words_of
from support.rehearsed import FIRST_NIGHT, a_record, finding, start_of

WAVE = "three-tier-1"
NIGHTS = [FIRST_NIGHT + timedelta(days=number) for number in range(8)]


def spread(p50: float) -> Spread:
    return Spread(p50_seconds=p50, p90_seconds=p50 * 1.2, p95_seconds=p50 * 1.3)


def an_expectation() -> Expectation:
    return Expectation(
        starts_at=start_of(FIRST_NIGHT), nights=1000, end=spread(18_000), transfer_end=spread(7_200),
        outages=(ExpectedOutage(segment="web", outage=spread(150)),), window_chance=0.9,
    )  # fmt: skip


def the_nights() -> list[RehearsalRecord]:
    """Five ordinary nights, the last beyond its window, and two with faults in between."""
    snapshots, tools = finding("vm-has-snapshots", "web01"), finding("tools-not-running", "db|01")
    plain = [
        a_record(NIGHTS[0], end_minutes=300, outage_seconds=100, findings=(snapshots,)),
        a_record(NIGHTS[1], end_minutes=310, outage_seconds=110, findings=(snapshots,)),
        a_record(NIGHTS[3], end_minutes=320, outage_seconds=120, findings=(snapshots, tools)),
        a_record(NIGHTS[4], end_minutes=330, outage_seconds=130, findings=(tools,)),
        a_record(
            NIGHTS[6], end_minutes=365, outage_seconds=500, forecast=an_expectation(),
            findings=(finding("tools-not-running", "db|01", Severity.BLOCKING, waived=True, message="<b>gone</b>"),),
        ),
    ]  # fmt: skip
    stuck = {"faults": ("stuck-switchover",), "outcome": WaveOutcome.INCOMPLETE, "verdict": "web02 was left behind."}
    return [*plain, a_record(NIGHTS[2], end_minutes=900, **stuck), a_record(NIGHTS[5], end_minutes=900, **stuck)]


@pytest.fixture
def summary() -> RehearsalSummary:
    return summary_of(the_nights())


def test_figures_are_of_the_nights_without_faults(summary: RehearsalSummary) -> None:
    assert [row.night for row in summary.nights] == NIGHTS[:7]
    assert summary.outcomes == {"as_planned": 5, "incomplete": 2}
    assert summary.counted == (NIGHTS[0], NIGHTS[1], NIGHTS[3], NIGHTS[4], NIGHTS[6])
    end = next(one for one in summary.quantities if one.name == "end")
    assert (end.count, end.spread.p50_seconds / 60, end.most_seconds / 60) == (5, 320, 365)
    assert end.spread.p90_seconds / 60 == pytest.approx(330 + 0.6 * 35)
    assert end.expected == spread(18_000)
    outage = summary.outages[0]
    assert (outage.name, outage.spread.p50_seconds, outage.most_seconds) == ("web", 120, 500)
    assert outage.expected == spread(150)


def test_a_night_fits_only_if_everything_was_over_in_time(summary: RehearsalSummary) -> None:
    assert summary.fitting == 4
    assert [row.fits for row in summary.nights] == [True, True, False, True, True, False, False]


def test_a_switchover_or_cutover_beyond_its_own_window_does_not_fit() -> None:
    record = a_record()
    assert record.fits
    window = record.switchover_window
    assert window is not None
    late = record.vms[0].model_copy(update={"switchover_ended_at": window.closes + timedelta(seconds=1)})
    assert not record.model_copy(update={"vms": (late,)}).fits
    cut = record.segments[0].model_copy(update={"cutover_window": window, "ended_at": window.closes + timedelta(1)})
    assert not record.model_copy(update={"segments": (cut,)}).fits


def test_faults_are_told_apart_with_what_they_led_to(summary: RehearsalSummary) -> None:
    (stuck,) = summary.faults
    assert (stuck.faults, stuck.nights) == (("stuck-switchover",), (NIGHTS[2], NIGHTS[5]))
    assert (stuck.outcomes, stuck.fitting, stuck.verdict) == (
        {"incomplete": 2},
        0,
        "Something was left behind, ended at 12:00 CET, 9h after the last window closed.",
    )


def test_findings_that_came_went_and_changed_since_the_night_before(summary: RehearsalSummary) -> None:
    told = [
        (change.night, [one.key for one in change.appeared], [one.key for one in change.gone])
        for change in summary.changes
    ]
    snapshots, tools = ("vm-has-snapshots", "web01"), ("tools-not-running", "db|01")
    assert told == [(NIGHTS[3], [tools], []), (NIGHTS[4], [], [snapshots]), (NIGHTS[6], [], [])]
    last = summary.since_last_night
    assert last is not None
    assert [(one.before.severity, one.now.severity, one.now.waived) for one in last.changed] == [
        (Severity.WARNING, Severity.BLOCKING, True)
    ]


def test_nights_with_faults_count_where_there_are_no_others() -> None:
    summary = summary_of([one for one in the_nights() if one.faults])
    assert summary.counted == (NIGHTS[2], NIGHTS[5])
    assert summary.quantities


def test_a_night_that_never_began_counts_in_no_figure() -> None:
    blocked = a_record(
        NIGHTS[1], outcome=WaveOutcome.BLOCKED, vms=(), segments=(), ended_at=None, transfer_ended_at=None,
        cutover_began_at=None, switchover_queue_seconds=None,
    )  # fmt: skip
    summary = summary_of([a_record(), blocked])
    assert {one.name: one.count for one in summary.quantities} == dict.fromkeys(
        ("transfer_end", "switchover_queue", "cutover_start", "end"), 1
    )
    assert summary.fitting == 1
    assert draw_summary(summary_of([blocked])).startswith(b"\x89PNG")


def test_markdown_says_all_of_it_and_names_cannot_break_out(summary: RehearsalSummary) -> None:
    text = render_summary(summary)
    assert "- Outcomes: **5 as planned, 2 incomplete**" in text
    assert "4 of 5 nights (80 %)" in text
    assert "| Wave complete, after the start | 5 | 5h20m |" in text
    assert "| web | 5 | 2m | 5m52s | 7m6s | 1m40s | 8m20s | 2m30s | 3m | 3m15s |" in text
    assert "| stuck-switchover | 2026-11-03, 2026-11-06 | 2 incomplete | 0 | Something was left behind, ended" in text
    assert "db\\|01 | Blocking, waived | Was warning | &lt;b&gt;gone&lt;/b&gt; |" in text
    assert "<b>" not in text
    assert "2026-11-01 21:00 CET" in text
    same = render_summary(summary_of(the_nights()[:2]))
    assert "No change: 2026-11-02 has the same findings as 2026-11-01." in same


def test_the_summary_of_a_store_is_written_beside_the_nights(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for record in the_nights():
        store.write(record)
    (store.place(WAVE) / "2026-11-30.json").write_text("no")
    summary = summarise(store, WAVE)
    assert summary.problems == ("2026-11-30.json: is not valid JSON: Expecting value at line 1, column 1",)
    paths = write_summary(store, summary)
    assert {kind: path.relative_to(tmp_path).as_posix() for kind, path in paths.items()} == {
        "json": f"{WAVE}/rehearsals.json",
        "markdown": f"{WAVE}/rehearsals.md",
        "picture": f"{WAVE}/rehearsals.png",
    }
    assert RehearsalSummary.model_validate_json(paths["json"].read_bytes()) == summary
    with pytest.raises(RecordError, match="there is no record of a rehearsal of wave other"):
        summarise(store, "other")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pictures_of_the_same_nights_are_the_same(summary: RehearsalSummary, kind: str) -> None:
    assert draw_summary(summary, kind) == draw_summary(summary, kind)


def test_a_picture_shows_each_night_and_segment(summary: RehearsalSummary) -> None:
    drawn = draw_summary(summary, "svg").decode()
    for words in ("2026-11-01", "2026-11-07", "stuck-switchover", "web", "Last window closes", "End: incomplete"):
        assert words in drawn


def test_a_picture_of_another_kind_is_refused(summary: RehearsalSummary) -> None:
    with pytest.raises(PictureError, match=r"ends in \.png, \.svg, \.pdf, not in \"\.gif\""):
        draw_summary(summary, "gif")


def test_the_command_prints_markdown_and_writes_json_and_picture(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for record in the_nights():
        store.write(record)
    files = {"--json": tmp_path / "all.json", "--picture": tmp_path / "all.svg"}
    options = [str(part) for pair in files.items() for part in pair]
    done = CliRunner().invoke(main, ["rehearsals", WAVE, "--reports", str(tmp_path), *options])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"# Rehearsals of wave {WAVE}\n")
    assert json.loads(files["--json"].read_text())["fitting"] == 4
    assert "<svg" in files["--picture"].read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["../etc"], '"../etc" is not the name of a wave'),
        (["unknown"], "there is no record of a rehearsal of wave unknown"),
        ([WAVE, "--picture", "x.gif"], 'not in ".gif"'),
        ([WAVE, "--json", "/dev/null/x.json"], "/dev/null/x.json: cannot be written: "),
    ],
)
def test_the_command_says_what_it_cannot_do(tmp_path: Path, arguments: list[str], words: str) -> None:
    RecordStore(tmp_path).write(a_record())
    done = CliRunner().invoke(main, ["rehearsals", *arguments, "--reports", str(tmp_path)])
    assert done.exit_code == 2
    assert words in done.stderr


def test_the_head_is_about_all_nights_and_names_the_longest_outage(summary: RehearsalSummary) -> None:
    text = render_summary(summary)
    head = text.partition("\n## ")[0]
    assert "- As planned and within the windows, all nights: 4 of 7 nights (57.1 %)" in head
    assert "- The same, nights without faults: 4 of 5 nights (80 %)" in head
    assert "- Longest outage of any night: 8m20s (segment web, night " in head
    first = text.partition("\n## Results by fault\n")[2].splitlines()
    assert first[3].startswith("| none | ")
    assert first[4].startswith("| stuck-switchover | ")


def test_an_outage_without_a_known_end_is_not_left_out() -> None:
    night = a_record(NIGHTS[0], end_minutes=300, outage_seconds=100)
    (segment, *_) = night.segments
    cut = {"cutover_began_at": start_of(NIGHTS[0]), "outage": None, "outage_seconds": None}
    unknown = night.model_copy(update={"night": NIGHTS[1], "segments": (segment.model_copy(update=cut),)})
    assert longest_outage(summary_of([unknown])) == "1 outage of unknown length"
    both = longest_outage(summary_of([night, unknown]))
    assert both.startswith("at least 1m40s (segment ")
    assert both.endswith("; 1 outage of unknown length")


def test_one_night_has_no_quantiles_and_no_share() -> None:
    text = render_summary(summary_of([a_record(NIGHTS[0], end_minutes=300, outage_seconds=100)]))
    assert "all nights: 1 of 1 night\n" in text
    row = next(line for line in text.splitlines() if line.startswith("| Wave complete"))
    assert [cell.strip() for cell in row.split("|")][2:8] == ["1", "-", "-", "-", "5h", "5h"]


def test_runs_that_joined_a_backfill_are_told_apart() -> None:
    nights = [a_record(night, end_minutes=300) for night in NIGHTS[:3]]
    runs = ("backfill__2026", "backfill__2027", "scheduled__2026")
    named = [one.model_copy(update={"run_id": run_id}) for one, run_id in zip(nights, runs, strict=True)]
    assert nights_by_origin(summary_of(named)) == "3: 2 backfill, 1 scheduled"


def test_a_rejected_night_does_not_read_like_a_success() -> None:
    rejected = a_record(NIGHTS[0], end_minutes=300, outcome=WaveOutcome.REJECTED)
    assert verdict_of(rejected).startswith("Not approved")
    assert "before the last window closed" not in verdict_of(rejected)
    assert "ended at" not in verdict_of(rejected)
    left = a_record(NIGHTS[0], end_minutes=300, outcome=WaveOutcome.INCOMPLETE)
    assert "before the last window closed" not in verdict_of(left)


@pytest.mark.parametrize(("nights", "segments", "letters"), [(1, 1, 4), (2, 3, 120), (150, 2, 4), (8, 90, 120)])
def test_no_text_of_the_picture_is_printed_over_another(nights: int, segments: int, letters: int) -> None:
    names = [f"seg-{number:03}".ljust(letters, "x") for number in range(segments)]
    faults = ("stuck-switchover", "slow-network", "appliance-down") if letters > 4 else ()
    wave = "w".ljust(letters // 2, "v")
    records = [
        with_segments(a_record(FIRST_NIGHT + timedelta(days=number), faults=faults, wave=wave), names)
        for number in range(nights)
    ]
    figure = summary_figure(summary_of(records))
    assert illegible(figure) == []
    drawn = words_of(figure)
    assert [one for one in names if any(words.startswith(one[:20]) for words in drawn)] == names[-40:]


def with_segments(record: RehearsalRecord, names: list[str]) -> RehearsalRecord:
    """Return the record of a night that cut over these segments, each with a longer outage than the one before."""
    segments = tuple(
        record.segments[0].model_copy(update={"segment": name, "outage_seconds": 60.0 + number})
        for number, name in enumerate(names)
    )
    return record.model_copy(update={"segments": segments})
