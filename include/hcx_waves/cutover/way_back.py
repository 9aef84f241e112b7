"""The way back of a segment's network: destination off, proven; source on; extended again onto the same segment.

Each step reads first and does nothing that is done. Never are two gateways on: the source's is switched on only after
the destination's was read as off and in effect, and the network is extended again only after that. An extension
reuses the destination segment of the same subnet and keeps its gateway off [C hcx 7].
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Interface
from typing import Any

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound, OutcomeUnknownError, ValidationFailed
from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.hcx.extensions import ExtensionRequest
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.cutover.errors import (
    SourceNotDisconnectedError,
    SourceSegmentGoneError,
    StillUnextendingError,
    TwoGatewaysError,
)
from hcx_waves.cutover.extension import Removal, UnextendPhase, unextend_status
from hcx_waves.cutover.gateway import GatewayChange, change_source, send, settled
from hcx_waves.cutover.guards import is_worked_on, look_at_destination, read_both
from hcx_waves.cutover.source import GatewayReading, GatewayState, SourceGateway
from hcx_waves.cutover.waiting import Patience
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.model.subnets import interfaces_of
from hcx_waves.procedure_errors import SubmissionLostError

NETWORK_EXTENSION = "HCX-NET-EXT"


class WayPoint(StrEnum):
    """How far a segment's network has come, seen from the way back."""

    UNTOUCHED = "untouched"
    """The source routes it, and it is extended: nothing of the network goes back."""
    SOURCE_OFF = "source_off"
    """The source gateway is off, the extension is whole: the gateway is switched on again."""
    UNEXTENDING = "unextending"
    """HCX is at work on the unextend: its end is waited for."""
    UNEXTENDED = "unextended"
    """The extension is gone and the source is off: the full way."""
    RETURNED = "returned"
    """The source routes it, and it is not extended: extend it again, if VMs of it are at the destination."""


class GatewayReturn(DomainModel):
    """The source routes a segment again."""

    segment: str
    came_from: WayPoint
    destination_off: GatewayChange | None = None
    """None if no unextend had connected it."""
    source_on: GatewayChange


class ExtendedAgain(DomainModel):
    """A request to extend a network again, or what was found in its place."""

    segment: str
    asked_at: AwareDatetime
    job_id: str | None = None
    extension_id: str = ""
    """Empty until HCX lists it."""
    already: bool = False


def read_way_point(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    removal: Removal | None = None,
) -> WayPoint:
    """Read how far a segment has come; changes nothing.

    :param removal: what ``unextend_network`` returned in the run that is undone, if it was called.
    :raises SourceSegmentGoneError: if the source segment has been deleted.
    :raises TwoGatewaysError: if both gateways are on, or may be.
    """
    segment = plan.segment(segment_name)
    _require_source_segment(clients, segment)
    source, destination = read_both(clients, segment, gateway)
    if source.may_serve and destination.may_serve:
        raise TwoGatewaysError(
            f"both gateways of segment {segment_name!r} are on, or may be",
            source=source.evidence,
            destination=destination.evidence,
        )
    extension = extension_now(clients, segment)
    if source.state is GatewayState.CONNECTED:
        return WayPoint.RETURNED if extension is None else WayPoint.UNTOUCHED
    if extension is None:
        return WayPoint.UNEXTENDED
    if removal is not None and extension.extension_id == removal.extension_id:
        phase = unextend_status(clients.hcx, removal).phase
        return WayPoint.SOURCE_OFF if phase is UnextendPhase.FAILED else WayPoint.UNEXTENDING
    return WayPoint.UNEXTENDING if is_worked_on(extension) else WayPoint.SOURCE_OFF


def return_gateway(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    patience: Patience,
    *,
    snapshot: Mapping[str, Any] | None = None,
    removal: Removal | None = None,
) -> GatewayReturn:
    """Let the source route a segment again, from wherever its cutover has come to.

    :param snapshot: how the source gateway was defined before it was switched off.
    :param removal: what ``unextend_network`` returned in the run that is undone, if it was called.
    :raises SourceSegmentGoneError: if the source segment has been deleted.
    :raises StillUnextendingError: while HCX is at work on the unextend; nothing was changed.
    :raises TwoGatewaysError: if both gateways are on or may be, or the destination's is not proven off.
    :raises NotSettledError, RealisationFailedError: if a change was accepted and is not in effect in time.
    """
    point = read_way_point(plan, segment_name, clients, gateway, removal)
    if point is WayPoint.UNEXTENDING:
        raise StillUnextendingError(f"HCX is still at work on the unextend of segment {segment_name!r}")
    segment = plan.segment(segment_name)
    off = disconnect_destination(plan, segment_name, clients, gateway, patience)
    source, destination = read_both(clients, segment, gateway)
    if destination.may_serve:
        raise TwoGatewaysError(
            f"the destination gateway of segment {segment_name!r} is not proven off: connecting the source could make "
            "two gateways",
            source=source.evidence,
            destination=destination.evidence,
        )
    if source.is_on:
        on = GatewayChange(segment=segment_name, already=True, evidence=source.evidence)
    else:
        on = change_source(
            segment_name, gateway, source, GatewayState.CONNECTED, lambda: gateway.reconnect(snapshot), patience
        )
    return GatewayReturn(segment=segment_name, came_from=point, destination_off=off, source_on=on)


def disconnect_destination(
    plan: WavePlan, segment_name: str, clients: SiteClients, gateway: SourceGateway, patience: Patience
) -> GatewayChange:
    """Switch the destination gateway off, and wait until that is in effect. The outage of the way back begins.

    :raises TwoGatewaysError: if the source gateway is on or may be as well; a person decides which is right.
    :raises NotSettledError, RealisationFailedError: if it was accepted and is not in effect in time.
    """
    segment = plan.segment(segment_name)
    source, destination = read_both(clients, segment, gateway)
    if source.may_serve and destination.may_serve:
        raise TwoGatewaysError(
            f"both gateways of segment {segment_name!r} are on, or may be",
            source=source.evidence,
            destination=destination.evidence,
        )
    if not destination.may_serve:
        return GatewayChange(segment=segment_name, already=True, evidence=destination.evidence)
    sent_at = patience.now()
    if destination.state is not GatewayState.DISCONNECTED:
        nsx = clients.destination_nsx
        current = nsx.segment(segment.destination_segment_path)
        send(lambda: nsx.set_connectivity(current, Connectivity.OFF))
    wait = patience.until(lambda: look_at_destination(clients, segment), _is_off)
    return settled(segment_name, wait, sent_at, "the destination gateway")


def _is_off(seen: GatewayReading) -> bool:
    return seen.is_off or seen.failure is not None


def extend_network_again(
    plan: WavePlan, segment_name: str, clients: SiteClients, gateway: SourceGateway, now: AwareDatetime
) -> ExtendedAgain:
    """Ask HCX to extend a network again, once: onto the segment of the same subnet, whose gateway stays off.

    :raises SourceNotDisconnectedError: if the destination gateway is not proven off, or the source does not route.
    :raises ValidationFailed: if HCX refuses, or the plan does not say which gateway it was extended to.
    :raises SubmissionLostError: if the answer was lost and HCX lists no extension yet; run it again.
    """
    segment = plan.segment(segment_name)
    found = extension_now(clients, segment)
    if found is not None:
        return ExtendedAgain(segment=segment_name, asked_at=now, extension_id=found.extension_id, already=True)
    source, destination = read_both(clients, segment, gateway)
    if destination.may_serve or not source.is_on:
        raise SourceNotDisconnectedError(
            f"segment {segment_name!r} is extended again only while the source routes it and the destination's gateway "
            "is off",
            hint="Clear the task that returns the gateway; it looks first.",
            source=source.evidence,
            destination=destination.evidence,
        )
    try:
        job_id = clients.hcx.create_extension(_request(plan, segment, clients))
    except OutcomeUnknownError as error:
        found = extension_now(clients, segment)
        if found is None:
            raise SubmissionLostError(
                f"the answer to extending {segment_name!r} again was lost, and HCX lists no extension of it yet",
                cause=error.to_dict(),
            ) from error
        return ExtendedAgain(segment=segment_name, asked_at=now, extension_id=found.extension_id)
    except ValidationFailed:
        # It may be refused because an earlier request is still at work; then it is listed soon.
        found = extension_now(clients, segment)
        if found is None:
            raise
        return ExtendedAgain(segment=segment_name, asked_at=now, extension_id=found.extension_id, already=True)
    return ExtendedAgain(segment=segment_name, asked_at=now, job_id=job_id)


def extended_now(plan: WavePlan, asked: ExtendedAgain, clients: SiteClients) -> ExtendedAgain | None:
    """Return the request with the new extension's id once it is up; None while HCX is at work.

    :raises ValidationFailed: if HCX's job failed.
    """
    if asked.job_id is not None:
        try:
            job = clients.hcx.job(asked.job_id)
        except NotFound:
            job = None
        if job is not None and job.is_terminal and not job.is_success:
            raise ValidationFailed(
                f"HCX did not extend {asked.segment!r} again: {job.error_message or 'the job failed'}", system="hcx"
            )
        if job is not None and not job.is_terminal:
            return None
    found = extension_now(clients, plan.segment(asked.segment))
    if found is None or is_worked_on(found):
        return None
    return asked.model_copy(update={"extension_id": found.extension_id})


def with_extension(plan: WavePlan, segment_name: str, extension_id: str) -> WavePlan:
    """Return a plan in which a segment has its new extension; for the unextend at the end of the way back."""
    segments = [
        one.model_copy(update={"extension_id": extension_id}) if one.name == segment_name else one
        for one in plan.segments
    ]
    return plan.model_copy(update={"segments": tuple(segments)})


def extension_now(clients: SiteClients, segment: PlannedSegment) -> NetworkExtension | None:
    """Return the extension that a segment has now: the planned one, else one of the same source network.

    :raises ConflictError: if it is extended to several destinations.
    """
    planned = clients.hcx.find_extension(segment.extension_id) if segment.extension_id else None
    return planned or clients.hcx.find_extension_by_source_network(segment.source.network_id)


def _require_source_segment(clients: SiteClients, segment: PlannedSegment) -> None:
    nsx, path = clients.source_nsx, segment.source_segment_path
    if nsx is not None and path is not None and not nsx.segment_exists(path):
        raise SourceSegmentGoneError(f"the source segment of {segment.name!r} ({path}) does not exist any more")


def _request(plan: WavePlan, segment: PlannedSegment, clients: SiteClients) -> ExtensionRequest:
    gateway = next((one for one in interfaces_of(segment.gateway_addresses) if isinstance(one, IPv4Interface)), None)
    if gateway is None or segment.extension_gateway_id is None:
        raise ValidationFailed(
            f"the plan does not say to which gateway of the destination {segment.name!r} was extended",
            system="hcx",
            hint="Extend it in HCX by hand (Network Extension) to the same gateway, then clear the task.",
        )
    return ExtensionRequest(
        source_network_id=segment.source.network_id,
        source_network_name=segment.source.name,
        source_network_type=segment.source.network_type,
        gateway=str(gateway.ip),
        netmask=str(gateway.network.netmask),
        gateway_id=segment.extension_gateway_id,
        source_appliance_id=_appliance(segment, clients),
        destination_endpoint_id=plan.destination.endpoint_id,
        destination_endpoint_name=plan.destination.endpoint_name,
        destination_resource_id=plan.destination.compute_resource_id,
        vc_guid=clients.hcx.metainfo().vc_guid,
    )


def _appliance(segment: PlannedSegment, clients: SiteClients) -> str:
    """Return the appliance that carried it before, while there is one; else the one that carries least."""
    listed = clients.hcx.appliances(appliance_type=NETWORK_EXTENSION, vc_guid=clients.hcx.metainfo().vc_guid)
    known = {one.appliance_id for one in listed}
    if segment.extension_appliance_id in known:
        return str(segment.extension_appliance_id)
    free = sorted(listed, key=lambda one: (one.network_extension_count or 0, one.appliance_id))
    if not free:
        raise ValidationFailed("HCX lists no network extension appliance", system="hcx")
    return free[0].appliance_id
