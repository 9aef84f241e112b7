"""Look at a segment: both gateways, the extension, the unextend, since when it is off, and what can be pressed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError, NotFound
from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.hcx.values import instant_of
from hcx_waves.cutover.commands import Commands
from hcx_waves.cutover.extension import Removal, UnextendPhase, unextend_status
from hcx_waves.cutover.gateway import Situation, situation_of
from hcx_waves.cutover.guards import find_extension, is_worked_on, look_at_destination
from hcx_waves.cutover.physical import source_gateway
from hcx_waves.cutover.source import AbsentSource, GatewayReading, GatewayState, SourceGateway
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import CutoverPolicy, Disconnect
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.rescue.records import SegmentRecord
from hcx_waves.wavefile.wave import Wave


class GatewayStanding(StrEnum):
    """How a segment stands. Stored in audits: add, never rename."""

    AT_SOURCE = "at_source"
    AT_DESTINATION = "at_destination"
    SOURCE_OFF = "source_off"
    """Off at both sites, the extension is whole, and HCX was certainly not asked to unextend."""
    UNRECORDED = "source_off_unrecorded"
    """The same, but no record on this machine says whether HCX was asked."""
    UNEXTENDING = "unextending"
    UNEXTEND_FAILED = "unextend_failed"
    """Off at both sites; the unextend failed, and the extension is whole."""
    NO_GATEWAY = "no_gateway"
    """Off at both sites, and the extension is gone."""
    SOURCE_DELETED = "source_deleted"
    """The destination routes it, and the source segment was deleted."""
    SOURCE_DELETED_OFF = "source_deleted_off"
    """The source segment was deleted, and the destination does not route it."""
    TWO_GATEWAYS = "two_gateways"
    UNSETTLED = "unsettled"
    UNKNOWN = "unknown"


OFF = frozenset(
    {
        GatewayStanding.SOURCE_OFF,
        GatewayStanding.UNRECORDED,
        GatewayStanding.UNEXTENDING,
        GatewayStanding.UNEXTEND_FAILED,
        GatewayStanding.NO_GATEWAY,
        GatewayStanding.SOURCE_DELETED_OFF,
    }
)
"""States in which the network is off."""
FINE = frozenset({GatewayStanding.AT_SOURCE, GatewayStanding.AT_DESTINATION, GatewayStanding.SOURCE_DELETED})
LABELS = {
    GatewayStanding.AT_SOURCE: "routed at the source",
    GatewayStanding.AT_DESTINATION: "routed at the destination",
    GatewayStanding.SOURCE_OFF: "OFF: source off, unextend not asked",
    GatewayStanding.UNRECORDED: "OFF: source off, no record of an unextend",
    GatewayStanding.UNEXTENDING: "OFF: HCX has accepted the unextend",
    GatewayStanding.UNEXTEND_FAILED: "OFF: the unextend failed",
    GatewayStanding.NO_GATEWAY: "OFF: extension gone, destination off",
    GatewayStanding.SOURCE_DELETED: "routed at the destination, source segment deleted",
    GatewayStanding.SOURCE_DELETED_OFF: "OFF: source segment deleted, destination off",
    GatewayStanding.TWO_GATEWAYS: "TWO GATEWAYS, or possibly",
    GatewayStanding.UNSETTLED: "changing, or not realised",
    GatewayStanding.UNKNOWN: "UNKNOWN",
}
_LOOK_AGAIN = "look again in a minute"
PRESS = {
    GatewayStanding.AT_SOURCE: "nothing",
    GatewayStanding.AT_DESTINATION: "nothing",
    GatewayStanding.SOURCE_OFF: "reconnect-source",
    GatewayStanding.UNRECORDED: (
        "look in HCX (Network Extension, and its jobs) whether it was asked to unextend; if it was not: "
        "reconnect-source --decided-by NAME"
    ),
    GatewayStanding.UNEXTENDING: (
        f"{_LOOK_AGAIN}. If the unextend does not end: connect-destination --while-extended, which keeps the source off"
    ),
    GatewayStanding.UNEXTEND_FAILED: "reconnect-source",
    GatewayStanding.NO_GATEWAY: "connect-destination",
    GatewayStanding.SOURCE_DELETED: "nothing",
    GatewayStanding.SOURCE_DELETED_OFF: (
        "connect-destination, if the VMs are at the destination (below); if they are not: restore-source-segment"
    ),
    GatewayStanding.TWO_GATEWAYS: (
        "nothing here. Find out at which site the VMs are (below), then switch the gateway of the other site off in NSX"
    ),
    GatewayStanding.UNSETTLED: f"{_LOOK_AGAIN}. If it stays so: the segment's alarms in that site's NSX Manager",
    GatewayStanding.UNKNOWN: (
        "nothing here while it is not known. Make what is named readable (address, account, check command), "
        "then look again"
    ),
}
_DECIDE = "Or, if HCX shows no such job: reconnect-source --decided-by NAME"
"""For an unextend that HCX was asked for, and of which nothing is seen."""


class SegmentFinding(DomainModel):
    """What was found of a segment at one moment."""

    name: str
    state: GatewayStanding
    is_cut: bool
    """Whether this wave cuts it over; the others are only looked at."""
    source: GatewayReading
    destination: GatewayReading
    extension: str
    unextend: str = ""
    """What is known of the unextend, its job included."""
    may_decide: bool = False
    """Whether a named person may go back although an unextend may have been asked: nothing of it is seen."""
    off_since: AwareDatetime | None = None
    off_since_by: str = ""
    """What says so."""
    vms: tuple[str, ...] = ()
    problem: str = ""

    @property
    def press(self) -> str:
        """What can be pressed now."""
        if not self.is_cut:
            return "nothing: this wave does not cut it over"
        more = f". {_DECIDE}" if self.state is GatewayStanding.UNEXTENDING and self.may_decide else ""
        return PRESS[self.state] + more


class Looker:
    """Looks at segments.

    :param runner: runs the check commands of the wave file.
    """

    def __init__(self, wave: Wave, plan: WavePlan, clients: SiteClients, runner: Commands) -> None:
        self._wave, self._plan, self._clients, self._runner = wave, plan, clients, runner

    def gateway(self, planned: PlannedSegment) -> SourceGateway:
        """Return the segment's gateway at the source, by the means of the wave file.

        :raises NotFound: if it is NSX's and there is none, or the wave file has the segment no more.
        """
        try:
            chosen = self._wave.segment(planned.name)
        except KeyError:
            raise NotFound(f"the wave file has no segment {planned.name!r} any more") from None
        return source_gateway(chosen, planned, self._clients.source_nsx, self._runner)

    def absent(self, planned: PlannedSegment) -> SourceGateway:
        """Return the gateway of a source segment that a cleanup has deleted.

        :raises NotFound: as :meth:`gateway` does.
        """
        return AbsentSource(self.gateway(planned), planned, self._clients.source_nsx)

    def look(self, planned: PlannedSegment, record: SegmentRecord) -> SegmentFinding:
        """Look at a segment; what cannot be read makes it unknown, and is told."""
        clients = self._clients
        source = self._source(planned)
        destination = _reading(lambda: look_at_destination(clients, planned))
        problem, extension, listed = "", None, "not listed"
        try:
            extension = find_extension(clients, planned)
            unextend, may_decide = self._unextend(record.removal, extension)
            state = self._state(planned, source, destination, record)
        except ClientError as error:
            problem, unextend, may_decide, state = _said(error), "", False, GatewayStanding.UNKNOWN
            listed = "unknown"
        if extension is not None:
            listed = f"listed ({extension.operation_status.state or 'no status'})"
        if state is GatewayStanding.UNRECORDED:
            may_decide = True
        since, by = self._since(planned, record) if state in OFF else (None, "")
        return SegmentFinding(
            name=planned.name,
            state=state,
            is_cut=planned.cutover is CutoverPolicy.NOW,
            source=source,
            destination=destination,
            extension=listed,
            unextend=unextend,
            may_decide=may_decide,
            off_since=since,
            off_since_by=by,
            vms=tuple(vm.name for vm in self._plan.vms_of(planned.name)),
            problem=problem
            or "; ".join(one.evidence for one in (source, destination) if _is_unknown(one) and not one.absent),
        )

    def _source(self, planned: PlannedSegment) -> GatewayReading:
        """Read the gateway at the source, or that a cleanup has deleted its segment."""
        read = _reading(lambda: self.gateway(planned).look())
        nsx, path = self._clients.source_nsx, planned.source_segment_path
        if not _is_unknown(read) or planned.disconnect is not Disconnect.NSX or nsx is None or path is None:
            return read
        try:
            there = nsx.segment_exists(path)
        except ClientError:
            return read
        gone = f"{path}: there is no such segment"
        return read if there else read.model_copy(update={"absent": True, "evidence": gone})

    def _state(
        self, planned: PlannedSegment, source: GatewayReading, destination: GatewayReading, record: SegmentRecord
    ) -> GatewayStanding:
        if source.absent and not _is_unknown(destination):
            return GatewayStanding.SOURCE_DELETED if destination.may_serve else GatewayStanding.SOURCE_DELETED_OFF
        if _is_unknown(source) or _is_unknown(destination):
            return GatewayStanding.UNKNOWN
        if source.may_serve and destination.may_serve:
            return GatewayStanding.TWO_GATEWAYS
        for reading, routed in ((source, GatewayStanding.AT_SOURCE), (destination, GatewayStanding.AT_DESTINATION)):
            if reading.state is GatewayState.CONNECTED:
                return GatewayStanding.UNSETTLED if reading.pending or reading.failure else routed
        situation = situation_of(planned, self._clients, source, destination, record.removal)
        if situation is Situation.RECONNECTABLE and record.removal is not None:
            return GatewayStanding.UNEXTEND_FAILED
        if situation is Situation.RECONNECTABLE:
            return GatewayStanding.SOURCE_OFF if record.is_certain else GatewayStanding.UNRECORDED
        return {
            Situation.UNEXTENDING: GatewayStanding.UNEXTENDING,
            Situation.ISOLATED: GatewayStanding.NO_GATEWAY,
        }.get(situation, GatewayStanding.UNSETTLED)

    def _unextend(self, removal: Removal | None, extension: NetworkExtension | None) -> tuple[str, bool]:
        """Return what is known of the unextend, and whether nothing shows that HCX is at work on it."""
        if removal is None:
            at_work = extension is not None and is_worked_on(extension)
            return ("HCX is at work on the extension" if at_work else ""), False
        asked = f"asked at {removal.accepted_at:%H:%M:%S %Z}"
        status = unextend_status(self._clients.hcx, removal)
        said = f": {status.message}" if status.message else ""
        if removal.job_id is None:
            quiet = removal.unconfirmed and extension is not None and not is_worked_on(extension)
            return f"{asked}, {'its answer is not known' if removal.unconfirmed else 'no job id'}{said}", quiet
        try:
            self._clients.hcx.job(removal.job_id)
        except NotFound:
            quiet = extension is not None and not is_worked_on(extension)
            return f"{asked}, job {removal.job_id}, which HCX does not list any more", quiet
        percent = "" if status.percent is None or status.is_terminal else f" ({status.percent:.0f} %)"
        return f"{asked}, job {removal.job_id}: {_PHASES[status.phase]}{percent}{said}", False

    def _since(self, planned: PlannedSegment, record: SegmentRecord) -> tuple[datetime | None, str]:
        if record.off_after is not None:
            return record.off_after, "record of the run"
        try:
            changed = instant_of(self.gateway(planned).definition().get("_last_modified_time"))
        except ClientError:
            changed = None
        return (None, "") if changed is None else (changed, "last change of the source segment in NSX")


_PHASES = {
    UnextendPhase.RUNNING: "running",
    UnextendPhase.DONE: "done",
    UnextendPhase.FAILED: "failed",
    UnextendPhase.FAILED_AFTER_REMOVAL: "failed after the extension was removed",
}


def _reading(look: Callable[[], GatewayReading]) -> GatewayReading:
    try:
        return look()
    except ClientError as error:
        return GatewayReading(state=GatewayState.UNKNOWN, settled=False, evidence=_said(error))


def _is_unknown(reading: GatewayReading) -> bool:
    return reading.state is GatewayState.UNKNOWN


def _said(error: ClientError) -> str:
    return str(error)
