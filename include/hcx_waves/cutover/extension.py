"""Unextend a network once and follow it to its end: by its job on HCX 4.x, by the list of extensions on 9.x."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError, NotFound, OutcomeUnknownError
from hcx_waves.clients.hcx import HcxClient, Job, NetworkExtension
from hcx_waves.cutover.errors import (
    CONNECT_DESTINATION_OPTIONS,
    CONNECT_IN_NSX,
    SourceNotDisconnectedError,
    TwoGatewaysError,
    UnextendFailedError,
)
from hcx_waves.cutover.guards import find_extension, is_whole, is_worked_on, look_at_destination
from hcx_waves.cutover.source import GatewayState, SourceGateway
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import WavePlan
from hcx_waves.procedure_errors import SubmissionLostError


class Removal(DomainModel):
    """An unextend that HCX has accepted, or that need not be asked for."""

    segment: str
    extension_id: str
    connect: bool
    job_id: str | None = None
    """None on 9.x, and when the answer that named it was lost: then the extension's disappearance shows the end."""
    accepted_at: AwareDatetime
    already_gone: bool = False
    adopted: bool = False
    """It was under way before this call."""
    unconfirmed: bool = False
    """It is about to be asked for, and nothing is known of the answer: what to store before the call."""
    warnings: tuple[str, ...] = ()


class UnextendPhase(StrEnum):
    """How far an unextend is."""

    RUNNING = "running"
    DONE = "done"
    """The extension is gone. That the destination routes is another proof."""
    FAILED = "failed"
    """It failed, and the extension is still there."""
    FAILED_AFTER_REMOVAL = "failed_after_removal"
    """It failed, and the extension is gone all the same: the destination is probably not connected."""


class UnextendStatus(DomainModel):
    """How far an unextend is at one moment."""

    phase: UnextendPhase
    extension_listed: bool
    percent: float | None = None
    message: str = ""
    """HCX's own words."""
    job_id: str | None = None
    job_state: str | None = None
    """HCX's own word for how the job stands."""
    ended_at: AwareDatetime | None = None
    """When HCX says that the job ended, by its own clock."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more comes of it."""
        return self.phase is not UnextendPhase.RUNNING


def unextend_network(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    now: datetime,
    *,
    connect: bool,
    previous: Removal | None = None,
    on_submission: Callable[[Removal | None], None] | None = None,
) -> Removal:
    """Ask HCX to unextend a network, unless it is gone or being unextended already.

    :param connect: True connects the destination segment to its gateway; HCX's own default is False [D hcx 5.4].
    :param previous: what an earlier call returned or stored; its job is looked at first.
    :param on_submission: is given an unconfirmed removal right before HCX is asked, and None if HCX then certainly
        refused. Whoever stores it can tell later that the unextend may be under way although no answer came.
    :raises SourceNotDisconnectedError: if ``connect`` is asked while the source gateway is not proven off.
    :raises TwoGatewaysError: if the destination routes already while the source does.
    :raises SubmissionLostError: if the answer was lost and HCX shows no trace of the unextend; run it again.
    :raises ClientError: if HCX refuses, also inside an answer that accepts by its status.
    """
    segment = plan.segment(segment_name)
    facts = {"segment": segment_name, "extension_id": segment.extension_id, "connect": connect, "accepted_at": now}
    extension = find_extension(clients, segment)
    if extension is None:
        return Removal(**facts, already_gone=True)
    if previous is not None and not previous.unconfirmed and not unextend_status(clients.hcx, previous).is_terminal:
        return previous.model_copy(update={"adopted": True})
    if is_worked_on(extension):
        return Removal(**facts, adopted=True)
    if connect:
        _require_source_off(plan, segment_name, clients, gateway)
    tell = on_submission or _tell_nobody
    tell(Removal(**facts, unconfirmed=True))
    try:
        removal = clients.hcx.delete_extension(segment.extension_id, connect_to_local_router=connect)
    except OutcomeUnknownError as error:
        after = find_extension(clients, segment)
        # Whatever its new word means, something has begun to happen to an extension that reads differently.
        if after is None or after.operation_status != extension.operation_status or is_worked_on(after):
            return Removal(**facts)
        raise SubmissionLostError(
            f"the answer to unextending {segment_name!r} was lost, and the extension is as it was",
            extension_id=segment.extension_id,
            cause=error.to_dict(),
        ) from error
    except ClientError as error:
        after = find_extension(clients, segment)
        if after is not None and not _is_under_way(after, error, previous):
            tell(None)
            raise
        return Removal(**facts, adopted=True, already_gone=after is None)
    return Removal(**facts, job_id=removal.job_id, warnings=removal.warnings)


def unextend_status(hcx: HcxClient, removal: Removal) -> UnextendStatus:
    """Read job and extension, and judge how far the unextend is: at most two requests."""
    job = None
    if removal.job_id is not None:
        try:
            job = hcx.job(removal.job_id)
        except NotFound:
            # Jobs are kept for a while only; the extension itself tells the rest.
            job = None
    listed = hcx.find_extension(removal.extension_id) is not None
    return judge_unextend(job, listed=listed)


def judge_unextend(job: Job | None, *, listed: bool) -> UnextendStatus:
    """Judge an unextend by its job, if there is one, and by whether the extension is still listed. Pure.

    A failed job may come with and without ``isDone`` [? hcx 9.7]. A job that ended well while the extension is still
    listed is not the end.
    """
    message = "" if job is None else job.error_message or ""
    facts: dict[str, Any] = {"extension_listed": listed, "message": message}
    if job is not None:
        facts.update(percent=job.percent_complete, job_id=job.job_id, job_state=job.state, ended_at=job.ended_at)
    if job is not None and job.is_terminal and not job.is_success:
        phase = UnextendPhase.FAILED if listed else UnextendPhase.FAILED_AFTER_REMOVAL
        return UnextendStatus(**{**facts, "phase": phase, "message": message or "the job failed"})
    if listed or (job is not None and not job.is_terminal):
        return UnextendStatus(**facts, phase=UnextendPhase.RUNNING)
    return UnextendStatus(**{**facts, "phase": UnextendPhase.DONE, "percent": 100.0})


def require_unextended(status: UnextendStatus, segment_name: str) -> None:
    """Raise unless an unextend has ended well; for the step after the wait.

    :raises UnextendFailedError: if it failed, or has not ended; with HCX's words, job and what can be done.
    """
    if status.phase is UnextendPhase.DONE:
        return
    raise UnextendFailedError(
        f"the unextend of segment {segment_name!r} {ENDINGS[status.phase]}: {status.message or 'no message'}",
        hint=_HINTS[status.phase],
        options=_OPTIONS[status.phase],
        phase=status.phase.value,
        extension_listed=status.extension_listed,
        job_id=status.job_id,
        job_state=status.job_state,
        words=status.message,
    )


def may_be_repaired(status: UnextendStatus) -> bool:
    """Whether all that an unextend has left undone is to connect the destination, which others can do."""
    return status.phase is UnextendPhase.FAILED_AFTER_REMOVAL


ENDINGS = {
    UnextendPhase.DONE: "has ended",
    UnextendPhase.FAILED: "failed",
    UnextendPhase.FAILED_AFTER_REMOVAL: "failed after the extension was removed",
    UnextendPhase.RUNNING: "has not ended",
}
"""How an unextend stands, after its name."""
# What the run does by itself afterwards is true whenever the hint is read.
_HINTS = {
    UnextendPhase.FAILED: (
        "The extension still exists. Task reconnect_source_segment of this segment runs next by itself and connects "
        "the source gateway again."
    ),
    UnextendPhase.FAILED_AFTER_REMOVAL: (
        "The extension is gone, so the source gateway cannot reach the VMs. If it is off, "
        f"{CONNECT_IN_NSX}; then clear task verify_destination_routed."
    ),
    UnextendPhase.RUNNING: (
        "Look at the extension in HCX. To keep waiting while HCX is still at work, clear task await_unextended."
    ),
}
_OPTIONS = {
    UnextendPhase.FAILED: ("If reconnect_source_segment is red, read its log, then clear that task.",),
    UnextendPhase.FAILED_AFTER_REMOVAL: CONNECT_DESTINATION_OPTIONS,
    UnextendPhase.RUNNING: (
        "Keep waiting: clear task await_unextended.",
        "Look in HCX: Services > Network Extension.",
    ),
}


def _tell_nobody(_removal: Removal | None) -> None:
    """Take the place of a listener."""


def _is_under_way(extension: NetworkExtension, error: ClientError, previous: Removal | None) -> bool:
    """Whether an unextend is under way although HCX has just refused one.

    The extension's own state tells. Where its word means neither, HCX's message must do; where the word says that the
    extension is whole, only if we may have asked before: else a refusal would pass for an unextend for hours.
    """
    if is_worked_on(extension):
        return True
    return _says_busy(error) and (previous is not None or not is_whole(extension))


def _says_busy(error: ClientError) -> bool:
    """Whether HCX refuses because it is at work on the extension; somebody, perhaps we, was first [I hcx 5.4]."""
    said = f"{error.vendor_code or ''} {error.vendor_message or ''} {' '.join(error.details.get('messages') or [])}"
    return "progress" in said.lower() or "busy" in said.lower()


def _require_source_off(plan: WavePlan, segment_name: str, clients: SiteClients, gateway: SourceGateway) -> None:
    source = gateway.look()
    destination = look_at_destination(clients, plan.segment(segment_name))
    if source.state is not GatewayState.DISCONNECTED and destination.state is GatewayState.CONNECTED:
        raise TwoGatewaysError(
            f"both gateways of segment {segment_name!r} are on",
            source=source.evidence,
            destination=destination.evidence,
        )
    if not source.is_off:
        raise SourceNotDisconnectedError(
            f"the source gateway of segment {segment_name!r} is {source.state.value}"
            f"{'' if source.settled else ', not in effect yet'}: unextending would connect the destination too",
            source=source.evidence,
        )
