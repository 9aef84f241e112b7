"""Says what a VM on a source segment is, by identity, never by a pattern in a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hcx_waves.clients.hcx import Migration
from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.gateway_users.model import Found, FoundKind
from hcx_waves.model.plan import PlannedSegment

HCX_OWNER = "com.vmware.hybridity"
_POWERED_OFF = "poweredOff"


@dataclass(frozen=True)
class Identities:
    """What is known for telling VMs apart.

    :param ambiguous_names: names that several VMs of the source's vCenter have.
    :param arrived: the migrations that have succeeded, by the MoRef that left the source.
    :param there: all VMs of the destination's vCenter, and in detail those that may have come by ``arrived``.
    """

    appliance_names: frozenset[str] = frozenset()
    ambiguous_names: frozenset[str] = frozenset()
    arrived: Mapping[str, Migration] = field(default_factory=dict)
    there: Sequence[VirtualMachineSummary] = ()
    there_details: Sequence[VirtualMachineDetail] = ()


def classify_vm(vm: VirtualMachineDetail, segment: PlannedSegment, known: Identities) -> Found:
    """Say what a VM on the source segment is; when in doubt it blocks."""

    def found(kind: FoundKind, reason: str) -> Found:
        return Found(kind=kind, name=vm.name, object_id=vm.moref, reason=reason)

    if (vm.managed_by or "").startswith(HCX_OWNER):
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
    if vm.power_state == _POWERED_OFF:
        return found(FoundKind.POWERED_OFF_VM, "powered off; it would have no gateway when it is started")
    return found(FoundKind.WORKLOAD, f"{vm.power_state}, not migrated")


def _copy_of(vm: VirtualMachineDetail, known: Identities) -> str | None:
    """Return why a VM is the retired original of a migration, or None.

    HCX must have migrated this very MoRef, it must be off, and its VM must be at the destination: with its
    instance uuid, or with all of its MAC addresses.
    """
    migration = known.arrived.get(vm.moref)
    if migration is None or vm.power_state != _POWERED_OFF or vm.is_template:
        return None
    same = [one for one in known.there if vm.instance_uuid and one.instance_uuid == vm.instance_uuid]
    same = same or [one for one in known.there_details if vm.macs and one.macs == vm.macs]
    if not same:
        return None
    return f"HCX migrated it ({migration.migration_id}); it is at the destination as {same[0].name}"
