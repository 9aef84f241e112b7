"""Classify what is found on a source segment: by identity, never by a pattern in a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.hcx import Migration
from hcx_waves.clients.hcx.migrations import GroupIntents
from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.migration.groups import is_from, is_in_flight, latest_by_entity
from hcx_waves.migration.verify import POWERED_OFF
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedSegment, WavePlan

HCX_EXTENSION_KEY = "com.vmware.hybridity"


class FoundKind(StrEnum):
    """What was found on a segment. Stored in evidence: add, never rename."""

    WORKLOAD = "workload"
    POWERED_OFF_VM = "powered_off_vm"
    TEMPLATE = "template"
    MIGRATION = "migration"
    """A migration that is not over, of a VM on the segment or coming to it."""
    UNKNOWN_PORT = "unknown_port"
    """A port with something attached that is no VM of this site."""
    OTHER_EXTENSION = "other_extension"
    """An extension of the network to another site, whose VMs use this gateway."""
    L2VPN = "l2vpn"
    """An NSX L2 VPN that stretches the segment."""
    MON = "mon"
    """Mobility Optimized Networking is on: the destination may route the segment already."""
    STAYING = "staying"
    """A VM that a person has declared as staying (a router)."""
    RETIRED_COPY = "retired_copy"
    """The powered-off original of a Bulk migration, whose VM lives at the destination [D hcx 4.8]."""
    HCX_APPLIANCE = "hcx_appliance"
    NSX_SERVICE = "nsx_service"
    """An edge or service VM of NSX."""
    RELEASING_PORT = "releasing_port"
    """A port whose VM has left; NSX releases it with a delay [C nsx-vsphere 2.8]."""
    FREE_PORT = "free_port"

    @property
    def blocks(self) -> bool:
        """Whether the segment may not be cut off while it is there."""
        return self in (
            FoundKind.WORKLOAD,
            FoundKind.POWERED_OFF_VM,
            FoundKind.TEMPLATE,
            FoundKind.MIGRATION,
            FoundKind.UNKNOWN_PORT,
            FoundKind.OTHER_EXTENSION,
            FoundKind.L2VPN,
            FoundKind.MON,
        )

    @property
    def blocks_deletion(self) -> bool:
        """Whether the segment cannot be deleted while it is there: NSX keeps a segment that has ports, whoever's."""
        return self is not FoundKind.RELEASING_PORT


class Found(DomainModel):
    """One thing on a segment, and why it is taken for what it is."""

    kind: FoundKind
    name: str
    object_id: str
    reason: str


@dataclass(frozen=True)
class Identities:
    """What is known for telling VMs apart."""

    appliance_names: frozenset[str]
    ambiguous_names: frozenset[str]
    arrived: Mapping[str, Migration]
    there: Sequence[VirtualMachineSummary]
    there_details: Sequence[VirtualMachineDetail]


def classify_vm(vm: VirtualMachineDetail, segment: PlannedSegment, known: Identities) -> Found:
    """Say what a VM on the source segment is; when in doubt it blocks."""

    def found(kind: FoundKind, reason: str) -> Found:
        return Found(kind=kind, name=vm.name, object_id=vm.moref, reason=reason)

    if (vm.managed_by or "").startswith(HCX_EXTENSION_KEY):
        return found(FoundKind.HCX_APPLIANCE, f"vCenter reports {vm.managed_by} as its owner")
    unique = vm.name not in known.ambiguous_names
    if unique and vm.name in known.appliance_names:
        return found(FoundKind.HCX_APPLIANCE, "HCX lists it as one of its appliances")
    if unique and vm.name in segment.stays:
        return found(FoundKind.STAYING, "the wave file lists it as staying")
    copy_of = _copy_of(vm, known)
    if copy_of is not None:
        return found(FoundKind.RETIRED_COPY, copy_of)
    if vm.is_template:
        return found(FoundKind.TEMPLATE, "a template on this segment")
    if vm.power_state == POWERED_OFF:
        return found(FoundKind.POWERED_OFF_VM, "powered off; it would have no gateway when it is started")
    return found(FoundKind.WORKLOAD, f"{vm.power_state}, not migrated")


def _copy_of(vm: VirtualMachineDetail, known: Identities) -> str | None:
    """Return why a VM is the retired original of a migration, or None.

    HCX must have migrated this very MoRef, it must be off, and its VM must be at the destination: with its
    instance uuid, or with all of its MAC addresses.
    """
    migration = known.arrived.get(vm.moref)
    if migration is None or vm.power_state != POWERED_OFF or vm.is_template:
        return None
    same = [one for one in known.there if vm.instance_uuid and one.instance_uuid == vm.instance_uuid]
    same = same or [one for one in known.there_details if vm.macs and one.macs == vm.macs]
    if not same:
        return None
    return f"HCX migrated it ({migration.migration_id}); it is at the destination as {same[0].name}"


def identities(
    clients: SiteClients,
    listed: Sequence[VirtualMachineSummary],
    on_segment: Sequence[VirtualMachineDetail],
    departures: Sequence[Migration],
) -> Identities:
    """Read what tells the VMs on a segment apart.

    :param listed: all VMs of the source's vCenter.
    :param departures: the migrations that start at the source.
    """
    names = Counter(vm.name for vm in listed)
    there = clients.destination_vcenter.list_virtual_machines()
    arrived = {
        entity_id: migration
        for entity_id, migration in latest_by_entity(departures).items()
        if migration.state.is_success
    }
    # Only a Bulk migration that changed the uuids needs the MAC addresses of the VMs at the destination.
    names_there = {arrived[vm.moref].entity_name for vm in on_segment if vm.moref in arrived}
    morefs = [one.moref for one in there if one.name in names_there]
    return Identities(
        appliance_names=frozenset(one.appliance_name for one in clients.hcx.appliances() if one.appliance_name),
        ambiguous_names=frozenset(name for name, count in names.items() if count > 1),
        arrived=arrived,
        there=there,
        there_details=clients.destination_vcenter.read_virtual_machines(morefs, skip_missing=True),
    )


def migrations_in_flight(
    clients: SiteClients,
    segment: PlannedSegment,
    on_segment: Sequence[VirtualMachineSummary],
    plan: WavePlan,
    migrations: Sequence[Migration],
) -> list[Found]:
    """Return the migrations that are not over and concern a segment.

    They concern it if the VM is on it or of the plan, or if a NIC is mapped from or to it, which the groups'
    intents tell.
    """
    flying = [one for one in migrations if is_in_flight(one)]
    if not flying:
        return []
    ids = {*(vm.moref for vm in on_segment), *(vm.vm_id for vm in plan.vms_of(segment.name))}
    here = plan.source.endpoint_id
    ends = {segment.source.network_id, segment.source_segment_path, segment.destination.network_id}
    ends |= {segment.destination_segment_path}
    group_ids = sorted({one.group_id for one in flying if one.group_id})
    mapped = {
        str(intent.get("migrationId"))
        for group in _intents(clients, group_ids)
        for intent in group.migrations
        if ends & _network_ids(intent)
    }
    return [
        Found(
            kind=FoundKind.MIGRATION,
            name=one.entity_name or str(one.entity_id),
            object_id=one.migration_id,
            reason=f"its migration has not ended ({one.state.phase.value})",
        )
        for one in flying
        if (one.entity_id in ids and is_from(one, here)) or one.migration_id in mapped
    ]


def _intents(clients: SiteClients, group_ids: Sequence[str]) -> Sequence[GroupIntents]:
    """Return the groups as submitted; only the newer managers are known to tell [C hcx 4.4]."""
    try:
        return clients.hcx.group_intents(group_ids)
    except NotFound:
        return ()


def _network_ids(intent: Mapping[str, object]) -> set[object]:
    params = intent.get("networkParams")
    mappings = params.get("networkMappings") if isinstance(params, Mapping) else None
    return {
        one.get(key)
        for one in (mappings if isinstance(mappings, list) else [])
        if isinstance(one, Mapping)
        for key in ("srcNetworkId", "destNetworkId")
        if one.get(key)
    }
