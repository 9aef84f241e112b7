"""Cleanup after the hold: delete the source segment and rename the destination segment."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import AwareDatetime, JsonValue

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ConflictError, NotFound, OutcomeUnknownError
from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment
from hcx_waves.cutover.emptiness import deletable, look_at_segment, refuse_deletion
from hcx_waves.cutover.errors import (
    DestinationNotRoutedError,
    ExtensionPresentError,
    PortsRemainError,
    SourceNotDisconnectedError,
)
from hcx_waves.cutover.guards import find_extension, look_at_destination
from hcx_waves.cutover.source import GatewayDefinition, GatewayState, SourceGateway, nsx_source
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.procedure_errors import SubmissionLostError


class Deletion(DomainModel):
    """The source segment is gone."""

    segment: str
    path: str
    already_gone: bool = False
    at: AwareDatetime | None = None
    """When it was seen to be gone."""
    approved_by: str = ""
    definition: dict[str, JsonValue] | None = None
    """The whole segment as it was read right before, by which it can be restored; None if it was gone already."""


class Renaming(DomainModel):
    """The destination segment has its new name in NSX."""

    segment: str
    name: str
    already: bool = False
    shown_in_vcenter: bool = False
    """Whether vCenter shows the name yet; it follows after realisation [C nsx-vsphere 2.8]."""
    at: AwareDatetime | None = None
    """When NSX was seen to show it."""
    approved_by: str = ""


def delete_source_segment(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway | None = None,
    *,
    on_definition: Callable[[GatewayDefinition], None] | None = None,
) -> Deletion:
    """Delete a segment at the source that is no longer needed, unless it is gone.

    :param gateway: what tells whether the source gateway is off; NSX unless given.
    :param on_definition: is given what it takes to restore the segment, right before it is deleted.
    :raises NotFound: if the segment is not NSX's; its network is then removed by hand.
    :raises ExtensionPresentError: if the network is still extended.
    :raises SourceNotDisconnectedError: if the source gateway is on, or what was asked does not know.
    :raises DestinationNotRoutedError: if the destination does not route it: deleting would burn the way back.
    :raises SegmentNotEmptyError: if it has ports that nobody is about to release, naming whose they are.
    :raises PortsRemainError: if it has ports that NSX is about to release; wait, then come back.
    :raises SubmissionLostError: if the answer was lost and it is still there; run it again.
    """
    segment = plan.segment(segment_name)
    nsx, path = deletable(clients, segment)
    if not nsx.segment_exists(path):
        return Deletion(segment=segment_name, path=path, already_gone=True)
    _require_cut_over(clients, segment, gateway or nsx_source(nsx, segment))
    ports = nsx.ports(path)
    if ports:
        refuse_deletion(look_at_segment(plan, segment_name, clients), segment_name)
        names = sorted(port.display_name for port in ports)
        raise PortsRemainError(
            f"segment {segment_name!r} still has {len(ports)} ports at the source: {', '.join(names)}", ports=names
        )
    found = nsx.segment(path)
    definition = dict(found.raw)
    if on_definition is not None:
        on_definition(definition)
    try:
        nsx.delete_segment(found)
    except OutcomeUnknownError as error:
        if nsx.segment_exists(path):
            raise SubmissionLostError(
                f"the answer to deleting segment {segment_name!r} was lost, and it is still there",
                cause=error.to_dict(),
            ) from error
    except NotFound:
        # It was deleted in between.
        return Deletion(segment=segment_name, path=path, already_gone=True, definition=definition)
    return Deletion(segment=segment_name, path=path, definition=definition)


def rename_destination_segment(plan: WavePlan, segment_name: str, clients: SiteClients, name: str) -> Renaming:
    """Give the destination segment a name, unless it has it; id and path stay.

    :raises ExtensionPresentError: if the network is still extended: the effect on it is unknown [? nsx-vsphere 2.8].
    :raises ConflictError: if another segment at the destination has that name.
    :raises SubmissionLostError: if NSX still shows the old name afterwards; run it again.
    """
    segment = plan.segment(segment_name)
    if find_extension(clients, segment) is not None:
        raise ExtensionPresentError(f"segment {segment_name!r} is still extended, so it was not renamed")
    nsx = clients.destination_nsx
    current = nsx.segment(segment.destination_segment_path)
    already = current.display_name == name
    if not already:
        _require_free_name(nsx, current, name)
        nsx.rename_segment(current, name)
        shown = nsx.segment(segment.destination_segment_path).display_name
        if shown != name:
            raise SubmissionLostError(
                f"segment {segment_name!r} was renamed to {name!r}, and NSX still shows {shown!r}"
            )
    in_vcenter = name in {network.name for network in clients.destination_vcenter.list_networks()}
    return Renaming(segment=segment_name, name=name, already=already, shown_in_vcenter=in_vcenter)


def _require_cut_over(clients: SiteClients, segment: PlannedSegment, gateway: SourceGateway) -> None:
    if find_extension(clients, segment) is not None:
        raise ExtensionPresentError(f"segment {segment.name!r} is still extended")
    source = gateway.look()
    if source.state is not GatewayState.DISCONNECTED:
        state = "still on" if source.state is GatewayState.CONNECTED else "not known to be off"
        raise SourceNotDisconnectedError(
            f"the source gateway of segment {segment.name!r} is {state}: {source.evidence}", source=source.evidence
        )
    destination = look_at_destination(clients, segment)
    if not destination.is_on:
        raise DestinationNotRoutedError(
            f"segment {segment.name!r} is not routed at the destination, so the source segment is still needed",
            destination=destination.evidence,
        )


def _require_free_name(nsx: NsxPolicyClient, current: NsxSegment, name: str) -> None:
    others = [one.path for one in nsx.segments() if one.display_name == name and one.path != current.path]
    if others:
        raise ConflictError(
            f"another segment at the destination is named {name!r}: {', '.join(others)}",
            system="nsx",
            hint="Choose another name in the wave file, or rename the other segment in NSX.",
        )
