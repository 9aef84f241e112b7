"""Reads what tells the VMs on a source segment apart: HCX's appliances, and the originals that migrations have left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from hcx_waves.clients.hcx import Appliance, Migration
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.gateway_users.machines import Identities
from hcx_waves.migration.groups import latest_by_entity


def identities(
    on_segment: Sequence[VirtualMachineDetail],
    *,
    listed: Iterable[VirtualMachineSummary],
    appliances: Iterable[Appliance],
    departures: Iterable[Migration],
    there: Sequence[VirtualMachineSummary],
    destination: VsphereClient,
) -> Identities:
    """Return what tells the VMs on a segment apart.

    :param listed: all VMs of the source's vCenter.
    :param departures: the migrations that start at the source, archived ones as well.
    :param there: all VMs of the destination's vCenter, of which those that may have come from the segment are read.
    :raises ClientError: if the destination's vCenter cannot be read.
    """
    names = Counter(vm.name for vm in listed)
    arrived = {
        entity_id: migration
        for entity_id, migration in latest_by_entity(departures).items()
        if migration.state.is_success
    }
    # Only a Bulk migration that changed the uuids needs the MAC addresses of the VMs at the destination.
    names_there = {arrived[vm.moref].entity_name for vm in on_segment if vm.moref in arrived}
    morefs = [one.moref for one in there if one.name in names_there]
    return Identities(
        appliance_names=frozenset(one.appliance_name for one in appliances if one.appliance_name),
        ambiguous_names=frozenset(name for name, count in names.items() if count > 1),
        arrived=arrived,
        there=there,
        there_details=destination.read_virtual_machines(morefs, skip_missing=True) if morefs else (),
    )
