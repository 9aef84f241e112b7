"""Build the report of a run from the results of its tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hcx_waves.migration.course import VmCourse, joined
from hcx_waves.migration.status import VmStatus
from hcx_waves.migration.verify import VmProof, facts_before
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.formatting import instant, period
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import Labelled, SegmentOutcome, VmOutcome
from hcx_waves.report.comparison import comparisons
from hcx_waves.report.model import Clock, Deviation, Event, SegmentRow, VmRow, WaveReport
from hcx_waves.run.results import RunEnding, RunResults, SegmentResults

RUN_BEGUN = "run started"
REPORT_WRITTEN = "report written"
_DECISIONS = {"approve": "approved", "reject": "rejected"}


def build_report(results: RunResults, ending: RunEnding) -> WaveReport:
    """Return the report of a run, however far it came.

    :param ending: as :func:`hcx_waves.run.ending.judge` returns it.
    """
    plan, apart = results.plan, results.virtual_sites
    vms = () if plan is None else tuple(_vm_rows(plan, results, ending))
    segments = tuple(_segment_row(one, ending) for one in results.segments)
    error = None if results.awaited is None else results.awaited.error
    compared = results.forecast is not None and not apart
    return WaveReport(
        wave=results.wave,
        run_id=results.run_id,
        rehearsal=results.rehearsal,
        outcome=ending.outcome,
        plan_digest=None if plan is None else plan.digest(),
        wave_hash=None if plan is None else plan.wave_hash,
        begun_at=results.begun_at,
        ended_at=results.ended_at,
        switchover_window=None if plan is None else plan.clock.switchover,
        reasons=ending.causes,
        approvals=results.gates,
        assessments=results.assessments,
        vms=vms,
        segments=segments,
        deviations=() if plan is None else tuple(_deviations(plan, vms, segments, timed=not apart)),
        forecast=results.forecast,
        comparisons=tuple(comparisons(results.forecast, vms, segments)) if results.forecast and compared else (),
        timeline=_in_order(_timeline(results, vms, segments), apart=apart),
        errors=() if not error else (error,),
        notes=(*ending.notes, *results.notes),
        virtual_sites=apart,
    )


def _vm_rows(plan: WavePlan, results: RunResults, ending: RunEnding) -> Iterator[VmRow]:
    proofs = {one.name: one for one in (results.verified.proofs if results.verified is not None else ())}
    statuses = {vm.name: vm for vm in (results.status.vms if results.status is not None else ())}
    courses = {one.name: one for one in joined(_courses(results))}
    for vm in plan.vms:
        outcome = ending.vms.get(vm.name, VmOutcome.PLANNED)
        row = _vm_row(vm, outcome, proofs.get(vm.name), statuses.get(vm.name))
        yield row.model_copy(update={"course": courses.get(vm.name)})


def _courses(results: RunResults) -> Iterator[tuple[VmCourse, ...]]:
    for wait in (results.seeded, results.awaited):
        if wait is not None:
            yield wait.courses


def _vm_row(planned: PlannedVm, outcome: VmOutcome, proof: VmProof | None, status: VmStatus | None) -> VmRow:
    """Return a VM's row from what is known of it: its proof, else what HCX said last, else the plan alone."""
    said = (status.message,) if status is not None and status.message and status.outcome.blocks_segments else ()
    return VmRow(
        name=planned.name,
        outcome=outcome,
        migration=planned.migration.value,
        before=proof.before if proof is not None else facts_before(planned),
        after=None if proof is None else proof.after,
        retired_copy=None if proof is None else proof.retired_copy,
        begun_at=None if status is None else status.started_at,
        ended_at=None if status is None else status.ended_at,
        disk_bytes=planned.disk_bytes,
        service_mesh_id=planned.service_mesh_id if status is None else status.service_mesh_id,
        reasons=proof.reasons if proof is not None else said,
        outstanding=() if proof is None else proof.outstanding,
    )


def _segment_row(left: SegmentResults, ending: RunEnding) -> SegmentRow:
    reasons = [kind.get(left.segment) for kind in (ending.blocked_segments, ending.open_steps)]
    return SegmentRow(
        segment=left.segment,
        outcome=ending.segments.get(left.segment, SegmentOutcome.PLANNED),
        proof=left.proof,
        disconnect=left.disconnect,
        removal=left.removal,
        routed=left.routed,
        reconnect=left.reconnect if left.reconnect is not None and left.reconnect.acted else None,
        outage=left.outage,
        deletion=left.deletion,
        renaming=left.renaming,
        reasons=tuple(reason for reason in reasons if reason),
    )


def _deviations(
    plan: WavePlan, vms: tuple[VmRow, ...], segments: tuple[SegmentRow, ...], *, timed: bool
) -> Iterator[Deviation]:
    """Compare with the plan; HCX's instants are compared with the windows only if one clock gives both."""
    for vm in vms:
        if not vm.outcome.is_as_planned:
            yield _deviation(vm.name, VmOutcome.MIGRATED, vm.outcome)
        window = plan.clock.switchover
        if timed and window is not None and vm.ended_at is not None and vm.ended_at > window.closes:
            planned, actual = f"migrated by {instant(window.closes)}", f"migrated at {instant(vm.ended_at)}"
            yield Deviation(subject=vm.name, planned=planned, actual=actual)
    windows = {entry.segment: entry.window for entry in plan.clock.cutovers}
    for one in segments:
        cut = plan.segment(one.segment).cutover is CutoverPolicy.NOW
        wanted = SegmentOutcome.CUT_OVER if cut else SegmentOutcome.STRETCHED
        if one.outcome is not wanted:
            yield _deviation(one.segment, wanted, one.outcome)
        yield from _late(one, windows.get(one.segment))


def _deviation(subject: str, planned: Labelled, actual: Labelled) -> Deviation:
    return Deviation(subject=subject, planned=planned.label.lower(), actual=actual.label.lower())


def _late(one: SegmentRow, window: TimeWindow | None) -> Iterator[Deviation]:
    if window is None or one.disconnect is None or one.disconnect.sent_at is None:
        return
    if not window.contains(one.disconnect.sent_at):
        yield Deviation(
            subject=one.segment,
            planned=f"disconnected in the window {period(window.opens, window.closes)}",
            actual=f"disconnected at {instant(one.disconnect.sent_at)}",
        )


def _timeline(results: RunResults, vms: tuple[VmRow, ...], segments: tuple[SegmentRow, ...]) -> Iterator[Event]:
    if results.begun_at is not None:
        yield Event(at=results.begun_at, what=RUN_BEGUN)
    for approval in results.gates:
        if approval.at is not None:
            decision = _DECISIONS.get(approval.decision, approval.decision)
            yield Event(at=approval.at, what=f"{approval.gate}: {decision}", subject=approval.by or "")
    # HCX's clock, and HCX's words: the run may judge otherwise.
    said = {} if results.status is None else {vm.name: vm.outcome for vm in results.status.vms}
    for vm in vms:
        if vm.begun_at is not None:
            yield Event(at=vm.begun_at, what="migration started", subject=vm.name, clock=Clock.HCX)
        if vm.ended_at is not None:
            what = f"migration ended: {said[vm.name].label.lower()}" if vm.name in said else "migration ended"
            yield Event(at=vm.ended_at, what=what, subject=vm.name, clock=Clock.HCX)
    for one in segments:
        yield from _segment_events(one)
    for entry in results.rescues:
        if entry.is_event:
            yield Event(at=entry.at, what=entry.what, subject=entry.subject)
    yield Event(at=results.ended_at, what=REPORT_WRITTEN)


def _in_order(events: Iterable[Event], *, apart: bool) -> tuple[Event, ...]:
    """Sort by time; clocks that cannot be compared one after the other, the run's first."""
    order = list(Clock)
    return tuple(sorted(events, key=lambda event: (order.index(event.clock) if apart else 0, event.at)))


def _segment_events(one: SegmentRow) -> Iterator[Event]:
    if one.proof is not None:
        yield Event(at=one.proof.at, what="proven empty at the source", subject=one.segment)
    if one.disconnect is not None and one.disconnect.seen_at is not None:
        yield Event(at=one.disconnect.seen_at, what="source gateway off", subject=one.segment)
    if one.removal is not None:
        yield Event(at=one.removal.accepted_at, what="unextend accepted", subject=one.segment)
    if one.routed is not None:
        yield Event(at=one.routed.at, what="routed at the destination", subject=one.segment)
    if one.reconnect is not None and one.reconnect.seen_at is not None:
        yield Event(at=one.reconnect.seen_at, what="source gateway on again", subject=one.segment)
