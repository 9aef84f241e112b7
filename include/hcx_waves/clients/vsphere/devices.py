"""Convert vCenter's device list to NICs, disks, media and passthrough devices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyVmomi import vim

from hcx_waves.clients.vsphere.models import (
    Disk,
    Medium,
    MediumBacking,
    MediumKind,
    Nic,
    NicBacking,
    Passthrough,
)

_device = vim.vm.device
_BYTES_PER_KILOBYTE = 1024


def nics(devices: Iterable[Any]) -> tuple[Nic, ...]:
    """Return the network cards, in the order of the device list (which means nothing)."""
    return tuple(_nic(device) for device in devices if isinstance(device, _device.VirtualEthernetCard))


def disks(devices: Iterable[Any]) -> tuple[Disk, ...]:
    """Return the disks, each with what its controller says about sharing."""
    known = list(devices)
    controllers = {device.key: device for device in known if isinstance(device, _device.VirtualController)}
    return tuple(
        _disk(device, controllers.get(device.controllerKey or 0))
        for device in known
        if isinstance(device, _device.VirtualDisk)
    )


def media(devices: Iterable[Any]) -> tuple[Medium, ...]:
    """Return the CD-ROM and floppy drives."""
    return tuple(
        _medium(device, "cdrom" if isinstance(device, _device.VirtualCdrom) else "floppy")
        for device in devices
        if isinstance(device, _device.VirtualCdrom | _device.VirtualFloppy)
    )


def passthrough(devices: Iterable[Any]) -> tuple[Passthrough, ...]:
    """Return the USB and PCI devices of the host that are handed through."""
    found: list[Passthrough] = []
    for device in devices:
        if isinstance(device, _device.VirtualUSB):
            found.append(Passthrough(device.key, label_of(device), "usb"))
        elif isinstance(device, _device.VirtualPCIPassthrough):
            found.append(Passthrough(device.key, label_of(device), "pci"))
    return tuple(found)


def label_of(device: Any) -> str:
    """Return the name that the vSphere Client shows for a device."""
    return str(device.deviceInfo.label) if device.deviceInfo else f"device {device.key}"


def _nic(device: Any) -> Nic:
    backing, network_id, network_type = _nic_network(device.backing)
    port = getattr(device.backing, "port", None)
    connectable = device.connectable
    return Nic(
        key=device.key,
        label=label_of(device),
        card=type(device).__name__.rpartition(".")[2],
        mac=(device.macAddress or "").lower(),
        address_type=device.addressType,
        connected=None if connectable is None else connectable.connected,
        start_connected=None if connectable is None else connectable.startConnected,
        backing=backing,
        network_id=network_id,
        network_type=network_type,
        switch_uuid=None if port is None else port.switchUuid,
        port_key=None if port is None else port.portKey,
        external_id=device.externalId,
        subnet_id=getattr(device, "subnetId", None),
        direct_path=device.uptCompatibilityEnabled,
    )


def _nic_network(backing: Any) -> tuple[NicBacking, str | None, str | None]:
    """Return kind of backing, network id, and the opaque network's type."""
    card = _device.VirtualEthernetCard
    if isinstance(backing, card.DistributedVirtualPortBackingInfo):
        return "distributed", backing.port.portgroupKey, None
    if isinstance(backing, card.OpaqueNetworkBackingInfo):
        return "opaque", backing.opaqueNetworkId, backing.opaqueNetworkType
    if isinstance(backing, card.NetworkBackingInfo):
        moref = None if backing.network is None else str(backing.network._moId)
        return "standard", moref or backing.deviceName, None
    return "none", None, None


def _disk(device: Any, controller: Any) -> Disk:
    backing = device.backing
    datastore = getattr(backing, "datastore", None)
    sharing = getattr(controller, "sharedBus", None)
    is_mapping = isinstance(backing, _device.VirtualDisk.RawDiskMappingVer1BackingInfo)
    return Disk(
        key=device.key,
        label=label_of(device),
        capacity_bytes=_capacity(device),
        file_name=getattr(backing, "fileName", None),
        datastore=None if datastore is None else str(datastore._moId),
        disk_mode=getattr(backing, "diskMode", None),
        sharing=getattr(backing, "sharing", None),
        thin=getattr(backing, "thinProvisioned", None),
        raw_device_mapping=(backing.compatibilityMode or "unknown") if is_mapping else None,
        controller=None if controller is None else type(controller).__name__.rpartition(".")[2],
        bus_sharing=None if sharing is None else str(sharing),
    )


def _capacity(device: Any) -> int:
    """Return a disk's size in bytes; older hosts give kilobytes only."""
    if device.capacityInBytes is not None:
        return int(device.capacityInBytes)
    return int(device.capacityInKB or 0) * _BYTES_PER_KILOBYTE


def _medium(device: Any, kind: MediumKind) -> Medium:
    backing = _medium_backing(device.backing)
    connectable = device.connectable
    return Medium(
        key=device.key,
        label=label_of(device),
        kind=kind,
        backing=backing,
        path=device.backing.fileName if backing in ("iso", "image") else None,
        connected=None if connectable is None else connectable.connected,
        start_connected=None if connectable is None else connectable.startConnected,
    )


def _medium_backing(backing: Any) -> MediumBacking:
    """Say what is in a drive. A client device without a name is an empty drive."""
    if isinstance(backing, _device.VirtualCdrom.IsoBackingInfo):
        return "iso"
    if isinstance(backing, _device.VirtualFloppy.ImageBackingInfo):
        return "image"
    if isinstance(backing, _device.VirtualDevice.RemoteDeviceBackingInfo):
        return "client" if backing.deviceName else "none"
    if isinstance(backing, _device.VirtualDevice.DeviceBackingInfo):
        return "host"
    return "none"
