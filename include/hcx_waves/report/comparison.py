"""Compare the forecast of a run with what has happened. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from hcx_waves.migration.status import VmPhase
from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import TITLES_AFTER_START, Expectation, Spread
from hcx_waves.model.states import SegmentOutcome
from hcx_waves.report.model import Comparison, SegmentRow, VmRow

SERIAL = ("RAV", "vMotion")
"""Migration types whose switchovers go one after the other [C hcx 4.8]."""
_SLACK_SECONDS, _SLACK_SHARE = 5.0, 0.005


class Judgement(StrEnum):
    """How an actual figure lies to its forecast."""

    EARLIER = "below the median"
    WITHIN = "between P50 and P95"
    BEYOND = "beyond P95"


class Actual(DomainModel):
    """The totals of a run, as far as they are known."""

    transfer_ended_at: datetime | None = None
    queue_seconds: float | None = None
    cutover_began_at: datetime | None = None
    ended_at: datetime | None = None


def actual_of(vms: Iterable[VmRow], segments: Iterable[SegmentRow]) -> Actual:
    """Return the totals of a run from what was seen of its VMs and segments.

    Switchovers are known by looks, so they are as exact as the looks were frequent.
    """
    rows, cuts = list(vms), list(segments)
    courses = [(row, row.course) for row in rows if row.course is not None]
    began = [course.entered(VmPhase.SWITCHOVER) for row, course in courses if row.migration in SERIAL]
    ended = [row.ended_at for row, _ in courses if row.migration in SERIAL]
    first, last = _first(began), _last(ended)
    routed = [one.outage.ended_before for one in cuts if one.outage is not None]
    done = all(row.outcome.is_final for row in rows) and not any(one.outcome.is_outage for one in cuts)
    return Actual(
        transfer_ended_at=_last(course.transfer_ended_at for _, course in courses),
        queue_seconds=None if first is None or last is None else max(0.0, (last - first).total_seconds()),
        cutover_began_at=_first(one.outage.began_after for one in cuts if one.outage is not None),
        ended_at=_last([*(row.ended_at for row in rows), *routed]) if done else None,
    )


def comparisons(forecast: Expectation, vms: Iterable[VmRow], segments: Iterable[SegmentRow]) -> Iterator[Comparison]:
    """Yield each forecast quantity with its actual figure, if it has one."""
    cuts = list(segments)
    actual = actual_of(vms, cuts)

    def after_start(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - forecast.starts_at).total_seconds()

    totals: list[tuple[str, Spread | None, float | None]] = [
        ("transfer_end", forecast.transfer_end, after_start(actual.transfer_ended_at)),
        ("switchover_queue", forecast.switchover_queue, actual.queue_seconds),
        ("cutover_start", forecast.cutover_start, after_start(actual.cutover_began_at)),
        ("end", forecast.end, after_start(actual.ended_at)),
    ]
    totals = [(TITLES_AFTER_START[name], expected, seconds) for name, expected, seconds in totals]
    for one in cuts:
        if one.outcome is SegmentOutcome.CUT_OVER:
            seconds = None if one.outage is None else one.outage.upper_seconds
            totals.append((f"Outage of {one.segment}, at most", forecast.outage_of(one.segment), seconds))
    for what, expected, seconds in totals:
        if expected is not None:
            yield Comparison(what=what, expected=expected, actual_seconds=seconds, judgement=_judge(expected, seconds))


def _judge(expected: Spread, seconds: float | None) -> str:
    if seconds is None:
        return "did not happen, or is not known"
    if seconds <= expected.p50_seconds:
        return Judgement.EARLIER.value
    # A forecast that leaves nothing open, such as the opening of a window, is not missed by a few seconds.
    slack = max(_SLACK_SECONDS, expected.p95_seconds * _SLACK_SHARE)
    return (Judgement.WITHIN if seconds <= expected.p95_seconds + slack else Judgement.BEYOND).value


def _first(instants: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)


def _last(instants: Iterable[datetime | None]) -> datetime | None:
    return max((one for one in instants if one is not None), default=None)
