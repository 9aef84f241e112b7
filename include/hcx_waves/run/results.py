"""What the tasks of a run leave behind: one model for each, and all of them together.

They are stored with runs, and a run may have been made by an older release: fields are added, never renamed, and
unknown ones are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from hcx_waves.cutover.cleanup import Deletion, Renaming
from hcx_waves.cutover.emptiness import EmptyProof
from hcx_waves.cutover.extension import Removal, UnextendStatus
from hcx_waves.cutover.gateway import DisconnectResult, GatewayChange, SegmentLook, Situation
from hcx_waves.cutover.outage import OutageBounds
from hcx_waves.cutover.routing import RoutedProof
from hcx_waves.migration.cancel import CancelReport
from hcx_waves.migration.course import VmCourse
from hcx_waves.migration.start import StartedWave
from hcx_waves.migration.status import WaveStatus
from hcx_waves.migration.verify import VmProof
from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import Expectation, ExpectedVm
from hcx_waves.model.findings import Assessments
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.stall_limits import StallLimits
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.run.decisions import GateAnswer
from hcx_waves.run.failures import Failure, StepFailure
from hcx_waves.run.rescues import RescueEntry
from hcx_waves.run.scope import Scope
from hcx_waves.run.stalls import Stall, in_order

_STORED = ConfigDict(extra="ignore")
Model = TypeVar("Model", bound=DomainModel)


def _known_fields(model: type[DomainModel]) -> BeforeValidator:
    """Pass over members of a stored object that its model does not know."""

    def known(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: member for name, member in value.items() if name in model.model_fields}

    return BeforeValidator(known)


def _short(items: tuple[DomainModel, ...]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json", exclude_defaults=True) for one in items]


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Pass over an estimate that another release has left: a missing one fails no wait."""
    try:
        return read(value)
    except ValidationError:
        return ()


# There may be thousands of these in one result; defaults are left out.
Courses = Annotated[tuple[VmCourse, ...], PlainSerializer(_short)]
ExpectedVms = Annotated[tuple[ExpectedVm, ...], WrapValidator(_or_none), PlainSerializer(_short)]
StoredProof = Annotated[VmProof, _known_fields(VmProof)]


class StartedMigrations(StartedWave):
    """``start_migrations``: what was started, and how the sensors ask about it."""

    model_config = _STORED

    at: AwareDatetime | None = None
    """When HCX had taken it."""
    approved_by: str = ""

    held: bool = False
    """Whether switchovers are held back until they are released."""
    hcx_conn_id: str = ""
    """The Airflow connection to ask by."""
    poll_seconds: float = 10.0
    deadline: AwareDatetime
    """The instant at which waiting ends."""
    expected_vms: ExpectedVms = ()
    """What the forecast expects of each VM."""
    switchover_order: tuple[str, ...] = ()
    """VMs that are released one by one, before all others."""
    stall_limits: StallLimits = StallLimits()
    hcx_version: str = ""
    """What the manager said of its version at the start; empty if that was not read."""


class StartedIds(DomainModel):
    """``start_migrations``, before anything waits: the ids to cancel by."""

    model_config = _STORED

    group_id: str
    migration_ids: dict[str, str]
    """By VM name."""
    at: AwareDatetime | None = None
    approved_by: str = ""


class Ended(StrEnum):
    """Why a wait ended. Stored in runs: add, never rename."""

    TERMINAL = "terminal"
    """There is nothing more to wait for."""
    STUCK = "stuck"
    """Nothing moves any more; a person has to act."""
    DEADLINE = "deadline"
    """The deadline has passed."""
    ERROR = "error"
    """The other side cannot be asked; ``error`` says why."""
    NOTHING = "nothing"
    """There was nothing to wait for."""
    STALLED = "stalled"
    """What is waited for stands, and is past its limit; a person has to decide."""


class WaitResult(DomainModel):
    """What a sensor leaves: why the wait ended."""

    model_config = _STORED

    ended: Ended
    error: dict[str, JsonValue] | None = None
    """What ended the wait, as ``ClientError.to_dict`` writes it."""
    notes: tuple[str, ...] = ()
    polls: int = 0
    at: AwareDatetime
    stalls: tuple[Stall, ...] = ()
    """What was seen to stand, in the order in which it began; open ones were so at the last look."""

    @property
    def past_limit(self) -> tuple[Stall, ...]:
        """The stalls about which a person has to decide."""
        return tuple(one for one in self.stalls if one.is_past_limit)


class MigrationsWait(WaitResult):
    """``await_seeded`` and ``await_migrations``: what HCX said last."""

    status: WaveStatus | None = None
    courses: Courses = ()
    """When each VM was seen in which phase."""


class UnextendWait(WaitResult):
    """``await_unextended``: how the unextend ended, and when the destination's gateway was seen to come up."""

    status: UnextendStatus | None = None
    routed_not_last: AwareDatetime | None = None
    """When the last look that showed no gateway began."""
    routed_first: AwareDatetime | None = None
    """When the look that showed it on was answered."""


class Evaluation(DomainModel):
    """``evaluate_migrations``: who has arrived, who has not, and which segments that blocks."""

    model_config = _STORED

    outcomes: dict[str, VmOutcome]
    """By VM name, in the plan's order."""
    messages: dict[str, str] = Field(default_factory=dict)
    """What HCX or we say about a VM, by name, as far as there is anything to say."""
    blocked_segments: dict[str, str] = Field(default_factory=dict)
    """Why a segment keeps its gateway at the source, by name."""
    notes: tuple[str, ...] = ()
    fatal: str = ""
    """Why nothing can go on; empty if something can."""

    @model_validator(mode="before")
    @classmethod
    def _of_older_releases(cls, data: Any) -> Any:
        """Read what release 0.1 has left: a list of VMs."""
        if not isinstance(data, Mapping) or "outcomes" in data or not isinstance(data.get("vms"), list):
            return data
        named = [vm for vm in data["vms"] if isinstance(vm, Mapping) and "name" in vm]
        messages = {vm["name"]: vm.get("message") for vm in named if vm.get("message")}
        return {**data, "outcomes": {vm["name"]: vm.get("outcome") for vm in named}, "messages": messages}

    @property
    def left_out(self) -> tuple[str, ...]:
        """The VMs that the run was told to leave where they are."""
        return tuple(name for name, outcome in self.outcomes.items() if outcome is VmOutcome.LEFT_OUT)


class Verification(DomainModel):
    """``verify_virtual_machines``: the proof of each VM, and which segments are blocked by now."""

    model_config = _STORED

    proofs: tuple[StoredProof, ...] = ()
    blocked_segments: dict[str, str] = Field(default_factory=dict)
    at: AwareDatetime | None = None
    """When the look at both vCenters began."""

    @property
    def may_settle(self) -> bool:
        """Whether looking again may complete a proof."""
        return any(proof.may_settle for proof in self.proofs)


class Released(DomainModel):
    """``release_switchovers``: the VMs that were let go."""

    released: tuple[str, ...] = ()
    at: AwareDatetime | None = None
    approved_by: str = ""


class UnextendStarted(Removal):
    """``unextend_network``: what HCX was asked for, and how the sensor asks about it."""

    model_config = _STORED

    hcx_conn_id: str
    nsx_conn_id: str
    destination_segment_path: str
    poll_seconds: float
    deadline: AwareDatetime
    stall_limits: StallLimits = StallLimits()


class RoutedResult(RoutedProof):
    """``verify_destination_routed``: the proof, and the measured outage."""

    model_config = _STORED

    outage: OutageBounds | None = None


class ReconnectResult(GatewayChange):
    """``reconnect_source_segment``: how the segment was found, and what was done about it."""

    model_config = _STORED

    acted: bool = False
    """Whether the source gateway was off and is on again."""
    situation: Situation | None = None
    """How the segment was found; None if nobody had to look."""
    open: str = ""
    """What a person has to do now; empty if nothing."""
    outage: OutageBounds | None = None
    look: SegmentLook | None = None
    """What was read before anything was done; None if nobody had to look."""
    decided_by: str = ""
    """The user who decided to go back; empty if the run did it by itself."""


class ShownForecast(DomainModel):
    """A forecast without its VMs, and what it is about."""

    about: dict[str, JsonValue]
    expectation: Expectation


class TakenSnapshot(DomainModel):
    """``take_snapshot``: which inventory is rehearsed on, and where it is kept."""

    path: str
    origin: str
    """``live``, ``kept`` or ``file``."""
    snapshot_id: str
    taken_at: AwareDatetime | None = None


class OpenedTwin(DomainModel):
    """``open_twin``: how the night is rehearsed."""

    model_config = _STORED

    world_id: str
    opening: int
    """Which try made the world; what tasks remember of it is of that world alone."""
    night: date
    starts_at: AwareDatetime
    seed: int
    faults: tuple[str, ...] = ()
    snapshot_id: str
    taken_at: AwareDatetime | None = None
    reactions: dict[str, float | None] = Field(default_factory=dict)
    """By a gate's task id: how long the rehearsal approver takes; None where nobody answers."""
    params: dict[str, JsonValue] = Field(default_factory=dict)


class RunEnding(DomainModel):
    """``conclude_wave``: how every VM, every segment and the run has ended."""

    model_config = _STORED

    wave: str
    outcome: WaveOutcome
    vms: dict[str, VmOutcome] = Field(default_factory=dict)
    segments: dict[str, SegmentOutcome] = Field(default_factory=dict)
    blocked_segments: dict[str, str] = Field(default_factory=dict)
    open_steps: dict[str, str] = Field(default_factory=dict)
    """By segment: what a person has to do now."""
    causes: tuple[str, ...] = ()
    """Why it has not ended as planned."""
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    """What went wrong with VMs, segments and steps, with the products' own words and what to do next."""


class SegmentResults(DomainModel):
    """What the steps of one segment left, as far as they ran."""

    segment: str
    proof: EmptyProof | None = None
    snapshot: dict[str, JsonValue] | None = None
    """What it takes to restore the source gateway; kept before it was switched off."""
    disconnect: DisconnectResult | None = None
    removal: Removal | None = None
    routed: RoutedResult | None = None
    reconnect: ReconnectResult | None = None
    not_due: str | None = None
    """Why a cleanup leaves it alone."""
    deletion: Deletion | None = None
    renaming: Renaming | None = None
    unreadable: bool = False
    """Whether a step of its cutover has left something that cannot be read."""
    acting_since: AwareDatetime | None = None
    """The last instant at which the gateway was certainly on, as kept right before it was switched off."""
    awaited: UnextendWait | None = None
    failures: tuple[StepFailure, ...] = ()
    """The steps that have failed, in their order."""

    @property
    def outage(self) -> OutageBounds | None:
        """How long it had no gateway, as the step that ended it has measured; None if that is not known."""
        if self.routed is not None:
            return self.routed.outage
        return None if self.reconnect is None else self.reconnect.outage


class RunResults(DomainModel):
    """Everything that the tasks of a run have left; what did not run is None or empty."""

    wave: str
    run_id: str
    rehearsal: bool = False
    is_cleanup: bool = False
    plan: WavePlan | None = None
    plan_missing: str = ""
    """Why there is no plan."""
    plan_unreadable: bool = False
    """Whether there was one, which cannot be read any more, so that the run may have changed something."""
    scope: Scope = Scope()
    """What of the plan the run does."""
    assessments: Assessments | None = None
    forecast: Expectation | None = None
    """What was shown before it was approved."""
    gates: tuple[GateAnswer, ...] = ()
    started: StartedMigrations | None = None
    started_ids: StartedIds | None = None
    """What was started, if ``start_migrations`` has got no further."""
    seeded: MigrationsWait | None = None
    awaited: MigrationsWait | None = None
    evaluated: Evaluation | None = None
    verified: Verification | None = None
    segments: tuple[SegmentResults, ...] = ()
    """One for each segment of the plan, in its order."""
    released: Released | None = None
    cancelled: CancelReport | None = None
    failures: tuple[StepFailure, ...] = ()
    """The steps outside of segments that have failed, in their order."""
    drift: str | None = None
    """What has changed since the plan was made or approved."""
    begun_at: AwareDatetime | None = None
    ended_at: AwareDatetime
    """When these results were read."""
    rescues: tuple[RescueEntry, ...] = ()
    """What was done about the run without Airflow."""
    virtual_sites: bool = False
    """Whether the sites are simulated and keep a virtual time of their own, while the run goes by wall time."""
    notes: tuple[str, ...] = ()
    """What could not be read."""

    @property
    def status(self) -> WaveStatus | None:
        """What HCX said last about the migrations."""
        return None if self.awaited is None else self.awaited.status

    @property
    def stalls(self) -> tuple[Stall, ...]:
        """What was seen to stand, in the order in which it began."""
        waits = (self.seeded, self.awaited, *(one.awaited for one in self.segments))
        return in_order(*(wait.stalls for wait in waits if wait is not None))

    @property
    def blocked_segments(self) -> dict[str, str]:
        """Why segments keep their gateway at the source, by name."""
        evaluated = {} if self.evaluated is None else self.evaluated.blocked_segments
        return {**evaluated, **({} if self.verified is None else self.verified.blocked_segments)}
