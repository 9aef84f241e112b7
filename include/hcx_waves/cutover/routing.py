"""Prove that the destination, and only the destination, routes a segment."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.errors import (
    DestinationNotRoutedError,
    ExtensionPresentError,
    RealisationFailedError,
    TwoGatewaysError,
)
from hcx_waves.cutover.guards import find_extension, gateway_addresses_seen, look_at_destination
from hcx_waves.cutover.source import SourceGateway
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import WavePlan


class RoutedProof(DomainModel):
    """The destination routes a segment, realised, and the source does not."""

    segment: str
    at: AwareDatetime
    destination: str
    source: str
    gateway_macs: dict[str, tuple[str, ...]] | None = None
    """MACs that answer for each gateway address; None where no table tells."""


def verify_destination_routed(
    plan: WavePlan, segment_name: str, clients: SiteClients, gateway: SourceGateway, now: datetime
) -> RoutedProof:
    """Look once at destination, source and extension, and raise unless the cutover is complete.

    The destination's connectivity must be ON and realised; a ``type`` that is absent or lags is judged by
    :attr:`~hcx_waves.clients.nsx.Segment.is_disconnected`. Where the gateway's ARP table is offered, one MAC alone
    may answer for the gateway.

    :raises TwoGatewaysError: if the source gateway is not certainly off, or two MACs answer for the gateway.
    :raises ExtensionPresentError: if the network is still extended.
    :raises DestinationNotRoutedError: if it is not routed yet; look again.
    :raises RealisationFailedError: if NSX could not connect it.
    """
    segment = plan.segment(segment_name)
    destination = look_at_destination(clients, segment)
    if destination.failure is not None:
        raise RealisationFailedError(
            f"the destination gateway of segment {segment_name!r} could not be realised: {destination.failure}",
            destination=destination.evidence,
        )
    if not destination.is_on:
        raise DestinationNotRoutedError(
            f"segment {segment_name!r} is not routed at the destination: {destination.evidence}",
            destination=destination.evidence,
        )
    source = gateway.look()
    if source.may_serve:
        raise TwoGatewaysError(
            f"segment {segment_name!r} is routed at the destination and the source gateway is not certainly off",
            source=source.evidence,
            destination=destination.evidence,
        )
    if find_extension(clients, segment) is not None:
        raise ExtensionPresentError(f"segment {segment_name!r} is routed at the destination and still extended")
    macs = gateway_addresses_seen(clients, segment)
    doubled = {address: answering for address, answering in (macs or {}).items() if len(answering) > 1}
    if doubled:
        raise TwoGatewaysError(
            f"two gateways answer on segment {segment_name!r}: {doubled}", destination=destination.evidence
        )
    return RoutedProof(
        segment=segment_name,
        at=now,
        destination=destination.evidence,
        source=source.evidence,
        gateway_macs=macs,
    )
