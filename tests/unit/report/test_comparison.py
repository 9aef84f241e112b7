"""What was forecast against what has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.migration.course import PhaseSeen, VmCourse
from hcx_waves.migration.status import VmPhase
from hcx_waves.migration.verify import VmFacts
from hcx_waves.model.expectation import Expectation, ExpectedOutage, Spread
from hcx_waves.model.states import SegmentOutcome, VmOutcome
from hcx_waves.report.comparison import actual_of, comparisons
from hcx_waves.report.model import SegmentRow, VmRow

ZERO = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
FACTS = VmFacts(site="source", vm_id="vm-1", name="x", power_state="poweredOn", instance_uuid="u", bios_uuid="b")


def at(minutes: float) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def spread(minutes: float) -> Spread:
    return Spread(p50_seconds=minutes * 60, p90_seconds=minutes * 66, p95_seconds=minutes * 72)


def a_row(name: str, switched: float, ended: float, **more: Any) -> VmRow:
    seen = ((VmPhase.BASE_SYNC, 1), (VmPhase.WAITING_FOR_WINDOW, 30), (VmPhase.SWITCHOVER, switched))
    phases = tuple(PhaseSeen(phase=phase, seen_at=at(when), not_before=at(when)) for phase, when in seen)
    fields: dict[str, Any] = {"outcome": VmOutcome.MIGRATED, "migration": "RAV", "ended_at": at(ended)}
    fields["course"] = VmCourse(name=name, phases=phases)
    return VmRow(name=name, before=FACTS, **{**fields, **more})


def a_cut(name: str, began: float, ended: float) -> SegmentRow:
    outage = outage_bounds(
        connected_last=at(began), disconnected_first=at(began), routed_not_last=at(ended), routed_first=at(ended)
    )
    return SegmentRow(segment=name, outcome=SegmentOutcome.CUT_OVER, outage=outage)


ROWS = (a_row("a", 60, 63), a_row("b", 63, 65), a_row("c", 40, 100, migration="Bulk"))
CUTS = (a_cut("web", 110, 113), a_cut("app", 112, 120), SegmentRow(segment="dmz", outcome=SegmentOutcome.STRETCHED))
FORECAST = Expectation(
    starts_at=ZERO, nights=10, transfer_end=spread(40), switchover_queue=spread(4.5), cutover_start=spread(90),
    end=spread(105), outages=(ExpectedOutage(segment="web", outage=spread(3.1)),),
)  # fmt: skip


def test_totals_are_those_of_the_vms_that_stand_in_line_and_of_all_segments() -> None:
    actual = actual_of(ROWS, CUTS)
    assert (actual.transfer_ended_at, actual.queue_seconds) == (at(30), 300)
    assert (actual.cutover_began_at, actual.ended_at) == (at(110), at(120))


def test_each_quantity_is_judged_by_its_forecast() -> None:
    judged = {one.what: (one.actual_seconds, one.judgement) for one in comparisons(FORECAST, ROWS, CUTS)}
    assert judged == {
        "Base syncs complete, after the start": (1800, "below the median"),
        "Switchover queue, duration": (300, "between P50 and P95"),
        "First gateway disconnected, after the start": (6600, "beyond P95"),
        "Wave complete, after the start": (7200, "between P50 and P95"),
        "Outage of web, at most": (180, "below the median"),
    }


def test_what_did_not_come_about_is_said_so() -> None:
    moving = a_row("a", 60, 63, outcome=VmOutcome.MIGRATING, ended_at=None, course=None)
    judged = {one.what: one.judgement for one in comparisons(FORECAST, [moving], [])}
    assert set(judged.values()) == {"did not happen, or is not known"}
    assert len(judged) == 4


@pytest.mark.parametrize(("late", "judgement"), [(2, "between P50 and P95"), (600, "beyond P95")])
def test_a_window_that_opens_is_not_missed_by_seconds(late: float, judgement: str) -> None:
    opening = Spread(p50_seconds=36000, p90_seconds=36000, p95_seconds=36000)
    forecast = FORECAST.model_copy(update={"cutover_start": opening})
    cut = a_cut("web", 600 + late / 60, 605)
    judged = {one.what: one.judgement for one in comparisons(forecast, [], [cut])}
    assert judged["First gateway disconnected, after the start"] == judgement
