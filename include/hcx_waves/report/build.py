"""Build the report of a run from the results of its tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from hcx_waves.migration.course import VmCourse, joined
from hcx_waves.migration.status import VmStatus
from hcx_waves.migration.verify import VmProof, facts_before
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.formatting import instant, period
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import Labelled, SegmentOutcome, VmOutcome
from hcx_waves.report.comparison import comparisons
from hcx_waves.report.model import Deviation, SegmentRow, VmRow, WaveReport
from hcx_waves.report.timeline import timeline
from hcx_waves.run.observed import seen_gateways, seen_outage, seen_sites
from hcx_waves.run.results import RunEnding, RunResults, SegmentResults


def build_report(results: RunResults, ending: RunEnding) -> WaveReport:
    """Return the report of a run, however far it came.

    :param ending: as :func:`hcx_waves.run.ending.judge` returns it.
    """
    plan, apart = results.plan, results.virtual_sites
    vms = () if plan is None else tuple(_vm_rows(plan, results, ending))
    segments = tuple(_segment_row(one, results, ending) for one in results.segments)
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
        reasons=tuple(_reasons(ending)),
        approvals=results.gates,
        assessments=results.assessments,
        vms=vms,
        segments=segments,
        deviations=() if plan is None else tuple(_deviations(plan, vms, segments, timed=not apart)),
        forecast=results.forecast,
        comparisons=tuple(comparisons(results.forecast, vms, segments)) if results.forecast and compared else (),
        timeline=timeline(results, vms),
        errors=tuple(_errors(results)),
        failures=ending.failures,
        stalls=results.stalls,
        notes=(*ending.notes, *results.notes),
        is_cleanup=results.is_cleanup,
        changed_nothing=_changed_nothing(results),
        virtual_sites=apart,
    )


def _reasons(ending: RunEnding) -> Iterator[str]:
    """Yield why the run has not ended as planned: what was decided and found, then what went wrong."""
    yield from dict.fromkeys((*ending.causes, *(one.short for one in ending.failures)))


def _errors(results: RunResults) -> Iterator[dict[str, JsonValue]]:
    """Yield each error once: one that ended a wait is raised again by the step after it."""
    waits = (results.seeded, results.awaited, *(one.awaited for one in results.segments))
    found = [wait.error for wait in waits if wait is not None and wait.error]
    steps = [*results.failures, *(failed for one in results.segments for failed in one.failures)]
    known = set()
    for error in (*found, *(one.error for one in steps)):
        key = (str(error.get("type")), str(error.get("message")))
        if key not in known:
            known.add(key)
            yield error


def _changed_nothing(results: RunResults) -> bool:
    """Whether no step that changes something has left a trace, and none can have left one that cannot be read."""
    if results.notes or (results.plan is None and results.plan_unreadable):
        return False
    traces = [left for one in results.segments for left in (one.snapshot, one.removal, one.deletion, one.renaming)]
    by_hand = any(one.starts_outage and one.was_asked for one in results.gates)
    begun = results.started or results.started_ids or results.cancelled
    return not begun and not by_hand and all(left is None for left in traces)


def _vm_rows(plan: WavePlan, results: RunResults, ending: RunEnding) -> Iterator[VmRow]:
    proofs = {one.name: one for one in (results.verified.proofs if results.verified is not None else ())}
    statuses = {vm.name: vm for vm in (results.status.vms if results.status is not None else ())}
    courses = {one.name: one for one in joined(_courses(results))}
    seen = seen_sites(plan, results)
    for vm in plan.vms:
        outcome = ending.vms.get(vm.name, VmOutcome.PLANNED)
        row = _vm_row(vm, outcome, proofs.get(vm.name), statuses.get(vm.name))
        yield row.model_copy(update={"course": courses.get(vm.name), "seen_site": seen[vm.name]})


def _courses(results: RunResults) -> Iterator[tuple[VmCourse, ...]]:
    for wait in (results.seeded, results.awaited):
        if wait is not None:
            yield wait.courses


def _vm_row(planned: PlannedVm, outcome: VmOutcome, proof: VmProof | None, status: VmStatus | None) -> VmRow:
    """Return a VM's row from what is known of it: its proof, else what HCX said last, else the plan alone."""
    said = (status.message,) if status is not None and status.message and status.outcome.blocks_segments else ()
    if status is not None and status.outcome is VmOutcome.MIGRATED:
        said = ("HCX reports that it has moved; no vCenter was asked",)
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
        changes=() if proof is None else proof.changes,
    )


def _segment_row(left: SegmentResults, results: RunResults, ending: RunEnding) -> SegmentRow:
    reasons = [kind.get(left.segment) for kind in (ending.blocked_segments, ending.open_steps)]
    reasons += [one.short for one in ending.failures if one.subject == left.segment]
    by_hand = any(one.starts_outage and one.was_asked for one in results.gates if one.segment == left.segment)
    seen = seen_outage(left, asked_by_hand=by_hand)
    return SegmentRow(
        segment=left.segment,
        outcome=ending.segments.get(left.segment, SegmentOutcome.PLANNED),
        proof=left.proof,
        disconnect=left.disconnect,
        removal=left.removal,
        routed=left.routed,
        reconnect=left.reconnect if left.reconnect is not None and left.reconnect.acted else None,
        outage=seen.bounds,
        seen_outage=seen,
        seen_gateways=seen_gateways(left),
        vm_count=None if results.plan is None else len(results.plan.vms_of(left.segment)),
        deletion=left.deletion,
        renaming=left.renaming,
        reasons=tuple(dict.fromkeys(reason for reason in reasons if reason)),
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
