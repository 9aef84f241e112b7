"""A run in one sentence: what the note of a run shows, and the last line of its log."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.formatting import counted, instant, listed
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.report.model import WaveReport

LONGEST = 900
"""Characters: Airflow keeps 1000 of a note, in which a user may have written too."""
_NAMED = (VmOutcome.FAILED, VmOutcome.CANCELLED, VmOutcome.MISPLACED, VmOutcome.MIGRATING, VmOutcome.UNKNOWN)
_SILENT = (SegmentOutcome.PLANNED, SegmentOutcome.STRETCHED)


def headline(report: WaveReport) -> str:
    """Return the outcome of a run and one sentence about it; an outage that is running comes first."""
    outages = [
        f"OUTAGE RUNNING since {instant(one.seen_outage.since, seconds=True) or 'an unknown instant'}: "
        f"segment {one.segment}, as of {instant(one.seen_outage.as_of, seconds=True)}"
        for one in report.running_outages
        if one.seen_outage is not None
    ]
    parts = [*outages, f"{report.outcome.label}: {'; '.join(_parts(report)) or report.outcome.sentence}"]
    text = ". ".join(parts)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _parts(report: WaveReport) -> Iterator[str]:
    if report.outcome is not WaveOutcome.AS_PLANNED:
        yield from report.reasons[:1]
    if report.vms:
        yield ", ".join(_moved(report))
    cut = [f"segment {one.segment}: {one.outcome.label.lower()}" for one in report.segments
           if one.outcome not in _SILENT]  # fmt: skip
    if cut:
        yield listed(cut, 3)


def _moved(report: WaveReport) -> Iterator[str]:
    moved = sum(vm.outcome.is_at_destination for vm in report.vms)
    yield f"{moved} of {counted(len(report.vms), 'VM')} moved"
    for outcome in _NAMED:
        named = [vm.name for vm in report.vms if vm.outcome is outcome]
        if named:
            yield f"{len(named)} {outcome.label.lower()} ({listed(named, 3)})"
