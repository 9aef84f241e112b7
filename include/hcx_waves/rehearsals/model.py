"""The record of one rehearsed night, and its timeline.

Records are kept for years and compared with each other: fields are added, never renamed. All instants are virtual
unless it is said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Self

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from hcx_waves.cutover.outage import OutageBounds
from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.digest import canonical_json
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.findings import Assessments, Severity
from hcx_waves.model.names import WaveName
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome

RECORD_VERSION = 1
TIMELINE_VERSION = 1
UNSTABLE = frozenset({"run_id", "try_number", "wall_time", "recorded_at", "dag_run_id", "attempt"})
"""Names of what differs between two runs of the same night, and so has no place in a timeline."""


class SnapshotRef(DomainModel):
    """The inventory that was rehearsed on."""

    snapshot_id: str
    """SHA-256 of the canonical snapshot."""
    taken_at: AwareDatetime | None = None
    """When the live inventory was read, in real time."""


class RehearsedVm(DomainModel):
    """One VM on that night."""

    name: str
    outcome: VmOutcome
    migration: str = ""
    """The migration type that was used."""
    disk_bytes: int | None = None
    service_mesh_id: str | None = None
    transfer_ended_at: AwareDatetime | None = None
    """When its base sync was through; None if it had none or never ended."""
    switchover_began_at: AwareDatetime | None = None
    """When its own switchover began: the wait for its turn is over."""
    switchover_ended_at: AwareDatetime | None = None
    stun_seconds: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def switchover_seconds(self) -> float | None:
        """How long its switchover took."""
        if self.switchover_began_at is None or self.switchover_ended_at is None:
            return None
        return (self.switchover_ended_at - self.switchover_began_at).total_seconds()


class RehearsedSegment(DomainModel):
    """One segment on that night."""

    segment: str
    outcome: SegmentOutcome
    cutover_window: TimeWindow | None = None
    cutover_began_at: AwareDatetime | None = None
    """When its source gateway was told to go off."""
    ended_at: AwareDatetime | None = None
    """When the destination was seen to route it, or the source again."""
    outage: OutageBounds | None = None
    """As the run has measured it."""
    outage_seconds: float | None = None
    """The longest time that a running VM of it reached nothing, exactly, as the twin knows it."""
    reasons: tuple[str, ...] = ()


class RehearsedGate(DomainModel):
    """One gate, answered by the run itself in the place of a person."""

    gate: str
    """Task id."""
    decision: str
    """``approve``, ``reject`` or ``no answer``."""
    by: str | None = None
    at: AwareDatetime | None = None
    reaction_seconds: float | None = None
    """How long it took, as drawn for that night."""


class RehearsedFinding(DomainModel):
    """What the checks found; ``finding_id`` and ``subject`` identify it from one night to the next."""

    finding_id: str
    subject: str
    severity: Severity
    message: str = ""
    waived: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it from one night to the next."""
        return self.finding_id, self.subject


class RehearsalRecord(DomainModel):
    """One night of one wave, rehearsed on a twin. Holds no secrets."""

    record_version: int = RECORD_VERSION
    wave: WaveName
    night: date
    """The rehearsed date, in the wave's zone."""
    time_zone: str
    seed: int
    snapshot: SnapshotRef | None = None
    faults: tuple[str, ...] = ()
    """Names of the fault scenarios that were set."""
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """The parameters that were really used: poll intervals, reaction times, settings of the twin."""
    outcome: WaveOutcome
    verdict: str
    """One sentence: what came out."""
    starts_at: AwareDatetime
    switchover_window: TimeWindow | None = None
    closes_at: AwareDatetime | None = None
    """When the last window of the wave closes; None without windows."""
    plan_digest: str | None = None
    wave_hash: str | None = None
    vms: tuple[RehearsedVm, ...] = ()
    segments: tuple[RehearsedSegment, ...] = ()
    gates: tuple[RehearsedGate, ...] = ()
    findings: tuple[RehearsedFinding, ...] = ()
    transfer_ended_at: AwareDatetime | None = None
    """When the last base sync was through."""
    switchover_queue_seconds: float | None = None
    """From the first switchover's begin to the last one's end, of those that go one after the other."""
    cutover_began_at: AwareDatetime | None = None
    """When the first source gateway was told to go off."""
    ended_at: AwareDatetime | None = None
    """When the last VM and the last segment were through; None if the run did not get that far."""
    forecast: Expectation | None = None
    """What was forecast of that night before it began."""
    reasons: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    run_id: str | None = None
    """Airflow's run, for links."""
    recorded_at: AwareDatetime | None = None
    """In real time."""

    @property
    def fits(self) -> bool | None:
        """Whether everything went as planned, each switchover and cutover in its window; None without windows."""
        if self.closes_at is None:
            return None
        return self.outcome.is_green and not any(self._late())

    def _late(self) -> Iterator[bool]:
        yield self.ended_at is None or (self.closes_at is not None and self.ended_at > self.closes_at)
        for vm in self.vms:
            yield _is_after(vm.switchover_ended_at, self.switchover_window)
        for segment in self.segments:
            yield _is_after(segment.ended_at, segment.cutover_window)

    def after_start(self, instant: datetime | None) -> float | None:
        """Return an instant in seconds after the start."""
        return None if instant is None else (instant - self.starts_at).total_seconds()


class TimelineEvent(DomainModel):
    """Something that happened on that night."""

    at: AwareDatetime
    what: str
    """A word: ``phase``, ``gate``, ``disconnect``."""
    subject: str = ""
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class Timeline(DomainModel):
    """All that happened on a rehearsed night: the same bytes whenever the night is rehearsed again.

    So it holds no wall time, no run id and no try number; a name that says so is refused.
    """

    timeline_version: int = TIMELINE_VERSION
    wave: WaveName
    night: date
    time_zone: str
    seed: int
    snapshot_id: str | None = None
    faults: tuple[str, ...] = ()
    starts_at: AwareDatetime
    events: tuple[TimelineEvent, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        unstable = sorted({name for event in self.events for name in _names(event.detail)} & UNSTABLE)
        names = ", ".join(unstable)
        refuse([BrokenRule(("events",), f"{names} differs from run to run")] if unstable else [])
        return self

    def export(self) -> bytes:
        """Return it as canonical JSON, one event a line, in an order that does not depend on how it was collected."""
        document = self.model_dump(mode="json", exclude={"events"})
        ordered = sorted(self.events, key=lambda one: (one.at, one.what, one.subject, canonical_json(one.detail)))
        lines = ",\n".join(canonical_json(one.model_dump(mode="json")) for one in ordered)
        head = canonical_json(document).removesuffix("}")
        return f'{head},"events":[\n{lines}\n]}}\n'.encode()


def findings_of(assessments: Assessments | None) -> tuple[RehearsedFinding, ...]:
    """Return what a run's checks found, in the order of the findings."""
    return tuple(
        RehearsedFinding(
            finding_id=item.finding.finding_id,
            subject=item.finding.subject,
            severity=item.finding.severity,
            message=item.finding.message,
            waived=item.waiver is not None,
        )
        for item in (assessments.items if assessments is not None else ())
    )


def _is_after(moment: datetime | None, window: TimeWindow | None) -> bool:
    return moment is not None and window is not None and moment > window.closes


def _names(value: JsonValue) -> Iterable[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)
