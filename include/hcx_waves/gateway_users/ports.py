"""Who is on a segment according to NSX: port, VIF, VM, vSphere [D nsx-vsphere 3]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.nsx import NsxPolicyClient, NsxVirtualMachine, SegmentPort, Vif
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.gateway_users.model import Found, FoundKind

_LEFT_STATES = frozenset({"FREE", "DETACHED"})
_NSX_TYPES = frozenset({"EDGE", "SERVICE"})


@dataclass(frozen=True)
class PortReading:
    """What NSX says of a segment.

    :param owners: MoRefs of the VMs of this vCenter that have a port.
    :param found: ports that are no VM's of this vCenter.
    :param macs: of all VMs that NSX knows at this site.
    """

    port_count: int
    owners: frozenset[str]
    found: tuple[Found, ...]
    macs: frozenset[str] = frozenset()


def read_ports(nsx: NsxPolicyClient, segment_path: str, listed: Sequence[VirtualMachineSummary]) -> PortReading:
    """Join a segment's ports with the VMs of vCenter.

    A port that no VIF claims belongs to a VM that has left if NSX says that it is detached; attached, pending or in
    motion it is unknown, and blocks.

    :param listed: all VMs of the vCenter.
    """
    ports = nsx.ports(segment_path)
    if not ports:
        return PortReading(0, frozenset(), ())
    listed_vifs = nsx.vifs()
    vifs = {vif.attachment_id: vif for vif in listed_vifs if vif.attachment_id is not None}
    machines = {vm.external_id: vm for vm in nsx.virtual_machines()}
    by_uuid = {vm.instance_uuid.lower(): vm.moref for vm in listed if vm.instance_uuid}
    owners: set[str] = set()
    found: list[Found] = []
    for port in ports:
        vif = vifs.get(port.attachment_id) if port.attachment_id is not None else None
        moref = _owner(vif, machines, by_uuid)
        if moref is not None:
            owners.add(moref)
        else:
            found.append(_stranger(nsx, port, vif, machines))
    macs = frozenset(vif.mac_address.lower() for vif in listed_vifs if vif.mac_address)
    return PortReading(len(ports), frozenset(owners), tuple(found), macs)


def _owner(vif: Vif | None, machines: Mapping[str, NsxVirtualMachine], by_uuid: Mapping[str, str]) -> str | None:
    """Return the MoRef of the VM behind a VIF, or None."""
    if vif is None or vif.owner_vm_id is None:
        return None
    machine = machines.get(vif.owner_vm_id)
    uuids = [vif.owner_vm_id]
    if machine is not None:
        uuids += [value for name, value in machine.compute_ids.items() if name == "instanceUuid"]
    return next((by_uuid[uuid.lower()] for uuid in uuids if uuid.lower() in by_uuid), None)


def _stranger(
    nsx: NsxPolicyClient, port: SegmentPort, vif: Vif | None, machines: Mapping[str, NsxVirtualMachine]
) -> Found:
    def found(kind: FoundKind, reason: str, name: str | None = None) -> Found:
        return Found(kind=kind, name=name or port.display_name, object_id=port.port_id, reason=reason)

    if port.attachment_id is None:
        return found(FoundKind.FREE_PORT, "nothing is attached to it")
    if vif is not None:
        machine = machines.get(vif.owner_vm_id or "")
        name = machine.display_name if machine is not None else None
        kind = {vif.owner_vm_type, machine.vm_type if machine is not None else None} & _NSX_TYPES
        if kind:
            return found(FoundKind.NSX_SERVICE, f"NSX lists it as its {sorted(map(str, kind))[0]} VM", name)
        return found(FoundKind.UNKNOWN_PORT, "NSX knows its VM, this vCenter does not", name)
    if port.attachment_type == "CHILD":
        return found(FoundKind.UNKNOWN_PORT, "the port of a container")
    try:
        state = nsx.port_state(port.path).attachment_state
    except NotFound:
        return found(FoundKind.RELEASING_PORT, "released during the check")
    if state in _LEFT_STATES:
        return found(FoundKind.RELEASING_PORT, f"its VM has left; NSX reports {state}")
    return found(FoundKind.UNKNOWN_PORT, f"no VIF belongs to it and NSX reports {state or 'no state'}")
