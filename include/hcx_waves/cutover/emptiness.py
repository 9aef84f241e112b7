"""Prove that a source segment is empty, and keep the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.nsx import NsxPolicyClient
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.cutover.errors import SegmentNotEmptyError
from hcx_waves.cutover.leftovers import migrations_in_flight
from hcx_waves.cutover.networks import networks_of, summaries_on
from hcx_waves.cutover.users import read_users
from hcx_waves.gateway_users.model import Found, FoundKind
from hcx_waves.gateway_users.ports import PortReading, read_ports
from hcx_waves.migration.groups import is_from
from hcx_waves.migration.originals import identities
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


_BEFORE_DELETION = (
    "Delete these VMs in vCenter, or connect them to another network; a Bulk migration leaves the originals powered "
    'off in the folder "Migrated VMs". Delete unattached ports in NSX. To keep the source segment instead, write '
    "delete_source: false for it and start a new run. Nothing was changed."
)


def prove_segment_empty(
    plan: WavePlan, segment_name: str, clients: SiteClients, now: datetime, *, deleting: bool = False
) -> EmptyProof:
    """Look in vCenter, NSX and HCX for everything that is still on a segment at the source.

    What may be there is told by identity: HCX's appliances, VMs that the wave declares as staying, retired Bulk
    copies, NSX's own VMs, and ports that NSX has yet to release. Everything else blocks, whether it runs or not.

    A segment that the source's NSX no longer has is empty.

    :param deleting: whether the segment is to be deleted. Then nothing but ports that NSX is about to release may be
        there: a powered-off original has a port, too.
    :raises SegmentNotEmptyError: naming every leftover.
    :raises NotFound: if the source's vCenter does not have the network, or it is to be deleted and is not NSX's.
    """
    segment = plan.segment(segment_name)
    if deleting:
        deletable(clients, segment)
    if _is_gone(segment, clients):
        return EmptyProof(
            segment=segment_name, at=now, vcenter_networks=(), nsx_port_count=0, migrations_read=0, is_gone=True
        )
    found, proof = _look(plan, segment, clients, now)
    _refuse([one for one in found if one.kind.blocks], segment_name)
    if deleting:
        refuse_deletion(found, segment_name)
    return proof


def refuse_deletion(found: Sequence[Found], segment_name: str) -> None:
    """Refuse if a segment cannot be deleted because of something that does not go away by itself.

    :raises SegmentNotEmptyError: naming all of it.
    """
    _refuse([one for one in found if one.kind.blocks_deletion], segment_name, hint=_BEFORE_DELETION)


def deletable(clients: SiteClients, segment: PlannedSegment) -> tuple[NsxPolicyClient, str]:
    """Return the NSX and the path that a source segment is deleted by.

    :raises NotFound: if it is not an NSX segment.
    """
    if clients.source_nsx is None or segment.source_segment_path is None:
        raise NotFound(
            f"segment {segment.name!r} is not an NSX segment at the source",
            system="nsx",
            hint="Write delete_source: false; remove its port group in vCenter and its router interface by hand.",
        )
    return clients.source_nsx, segment.source_segment_path


def look_at_segment(plan: WavePlan, segment_name: str, clients: SiteClients) -> tuple[Found, ...]:
    """Return everything that is on a segment at the source."""
    # The instant is of the proof, which nobody asks for here.
    return tuple(_look(plan, plan.segment(segment_name), clients, plan.resolved_at)[0])


def _refuse(leftovers: Sequence[Found], segment_name: str, **hint: str) -> None:
    if leftovers:
        named = ", ".join(f"{one.name} ({one.kind.value}: {one.reason})" for one in leftovers)
        raise SegmentNotEmptyError(
            f"segment {segment_name!r} is not empty: {named}",
            leftovers=[one.model_dump(mode="json") for one in leftovers],
            segment=segment_name,
            **hint,
        )


def _look(
    plan: WavePlan, segment: PlannedSegment, clients: SiteClients, now: datetime
) -> tuple[list[Found], EmptyProof]:
    vcenter = clients.source_vcenter
    # HCX first: a VM that arrives at the source meanwhile is then at least in vCenter. Archived ones tell which VMs
    # are retired copies as well as others do.
    migrations = clients.hcx.query_migrations(include_archived=True)
    networks = networks_of(vcenter, segment.source, segment.source_segment_path)
    listed = vcenter.list_virtual_machines()
    reading = _ports(segment, clients, listed)
    on_segment = summaries_on(vcenter, networks, listed)
    morefs = {vm.moref for vm in on_segment} | set(reading.owners if reading else ())
    details = vcenter.read_virtual_machines(sorted(morefs), skip_missing=True)
    departures = [one for one in migrations if is_from(one, plan.source.endpoint_id)]
    users = read_users(
        plan,
        segment,
        clients,
        network_ids=[network.moref for network in networks],
        machines=details,
        known=identities(
            details,
            listed=listed,
            appliances=clients.hcx.appliances(),
            departures=departures,
            there=clients.destination_vcenter.list_virtual_machines(),
            destination=clients.destination_vcenter,
        ),
        ports=reading,
        migrations=migrations_in_flight(clients, segment, on_segment, plan, migrations),
    )
    proof = EmptyProof(
        segment=segment.name,
        at=now,
        vcenter_networks=tuple(f"{network.name} ({network.moref})" for network in networks),
        nsx_port_count=None if reading is None else reading.port_count,
        migrations_read=len(migrations),
        excluded=tuple(
            one
            for one in users.found
            if not one.kind.blocks and not one.kind.is_asked and one.kind is not FoundKind.FREE_PORT
        ),
        noticed=tuple(f"{one.name} {one.reason}" for one in users.found if one.kind.is_asked),
        unknown=users.unknown,
    )
    return list(users.found), proof


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
