"""The two passes over virtual machines: light for all of them, everything for a few.

Reading the devices of every VM costs ten times as much as the light pass, nearly all of it spent on parsing
XML in the client, and threads only make it slower. [C nsx-vsphere 4.3]
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from pyVmomi import vim

from hcx_waves.clients.vsphere import devices
from hcx_waves.clients.vsphere.models import (
    GuestAddress,
    GuestNic,
    PendingQuestion,
    SnapshotTree,
    UnreadableProperty,
    VirtualMachineDetail,
    VirtualMachineSummary,
)
from hcx_waves.clients.vsphere.properties import ObjectProperties, PropertyPaths
from hcx_waves.clients.vsphere.values import decoded, instant, text

_LIGHT = (
    "name",
    "config.instanceUuid",
    "config.uuid",
    "config.template",
    "runtime.powerState",
    "runtime.host",
    "network",
    "parent",
    "resourcePool",
)

LIGHT_PATHS = PropertyPaths(vim.VirtualMachine, required=_LIGHT)

FULL_PATHS = PropertyPaths(
    vim.VirtualMachine,
    required=(
        *_LIGHT,
        "config.hardware.device",
        "config.version",
        "config.guestId",
        "config.guestFullName",
        "config.changeVersion",
        "config.files.vmPathName",
        "runtime.connectionState",
        "guest.net",
        "guest.ipAddress",
        "guest.hostName",
        "guest.toolsRunningStatus",
        "guest.toolsVersionStatus2",
        "snapshot",
        "datastore",
    ),
    optional=(
        "parentVApp",
        "config.hardware.numCPU",
        "config.hardware.memoryMB",
        "config.changeTrackingEnabled",
        "config.keyId",
        "config.managedBy",
        "config.migrateEncryption",
        "runtime.consolidationNeeded",
        "runtime.faultToleranceState",
        "runtime.minRequiredEVCModeKey",
        "runtime.question",
        "runtime.toolsInstallerMounted",
        "summary.storage.committed",
        "tag",
        "customValue",
    ),
)


_DEVICES = "config.hardware.device"


def summary_of(found: ObjectProperties) -> VirtualMachineSummary:
    """Build the light result."""
    return VirtualMachineSummary(**_light_fields(found))


def detail_of(found: ObjectProperties) -> VirtualMachineDetail:
    """Build the full result; a VM that does not tell its devices is not one without any."""
    hardware = found.get(_DEVICES) or ()
    light = _light_fields(found)
    if _DEVICES not in found.values and all(each.path != _DEVICES for each in found.unreadable):
        light["unreadable"] = (*light["unreadable"], UnreadableProperty(_DEVICES, "NotSet"))
    return VirtualMachineDetail(
        **light,
        **_state_fields(found),
        **_guest_fields(found),
        nics=devices.nics(hardware),
        disks=devices.disks(hardware),
        media=devices.media(hardware),
        passthrough=devices.passthrough(hardware),
        snapshots=_snapshots(found.get("snapshot")),
    )


def _light_fields(found: ObjectProperties) -> dict[str, Any]:
    get = found.get
    return {
        "moref": found.moref,
        "name": decoded(get("name", "")),
        "instance_uuid": get("config.instanceUuid"),
        "bios_uuid": get("config.uuid"),
        "power_state": text(get("runtime.powerState")),
        "networks": found.references("network"),
        "folder": found.reference("parent"),
        "is_template": bool(get("config.template", False)),
        "resource_pool": found.reference("resourcePool"),
        "host": found.reference("runtime.host"),
        "unreadable": tuple(found.unreadable),
    }


def _state_fields(found: ObjectProperties) -> dict[str, Any]:
    get = found.get
    managed_by = get("config.managedBy")
    question = get("runtime.question")
    return {
        "vapp": found.reference("parentVApp"),
        "connection_state": text(get("runtime.connectionState")),
        "consolidation_needed": get("runtime.consolidationNeeded"),
        "fault_tolerance_state": text(get("runtime.faultToleranceState")),
        "question": None if question is None else PendingQuestion(question.id, question.text),
        "datastores": found.references("datastore"),
        "vm_path": get("config.files.vmPathName"),
        "hardware_version": get("config.version"),
        "guest_id": get("config.guestId"),
        "guest_full_name": get("config.guestFullName"),
        "cpu_count": get("config.hardware.numCPU"),
        "memory_mb": get("config.hardware.memoryMB"),
        "committed_bytes": get("summary.storage.committed"),
        "change_version": get("config.changeVersion"),
        "change_tracking": get("config.changeTrackingEnabled"),
        "is_encrypted": get("config.keyId") is not None,
        "migrate_encryption": get("config.migrateEncryption"),
        "min_evc_mode": get("runtime.minRequiredEVCModeKey"),
        "managed_by": None if managed_by is None else managed_by.extensionKey,
        "tags": tuple(tag.key for tag in get("tag") or ()),
        "custom_values": tuple(
            (entry.key, entry.value) for entry in get("customValue") or () if hasattr(entry, "value")
        ),
    }


def _guest_fields(found: ObjectProperties) -> dict[str, Any]:
    get = found.get
    address = get("guest.ipAddress")
    return {
        "tools_running": get("guest.toolsRunningStatus"),
        "tools_version": get("guest.toolsVersionStatus2"),
        "tools_installer_mounted": get("runtime.toolsInstallerMounted"),
        "guest_host_name": get("guest.hostName"),
        "guest_address": address if address and not _is_link_local(address) else None,
        "guest_nics": tuple(_guest_nic(nic) for nic in get("guest.net") or ()),
    }


def _guest_nic(nic: Any) -> GuestNic:
    key = nic.deviceConfigId
    return GuestNic(
        mac=(nic.macAddress or "").lower(),
        # Tools give -1 for a card that has no virtual device behind it.
        device_key=None if key is None or key < 0 else key,
        connected=nic.connected,
        network=nic.network,
        addresses=tuple(_routable(_guest_addresses(nic))),
    )


def _guest_addresses(nic: Any) -> list[GuestAddress]:
    """Return a card's addresses with their prefixes; old Tools give the bare addresses only."""
    detailed = (nic.ipConfig.ipAddress if nic.ipConfig else None) or ()
    if detailed:
        return [GuestAddress(ip.ipAddress, ip.prefixLength, ip.state, ip.origin) for ip in detailed]
    return [GuestAddress(str(address)) for address in nic.ipAddress or ()]


def _routable(addresses: Iterable[GuestAddress]) -> list[GuestAddress]:
    return [address for address in addresses if not _is_link_local(address.address)]


def _is_link_local(address: str) -> bool:
    """Whether an address is link-local. Text that is no address is not hidden from the caller."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_link_local
    except ValueError:
        return False


def _snapshots(info: Any) -> tuple[SnapshotTree, ...]:
    """Return the snapshot trees; the property is unset when there is none."""
    return tuple(_snapshot(tree) for tree in (info.rootSnapshotList if info else None) or ())


def _snapshot(tree: Any) -> SnapshotTree:
    return SnapshotTree(
        moref=str(tree.snapshot._moId),
        name=tree.name,
        description=tree.description or "",
        created=instant(tree.createTime),
        power_state=text(tree.state),
        quiesced=tree.quiesced,
        children=tuple(_snapshot(child) for child in tree.childSnapshotList or ()),
    )
