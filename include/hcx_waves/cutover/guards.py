"""The guards of a cutover: never two gateways. And reads of the destination gateway and of the extension."""

from __future__ import annotations

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.hcx.extensions import HEALTHY_EXTENSION
from hcx_waves.cutover.errors import TwoGatewaysError
from hcx_waves.cutover.source import GatewayReading, SourceGateway, reading_of
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.subnets import plain_address

_BUSY_WORDS = ("PROGRESS", "PENDING", "DELET", "REMOV", "UNSTRETCH", "UNEXTEND", "QUEUE", "RUNNING", "BUSY")


def look_at_destination(clients: SiteClients, segment: PlannedSegment) -> GatewayReading:
    """Read whether the destination's gateway serves a segment.

    :raises NotFound: if the destination segment does not exist.
    """
    nsx = clients.destination_nsx
    return reading_of(nsx, nsx.segment(segment.destination_segment_path))


def find_extension(clients: SiteClients, segment: PlannedSegment) -> NetworkExtension | None:
    """Return a segment's extension, by its id, or None once it is gone."""
    return clients.hcx.find_extension(segment.extension_id)


def is_worked_on(extension: NetworkExtension) -> bool:
    """Whether an extension's status sounds as if HCX were at work on it. The words are not published [? hcx 9.6]."""
    word = (extension.operation_status.state or "").upper()
    return any(part in word for part in _BUSY_WORDS)


def is_whole(extension: NetworkExtension) -> bool:
    """Whether an extension's status is one of the few words that are taken for healthy [? hcx 9.6]."""
    return (extension.operation_status.state or "").lower() in HEALTHY_EXTENSION


def require_no_second_gateway(source: GatewayReading, destination: GatewayReading, segment: str) -> None:
    """Refuse if both gateways serve a segment, or may.

    :raises TwoGatewaysError: with what was read of both.
    """
    if source.may_serve and destination.may_serve:
        raise TwoGatewaysError(
            f"both gateways of segment {segment!r} are on, or may be",
            segment=segment,
            source=source.evidence,
            destination=destination.evidence,
        )


def gateway_addresses_seen(clients: SiteClients, segment: PlannedSegment) -> dict[str, tuple[str, ...]] | None:
    """Return which MACs answer for each gateway address, by the destination's gateway ARP table.

    :returns: None where the table is not offered or says nothing of the gateway.
    """
    wanted = {plain_address(address) for address in segment.gateway_addresses}
    try:
        rows = clients.destination_nsx.gateway_arp_table(segment.destination_segment_path)
    except NotFound:
        return None
    seen: dict[str, set[str]] = {}
    for row in rows:
        address, mac = plain_address(str(row.get("ip") or "")), str(row.get("mac_address") or "").lower()
        if address in wanted and mac:
            seen.setdefault(address, set()).add(mac)
    return {address: tuple(sorted(macs)) for address, macs in sorted(seen.items())} or None


def read_both(
    clients: SiteClients, segment: PlannedSegment, gateway: SourceGateway
) -> tuple[GatewayReading, GatewayReading]:
    """Read the source's and the destination's gateway."""
    return gateway.look(), look_at_destination(clients, segment)
