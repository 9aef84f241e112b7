"""VMs, network cards and ports as NSX sees them, and how they join with vSphere. nsx-vsphere 3.

``SegmentPort.attachment.id`` = ``VIF.lport_attachment_id``; ``VIF.owner_vm_id`` = ``VirtualMachine.external_id``.
"""

from __future__ import annotations

from typing import Any

from hcx_sim.engine.clock import to_ms
from hcx_sim.nsx.motion import in_motion
from hcx_sim.nsx.ports import ports_on
from hcx_sim.nsx.records import NsxRecords, records_of
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.world.model import Nic, Port, Power, Segment, SiteName, Vm
from hcx_sim.world.operations import segment_path
from hcx_sim.world.world import World

SYSTEM = "nsx_policy"  # who makes the ports of VMs
ATTACHMENT_STATES = ("FREE", "ATTACHED", "ATTACHED_PENDING_CONF", "ATTACHED_IN_MOTION", "DETACHED")
_POWER = {Power.ON: "VM_RUNNING", Power.OFF: "VM_STOPPED", Power.SUSPENDED: "VM_SUSPENDED"}


def number_on_host(vm: Vm) -> str:
    """Return the VM's number on its host, which is what NSX and the host call it."""
    return vm.moref.rpartition("-")[2]


def host_id(world: World, vm: Vm) -> str:
    """Return the id of the transport node on which a VM runs."""
    return node_id(world, vm.site, vm.host_moref)


def node_id(world: World, site: SiteName, host_moref: str) -> str:
    """Return the id of the transport node that a host is."""
    return world.random.stable_uuid(f"transport-node/{site}/{host_moref}")


def speaks(vm: Vm, nic: Nic) -> bool:
    """Tell whether a card sends frames."""
    return vm.power is Power.ON and nic.connected


def vm_body(world: World, vm: Vm) -> dict[str, Any]:
    """Return a VM as NSX lists it."""
    number = number_on_host(vm)
    return {
        "resource_type": "VirtualMachine",
        "display_name": vm.name,
        "external_id": vm.instance_uuid,
        "host_id": host_id(world, vm),
        "local_id_on_host": number,
        "power_state": _POWER[vm.power],
        "type": "REGULAR",
        "compute_ids": [
            f"moIdOnHost:{number}",
            f"uuid:{vm.bios_uuid}",
            f"instanceUuid:{vm.instance_uuid}",
            f"externalId:{vm.instance_uuid}",
        ],
        "guest_info": {"os_name": vm.guest_name, "computer_name": vm.host_name} if vm.tools_running else {},
        "source": {
            "target_id": host_id(world, vm),
            "target_display_name": vm.host_moref,
            "target_type": "HostNode",
            "is_valid": True,
        },
        "tags": [{"scope": "", "tag": tag} for tag in vm.tags],
        "_last_sync_time": to_ms(world.now_us),
    }


def vif_body(world: World, records: NsxRecords, vm: Vm, nic: Nic) -> dict[str, Any]:
    """Return a network card as NSX lists it; one outside of any segment has no attachment."""
    port_key = records.ports.by_card.get((vm.key, nic.key))
    body = {
        "resource_type": "VirtualNetworkInterface",
        "display_name": nic.label,
        "external_id": f"{vm.instance_uuid}-{nic.key}",
        "owner_vm_id": vm.instance_uuid,
        "owner_vm_type": "REGULAR",
        "host_id": host_id(world, vm),
        "vm_local_id_on_host": number_on_host(vm),
        "device_key": str(nic.key),
        "device_name": nic.label,
        "mac_address": nic.mac,
        "ip_address_info": [],
        "_last_sync_time": to_ms(world.now_us),
    }
    if port_key is not None:
        body["lport_attachment_id"] = world.ports[port_key].attachment_id
    if vm.tools_running and speaks(vm, nic) and nic.ip_addresses:
        body["ip_address_info"] = [{"source": "VM_TOOLS", "ip_addresses": list(nic.ip_addresses)}]
    return body


def owner_of(world: World, port: Port) -> tuple[Vm, Nic] | None:
    """Return the card behind a port; None when it is free or its VM has left."""
    vm = world.vms.get(f"{port.site}/{port.vm_moref}") if port.vm_moref else None
    if vm is None or port.releasing:
        return None
    nic = next((nic for nic in vm.nics if nic.key == port.device_key), None)
    return (vm, nic) if nic is not None else None


def port_body(world: World, records: NsxRecords, segment: Segment, port: Port) -> dict[str, Any]:
    """Return a port; one that was made by a call shows what the call said."""
    path = f"{segment_path(world, segment)}/ports/{port.port_id}"
    unique_id = world.random.stable_uuid(f"port/{port.key}")
    users = (SYSTEM, SYSTEM)
    made = records.port_bodies.get(port.key)
    body: dict[str, Any] = {
        "resource_type": "SegmentPort",
        "id": port.port_id,
        "display_name": port.display_name,
        "admin_state": "UP",
        "address_bindings": [],
        "init_state": "UNBLOCKED_VLAN",
    }
    if port.attachment_id is not None:
        body["attachment"] = {"id": port.attachment_id, "traffic_tag": 0, "hyperbus_mode": "DISABLE"}
    if made is not None:
        body.update(made["sent"])
        users = (made["user"], made["user"])
    created_us = segment.created_us if made is None else made["created_us"]
    modified_us, revision = (created_us, 0) if made is None else (made["modified_us"], made["revision"])
    body["origin_id"] = unique_id
    return {**body, **bookkeeping(path, unique_id, created_us, modified_us, users, revision)}


def port_state(world: World, records: NsxRecords, segment: Segment, port: Port) -> dict[str, Any]:
    """Return what the hosts know of a port: attachment, and the addresses they see and allow."""
    owner = owner_of(world, port)
    bindings = _bindings(world, *owner) if owner is not None else []
    return {
        "attachment": _attachment_state(world, port, owner),
        "transport_node_ids": [host_id(world, owner[0])] if owner is not None else [],
        "discovered_bindings": bindings,
        "realized_bindings": bindings,
        "duplicate_bindings": _duplicates(world, records, segment, port, bindings),
    }


def _attachment_state(world: World, port: Port, owner: tuple[Vm, Nic] | None) -> dict[str, Any]:
    if port.attachment_id is None:
        return {"state": "FREE"}
    state = port.attachment_state
    if owner is not None:
        state = _state_of_card(world, *owner) if state == "ATTACHED" else state
    elif port.vm_moref is not None:
        state = "DETACHED"
    body: dict[str, Any] = {"id": port.attachment_id, "state": state}
    if owner is not None:
        vm = owner[0]
        body["attachers"] = [{"host": host_id(world, vm), "entity": f"{vm.name}/{vm.name}.vmx.{port.device_key}"}]
    return body


def _state_of_card(world: World, vm: Vm, nic: Nic) -> str:
    if not speaks(vm, nic):
        return "DETACHED"
    return "ATTACHED_IN_MOTION" if in_motion(world, vm) else "ATTACHED"


def _bindings(world: World, vm: Vm, nic: Nic) -> list[dict[str, Any]]:
    if not speaks(vm, nic):
        return []
    source = "VM_TOOLS" if vm.tools_running else "ARP_SNOOPING"
    return [
        {
            "binding": {"ip_address": address, "mac_address": nic.mac, "vlan": 0},
            "source": source,
            "binding_timestamp": to_ms(world.now_us),
        }
        for address in nic.ip_addresses
    ]


def _duplicates(
    world: World, records: NsxRecords, segment: Segment, port: Port, bindings: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the addresses that another port of the segment has as well."""
    mine = {each["binding"]["ip_address"]: each for each in bindings}
    found = []
    for other in ports_on(world, records.ports, segment) if mine else []:
        owner = owner_of(world, other)
        if other.key == port.key or owner is None or not speaks(*owner):
            continue
        for address in owner[1].ip_addresses:
            if address in mine:
                conflicting = f"{segment_path(world, segment)}/ports/{other.port_id}"
                found.append({**mine[address], "conflicting_port": conflicting})
    return found


def vms_by_external_id(world: World, site: SiteName, external_id: str) -> list[Vm]:
    """Return the VMs with an external id."""
    keys = records_of(world).ports.by_instance.get(f"{site}/{external_id}", {})
    return [world.vms[key] for key in keys]
