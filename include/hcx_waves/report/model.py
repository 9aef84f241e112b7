"""The report of a wave: what was planned, what happened, who approved what, and what was proven."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, JsonValue

from hcx_waves.cutover.cleanup import Deletion, Renaming
from hcx_waves.cutover.emptiness import EmptyProof
from hcx_waves.cutover.extension import Removal
from hcx_waves.cutover.gateway import DisconnectResult, GatewayChange
from hcx_waves.cutover.outage import OutageBounds
from hcx_waves.cutover.routing import RoutedProof
from hcx_waves.migration.course import VmCourse
from hcx_waves.migration.start import StartedWave
from hcx_waves.migration.status import VmStatus, WaveStatus
from hcx_waves.migration.verify import VmFacts, VmProof
from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import Expectation, Spread
from hcx_waves.model.findings import Assessments
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome

REPORT_VERSION = 1


class Approval(DomainModel):
    """One answer at a gate."""

    gate: str
    """Task id of the gate."""
    decision: str
    """``approve``, ``reject``, or ``no answer``."""
    by: str | None = None
    at: AwareDatetime | None = None
    asked_at: AwareDatetime | None = None
    change_reference: str | None = None
    digest: str | None = None
    """Of the plan that was shown."""
    note: str = ""


class Clock(StrEnum):
    """By which clock an instant is. Stored in reports: add, never rename."""

    RUN = "run"
    """The workers' own; in a rehearsal the twin's virtual time."""
    HCX = "hcx"
    """The HCX manager's, as it says it; of a simulated site its virtual time."""


class Event(DomainModel):
    """Something that happened, for the timeline."""

    at: AwareDatetime
    what: str
    subject: str = ""
    clock: Clock = Clock.RUN


class Deviation(DomainModel):
    """Where what happened is not what was planned."""

    subject: str
    planned: str
    actual: str


class Comparison(DomainModel):
    """One quantity as it was forecast, and as it came."""

    what: str
    expected: Spread
    actual_seconds: float | None
    judgement: str


class SegmentSteps(DomainModel):
    """The results of one segment's steps, as far as they ran; each is what its procedure returned."""

    segment: str
    outcome: SegmentOutcome = SegmentOutcome.PLANNED
    proof: EmptyProof | None = None
    disconnect: DisconnectResult | None = None
    removal: Removal | None = None
    routed: RoutedProof | None = None
    reconnect: GatewayChange | None = None
    outage: OutageBounds | None = None
    deletion: Deletion | None = None
    renaming: Renaming | None = None
    reasons: tuple[str, ...] = ()
    """Why it was blocked, rejected or went back."""


class WaveSteps(DomainModel):
    """Everything that a run's steps left behind; what did not run is None or empty."""

    run_id: str
    rehearsal: bool = False
    plan: WavePlan | None = None
    assessments: Assessments | None = None
    approvals: tuple[Approval, ...] = ()
    started: StartedWave | None = None
    status: WaveStatus | None = None
    courses: tuple[VmCourse, ...] = ()
    """What the looks at the migrations saw."""
    forecast: Expectation | None = None
    """What was shown before it was approved."""
    proofs: tuple[VmProof, ...] = ()
    segments: tuple[SegmentSteps, ...] = ()
    left_out: tuple[str, ...] = ()
    """VMs that the run was told to leave where they are."""
    ended_as: WaveOutcome | None = None
    """If a step decided how the run ended: rejected, blocked, drifted."""
    reasons: tuple[str, ...] = ()
    errors: tuple[dict[str, JsonValue], ...] = ()
    """Errors of steps, as ``ClientError.to_dict`` writes them."""
    begun_at: AwareDatetime | None = None
    ended_at: AwareDatetime
    notes: tuple[str, ...] = ()
    virtual_sites: bool = False
    """Whether the sites are simulated and keep a virtual time of their own, while the run goes by wall time."""


class VmRow(DomainModel):
    """One VM in the report."""

    name: str
    outcome: VmOutcome
    migration: str
    before: VmFacts
    after: VmFacts | None = None
    retired_copy: str | None = None
    begun_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    disk_bytes: int | None = None
    service_mesh_id: str | None = None
    course: VmCourse | None = None
    """When the looks at its migration saw it in which phase."""
    reasons: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()


class WaveReport(DomainModel):
    """A finished run, for people and for machines. Contains no secrets."""

    report_version: int = REPORT_VERSION
    wave: str
    run_id: str
    rehearsal: bool
    outcome: WaveOutcome
    plan_digest: str | None
    wave_hash: str | None
    begun_at: AwareDatetime | None
    ended_at: AwareDatetime
    switchover_window: TimeWindow | None = None
    reasons: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    assessments: Assessments | None = None
    vms: tuple[VmRow, ...] = ()
    segments: tuple[SegmentSteps, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    forecast: Expectation | None = None
    comparisons: tuple[Comparison, ...] = ()
    """The forecast against what has happened."""
    timeline: tuple[Event, ...] = ()
    errors: tuple[dict[str, JsonValue], ...] = ()
    notes: tuple[str, ...] = ()
    virtual_sites: bool = False
    """Whether HCX's instants are a simulated site's virtual time, and not to be compared with the run's."""

    @property
    def longest_outage(self) -> OutageBounds | None:
        """The longest outage of a segment, or None if there was none."""
        bounds = [one.outage for one in self.segments if one.outage is not None]
        return max(bounds, key=lambda one: one.upper_seconds or float("inf"), default=None)


def row_of(plan: WavePlan, name: str, proof: VmProof | None, status: VmStatus | None, before: VmFacts) -> VmRow:
    """Return a VM's row from what is known of it: its proof, else what HCX said last, else the plan alone."""
    planned = plan.vm(name)
    outcome = VmOutcome.PLANNED if status is None else status.outcome
    return VmRow(
        name=name,
        outcome=proof.outcome if proof is not None else outcome,
        migration=planned.migration.value,
        before=proof.before if proof is not None else before,
        after=None if proof is None else proof.after,
        retired_copy=None if proof is None else proof.retired_copy,
        begun_at=None if status is None else status.started_at,
        ended_at=None if status is None else status.ended_at,
        disk_bytes=planned.disk_bytes,
        service_mesh_id=planned.service_mesh_id if status is None else status.service_mesh_id,
        reasons=proof.reasons if proof is not None else _said(status),
        outstanding=() if proof is None else proof.outstanding,
    )


def _said(status: VmStatus | None) -> tuple[str, ...]:
    return (status.message,) if status is not None and status.message and status.outcome.blocks_segments else ()
