"""``deviceChange`` of a VM's configuration: network cards, disks, the CD-ROM drive, and devices given as data.

Nothing is changed here: :func:`apply_changes` returns the new values of the VM's fields, or raises the fault of the
first entry that is not acceptable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.vm_devices import (
    CDROM_KEY,
    FIRST_DISK_KEY,
    FIRST_NIC_KEY,
    logical_switch_id,
)
from hcx_sim.vcenter.faults import config_fault, faulted, invalid_device
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.world.model import Disk, NetworkKind, Nic, Power, VcNetwork, Vm

EXTRA_DEVICES = "config.hardware.device+"
_KIB = 1024
_MOST_NICS = 10
_RDM = {"physicalMode": "rdmPhysical", "virtualMode": "rdmVirtual"}


@dataclass(slots=True)
class _Edit:
    """A VM's devices while the entries of a spec are applied one after the other."""

    inventory: Inventory
    vm: Vm
    nics: list[Nic]
    disks: list[Disk]
    iso_path: str | None
    iso_connected: bool
    properties: dict[str, Any]
    index: int = 0

    @property
    def running(self) -> bool:
        """Whether the VM is powered on."""
        return self.vm.power is Power.ON


def apply_changes(inventory: Inventory, vm: Vm, specs: Iterable[Any]) -> dict[str, Any]:
    """Return the changed fields of ``vm`` (nics, disks, iso_path, iso_connected, properties)."""
    edit = _Edit(inventory, vm, list(vm.nics), list(vm.disks), vm.iso_path, vm.iso_connected, dict(vm.properties))
    for index, spec in enumerate(specs):
        edit.index = index
        _handler(spec.device)(edit, str(spec.operation or "edit"), spec)
    names = ("nics", "disks", "iso_path", "iso_connected", "properties")
    return {name: getattr(edit, name) for name in names if getattr(edit, name) != getattr(vm, name)}


def _handler(device: Any) -> Callable[[_Edit, str, Any], None]:
    kinds = vim.vm.device
    if isinstance(device, kinds.VirtualEthernetCard):
        return _change_nic
    if isinstance(device, kinds.VirtualDisk):
        return _change_disk
    if isinstance(device, kinds.VirtualCdrom):
        return _change_cdrom
    if isinstance(device, kinds.VirtualController):
        return _change_controller
    return _change_other


# Network cards ---------------------------------------------------------------------------------------------


def network_of(inventory: Inventory, backing: Any) -> VcNetwork | None:
    """Return the network that a card's backing names, None when there is none."""
    card = vim.vm.device.VirtualEthernetCard
    for network in inventory.networks():
        kind = network.network_kind
        if isinstance(backing, card.DistributedVirtualPortBackingInfo):
            if kind is NetworkKind.DVPG and network.portgroup_key == backing.port.portgroupKey:
                return network
        elif isinstance(backing, card.OpaqueNetworkBackingInfo):
            if kind is NetworkKind.OPAQUE and logical_switch_id(inventory, network) == backing.opaqueNetworkId:
                return network
        elif kind is NetworkKind.STANDARD and isinstance(backing, card.NetworkBackingInfo):
            named = inventory.require_reference(backing.network).object_id if backing.network is not None else None
            if network.moref == named or network.name == backing.deviceName:
                return network
    return None


def _connected(edit: _Edit, connectable: Any, present: bool) -> bool:
    """Return whether a device is to be connected: now while the VM runs, else when it starts."""
    if connectable is None:
        return present
    return bool(connectable.connected if edit.running else connectable.startConnected)


def _change_nic(edit: _Edit, operation: str, spec: Any) -> None:
    device = spec.device
    if operation == "add":
        edit.nics = [*edit.nics, _new_nic(edit, device)]
        return
    present = next((nic for nic in edit.nics if nic.key == device.key), None)
    if present is None:
        raise invalid_device(edit.index)
    others = [nic for nic in edit.nics if nic is not present]
    if operation == "remove":
        edit.nics = others
        return
    changed = replace(present, connected=_connected(edit, device.connectable, present.connected))
    if device.backing is not None:
        changed = replace(changed, network_moref=_network(edit, device.backing).moref)
    if device.macAddress and device.macAddress.lower() != present.mac.lower():
        if edit.running:
            raise invalid_device(edit.index)
        changed = replace(changed, mac=device.macAddress.lower(), address_type="manual")
    edit.nics = [changed if nic is present else nic for nic in edit.nics]


def _network(edit: _Edit, backing: Any) -> VcNetwork:
    network = network_of(edit.inventory, backing)
    if network is None:
        raise faulted(
            vim.fault.InvalidDeviceBacking,
            f"Device '{edit.index}' has a backing that does not exist.",
            property=f"virtualDeviceSpec.device[{edit.index}].backing",
            deviceIndex=edit.index,
        )
    return network


def _new_nic(edit: _Edit, device: Any) -> Nic:
    if len(edit.nics) >= _MOST_NICS or device.backing is None:
        raise invalid_device(edit.index)
    key = max((nic.key for nic in edit.nics), default=FIRST_NIC_KEY - 1) + 1
    world, uid = edit.inventory.world, edit.vm.uid
    suffix = world.random.stream(f"mac/{uid}").getrandbits(22) | 0x800000
    generated = f"00:50:56:{suffix >> 16:02x}:{suffix >> 8 & 0xFF:02x}:{suffix & 0xFF:02x}"
    network = _network(edit, device.backing)
    return Nic(
        key=key,
        label=f"Network adapter {key - FIRST_NIC_KEY + 1}",
        mac=(device.macAddress or generated).lower(),
        network_moref=network.moref,
        connected=_connected(edit, device.connectable, present=True),
        address_type="manual" if device.macAddress else "assigned",
        external_id=world.random.uuid(f"vif/{uid}/{key}") if network.segment_id is not None else "",
        adapter=type(device)._wsdlName,
    )


# Disks -----------------------------------------------------------------------------------------------------


def _change_disk(edit: _Edit, operation: str, spec: Any) -> None:
    device = spec.device
    if operation == "add":
        edit.disks = [*edit.disks, _new_disk(edit, device)]
        return
    present = next((disk for disk in edit.disks if disk.key == device.key), None)
    if present is None:
        raise invalid_device(edit.index)
    if operation == "remove":
        edit.disks = [disk for disk in edit.disks if disk is not present]
        return
    edit.disks = [_changed_disk(edit, disk, device) if disk is present else disk for disk in edit.disks]


def _capacity(device: Any) -> int:
    return int(device.capacityInBytes or device.capacityInKB * _KIB)


def _changed_disk(edit: _Edit, disk: Disk, device: Any) -> Disk:
    capacity_bytes = _capacity(device) or disk.capacity_bytes
    if capacity_bytes < disk.capacity_bytes:
        raise invalid_device(edit.index)
    if capacity_bytes > disk.capacity_bytes and edit.vm.snapshots:
        raise config_fault("A disk of a virtual machine with snapshots cannot be extended.")
    mode = getattr(device.backing, "diskMode", None) or disk.mode
    sharing = getattr(device.backing, "sharing", None) or disk.sharing
    return replace(disk, capacity_bytes=capacity_bytes, mode=mode, sharing=sharing)


def _new_disk(edit: _Edit, device: Any) -> Disk:
    capacity_bytes, backing = _capacity(device), device.backing
    if capacity_bytes <= 0:
        raise invalid_device(edit.index)
    reference = getattr(backing, "datastore", None)
    if reference is not None:
        found = edit.inventory.datastore(edit.inventory.require_reference(reference).object_id)
    else:
        found = next(iter(edit.inventory.datastores()), None)
    if found is None:
        raise invalid_device(edit.index)
    if capacity_bytes > found.free_bytes:
        text = f"Insufficient disk space on datastore '{found.name}'."
        raise faulted(vim.fault.NoDiskSpace, text, file=f"[{found.name}]", datastore=found.name)
    key = max((disk.key for disk in edit.disks), default=FIRST_DISK_KEY - 1) + 1
    return Disk(
        key=key,
        label=f"Hard disk {key - FIRST_DISK_KEY + 1}",
        capacity_bytes=capacity_bytes,
        used_bytes=0,
        datastore_moref=found.moref,
        mode=getattr(backing, "diskMode", None) or "persistent",
        sharing=getattr(backing, "sharing", None) or "sharingNone",
        backing=_RDM.get(getattr(backing, "compatibilityMode", None) or "", "flat"),
    )


# The CD-ROM drive and the rest -----------------------------------------------------------------------------


def _change_cdrom(edit: _Edit, operation: str, spec: Any) -> None:
    device = spec.device
    if operation == "add":
        if edit.iso_path is not None:
            raise invalid_device(edit.index)
    elif device.key != CDROM_KEY:
        raise invalid_device(edit.index)
    if operation == "remove":
        edit.iso_path, edit.iso_connected = None, False
        return
    if isinstance(device.backing, vim.vm.device.VirtualCdrom.IsoBackingInfo):
        edit.iso_path = _iso(edit, device.backing.fileName)
    elif device.backing is not None:
        edit.iso_path = None
    edit.iso_connected = edit.iso_path is not None and _connected(edit, device.connectable, edit.iso_connected)


def _iso(edit: _Edit, path: str) -> str:
    name = path.partition("]")[0].removeprefix("[")
    if not path.startswith("[") or all(each.name != name for each in edit.inventory.datastores()):
        text = f"Invalid datastore path '{path}'."
        raise faulted(vim.fault.InvalidDatastorePath, text, datastorePath=path, name=name)
    return path


def _change_controller(edit: _Edit, operation: str, spec: Any) -> None:
    """Set how a SCSI controller shares its bus; other controllers come and go without a trace."""
    sharing = getattr(spec.device, "sharedBus", None)
    if operation == "edit" and sharing is not None:
        if edit.running:
            raise invalid_device(edit.index)
        edit.properties = {**edit.properties, f"config.hardware.device[{spec.device.key}].sharedBus": str(sharing)}


def _change_other(edit: _Edit, operation: str, spec: Any) -> None:
    """Remove a device that a scenario gave as data; nothing else is offered for such devices."""
    extras = list(edit.properties.get(EXTRA_DEVICES, ()))
    kept = [each for each in extras if each.get("key") != spec.device.key]
    if operation != "remove" or len(kept) == len(extras):
        raise invalid_device(edit.index)
    edit.properties = {**edit.properties, EXTRA_DEVICES: kept}
