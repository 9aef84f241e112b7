"""One sentence about a rehearsed night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from hcx_waves.model.states import WaveOutcome
from hcx_waves.model.times import format_duration
from hcx_waves.rehearsals.model import RehearsalRecord

_MOST_NAMES = 3
_SECOND = timedelta(seconds=1)


def verdict_of(record: RehearsalRecord) -> str:
    """Say what came out of a night: what went wrong first, else when it ended and what was left of its window."""
    said = _HEADS[record.outcome]
    if record.outcome is WaveOutcome.BLOCKED:
        blocking = [one for one in record.findings if one.severity.value == "blocking" and not one.waived]
        why = _listed([f"{one.subject} ({one.finding_id})" for one in blocking])
        return f"{said}: {why or next(iter((*record.reasons, *record.errors)), 'there is no plan')}."
    left = list(_left_behind(record))
    parts = [said + (f": {_listed(left)}" if left else "")]
    parts += _times(record)
    return ", ".join(parts) + "."


_HEADS = {
    WaveOutcome.AS_PLANNED: "Everything as planned",
    WaveOutcome.INCOMPLETE: "Something was left behind",
    WaveOutcome.REJECTED: "Not approved",
    WaveOutcome.BLOCKED: "Findings kept it from starting",
    WaveOutcome.DRIFTED: "What was approved was no longer what was there",
    WaveOutcome.STRANDED: "A segment was left without a confirmed gateway",
}


def _left_behind(record: RehearsalRecord) -> Iterator[str]:
    for segment in record.segments:
        if not segment.outcome.is_as_planned:
            yield f"segment {segment.segment} {segment.outcome.value}"
    for vm in record.vms:
        if not vm.outcome.is_as_planned:
            yield f"{vm.name} {vm.outcome.value}"


def _times(record: RehearsalRecord) -> Iterator[str]:
    if record.ended_at is None:
        return
    local = record.ended_at.astimezone(ZoneInfo(record.time_zone))
    yield f"over at {local:%H:%M}"
    if record.closes_at is not None:
        left = record.closes_at - record.ended_at
        size = format_duration(abs(left) - (abs(left) % _SECOND))
        yield f"{size} before the last window closed" if left >= timedelta() else f"{size} after the last window closed"


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
