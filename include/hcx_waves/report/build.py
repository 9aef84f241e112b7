"""From the results of a run's steps to its report. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hcx_waves.migration.verify import facts_before
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome, wave_outcome
from hcx_waves.report.comparison import comparisons
from hcx_waves.report.model import Clock, Deviation, Event, SegmentSteps, VmRow, WaveReport, WaveSteps, row_of

RUN_BEGUN = "run begun"
REPORT_WRITTEN = "report written"


def build_report(steps: WaveSteps, wave: str) -> WaveReport:
    """Return the report of a run, however far it came.

    :param wave: its name, which is known even if it could not be resolved.
    """
    vms = tuple(_rows(steps))
    segments = tuple(_segments(steps))
    plan = steps.plan
    outcome = steps.ended_as or _outcome(steps, vms, segments)
    return WaveReport(
        wave=wave,
        run_id=steps.run_id,
        rehearsal=steps.rehearsal,
        outcome=outcome,
        plan_digest=None if plan is None else plan.digest(),
        wave_hash=None if plan is None else plan.wave_hash,
        begun_at=steps.begun_at,
        ended_at=steps.ended_at,
        switchover_window=None if plan is None else plan.clock.switchover,
        reasons=steps.reasons,
        approvals=steps.approvals,
        assessments=steps.assessments,
        vms=vms,
        segments=segments,
        deviations=tuple(_deviations(plan, vms, segments, timed=not steps.virtual_sites)) if plan is not None else (),
        forecast=steps.forecast,
        comparisons=()
        if steps.forecast is None or steps.virtual_sites
        else tuple(comparisons(steps.forecast, vms, segments)),
        timeline=_in_order(_timeline(steps, vms, segments), apart=steps.virtual_sites),
        errors=steps.errors,
        notes=steps.notes,
        virtual_sites=steps.virtual_sites,
    )


def _outcome(steps: WaveSteps, vms: tuple[VmRow, ...], segments: tuple[SegmentSteps, ...]) -> WaveOutcome:
    """Judge by what became of everything; a run that never had a plan was kept from starting."""
    if steps.plan is None:
        return WaveOutcome.BLOCKED
    return wave_outcome([vm.outcome for vm in vms], [one.outcome for one in segments])


def _rows(steps: WaveSteps) -> Iterator[VmRow]:
    plan = steps.plan
    if plan is None:
        return
    proofs = {proof.name: proof for proof in steps.proofs}
    statuses = {vm.name: vm for vm in (steps.status.vms if steps.status is not None else ())}
    courses = {one.name: one for one in steps.courses}
    for vm in plan.vms:
        row = row_of(plan, vm.name, proofs.get(vm.name), statuses.get(vm.name), facts_before(vm))
        row = row.model_copy(update={"course": courses.get(vm.name)})
        yield row.model_copy(update={"outcome": VmOutcome.LEFT_OUT}) if vm.name in steps.left_out else row


def _segments(steps: WaveSteps) -> Iterator[SegmentSteps]:
    """Return the segments of the plan in its order; those that are not cut stay stretched."""
    given = {one.segment: one for one in steps.segments}
    if steps.plan is None:
        yield from steps.segments
        return
    for planned in steps.plan.segments:
        untouched = SegmentOutcome.PLANNED if planned.cutover is CutoverPolicy.NOW else SegmentOutcome.STRETCHED
        yield given.get(planned.name) or SegmentSteps(segment=planned.name, outcome=untouched)


def _deviations(
    plan: WavePlan, vms: tuple[VmRow, ...], segments: tuple[SegmentSteps, ...], *, timed: bool
) -> Iterator[Deviation]:
    """Compare with the plan; HCX's instants with its windows only if both are by one clock."""
    for vm in vms:
        if not vm.outcome.is_as_planned:
            yield Deviation(subject=vm.name, planned=VmOutcome.MIGRATED.value, actual=vm.outcome.value)
        window = plan.clock.switchover
        if timed and window is not None and vm.ended_at is not None and vm.ended_at > window.closes:
            yield Deviation(subject=vm.name, planned=f"moved by {window.closes:%Y-%m-%d %H:%M} UTC",
                            actual=f"moved at {vm.ended_at:%Y-%m-%d %H:%M} UTC")  # fmt: skip
    windows = {entry.segment: entry.window for entry in plan.clock.cutovers}
    for one in segments:
        planned = plan.segment(one.segment)
        wanted = SegmentOutcome.CUT_OVER if planned.cutover is CutoverPolicy.NOW else SegmentOutcome.STRETCHED
        if one.outcome is not wanted:
            yield Deviation(subject=one.segment, planned=wanted.value, actual=one.outcome.value)
        yield from _late(one, windows.get(one.segment))


def _late(one: SegmentSteps, window: TimeWindow | None) -> Iterator[Deviation]:
    if window is None or one.disconnect is None or one.disconnect.sent_at is None:
        return
    if not window.contains(one.disconnect.sent_at):
        yield Deviation(
            subject=one.segment,
            planned=f"cut between {window.opens:%Y-%m-%d %H:%M} and {window.closes:%H:%M} UTC",
            actual=f"cut at {one.disconnect.sent_at:%Y-%m-%d %H:%M} UTC",
        )


def _timeline(steps: WaveSteps, vms: tuple[VmRow, ...], segments: tuple[SegmentSteps, ...]) -> Iterator[Event]:
    if steps.begun_at is not None:
        yield Event(at=steps.begun_at, what=RUN_BEGUN)
    for approval in steps.approvals:
        if approval.at is not None:
            yield Event(at=approval.at, what=f"{approval.gate}: {approval.decision}", subject=approval.by or "nobody")
    for vm in vms:
        if vm.begun_at is not None:
            yield Event(at=vm.begun_at, what="migration begun", subject=vm.name, clock=Clock.HCX)
        if vm.ended_at is not None:
            what = f"migration ended: {vm.outcome.value}"
            yield Event(at=vm.ended_at, what=what, subject=vm.name, clock=Clock.HCX)
    for one in segments:
        yield from _segment_events(one)
    yield Event(at=steps.ended_at, what=REPORT_WRITTEN)


def _in_order(events: Iterable[Event], *, apart: bool) -> tuple[Event, ...]:
    """Sort by time; clocks that cannot be compared one after the other, the run's first."""
    order = list(Clock)
    return tuple(sorted(events, key=lambda event: (order.index(event.clock) if apart else 0, event.at)))


def _segment_events(one: SegmentSteps) -> Iterator[Event]:
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
