"""Restore a source segment after its cleanup, by the definition that the deletion has kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.nsx import Connectivity, NsxPolicyClient, NsxSegment
from hcx_waves.cutover.emptiness import deletable
from hcx_waves.cutover.errors import NotRestorableError, RealisationFailedError
from hcx_waves.cutover.gateway import GatewayChange
from hcx_waves.cutover.guards import look_at_destination
from hcx_waves.cutover.source import NsxSource, reading_of
from hcx_waves.cutover.waiting import Patience
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.model.subnets import overlap, subnets_of
from hcx_waves.procedure_errors import NotSettledError

_COMPARED = ("display_name", "subnets", "tags", "connectivity_path", "transport_zone_path", "dhcp_config_path")


def others_with_its_subnet(clients: SiteClients, segment: PlannedSegment) -> tuple[str, ...]:
    """Return the other segments at the source that have a subnet of this one: NSX refuses a second one."""
    nsx, path = deletable(clients, segment)
    return tuple(one.path for one in _overlapping(nsx, segment, path))


def who_routes(clients: SiteClients, segment: PlannedSegment) -> tuple[str, ...]:
    """Return what at the destination routes a subnet of a segment, or may: then the source must not, too."""
    found = look_at_destination(clients, segment)
    nsx, path = clients.destination_nsx, segment.destination_segment_path
    own = [path] if found.may_serve else []
    return (*own, *(one.path for one in _overlapping(nsx, segment, path) if not one.is_disconnected))


def restore_source_segment(
    plan: WavePlan, segment_name: str, clients: SiteClients, definition: Mapping[str, Any], patience: Patience
) -> GatewayChange:
    """Make a deleted source segment again; its gateway is off, unless nothing else routes its subnet.

    A segment that is there is left as it is.

    :param definition: the whole body of the segment, as it was read before the deletion.
    :raises NotFound: if the segment is not NSX's.
    :raises NotRestorableError: if the definition is another segment's, or another one at the source has its subnet.
    :raises NotSettledError, RealisationFailedError: if it was accepted and is not in effect in time, or differs.
    """
    segment = plan.segment(segment_name)
    nsx, path = deletable(clients, segment)
    if nsx.segment_exists(path):
        return GatewayChange(segment=segment_name, already=True, evidence=f"{path}: it is there")
    if definition.get("path") != path:
        raise NotRestorableError(f"the definition that was kept is of {definition.get('path')}, not of {path}")
    others = others_with_its_subnet(clients, segment)
    if others:
        raise NotRestorableError(f"another segment at the source has its subnet: {', '.join(others)}")
    sent_at = patience.now()
    nsx.create_segment(definition, Connectivity.OFF)
    wait = patience.until(lambda: reading_of(nsx, nsx.segment(path)), lambda seen: seen.is_off or bool(seen.failure))
    if wait.seen.failure is not None:
        raise RealisationFailedError(
            f"segment {segment_name!r} was restored and could not be realised: {wait.seen.failure}",
            evidence=wait.seen.evidence,
        )
    if not wait.is_good:
        raise NotSettledError(f"segment {segment_name!r} was restored, and is not in effect yet: {wait.seen.evidence}")
    differs = list(_differences(definition, nsx.segment(path)))
    if differs:
        raise NotSettledError(f"segment {segment_name!r} was restored, and reads otherwise: {', '.join(differs)}")
    change = GatewayChange(
        segment=segment_name, sent_at=sent_at, last_not_at=wait.last_not, seen_at=wait.first_seen,
        evidence=wait.seen.evidence,
    )  # fmt: skip
    # Read once more after the segment is there: only then does it matter who routes.
    return change if who_routes(clients, segment) else _connected(change, nsx, path, patience)


def _connected(change: GatewayChange, nsx: NsxPolicyClient, path: str, patience: Patience) -> GatewayChange:
    gateway = NsxSource(nsx, path)
    gateway.reconnect(None)
    wait = patience.until(gateway.look, lambda seen: seen.is_on or bool(seen.failure))
    if not wait.is_good or wait.seen.failure is not None:
        raise NotSettledError(f"segment {change.segment!r} was restored; its gateway is not on: {wait.seen.evidence}")
    return change.model_copy(update={"seen_at": wait.first_seen, "evidence": wait.seen.evidence})


def _overlapping(nsx: NsxPolicyClient, segment: PlannedSegment, path: str) -> Iterator[NsxSegment]:
    own = subnets_of(segment.gateway_addresses)
    for other in nsx.segments():
        if other.path != path and any(
            overlap(one, another) for one in own for another in subnets_of(other.gateway_addresses)
        ):
            yield other


def _differences(definition: Mapping[str, Any], found: NsxSegment) -> Iterator[str]:
    for name in _COMPARED:
        wanted, read = definition.get(name), found.raw.get(name)
        # What is empty may be left out by either.
        if wanted and _plain(wanted) != _plain(read):
            yield f"{name} is {read}"


def _plain(value: Any) -> Any:
    """Return a value without what NSX derives itself."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: one for name, one in value.items() if name != "network"}
    return value
