"""Reads who else needs a segment's gateway, from what preflight has read of the sites anyway."""

from __future__ import annotations

from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.gateway_users import GatewayFacts, Tenant, who_needs
from hcx_waves.gateway_users.machines import Identities
from hcx_waves.gateway_users.model import GatewayUsers
from hcx_waves.gateway_users.neighbours import read_neighbours
from hcx_waves.gateway_users.ports import PortReading, read_ports
from hcx_waves.migration.originals import identities
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.preflight.context import PreflightContext

_POWERED_OFF = "poweredOff"


def gateway_users(context: PreflightContext, segment: PlannedSegment) -> GatewayUsers:
    """Return who else needs a segment's gateway, beside the VMs that the run moves; read once for each segment.

    :raises ClientError: if a product cannot be read.
    """
    if segment.name not in context.users:
        try:
            context.users[segment.name] = _read(context, segment)
        except ClientError as error:
            context.users[segment.name] = error
    found = context.users[segment.name]
    if isinstance(found, ClientError):
        raise found
    return found


def _read(context: PreflightContext, segment: PlannedSegment) -> GatewayUsers:
    path, nsx = segment.source_segment_path, context.clients.source_nsx
    networks = [one.moref for one in context.source_networks.meant_by(segment.source.network_id)]
    ports = None if nsx is None or path is None else read_ports(nsx, path, context.source_vms)
    machines = _machines(context, networks, ports)
    return who_needs(
        context.plan,
        segment,
        GatewayFacts(
            extensions=tuple(context.extensions.values()),
            machines=machines,
            known=_identities(context, machines),
            others=ports.found if ports else (),
            network_ids=networks,
            source_segment=context.source_segments.get(str(path)) if nsx is not None and path is not None else None,
            tenants=_tenants(context, segment),
            neighbours=None if nsx is None or path is None else read_neighbours(nsx, path),
            known_macs=_known_macs(context, machines),
        ),
    )


def _machines(context: PreflightContext, networks: list[str], ports: PortReading | None) -> list[VirtualMachineDetail]:
    """Read the VMs on a segment, by vCenter or by NSX, that the run does not move."""
    own = {vm.vm_id for vm in context.to_move}
    on_segment = {vm.moref for vm in context.source_vms if set(networks) & set(vm.networks)}
    morefs = sorted((on_segment | (ports.owners if ports else frozenset())) - own)
    # All segments in one read; NSX seldom knows of a VM on one of them that vCenter does not place there.
    read = context.others_on_segments if on_segment - own else {}
    further = [moref for moref in morefs if moref not in read]
    more = context.clients.source_vcenter.read_virtual_machines(further, skip_missing=True) if further else []
    return sorted([*(read[moref] for moref in morefs if moref in read), *more], key=lambda vm: vm.moref)


def _identities(context: PreflightContext, machines: list[VirtualMachineDetail]) -> Identities:
    # Only what is powered off can be the original of a VM that has moved.
    are_originals = any(vm.power_state == _POWERED_OFF for vm in machines)
    return identities(
        machines,
        listed=context.source_vms,
        appliances=context.appliances if machines else (),
        departures=context.all_departures if are_originals else (),
        there=context.destination_vms if are_originals else (),
        destination=context.clients.destination_vcenter,
    )


def _tenants(context: PreflightContext, segment: PlannedSegment) -> list[Tenant]:
    return [
        Tenant(vm.name, vm.vm_id, tuple(one.address for one in detail.addresses_of(nic)))
        for vm, detail in context.moving
        for nic in detail.nics
        if any(one.mac_address == nic.mac.lower() and one.segment == segment.name for one in vm.nics)
    ]


def _known_macs(context: PreflightContext, machines: list[VirtualMachineDetail]) -> frozenset[str]:
    if context.clients.source_nsx is None:
        return frozenset()
    here = {nic.mac.lower() for _, detail in context.moving for nic in detail.nics}
    here |= {mac.lower() for vm in machines for mac in vm.macs}
    return frozenset({*here, *(vif.mac_address.lower() for vif in context.vifs if vif.mac_address)})
