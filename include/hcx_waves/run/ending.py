"""Judge how a run has ended: every VM, every segment, the run as a whole, and why."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.cutover.extension import UnextendPhase
from hcx_waves.cutover.gateway import Situation
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome, wave_outcome
from hcx_waves.run.decisions import NOT_VALID
from hcx_waves.run.observed import was_started
from hcx_waves.run.remedies import failures_of
from hcx_waves.run.results import RunEnding, RunResults, SegmentResults

_NEXT = {
    WaveOutcome.INCOMPLETE: "Correct the cause, then start a new run: it adopts what has moved already.",
    WaveOutcome.REJECTED: "Start a new run to be asked again.",
    WaveOutcome.BLOCKED: "Resolve or waive the findings, then start a new run.",
    WaveOutcome.DRIFTED: "Start a new run to plan and be asked again.",
    WaveOutcome.STRANDED: "Act now: a segment may have no gateway.",
}


def judge(results: RunResults) -> RunEnding:
    """Return how a run has ended so far, from what its tasks have left."""
    plan = results.plan
    if plan is None:
        failures = tuple(failures_of(results, {}, {}))
        # The step that was to make the plan says better why there is none.
        causes = tuple(one.short for one in failures) or ((results.plan_missing,) if results.plan_missing else ())
        return RunEnding(wave=results.wave, outcome=WaveOutcome.BLOCKED, causes=causes, failures=failures)
    left = {one.segment: one for one in results.segments}
    vms = _vm_outcomes(plan, results)
    segments = {
        one.name: _segment_outcome(one, left.get(one.name) or SegmentResults(segment=one.name), results)
        for one in plan.segments
    }
    outcome = wave_outcome(vms.values(), segments.values())
    unverified = outcome is WaveOutcome.AS_PLANNED and results.verified is None and VmOutcome.MIGRATED in vms.values()
    outcome, causes = _judged(WaveOutcome.INCOMPLETE if unverified else outcome, plan, results)
    if unverified and outcome is WaveOutcome.INCOMPLETE:
        causes = (*causes, "the VMs that have moved were not verified")
    return RunEnding(
        wave=results.wave,
        outcome=outcome,
        vms=vms,
        segments=segments,
        blocked_segments=results.blocked_segments,
        open_steps=dict(_open_steps(results)),
        causes=causes,
        notes=() if results.evaluated is None else results.evaluated.notes,
        failures=tuple(failures_of(results, vms, segments)),
    )


def verdict(ending: RunEnding) -> str:
    """Return the verdict on a run as a sentence; if it is not as planned, with what to do next on a line below."""
    if ending.outcome.is_green:
        return f"wave {ending.wave} ended as planned"
    parts = [*ending.causes, *_not_as_planned(ending), *ending.open_steps.values()]
    said = f"wave {ending.wave} did not end as planned; outcome {ending.outcome.label.lower()}: {'; '.join(parts)}"
    options = dict.fromkeys(option for one in ending.failures for option in one.options)
    return "\n".join(
        [said, *map(str, ending.failures), _NEXT[ending.outcome], *(f"- {one.strip()}" for one in options)]
    )


def _open_steps(results: RunResults) -> Iterator[tuple[str, str]]:
    for one in results.segments:
        if one.reconnect is not None and one.reconnect.open:
            yield one.segment, one.reconnect.open


def _vm_outcomes(plan: WavePlan, results: RunResults) -> dict[str, VmOutcome]:
    """Return the outcome of each VM: as verified, else as evaluated, else as HCX said last, else as it was planned.

    What was started and not looked at since is unknown.
    """
    found = {vm.name: VmOutcome.ALREADY_THERE if vm.already_there else VmOutcome.PLANNED for vm in plan.vms}
    found.update({name: VmOutcome.UNKNOWN for name in found if was_started(results, name)})
    said = () if results.status is None else results.status.vms
    found.update({one.name: one.outcome for one in said if one.name in found})
    found.update({} if results.evaluated is None else results.evaluated.outcomes)
    found.update({one.name: one.outcome for one in (results.verified.proofs if results.verified is not None else ())})
    return found


def _segment_outcome(planned: PlannedSegment, left: SegmentResults, results: RunResults) -> SegmentOutcome:
    if planned.cutover is not CutoverPolicy.NOW or results.scope.stop_before_cutover:
        return SegmentOutcome.STRETCHED
    if left.routed is not None:
        return SegmentOutcome.CUT_OVER
    if left.reconnect is not None and left.reconnect.acted and not left.unreadable:
        return SegmentOutcome.RECONNECTED
    if left.unreadable:
        # What was done to the gateway is not known, which is not the same as nothing.
        return SegmentOutcome.UNCERTAIN
    looked = _as_looked(left)
    if looked is not None:
        return looked
    if left.removal is not None:
        return SegmentOutcome.UNEXTENDING
    situation = None if left.reconnect is None else left.reconnect.situation
    if left.snapshot is not None:
        return SegmentOutcome.RECONNECTED if situation is Situation.CONNECTED else SegmentOutcome.UNCERTAIN
    answers = [one for one in results.gates if one.segment == planned.name]
    asked = any(one.starts_outage and one.was_asked for one in answers)
    if (left.reconnect is not None and left.reconnect.open) or (asked and situation is None):
        # A person was asked to switch the gateway off, and it is not known to be on.
        return SegmentOutcome.UNCERTAIN
    if any(one.choice is not None and one.choice.is_no for one in answers):
        return SegmentOutcome.REJECTED
    return SegmentOutcome.BLOCKED if planned.name in results.blocked_segments else SegmentOutcome.PLANNED


def _as_looked(left: SegmentResults) -> SegmentOutcome | None:
    """Return how a segment stands by the last look at its gateways; None if nobody has looked since they changed."""
    if left.snapshot is None and left.removal is None:
        return None
    look = None if left.reconnect is None else left.reconnect.look
    if look is not None and look.situation is Situation.CONNECTED:
        return SegmentOutcome.RECONNECTED
    if look is not None and look.has_no_gateway and look.situation is not Situation.UNEXTENDING:
        return SegmentOutcome.DISCONNECTED
    if look is not None:
        return SegmentOutcome.UNEXTENDING if look.situation is Situation.UNEXTENDING else SegmentOutcome.UNCERTAIN
    status = None if left.awaited is None else left.awaited.status
    gone = status is not None and status.phase is UnextendPhase.FAILED_AFTER_REMOVAL
    routed = left.awaited is not None and left.awaited.routed_first is not None
    return SegmentOutcome.DISCONNECTED if gone and not routed else None


def _judged(outcome: WaveOutcome, plan: WavePlan, results: RunResults) -> tuple[WaveOutcome, tuple[str, ...]]:
    """Return how the run has ended, and why.

    :param outcome: as VMs and segments alone give it.
    """
    refused = [one for one in results.gates if one.choice is not None and one.choice.is_no]
    # A cleanup that is refused changes nothing about what the wave's own run has done, nor the other way round.
    refused = [one for one in refused if one.in_this_run or one.segment is not None]
    untrusted = [one for one in results.gates if one.decision == NOT_VALID]
    causes = tuple(one.refusal for one in refused)
    causes += tuple(f"the decision at {one.gate} is {NOT_VALID}: {one.note}" for one in untrusted)
    if outcome is WaveOutcome.STRANDED:
        return outcome, causes
    if any(one.segment is None for one in refused):
        return WaveOutcome.REJECTED, causes
    if outcome is WaveOutcome.AS_PLANNED:
        left = list(_left_uncleaned(plan, results))
        return (WaveOutcome.INCOMPLETE, (*causes, f"not cleaned up: {', '.join(left)}")) if left else (outcome, causes)
    if outcome is WaveOutcome.INCOMPLETE:
        findings = _blocking_findings(results)
        if findings:
            return WaveOutcome.BLOCKED, (*causes, *findings)
        if results.drift is not None:
            return WaveOutcome.DRIFTED, (*causes, results.drift)
    return outcome, causes


def _left_uncleaned(plan: WavePlan, results: RunResults) -> Iterator[str]:
    """Yield the segments that a cleanup was to delete at the source and has not."""
    if not results.is_cleanup:
        return
    left = {one.segment: one for one in results.segments}
    for planned in plan.segments:
        found = left.get(planned.name) or SegmentResults(segment=planned.name)
        due = planned.cutover is CutoverPolicy.NOW and planned.deletes_source and found.not_due is None
        if due and found.deletion is None:
            yield planned.name


def _blocking_findings(results: RunResults) -> tuple[str, ...]:
    """Return the blocking findings of preflight, if they kept the wave from starting."""
    if results.assessments is None or results.started is not None:
        return ()
    return tuple(f"{one.subject}: {one.message}" for one in results.assessments.blocking)


def _not_as_planned(ending: RunEnding) -> Iterator[str]:
    """Yield what is not as planned; what was not started only if no cause is known."""
    outcomes: list[tuple[str, VmOutcome | SegmentOutcome]] = [*ending.vms.items(), *ending.segments.items()]
    for name, outcome in outcomes:
        begun = outcome not in (VmOutcome.PLANNED, SegmentOutcome.PLANNED)
        if not outcome.is_as_planned and (begun or not ending.causes):
            yield f"{name}: {outcome.label.lower()}"
