"""Summarise all rehearsed nights of a wave. Pure, apart from reading the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise

from pydantic import AwareDatetime, Field

from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import Expectation, Spread
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.model import RehearsalRecord, RehearsedFinding, RehearsedSegment, SnapshotRef
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.verdict import verdict_of

SUMMARY_VERSION = 1


class NightRow(DomainModel):
    """One night, in short."""

    night: date
    outcome: WaveOutcome
    verdict: str
    faults: tuple[str, ...] = ()
    starts_at: AwareDatetime
    switchover_window: TimeWindow | None = None
    closes_at: AwareDatetime | None = None
    transfer_ended_at: AwareDatetime | None = None
    switchovers: TimeWindow | None = None
    """From the first switchover's begin to the last one's end."""
    cutover_began_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    fits: bool | None = None
    outages: dict[str, float] = Field(default_factory=dict)
    """By segment: seconds without a gateway, as the twin knows it, else the most that was measured."""
    expected_end_seconds: float | None = None
    """The median that was forecast for that night."""
    run_id: str | None = None


class Quantity(DomainModel):
    """How a quantity is spread over the nights, in seconds; instants count from the night's start."""

    name: str
    count: int
    """The nights on which it came about."""
    spread: Spread
    least_seconds: float
    most_seconds: float
    expected: Spread | None = None
    """What the forecast of the last night says of it."""


class ChangedFinding(DomainModel):
    """A finding that is graver or milder than on the night before, or is waived now and was not."""

    before: RehearsedFinding
    now: RehearsedFinding


class FindingChanges(DomainModel):
    """Findings of one night against those of the rehearsed night before it."""

    before: date
    night: date
    appeared: tuple[RehearsedFinding, ...] = ()
    gone: tuple[RehearsedFinding, ...] = ()
    changed: tuple[ChangedFinding, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether the findings are the same."""
        return not (self.appeared or self.gone or self.changed)


class FaultResult(DomainModel):
    """What a set of faults has led to, over all nights that had exactly these."""

    faults: tuple[str, ...]
    nights: tuple[date, ...]
    outcomes: dict[str, int]
    fitting: int
    """Nights that ended as planned within their windows all the same."""
    verdict: str
    """Of the last of these nights."""


class LongestOutage(DomainModel):
    """The longest outage of any segment on any night, with or without faults."""

    segment: str | None = None
    night: date | None = None
    seconds: float | None = None
    """None if no outage has a known length."""
    faults: tuple[str, ...] = ()
    unknown: int = 0
    """Outages that have no known end: any of them may be longer."""


class RehearsalSummary(DomainModel):
    """All rehearsed nights of a wave. Figures leave out the nights with faults, unless there are no others."""

    summary_version: int = SUMMARY_VERSION
    wave: str
    time_zone: str
    snapshot: SnapshotRef | None = None
    """Of the last night."""
    nights: tuple[NightRow, ...]
    outcomes: dict[str, int]
    """How many of all nights ended how."""
    counted: tuple[date, ...]
    """The nights that the figures are about."""
    fitting: int | None = None
    """How many of the counted nights stayed within their windows; None without windows."""
    fitting_of_all: int | None = None
    """How many of all nights did, those with faults included; None without windows."""
    unfaulted: FaultResult | None = None
    """What the nights without faults have led to; None if each had faults."""
    longest_outage: LongestOutage | None = None
    """None if no gateway was switched off."""
    quantities: tuple[Quantity, ...] = ()
    outages: tuple[Quantity, ...] = ()
    """By segment: the name is the segment's."""
    findings: tuple[RehearsedFinding, ...] = ()
    """Of the last counted night."""
    changes: tuple[FindingChanges, ...] = ()
    """Of each counted night against the one before, in order, as far as there were any."""
    since_last_night: FindingChanges | None = None
    """Of the last counted night against the one before, even if nothing changed; None with one night alone."""
    faults: tuple[FaultResult, ...] = ()
    forecast: Expectation | None = None
    """Of the last counted night that has one."""
    problems: tuple[str, ...] = ()
    """Records that could not be read."""


def summarise(store: RecordStore, wave: str) -> RehearsalSummary:
    """Return the summary of all records of a wave.

    :raises RecordError: if there is no record that can be read.
    """
    stored = store.read_all(wave)
    if not stored.records:
        reasons = "".join(f"; {one}" for one in stored.problems)
        raise RecordError(f"there is no record of a rehearsal of wave {wave}{reasons}")
    return summary_of(stored.records, stored.problems)


def summary_of(records: Sequence[RehearsalRecord], problems: Sequence[str] = ()) -> RehearsalSummary:
    """Return the summary of the records of one wave.

    :param records: at least one.
    """
    ordered = sorted(records, key=lambda one: one.night)
    last = ordered[-1]
    counted = [one for one in ordered if not one.faults] or ordered
    forecast = next((one.forecast for one in reversed(counted) if one.forecast is not None), None)
    compared = [_changes(before, now) for before, now in pairwise(counted)]
    windowed = [one for one in counted if one.fits is not None]
    return RehearsalSummary(
        wave=last.wave,
        time_zone=last.time_zone,
        snapshot=last.snapshot,
        nights=tuple(_row(one) for one in ordered),
        outcomes=_outcomes(ordered),
        counted=tuple(one.night for one in counted),
        fitting=sum(bool(one.fits) for one in windowed) if windowed else None,
        fitting_of_all=sum(bool(one.fits) for one in ordered) if any(one.fits is not None for one in ordered) else None,
        unfaulted=None if counted[0].faults else _fault_result((), counted),
        longest_outage=_longest_outage(ordered),
        quantities=tuple(_quantities(counted, forecast)),
        outages=tuple(_outages(counted, forecast)),
        findings=counted[-1].findings,
        changes=tuple(one for one in compared if not one.is_nothing),
        since_last_night=compared[-1] if compared else None,
        faults=tuple(_faults(ordered)),
        forecast=forecast,
        problems=tuple(problems),
    )


def outage_seconds(segment: RehearsedSegment) -> float | None:
    """Return a segment's outage: as the twin knows it, else the most that was measured."""
    if segment.outage_seconds is not None:
        return segment.outage_seconds
    return None if segment.outage is None else segment.outage.upper_seconds


def _row(record: RehearsalRecord) -> NightRow:
    outages = {one.segment: outage_seconds(one) for one in record.segments}
    return NightRow(
        **{name: getattr(record, name) for name in set(NightRow.model_fields) - {"verdict"} if hasattr(record, name)},
        # Said anew: records of an earlier release may put it in other words.
        verdict=verdict_of(record),
        switchovers=_switchovers(record),
        outages={name: seconds for name, seconds in outages.items() if seconds is not None},
        expected_end_seconds=None if record.forecast is None else record.forecast.end.p50_seconds,
    )


def _switchovers(record: RehearsalRecord) -> TimeWindow | None:
    begun = [vm.switchover_began_at for vm in record.vms if vm.switchover_began_at is not None]
    ended = [vm.switchover_ended_at for vm in record.vms if vm.switchover_began_at and vm.switchover_ended_at]
    if not begun or not ended or max(ended) <= min(begun):
        return None
    return TimeWindow(opens=min(begun), closes=max(ended))


def _outcomes(records: Sequence[RehearsalRecord]) -> dict[str, int]:
    counts = Counter(one.outcome for one in records)
    return {outcome.value: counts[outcome] for outcome in WaveOutcome if counts[outcome]}


_Instant = Callable[[RehearsalRecord], datetime | None]
_INSTANTS: tuple[tuple[str, _Instant, Callable[[Expectation], Spread | None]], ...] = (
    ("transfer_end", lambda one: one.transfer_ended_at, lambda expected: expected.transfer_end),
    ("cutover_start", lambda one: one.cutover_began_at, lambda expected: expected.cutover_start),
    ("end", lambda one: one.ended_at, lambda expected: expected.end),
)


def _quantities(records: Sequence[RehearsalRecord], forecast: Expectation | None) -> Iterator[Quantity]:
    queues = [one.switchover_queue_seconds for one in records]
    found = {"switchover_queue": (queues, None if forecast is None else forecast.switchover_queue)}
    for name, instant, expected in _INSTANTS:
        seconds = [one.after_start(instant(one)) for one in records]
        found[name] = (seconds, None if forecast is None else expected(forecast))
    for name in ("transfer_end", "switchover_queue", "cutover_start", "end"):
        yield from _quantity(name, *found[name])


def _outages(records: Sequence[RehearsalRecord], forecast: Expectation | None) -> Iterator[Quantity]:
    by_segment: dict[str, list[float | None]] = {}
    for record in records:
        for one in record.segments:
            if one.cutover_began_at is not None:
                by_segment.setdefault(one.segment, []).append(outage_seconds(one))
    for segment, seconds in by_segment.items():
        yield from _quantity(segment, seconds, None if forecast is None else forecast.outage_of(segment))


def _quantity(name: str, values: Sequence[float | None], expected: Spread | None) -> Iterator[Quantity]:
    known = [one for one in values if one is not None]
    if known:
        yield Quantity(
            name=name,
            count=len(known),
            spread=Spread.of(known),
            least_seconds=min(known),
            most_seconds=max(known),
            expected=expected,
        )


def _changes(before: RehearsalRecord, now: RehearsalRecord) -> FindingChanges:
    old, new = ({one.key: one for one in record.findings} for record in (before, now))
    return FindingChanges(
        before=before.night,
        night=now.night,
        appeared=tuple(one for key, one in new.items() if key not in old),
        gone=tuple(one for key, one in old.items() if key not in new),
        changed=tuple(
            ChangedFinding(before=old[key], now=one)
            for key, one in new.items()
            if key in old and (old[key].severity, old[key].waived) != (one.severity, one.waived)
        ),
    )


def _faults(records: Sequence[RehearsalRecord]) -> Iterator[FaultResult]:
    groups: dict[tuple[str, ...], list[RehearsalRecord]] = {}
    for record in records:
        if record.faults:
            groups.setdefault(tuple(sorted(record.faults)), []).append(record)
    for faults, nights in sorted(groups.items()):
        yield _fault_result(faults, nights)


def _fault_result(faults: tuple[str, ...], nights: Sequence[RehearsalRecord]) -> FaultResult:
    return FaultResult(
        faults=faults,
        nights=tuple(one.night for one in nights),
        outcomes=_outcomes(nights),
        fitting=sum(bool(one.fits) for one in nights),
        verdict=verdict_of(nights[-1]),
    )


def _longest_outage(records: Sequence[RehearsalRecord]) -> LongestOutage | None:
    cut = [(record, one) for record in records for one in record.segments if one.cutover_began_at is not None]
    if not cut:
        return None
    known = [(seconds, record, one) for record, one in cut if (seconds := outage_seconds(one)) is not None]
    unknown = len(cut) - len(known)
    if not known:
        return LongestOutage(unknown=unknown)
    seconds, record, one = max(known, key=lambda each: each[0])
    return LongestOutage(
        segment=one.segment, night=record.night, seconds=seconds, faults=record.faults, unknown=unknown
    )
