"""Prove that a source segment is empty, and keep the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.cutover.errors import SegmentNotEmptyError
from hcx_waves.cutover.leftovers import Found, FoundKind, classify_vm, identities, migrations_in_flight
from hcx_waves.cutover.networks import networks_of, summaries_on
from hcx_waves.cutover.ports import PortReading, read_ports
from hcx_waves.cutover.users import read_users
from hcx_waves.gateway_users.model import UserKind
from hcx_waves.migration.groups import is_from
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedSegment, WavePlan


class EmptyProof(DomainModel):
    """A segment was empty at a moment, and what was looked at to say so."""

    segment: str
    at: AwareDatetime
    vcenter_networks: tuple[str, ...]
    """Names and MoRefs of the vCenter networks that were looked at."""
    nsx_port_count: int | None
    """How many ports NSX listed; None for a network without NSX."""
    migrations_read: int
    """How many migrations HCX listed."""
    excluded: tuple[Found, ...] = ()
    """What is there and may be, each with the reason."""
    is_gone: bool = False
    """The segment itself no longer exists at the source."""
    noticed: tuple[str, ...] = ()
    """What does not keep the segment from being cut off, and the approver should know."""
    unknown: tuple[str, ...] = ()
    """What no product tells, for a person to check."""


def prove_segment_empty(plan: WavePlan, segment_name: str, clients: SiteClients, now: datetime) -> EmptyProof:
    """Look in vCenter, NSX and HCX for everything that is still on a segment at the source.

    What may be there is told by identity: HCX's appliances, VMs that the wave declares as staying, retired Bulk
    copies, NSX's own VMs, and ports that NSX has yet to release. Everything else blocks, whether it runs or not.

    A segment that the source's NSX no longer has is empty.

    :raises SegmentNotEmptyError: naming every leftover.
    :raises NotFound: if the source's vCenter does not have the network.
    """
    segment = plan.segment(segment_name)
    if _is_gone(segment, clients):
        return EmptyProof(
            segment=segment_name, at=now, vcenter_networks=(), nsx_port_count=0, migrations_read=0, is_gone=True
        )
    found, proof = _look(plan, segment, clients, now)
    leftovers = [one for one in found if one.kind.blocks]
    if leftovers:
        named = ", ".join(f"{one.name} ({one.kind.value}: {one.reason})" for one in leftovers)
        raise SegmentNotEmptyError(
            f"segment {segment_name!r} is not empty: {named}",
            leftovers=[one.model_dump(mode="json") for one in leftovers],
            segment=segment_name,
        )
    return proof


def _look(
    plan: WavePlan, segment: PlannedSegment, clients: SiteClients, now: datetime
) -> tuple[list[Found], EmptyProof]:
    vcenter = clients.source_vcenter
    # HCX first: a VM that arrives at the source meanwhile is then at least in vCenter.
    migrations = clients.hcx.query_migrations()
    networks = networks_of(vcenter, segment.source, segment.source_segment_path)
    listed = vcenter.list_virtual_machines()
    reading = _ports(segment, clients, listed)
    on_segment = summaries_on(vcenter, networks, listed)
    morefs = {vm.moref for vm in on_segment} | set(reading.owners if reading else ())
    details = vcenter.read_virtual_machines(sorted(morefs), skip_missing=True)
    departures = [one for one in migrations if is_from(one, plan.source.endpoint_id)]
    known = identities(clients, listed, details, departures)
    found = [classify_vm(vm, segment, known) for vm in details]
    found += migrations_in_flight(clients, segment, on_segment, plan, migrations)
    found += reading.found if reading else ()
    users, needing = read_users(plan, segment, clients, [network.moref for network in networks])
    found += needing
    proof = EmptyProof(
        segment=segment.name,
        at=now,
        vcenter_networks=tuple(f"{network.name} ({network.moref})" for network in networks),
        nsx_port_count=None if reading is None else reading.port_count,
        migrations_read=len(migrations),
        excluded=tuple(one for one in found if not one.kind.blocks and one.kind is not FoundKind.FREE_PORT),
        noticed=tuple(f"{one.name} {one.reason}" for one in users.of(UserKind.OUTSIDE_ADDRESS)),
        unknown=users.unknown,
    )
    return found, proof


def _is_gone(segment: PlannedSegment, clients: SiteClients) -> bool:
    path, nsx = segment.source_segment_path, clients.source_nsx
    return path is not None and nsx is not None and not nsx.segment_exists(path)


def _ports(
    segment: PlannedSegment, clients: SiteClients, listed: Sequence[VirtualMachineSummary]
) -> PortReading | None:
    if segment.source_segment_path is None:
        return None
    if clients.source_nsx is None:
        raise NotFound(
            f"segment {segment.name!r} is an NSX segment, and the wave has no connection to the source's NSX",
            system="nsx",
            hint="Name a connection to the source's NSX in the wave file.",
        )
    return read_ports(clients.source_nsx, segment.source_segment_path, listed)
