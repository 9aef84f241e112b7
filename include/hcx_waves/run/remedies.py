"""Say what went wrong in a run with whom, in whose words, and what a person does next. Pure.

What to do follows from how things stood at the end, not from what an error said in the middle of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hcx_waves.cutover.errors import CONNECT_DESTINATION_OPTIONS
from hcx_waves.cutover.extension import ENDINGS, UnextendPhase
from hcx_waves.guide.entries import has_entry
from hcx_waves.migration.status import VmStatus
from hcx_waves.model.states import SegmentOutcome, VmOutcome
from hcx_waves.run.failures import Failure, StepFailure
from hcx_waves.run.results import RunResults, SegmentResults

# These say again, in other words, what a decision, a finding or another failure says.
_SAID_ELSEWHERE = frozenset(
    {"IncompleteError", "RejectedError", "UnansweredError", "NothingMigratedError", "WaitedInVainError"}
)
_UNEXTEND_FAILED, _REFUSED = "UnextendFailedError", "ReconnectRefusedError"
_NEXT_OF_MIGRATION = {
    VmOutcome.FAILED: "Correct what HCX names, then start a new run: it moves what has not moved.",
    VmOutcome.CANCELLED: "Find out who cancelled it in HCX; to move it, start a new run.",
    VmOutcome.MISPLACED: "Look for it in both vCenters before anything else is done with it.",
    VmOutcome.MIGRATING: "Look at its migration in HCX: it may still end. Then start a new run, which adopts it.",
    VmOutcome.UNKNOWN: "Look at its migration in HCX. A new run finds out, and adopts what is under way.",
}
_NEXT_OF_SEGMENT = {
    SegmentOutcome.RECONNECTED: "The source gateway is on again. Correct the cause, then start a new run.",
    SegmentOutcome.BLOCKED: "Its gateway was not touched. Correct the cause, then start a new run.",
    SegmentOutcome.PLANNED: "Its gateway was not touched. Correct the cause, then start a new run.",
    SegmentOutcome.REJECTED: "Its gateway was not touched. Start a new run to be asked again.",
    SegmentOutcome.STRETCHED: "It is stretched as before.",
    SegmentOutcome.CUT_OVER: "The destination routes it: nothing to repair.",
    SegmentOutcome.DISCONNECTED: "Act now: it has no gateway.",
    SegmentOutcome.UNEXTENDING: "Look at the extension in HCX: the unextend may still end.",
    SegmentOutcome.UNCERTAIN: "Look at its gateways in NSX at both sites now: exactly one must be on.",
}
_ISOLATED = CONNECT_DESTINATION_OPTIONS
_STILL_EXTENDED = (
    "Clear task reconnect_source_segment of this segment: it switches the source gateway on.",
    "Or start recover__<wave> with action reconnect-source (it looks before it acts).",
    "Or do it in the source's NSX (Networking > Segments): switch its connectivity on.",
)
_UNEXTENDING = (
    "Keep waiting while HCX is still at work: clear task await_unextended.",
    "If it has ended: clear task verify_destination_routed.",
)


def failures_of(
    results: RunResults, vms: Mapping[str, VmOutcome], segments: Mapping[str, SegmentOutcome]
) -> Iterator[Failure]:
    """Yield everything that went wrong: of segments first, as their VMs may have no gateway.

    :param vms: the outcome of each VM, by name.
    :param segments: the outcome of each segment, by name.
    """
    for left in results.segments:
        yield from _of_segment(left, segments.get(left.segment, SegmentOutcome.PLANNED))
    for one in results.failures:
        if one.kind not in _SAID_ELSEWHERE:
            yield from _of_problems(one) if one.problems else [_of_step(one)]
    statuses = {one.name: one for one in (results.status.vms if results.status is not None else ())}
    for name, outcome in vms.items():
        if outcome in _NEXT_OF_MIGRATION:
            yield _of_machine(name, outcome, statuses.get(name), results)


def _of_segment(left: SegmentResults, outcome: SegmentOutcome) -> Iterator[Failure]:
    facts = {"subject": left.segment, "next_step": _NEXT_OF_SEGMENT[outcome], "options": _options(left, outcome)}
    unextend = _of_unextend(left)
    if unextend is not None:
        yield unextend.model_copy(update=facts)
    for one in left.failures:
        # The way back was refused because of what went wrong before it.
        follows = one.kind == _UNEXTEND_FAILED or (one.kind == _REFUSED and _has_other(left))
        if one.kind not in _SAID_ELSEWHERE and not (unextend is not None and follows):
            yield _of_step(one).model_copy(update=facts)


def _has_other(left: SegmentResults) -> bool:
    return any(one.kind not in (_REFUSED, *_SAID_ELSEWHERE) for one in left.failures)


def _of_unextend(left: SegmentResults) -> Failure | None:
    """Return an unextend that has failed or not ended, as HCX was seen to say it."""
    waited = left.awaited
    if waited is None or (waited.status is not None and waited.status.phase is UnextendPhase.DONE):
        return None
    status, error = waited.status, waited.error or {}
    if status is None and not error:
        return None
    job = None if left.removal is None else left.removal.job_id
    ended_at = None if status is None else status.ended_at
    said = "" if status is None else status.message
    return Failure(
        step="unextend",
        what=f"the unextend {ENDINGS[status.phase]}" if status is not None else "HCX could not be asked any more",
        words=said or str(error.get("vendor_message") or error.get("message") or ""),
        code=str((None if status is None else status.job_state) or error.get("vendor_code") or ""),
        job_id=(None if status is None else status.job_id) or job or "",
        at=ended_at or waited.at,
        by_hcx_clock=ended_at is not None,
        source="HCX, as asked by the run",
        guide_id=_UNEXTEND_FAILED,
    )


def _options(left: SegmentResults, outcome: SegmentOutcome) -> tuple[str, ...]:
    if outcome is SegmentOutcome.UNEXTENDING:
        return _UNEXTENDING
    if outcome is not SegmentOutcome.DISCONNECTED:
        return ()
    status = None if left.awaited is None else left.awaited.status
    look = None if left.reconnect is None else left.reconnect.look
    gone = status is not None and not status.extension_listed
    if look is not None:
        gone = look.situation.value == "isolated"
    return _ISOLATED if gone else _STILL_EXTENDED


def _of_problems(one: StepFailure) -> Iterator[Failure]:
    """Yield what keeps a wave from being planned: a failure each."""
    for problem in one.problems:
        subject, message, suggestion = (str(problem.get(key) or "") for key in ("subject", "message", "suggestion"))
        known = f"the error of {one.step}"
        yield Failure(subject=subject, step=one.step, what=message, at=one.at, source=known, next_step=suggestion)


def _of_step(one: StepFailure) -> Failure:
    error = one.error
    details = error.get("details")
    job = details.get("job_id") if isinstance(details, Mapping) else None
    return Failure(
        step=one.step,
        what=one.message,
        words=str(error.get("vendor_message") or ""),
        code=str(error.get("vendor_code") or ""),
        job_id=str(job or error.get("request_id") or ""),
        at=one.at,
        source=f"the error of {one.step}",
        next_step=str(error.get("hint") or ""),
        options=one.options,
        guide_id=one.kind if has_entry(one.kind) else "",
    )


def _of_machine(name: str, outcome: VmOutcome, status: VmStatus | None, results: RunResults) -> Failure:
    at = None if results.status is None else results.status.at
    ended_at = None if status is None else status.ended_at
    proofs = () if results.verified is None else results.verified.proofs
    reasons = next((one.reasons for one in proofs if one.name == name), ())
    misplaced = outcome is VmOutcome.MISPLACED
    return Failure(
        subject=name,
        step="migration",
        what="; ".join(reasons) if misplaced and reasons else f"its migration: {outcome.label.lower()}",
        words="" if status is None else status.message,
        code="" if status is None else status.state_name,
        job_id="" if status is None else status.migration_id,
        at=ended_at or at,
        by_hcx_clock=ended_at is not None,
        source="both vCenters" if misplaced else "HCX, as asked by the run" if status is not None else "",
        next_step=_NEXT_OF_MIGRATION[outcome],
        guide_id=f"vm-{outcome.value}",
    )
