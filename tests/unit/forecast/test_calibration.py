"""What calibration makes of samples, and what it makes nothing of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hcx_waves.cli import main
from hcx_waves.cutover.extension import Removal
from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.forecast import ModelParameters, load_parameters
from hcx_waves.forecast.calibration import calibrate
from hcx_waves.forecast.calibration.evidence import evidence_of
from hcx_waves.forecast.calibration.line_width import Flow, width_of
from hcx_waves.forecast.calibration.shrinkage import quantile_of, shrunk_chance, shrunk_duration, shrunk_rate
from hcx_waves.forecast.model.durations import Duration, Fixed, LogNormal, Triangular, Uniform
from hcx_waves.migration.course import PhaseSeen, VmCourse
from hcx_waves.migration.status import VmPhase
from hcx_waves.migration.verify import VmFacts
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.report.model import SegmentRow, VmRow, WaveReport
from hcx_waves.run.decisions import Approval

ZERO = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
FACTS = VmFacts(site="source", vm_id="vm-1", name="x", power_state="poweredOn", instance_uuid="u", bios_uuid="b")
GIGABIT = 1e9


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def a_row(name: str, *, switched: float, lasted: float, previous: float | None = None, **more: Any) -> VmRow:
    """Return a RAV migration: base sync from 10 to 1000 s, its switchover from ``switched``, seen every 30 s."""
    looks = [
        (VmPhase.QUEUED, 0.0, None), (VmPhase.BASE_SYNC, 25.0, -5.0), (VmPhase.WAITING_FOR_WINDOW, 1015.0, 985.0),
        (VmPhase.SWITCHOVER, switched + 15, (switched if previous is None else previous) - 15),
        (VmPhase.DONE, switched + lasted + 15, switched + lasted - 15),
    ]  # fmt: skip
    course = VmCourse(
        name=name, base_bytes=10**11, last_bytes=10**11,
        phases=tuple(
            PhaseSeen(phase=phase, seen_at=at(seen), not_before=None if before is None else at(before))
            for phase, seen, before in looks
        ),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "name": name, "outcome": VmOutcome.MIGRATED, "migration": "RAV", "before": FACTS, "begun_at": at(0),
        "ended_at": at(switched + lasted), "service_mesh_id": "m", "course": course,
    }  # fmt: skip
    return VmRow(**{**fields, **more})


def a_report(*rows: VmRow, **more: Any) -> WaveReport:
    fields: dict[str, Any] = {
        "wave": "wave-7", "run_id": "manual__1", "rehearsal": False, "outcome": WaveOutcome.AS_PLANNED,
        "plan_digest": "d", "wave_hash": "h", "begun_at": at(0), "ended_at": at(9999), "vms": rows,
    }  # fmt: skip
    return WaveReport(**{**fields, **more})


def a_cutover(seconds: float, **more: Any) -> SegmentRow:
    """Return a segment whose unextend took so long, as far as two looks a second apart can tell."""
    outage = outage_bounds(
        connected_last=at(0), disconnected_first=at(3), routed_not_last=at(9 + seconds), routed_first=at(11 + seconds)
    )
    removal = Removal(segment="s", extension_id="e", connect=True, accepted_at=at(10))
    fields: dict[str, Any] = {"outcome": SegmentOutcome.CUT_OVER, "removal": removal, "outage": outage}
    return SegmentRow(segment="s", **{**fields, **more})


@pytest.mark.parametrize(
    "assumed",
    [Triangular(low_seconds=60, mode_seconds=150, high_seconds=400), Uniform(low_seconds=50, high_seconds=250)],
)
def test_one_sample_moves_a_duration_by_a_sixth_of_the_way_and_scales_it(assumed: Triangular | Uniform) -> None:
    middle = quantile_of(assumed, 0.5)
    fitted = shrunk_duration(assumed, [middle * 4])
    assert isinstance(fitted, type(assumed))
    assert quantile_of(fitted, 0.5) == pytest.approx(middle * 1.5, rel=0.01)
    assert fitted.low_seconds == pytest.approx(assumed.low_seconds * 1.5, rel=0.01)
    assert fitted.high_seconds == pytest.approx(assumed.high_seconds * 1.5, rel=0.01)


def test_many_samples_take_the_place_of_what_was_assumed() -> None:
    assumed = Triangular(low_seconds=45, mode_seconds=90, high_seconds=300)
    known = Triangular(low_seconds=200, mode_seconds=260, high_seconds=500)
    samples = [quantile_of(known, (number + 0.5) / 500) for number in range(500)]
    fitted = shrunk_duration(assumed, samples)
    assert isinstance(fitted, Triangular)
    for share in (0.1, 0.5, 0.9):
        assert quantile_of(fitted, share) == pytest.approx(quantile_of(known, share), rel=0.03)


def test_a_sample_that_went_wrong_does_little() -> None:
    assumed = Triangular(low_seconds=60, mode_seconds=150, high_seconds=400)
    usual = [quantile_of(assumed, (number + 0.5) / 20) for number in range(20)]
    fitted = shrunk_duration(assumed, [*usual, 36_000.0])
    assert isinstance(fitted, Triangular)
    assert fitted.high_seconds == pytest.approx(400, rel=0.1)
    assert quantile_of(fitted, 0.5) == pytest.approx(quantile_of(assumed, 0.5), rel=0.05)


def test_equal_samples_leave_a_duration_that_can_be_drawn() -> None:
    assumed: Duration = Triangular(low_seconds=60, mode_seconds=150, high_seconds=400)
    for _ in range(30):
        assumed = shrunk_duration(assumed, [100.0] * 50)
    assert isinstance(assumed, Triangular)
    assert 0 <= assumed.low_seconds <= assumed.mode_seconds <= assumed.high_seconds
    assert assumed.high_seconds == pytest.approx(100, abs=1)
    assert shrunk_duration(Fixed(seconds=10), [20.0] * 5) == Fixed(seconds=15)


def test_people_are_compared_by_ratio() -> None:
    assumed = LogNormal(median_seconds=300, sigma=0.8, max_seconds=7200)
    assert shrunk_duration(assumed, [300 * 64.0]) == LogNormal(median_seconds=600, sigma=0.8, max_seconds=19200)
    steady = shrunk_duration(assumed, [300.0] * 15)
    assert steady == LogNormal(median_seconds=300, sigma=0.2, max_seconds=7200)


def test_rates_and_chances_between_two() -> None:
    assert shrunk_rate(100, 1600, 5) == pytest.approx(400)
    assert shrunk_chance(0.0, 1, 20) == 0.025
    assert shrunk_chance(0.1, 0, 20) == 0.05


def test_the_width_of_a_line_that_is_shared() -> None:
    """Two that begin together and one that comes later, on a line of 1 Gbit/s."""
    size = GIGABIT / 8 * 100
    flows = [Flow(0, 250, size), Flow(0, 250, size), Flow(100, 300, size)]
    link = width_of(flows, flow_limit=GIGABIT, total_limit=1.6 * GIGABIT)
    assert link.is_bound
    assert link.bits_per_second == pytest.approx(GIGABIT, rel=0.001)


def test_what_holds_transfers_up_may_be_hcx_and_not_the_line() -> None:
    size = GIGABIT / 8 * 100
    link = width_of([Flow(0, 100, size)], flow_limit=GIGABIT, total_limit=1.6 * GIGABIT)
    assert (link.is_bound, link.bits_per_second) == (False, pytest.approx(GIGABIT))
    narrow = ModelParameters().model_copy(
        update={"transfer": ModelParameters().transfer.model_copy(update={"link_bits_per_second": GIGABIT / 10})}
    )
    row = a_row("a", switched=3000, lasted=100)
    course = row.course
    assert course is not None
    fast = row.model_copy(update={"course": course.model_copy(update={"base_bytes": round(990 * GIGABIT / 8)})})
    found = calibrate([a_report(fast)], narrow)
    assert found.parameters.transfer.mesh_link_bits_per_second["m"] == pytest.approx(GIGABIT, rel=0.02)
    assert "at least what was seen" in found.changes[0].note


def test_a_switchover_begins_when_the_one_before_it_on_its_mesh_has_ended() -> None:
    """The looks alone would say 15 s earlier."""
    first = a_row("a", switched=3000, lasted=100)
    second = a_row("b", switched=3100, lasted=120, previous=3070)
    evidence = evidence_of([a_report(first, second)])
    assert [one.seconds for one in evidence.switchovers] == [100, 120]


def test_the_last_delta_is_no_part_of_a_switchover() -> None:
    row = a_row("a", switched=1000 + 3600, lasted=100)
    course = row.course
    assert course is not None
    busy = course.model_copy(update={"last_bytes": (course.base_bytes or 0) + 100 * 10**6 * 4590})
    report = a_report(*(row.model_copy(update={"name": str(n), "course": busy}) for n in range(200)))
    slow = calibrate([report]).parameters.migration.rav_switchover
    # 100 MB/s over an hour are 360 GB, which take 2880 s: more than it lasted, so nothing is left of it.
    assert quantile_of(slow, 0.5) == pytest.approx(0, abs=6)  # type: ignore[arg-type]


def test_failures_are_counted_where_they_happened() -> None:
    fine = [a_row(str(number), switched=3000 + 100 * number, lasted=90) for number in range(8)]
    course = fine[0].course
    assert course is not None
    synced = course.model_copy(
        update={"phases": (*course.phases[:2], PhaseSeen(phase=VmPhase.FAILED, seen_at=at(900)))}
    )
    switched = course.model_copy(
        update={"phases": (*course.phases[:4], PhaseSeen(phase=VmPhase.FAILED, seen_at=at(3100)))}
    )
    bad = [
        fine[0].model_copy(update={"name": "x", "outcome": VmOutcome.FAILED, "course": synced}),
        fine[0].model_copy(update={"name": "y", "outcome": VmOutcome.FAILED, "course": switched}),
        fine[0].model_copy(update={"name": "z", "outcome": VmOutcome.CANCELLED}),
    ]
    cuts = (a_cutover(100), a_cutover(100, outcome=SegmentOutcome.UNEXTENDING, outage=None))
    found = calibrate([a_report(*fine, *bad, segments=cuts)])
    counts = {one.name: (one.samples, one.note) for one in found.changes if one.name.startswith("failures")}
    assert counts == {
        "failures.base_sync": (10, "1 failed"),
        "failures.switchover": (9, "1 failed"),
        "failures.unextend": (2, "1 failed"),
    }
    assert found.parameters.failures.base_sync == pytest.approx(1 / 30, abs=1e-4)


def test_an_unextend_that_somebody_else_had_begun_tells_no_duration() -> None:
    removal = Removal(segment="s", extension_id="e", connect=True, accepted_at=at(10), adopted=True)
    evidence = evidence_of([a_report(segments=(a_cutover(100), a_cutover(100, removal=removal)))])
    assert evidence.unextends == [100.0]


def test_only_people_tell_how_long_people_take() -> None:
    answers = (
        Approval(gate="approve_wave", decision="approve", asked_at=at(0), at=at(600)),
        Approval(gate="cutover_web.approve_cutover", decision="reject", asked_at=at(0), at=at(60)),
        Approval(gate="approve_switchover", decision="no answer", asked_at=at(0), at=at(9000)),
        Approval(gate="approve_switchover", decision="approve", at=at(9000)),
    )
    evidence = evidence_of([a_report(approvals=answers)])
    assert evidence.reactions == {
        "approve_wave": [600.0], "approve_switchover": [], "approve_cutover": [60.0], "confirm_disconnected": [],
    }  # fmt: skip


def test_how_much_a_line_varies_needs_three_nights() -> None:
    def night(seconds: float) -> WaveReport:
        row = a_row("a", switched=9000, lasted=100)
        course = row.course
        assert course is not None
        over = PhaseSeen(phase=VmPhase.WAITING_FOR_WINDOW, seen_at=at(seconds), not_before=at(seconds))
        phases = (*course.phases[:2], over, *course.phases[3:])
        return a_report(row.model_copy(update={"course": course.model_copy(update={"phases": phases})}))

    two = calibrate([night(2000), night(4000)])
    assert two.parameters.transfer.bandwidth_sigma == 0
    three = calibrate([night(2000), night(4000), night(8000)])
    assert three.parameters.transfer.bandwidth_sigma == pytest.approx(0.69, abs=0.02)


def test_rehearsals_and_simulated_sites_teach_nothing() -> None:
    found = calibrate([a_report(rehearsal=True), a_report(virtual_sites=True)])
    assert (found.runs, found.changes, found.parameters.model_copy(update={"source": ""})) == (0, (), ModelParameters())
    assert found.notes == (
        "left out: 1 rehearsals, which only show what the parameters put into them",
        "left out: 1 runs on simulated sites, whose clock is not the run's",
    )


def test_an_older_report_is_named_and_harmless() -> None:
    row = a_row("a", switched=3000, lasted=100, course=None)
    found = calibrate([a_report(row)])
    assert found.parameters.migration == ModelParameters().migration
    assert found.notes == ("wave-7 manual__1: was written before reports kept the course of each VM",)


def test_the_command_writes_a_file_that_forecasts_can_use(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "wave-7"
    folder.mkdir(parents=True)
    rows = [a_row(str(number), switched=3000 + 200 * number, lasted=190) for number in range(20)]
    (folder / "one.json").write_text(a_report(*rows, segments=(a_cutover(390),)).model_dump_json())
    (folder / "rehearsals.json").write_text(json.dumps({"summary_version": 1}))
    (folder / "notes.json").write_text("no")
    given = tmp_path / "given.yaml"
    given.write_text("source: measured by hand\nlimits: {replications_per_mesh: 50}\n")
    out = tmp_path / "parameters.yaml"
    arguments = ["calibrate", str(tmp_path / "reports"), "--parameters", str(given), "--out", str(out)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "1 run; written to" in done.stdout
    written = load_parameters(out)
    assert written.source == "measured by hand; calibrated from 1 run"
    assert written.limits.replications_per_mesh == 50
    fitted = written.migration.rav_switchover
    assert isinstance(fitted, Triangular)
    assert quantile_of(fitted, 0.5) > 170
    assert "# migration.rav_switchover: was 45 to 300 s, mostly 90, 20 samples" in out.read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "is not the report of a run"),
        (a_report(rehearsal=True).model_dump_json(), "none of the files is the report of a live run"),
    ],
)
def test_the_command_says_what_it_cannot_use(tmp_path: Path, content: str, words: str) -> None:
    report, out = tmp_path / "report.json", tmp_path / "out.yaml"
    report.write_text(content)
    done = CliRunner().invoke(main, ["calibrate", str(report), "--out", str(out)])
    assert (done.exit_code, words in done.stderr) == (2, True)
    assert not out.exists()
    missing = CliRunner().invoke(main, ["calibrate", str(tmp_path / "none.json"), "--out", str(out)])
    assert (missing.exit_code, "No such file" in missing.stderr) == (2, True)


def test_the_command_says_everything_that_it_cannot_use_at_once(tmp_path: Path) -> None:
    parameters, packed = tmp_path / "parameters.yaml", tmp_path / "packed.json"
    parameters.write_text("transfer: {speed: 1}")
    packed.write_bytes(b"\x1f\x8b")
    missing, out = tmp_path / "none.json", tmp_path / "out.yaml"
    arguments = ["calibrate", str(missing), str(packed), "--parameters", str(parameters), "--out", str(out)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        f"{parameters}: transfer.speed: is not a parameter",
        f"{missing}: cannot be read: No such file or directory",
        f"{packed}: is not the report of a run: it is not a text in UTF-8, or holds half of a character",
    ]
    assert not out.exists()
