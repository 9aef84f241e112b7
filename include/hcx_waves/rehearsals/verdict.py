"""Say in one sentence what came out of a rehearsed night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from hcx_waves.model.findings import Severity
from hcx_waves.model.formatting import clock_time, duration, listed
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.model import RehearsalRecord

_MOST_NAMES = 3


def verdict_of(record: RehearsalRecord) -> str:
    """Return what went wrong first, else when the night ended and what was left of its window."""
    said = record.outcome.sentence
    if record.outcome is WaveOutcome.BLOCKED:
        blocking = [one for one in record.findings if one.severity is Severity.BLOCKING and not one.waived]
        why = listed([f"{one.subject} ({one.finding_id})" for one in blocking], _MOST_NAMES)
        return f"{said}: {why or next(iter((*record.reasons, *record.errors)), 'there is no plan')}."
    left = list(_left_behind(record))
    parts = [said + (f": {listed(left, _MOST_NAMES)}" if left else "")]
    parts += _times(record)
    return ", ".join(parts) + "."


def _left_behind(record: RehearsalRecord) -> Iterator[str]:
    for segment in record.segments:
        if not segment.outcome.is_as_planned:
            yield f"segment {segment.segment} {segment.outcome.label.lower()}"
    for vm in record.vms:
        if not vm.outcome.is_as_planned:
            yield f"{vm.name} {vm.outcome.label.lower()}"


def _times(record: RehearsalRecord) -> Iterator[str]:
    if record.ended_at is None or record.outcome is WaveOutcome.REJECTED:
        return
    yield f"ended at {clock_time(record.ended_at, record.time_zone)}"
    if record.closes_at is not None:
        left = record.closes_at - record.ended_at
        if left >= timedelta() and not record.outcome.is_green:
            # Time to spare would read like a success.
            return
        side = "before" if left >= timedelta() else "after"
        yield f"{duration(abs(left))} {side} the last window closed"
