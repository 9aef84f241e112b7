"""Build the record of a rehearsed night from its report and what its twin knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from pydantic import AwareDatetime, Field, JsonValue

from hcx_waves.migration.status import VmStatus
from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.names import WaveName
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.model import (
    RehearsalRecord,
    RehearsedGate,
    RehearsedSegment,
    RehearsedVm,
    SnapshotRef,
    Timeline,
    TimelineEvent,
    findings_of,
)
from hcx_waves.rehearsals.truth import TwinTruth, VmTruth
from hcx_waves.rehearsals.verdict import verdict_of
from hcx_waves.report.comparison import SERIAL
from hcx_waves.report.model import SegmentRow, WaveReport
from hcx_waves.report.timeline import REPORT_WRITTEN, RUN_BEGUN
from hcx_waves.run.decisions import Approval
from hcx_waves.run.results import RunResults

_OF_THE_RUN = frozenset({RUN_BEGUN, REPORT_WRITTEN})
"""Events of the orchestrator, not of the night."""


class Night(DomainModel):
    """Which night was rehearsed, and how."""

    wave: WaveName
    night: date
    time_zone: str
    seed: int
    starts_at: AwareDatetime
    snapshot: SnapshotRef | None = None
    faults: tuple[str, ...] = ()
    params: dict[str, JsonValue] = Field(default_factory=dict)
    reactions: dict[str, float] = Field(default_factory=dict)
    """By task id of a gate: how long the rehearsal approver took, in seconds."""
    forecast: Expectation | None = None
    recorded_at: AwareDatetime | None = None
    """In real time."""


def build_record(night: Night, results: RunResults, report: WaveReport, truth: TwinTruth) -> RehearsalRecord:
    """Return the record of a rehearsed night, however far it came.

    :param results: what the run's tasks have left.
    :param report: made from them by :func:`hcx_waves.report.build.build_report`.
    :param truth: what the twin knows, see :func:`hcx_waves.rehearsals.truth.truth_of`; may be empty.
    """
    vms = tuple(_vms(results, report, truth))
    segments = tuple(_segments(results.plan, report.segments, truth))
    clock = None if results.plan is None else results.plan.clock
    record = RehearsalRecord(
        wave=night.wave,
        night=night.night,
        time_zone=night.time_zone,
        seed=night.seed,
        snapshot=night.snapshot,
        faults=night.faults,
        params=night.params,
        outcome=report.outcome,
        verdict="",
        starts_at=night.starts_at,
        switchover_window=None if clock is None else clock.switchover,
        closes_at=None if clock is None else clock.last_instant,
        plan_digest=report.plan_digest,
        wave_hash=report.wave_hash,
        vms=vms,
        segments=segments,
        gates=tuple(_gates(night, report)),
        findings=findings_of(report.assessments),
        transfer_ended_at=_last(vm.transfer_ended_at for vm in vms),
        switchover_queue_seconds=_queue(vms),
        cutover_began_at=_first(one.cutover_began_at for one in segments),
        ended_at=_ended_at(report, vms, segments),
        forecast=night.forecast,
        reasons=report.reasons,
        errors=tuple(_sentence(error) for error in report.errors),
        notes=report.notes,
        run_id=report.run_id,
        recorded_at=night.recorded_at,
    )
    return record.model_copy(update={"verdict": verdict_of(record)})


def build_timeline(
    night: Night, report: WaveReport, truth: TwinTruth, history: Sequence[TimelineEvent] = ()
) -> Timeline:
    """Return all that happened on that night: the same whenever it is rehearsed again.

    :param history: the twin's own, see :func:`hcx_waves.rehearsals.truth.twin_events`; without it the phases of the
        VMs' migrations stand in for it.
    """
    phases = [
        TimelineEvent(at=at, what="phase", subject=name, detail={"phase": phase})
        for name, vm in (() if history else truth.vms.items())
        for at, phase in vm.phases
    ]
    told = [
        TimelineEvent(at=one.at, what=one.what, subject=one.subject)
        for one in report.timeline
        if one.what not in _OF_THE_RUN
    ]
    outages: list[TimelineEvent] = [
        TimelineEvent(
            at=one.outage.ended_before or one.outage.began_before,
            what="outage",
            subject=one.segment,
            detail={
                "lower_seconds": one.outage.lower_seconds,
                "upper_seconds": one.outage.upper_seconds,
            },
        )
        for one in report.segments
        if one.outage is not None
    ]
    return Timeline(
        wave=night.wave,
        night=night.night,
        time_zone=night.time_zone,
        seed=night.seed,
        snapshot_id=None if night.snapshot is None else night.snapshot.snapshot_id,
        faults=night.faults,
        starts_at=night.starts_at,
        events=(*phases, *told, *outages, *history),
    )


def _vms(results: RunResults, report: WaveReport, truth: TwinTruth) -> Iterator[RehearsedVm]:
    statuses = {vm.name: vm for vm in (results.status.vms if results.status is not None else ())}
    for row in report.vms:
        planned = None if results.plan is None else results.plan.vm(row.name)
        known = truth.vms.get(row.name, VmTruth())
        status: VmStatus | None = statuses.get(row.name)
        mesh = known.service_mesh_id or (None if status is None else status.service_mesh_id)
        yield RehearsedVm(
            name=row.name,
            outcome=row.outcome,
            migration=row.migration,
            disk_bytes=None if planned is None else planned.disk_bytes,
            service_mesh_id=mesh or (None if planned is None else planned.service_mesh_id),
            transfer_ended_at=known.transfer_ended_at,
            switchover_began_at=known.switchover_began_at,
            switchover_ended_at=known.switchover_ended_at or row.ended_at,
            stun_seconds=known.stun_seconds,
            reasons=(*row.reasons, *row.outstanding),
        )


def _segments(plan: WavePlan | None, segments: tuple[SegmentRow, ...], truth: TwinTruth) -> Iterator[RehearsedSegment]:
    for one in segments:
        network = one.segment if plan is None else plan.segment(one.segment).source.name
        windows = {} if plan is None else {entry.segment: entry.window for entry in plan.clock.cutovers}
        outage = one.outage
        yield RehearsedSegment(
            segment=one.segment,
            outcome=one.outcome,
            cutover_window=windows.get(one.segment),
            cutover_began_at=None if outage is None else outage.began_after,
            ended_at=None if outage is None else outage.ended_before,
            outage=outage,
            outage_seconds=truth.outages.get(network),
            reasons=one.reasons,
        )


def _gates(night: Night, report: WaveReport) -> Iterator[RehearsedGate]:
    for one in report.approvals:
        yield RehearsedGate(
            gate=one.gate,
            decision=one.decision,
            by=one.by,
            at=one.at,
            reaction_seconds=_reaction(night, one),
        )


def _reaction(night: Night, approval: Approval) -> float | None:
    """Return how long the approver took: by the clock, else as it was drawn."""
    if approval.at is not None and approval.asked_at is not None:
        return (approval.at - approval.asked_at).total_seconds()
    return night.reactions.get(approval.gate)


def _queue(vms: Iterable[RehearsedVm]) -> float | None:
    listed = [vm for vm in vms if vm.migration in SERIAL]
    first = _first(vm.switchover_began_at for vm in listed)
    last = _last(vm.switchover_ended_at for vm in listed if vm.switchover_began_at is not None)
    return None if first is None or last is None else (last - first).total_seconds()


def _ended_at(
    report: WaveReport, vms: tuple[RehearsedVm, ...], segments: tuple[RehearsedSegment, ...]
) -> datetime | None:
    """Return when the last of all was through; None if the run left something that is not."""
    if report.outcome in (WaveOutcome.BLOCKED, WaveOutcome.DRIFTED) or not vms:
        return None
    if any(not vm.outcome.is_final for vm in vms):
        return None
    if any(one.outcome.is_outage for one in segments):
        return None
    return _last([*(vm.switchover_ended_at for vm in vms), *(one.ended_at for one in segments)])


def _first(instants: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)


def _last(instants: Iterable[datetime | None]) -> datetime | None:
    return max((one for one in instants if one is not None), default=None)


def _sentence(error: dict[str, JsonValue]) -> str:
    return f"{error.get('type')}: {error.get('message')}"
