"""The timeline of a run: what happened when, by which clock, and who approved what the run has changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from hcx_waves.cutover.extension import ENDINGS, UnextendPhase
from hcx_waves.model.formatting import counted
from hcx_waves.report.model import Clock, Event, VmRow
from hcx_waves.run.decisions import Choice
from hcx_waves.run.failures import StepFailure
from hcx_waves.run.rescues import RescueEntry
from hcx_waves.run.results import RunResults, SegmentResults
from hcx_waves.run.stalls import Stall

RUN_BEGUN = "run started"
REPORT_WRITTEN = "report written"
_DECISIONS = {"approve": "approved", "reject": "rejected"}
_BY_ITSELF = "the run itself, as the way back"
_UNEXTEND_FAILED = "UnextendFailedError"


def timeline(results: RunResults, vms: tuple[VmRow, ...]) -> tuple[Event, ...]:
    """Return the events of a run, in their order; of clocks that cannot be compared one after the other."""
    return _in_order(_events(results, vms), apart=results.virtual_sites)


def _events(results: RunResults, vms: tuple[VmRow, ...]) -> Iterator[Event]:
    if results.begun_at is not None:
        yield Event(at=results.begun_at, what=RUN_BEGUN)
    for approval in results.gates:
        if approval.at is not None:
            decision = _DECISIONS.get(approval.decision, approval.decision)
            yield Event(at=approval.at, what=f"{approval.gate}: {decision}", subject=approval.by or "")
    yield from _of_migrations(results, vms)
    for one in results.segments:
        yield from _of_segment(one, _approver(results, one.segment))
        yield from _failed(one.failures, one.segment, known=_UNEXTEND_FAILED if _has_failed(one) else "")
    yield from _failed(results.failures, "")
    yield from _of_stalls(results.stalls)
    yield from _of_rescues(results.rescues)
    yield Event(at=results.ended_at, what=REPORT_WRITTEN)


def with_rescues(events: Iterable[Event], rescues: Iterable[RescueEntry], *, apart: bool) -> tuple[Event, ...]:
    """Return a timeline with what ways back have done about the run since it was written.

    :param apart: whether the clocks of the events cannot be compared.
    """
    known = list(events)
    missing = [one for one in _of_rescues(rescues) if one not in known]
    return _in_order([*known, *missing], apart=apart)


def _of_stalls(stalls: Iterable[Stall]) -> Iterator[Event]:
    for stall in stalls:
        yield Event(at=stall.since, what=f"stall {stall.stall_id.value}: {stall.what}", subject=stall.subject)
        if stall.until is not None:
            yield Event(at=stall.until, what=f"stall {stall.stall_id.value}: over", subject=stall.subject)


def _of_rescues(rescues: Iterable[RescueEntry]) -> Iterator[Event]:
    for entry in rescues:
        if entry.is_event:
            yield Event(at=entry.at, what=entry.what, subject=entry.subject, by=entry.by)


def _of_migrations(results: RunResults, vms: tuple[VmRow, ...]) -> Iterator[Event]:
    started, ids = results.started, results.started_ids
    if started is not None and started.at is not None and started.vms:
        what = f"mobility group {'adopted' if started.adopted else 'started'}: {counted(len(started.vms), 'VM')}"
        yield Event(at=started.at, what=what, subject=started.group_name, by=started.approved_by)
    elif ids is not None and ids.at is not None:
        what = f"mobility group started: {counted(len(ids.migration_ids), 'VM')}"
        yield Event(at=ids.at, what=what, subject=ids.group_id, by=ids.approved_by)
    released = results.released
    if released is not None and released.at is not None and released.released:
        subject = ", ".join(released.released)
        yield Event(at=released.at, what="switchovers released", subject=subject, by=released.approved_by)
    # HCX's clock, and HCX's words: the run may judge otherwise.
    said = {} if results.status is None else {vm.name: vm.outcome for vm in results.status.vms}
    for vm in vms:
        if vm.begun_at is not None:
            yield Event(at=vm.begun_at, what="migration started", subject=vm.name, clock=Clock.HCX)
        if vm.ended_at is not None:
            what = f"migration ended: {said[vm.name].label.lower()}" if vm.name in said else "migration ended"
            yield Event(at=vm.ended_at, what=what, subject=vm.name, clock=Clock.HCX)


def _of_segment(one: SegmentResults, by: str) -> Iterator[Event]:
    def seen(at: datetime | None, what: str, approved_by: str = "") -> Iterator[Event]:
        if at is not None:
            yield Event(at=at, what=what, subject=one.segment, by=approved_by)

    done, removal, back = one.disconnect, one.removal, one.reconnect
    yield from seen(None if one.proof is None else one.proof.at, "proven empty at the source")
    yield from seen(one.acting_since, "source gateway: disconnect sent", by)
    yield from seen(None if done is None else done.seen_at, "source gateway off", by)
    if removal is not None and removal.already_gone:
        yield from seen(removal.accepted_at, "the extension was gone already")
    elif removal is not None:
        unknown = "unextend asked for; whether HCX has taken it is not known"
        yield from seen(removal.accepted_at, unknown if removal.unconfirmed else "unextend accepted", by)
    yield from _of_unextend(one)
    yield from seen(None if one.routed is None else one.routed.at, "routed at the destination")
    if back is not None and back.acted:
        yield from seen(back.seen_at, "source gateway on again", back.decided_by or _BY_ITSELF)
    yield from _of_cleanup(one)


def _of_unextend(one: SegmentResults) -> Iterator[Event]:
    waited = one.awaited
    if waited is None:
        return
    if waited.routed_first is not None:
        yield Event(at=waited.routed_first, what="destination gateway on", subject=one.segment)
    if waited.status is not None and waited.status.phase is not UnextendPhase.DONE:
        said = f": {waited.status.message}" if waited.status.message else ""
        yield Event(at=waited.at, what=f"unextend {ENDINGS[waited.status.phase]}{said}", subject=one.segment)


def _of_cleanup(one: SegmentResults) -> Iterator[Event]:
    gone, named = one.deletion, one.renaming
    if gone is not None and gone.at is not None:
        what = "source segment was gone already" if gone.already_gone else "source segment deleted"
        yield Event(at=gone.at, what=what, subject=one.segment, by="" if gone.already_gone else gone.approved_by)
    if named is not None and named.at is not None:
        what = f"destination segment {'had the name' if named.already else 'renamed to'} {named.name}"
        yield Event(at=named.at, what=what, subject=one.segment, by="" if named.already else named.approved_by)


def _failed(failures: Iterable[StepFailure], subject: str, known: str = "") -> Iterator[Event]:
    for one in failures:
        if one.kind != known:
            said = one.message.splitlines()[0] if one.message else one.kind
            yield Event(at=one.at, what=f"{one.step} failed: {said}", subject=subject)


def _has_failed(one: SegmentResults) -> bool:
    return one.awaited is not None and one.awaited.status is not None


def _approver(results: RunResults, segment: str) -> str:
    """Return who approved the cutover of a segment: what the steps of its group have verified."""
    for one in results.gates:
        if one.segment == segment and one.choice is Choice.APPROVED and not one.starts_outage:
            return f"{one.by or 'unknown'}{f' ({one.change_reference})' if one.change_reference else ''}"
    return ""


def _in_order(events: Iterable[Event], *, apart: bool) -> tuple[Event, ...]:
    """Sort by time; clocks that cannot be compared one after the other, the run's first."""
    order = list(Clock)
    return tuple(sorted(events, key=lambda event: (order.index(event.clock) if apart else 0, event.at)))
