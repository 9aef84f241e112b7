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
from hcx_waves.migration.verify import VmFacts
from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import Expectation, Spread
from hcx_waves.model.findings import Assessments
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.run.decisions import Approval
from hcx_waves.run.failures import Failure
from hcx_waves.run.observed import OutageState, SeenGateways, SeenOutage, SeenSite
from hcx_waves.run.stalls import Stall

REPORT_VERSION = 1


class Clock(StrEnum):
    """The clock that an instant was read from. Stored in reports: add, never rename."""

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
    by: str = ""
    """Of a change that the run has made: who approved it."""


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


class SegmentRow(DomainModel):
    """One segment in the report: how it has ended, and what each of its steps returned."""

    segment: str
    outcome: SegmentOutcome = SegmentOutcome.PLANNED
    proof: EmptyProof | None = None
    disconnect: DisconnectResult | None = None
    removal: Removal | None = None
    routed: RoutedProof | None = None
    reconnect: GatewayChange | None = None
    outage: OutageBounds | None = None
    """Its bounds, as far as both ends of its beginning were observed; without an upper one it was not seen to end."""
    seen_outage: SeenOutage | None = None
    """What was observed of it; None in what older releases have written."""
    seen_gateways: SeenGateways | None = None
    """Which gateways were on when a step looked last; None if none has looked."""
    vm_count: int | None = None
    """How many VMs of the plan are in it."""
    deletion: Deletion | None = None
    renaming: Renaming | None = None
    reasons: tuple[str, ...] = ()
    """Why it was blocked, rejected or went back."""


class VmRow(DomainModel):
    """One VM in the report."""

    name: str
    outcome: VmOutcome
    migration: str
    before: VmFacts
    after: VmFacts | None = None
    seen_site: SeenSite | None = None
    """Where it was when somebody looked last; None in what older releases have written."""
    retired_copy: str | None = None
    begun_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    disk_bytes: int | None = None
    service_mesh_id: str | None = None
    course: VmCourse | None = None
    """When the looks at its migration saw it in which phase."""
    reasons: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    """What has changed and may, such as addresses that come and go."""


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
    segments: tuple[SegmentRow, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    forecast: Expectation | None = None
    comparisons: tuple[Comparison, ...] = ()
    """The forecast against what has happened."""
    timeline: tuple[Event, ...] = ()
    errors: tuple[dict[str, JsonValue], ...] = ()
    """The errors that ended waits and tasks, as they were raised."""
    failures: tuple[Failure, ...] = ()
    """What went wrong with VMs, segments and steps, with the products' own words and what to do next."""
    stalls: tuple[Stall, ...] = ()
    """What was seen to stand; an open one was so at the last look."""
    notes: tuple[str, ...] = ()
    is_cleanup: bool = False
    changed_nothing: bool | None = None
    """Whether it is certain that the run has changed nothing; None in what older releases have written."""
    virtual_sites: bool = False
    """Whether HCX's instants are a simulated site's virtual time, and not to be compared with the run's."""

    @property
    def longest_outage(self) -> OutageBounds | None:
        """The longest outage of a segment, or None if none was bounded."""
        bounds = [one.outage for one in self.segments if one.outage is not None]
        return max(bounds, key=lambda one: one.upper_seconds or float("inf"), default=None)

    @property
    def running_outages(self) -> tuple[SegmentRow, ...]:
        """The segments that had no gateway when somebody looked last."""
        return self.outages_of(OutageState.RUNNING)

    def outages_of(self, state: OutageState) -> tuple[SegmentRow, ...]:
        """Return the segments of whose outage so much is known."""
        return tuple(one for one in self.segments if one.seen_outage is not None and one.seen_outage.state is state)
