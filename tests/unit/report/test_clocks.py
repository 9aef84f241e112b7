"""Whose clock each instant of a report's timeline is by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.report.markdown import render_markdown
from hcx_waves.report.model import Clock, WaveReport
from support.plans import plan_of
from support.run_results import answer, report_of, run_results

ZERO = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def report(**changes: Any) -> WaveReport:
    """A run of 20 minutes whose one VM moved, by HCX's clock, from minute 4 to minute 90; its window closes at 60."""
    status = VmStatus(
        name="web01",
        vm_id="vm-1",
        migration_id="m",
        group_id="g",
        phase=VmPhase.DONE,
        started_at=at(4),
        ended_at=at(90),
    )
    approval = answer("approve_wave", "approve", by="ada", at=at(3))
    found = run_results(
        plan=plan_of("web01", switchover=(at(0), at(60))),
        status=WaveStatus(at=at(19), vms=(status,)),
        gates=(approval,),
        begun_at=ZERO,
        ended_at=at(20),
        **changes,
    )
    return report_of(found)


def test_every_instant_says_whose_it_is() -> None:
    real = report()
    assert [(one.what, one.clock) for one in real.timeline] == [
        ("run started", Clock.RUN),
        ("approve_wave: approved", Clock.RUN),
        ("migration started", Clock.HCX),
        ("report written", Clock.RUN),
        ("migration ended: migrated", Clock.HCX),
    ]
    text = render_markdown(real)
    assert "| 2026-03-01 22:04:00 UTC | HCX | migration started | web01 |" in text
    assert "| 2026-03-01 22:20:00 UTC | run | report written |" in text
    assert "*HCX* is the HCX manager's clock" in text
    assert [one.actual for one in real.deviations if "migrated by" in one.planned] == [
        "migrated at 2026-03-01 23:30 UTC"
    ]


def test_virtual_time_is_not_mixed_with_wall_time() -> None:
    simulated = report(virtual_sites=True)
    assert [one.clock for one in simulated.timeline] == [Clock.RUN, Clock.RUN, Clock.RUN, Clock.HCX, Clock.HCX]
    assert "*HCX* is their virtual time" in render_markdown(simulated)
    assert not [one for one in simulated.deviations if "migrated by" in one.planned], "the window is by another clock"


def test_a_rehearsal_has_one_clock_only() -> None:
    assert "All times are the twin's virtual time." in render_markdown(report(rehearsal=True))


def test_reports_of_older_releases_have_no_clocks() -> None:
    document = report().model_dump(mode="json")
    for event in document["timeline"]:
        del event["clock"]
    del document["virtual_sites"]
    assert {one.clock for one in WaveReport.model_validate(document).timeline} == {Clock.RUN}


@pytest.mark.parametrize(("word", "clock"), [("run", Clock.RUN), ("hcx", Clock.HCX)])
def test_stored_words_stay(word: str, clock: Clock) -> None:
    """Reports that hold these words lie in archives."""
    document = report().model_dump(mode="json")
    for event in document["timeline"]:
        event["clock"] = word
    assert {one.clock for one in WaveReport.model_validate(document).timeline} == {clock}
    assert {event["clock"] for event in report().model_dump(mode="json")["timeline"]} == {"run", "hcx"}
