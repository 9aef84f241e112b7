"""``config.hardware.device``: controllers, disks, network cards and the CD-ROM drive of a VM.

Anything else (USB, PCI passthrough, a shared SCSI bus) comes as data: ``config.hardware.device+`` appends devices,
``config.hardware.device[1000].sharedBus`` changes one.
"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.build import build
from hcx_sim.vcenter.families.entity import stable_number
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.world.model import Disk, NetworkKind, Nic, Power, VcNetwork, Vm

IDE_KEY = 200
PCI_KEY = 100
SCSI_KEY = 1000
SATA_KEY = 15000
CDROM_KEY = 16000
FIRST_DISK_KEY = 2000
FIRST_NIC_KEY = 4000
OPAQUE_TYPE = "nsx.LogicalSwitch"
_KIB = 1024
_PORTS = 1_000_000_000  # so many that two cards hardly ever share a key
_SCSI_SELF = 7
_SLOT_UNITS = 7
_RDM_MODES = {"rdmPhysical": "physicalMode", "rdmVirtual": "virtualMode"}


def devices(inventory: Inventory, vm: Vm) -> list[Any]:
    """Return all devices of a VM, built anew."""
    return [
        *_controllers(vm),
        *(_disk(inventory, vm, disk, unit) for unit, disk in enumerate(vm.disks)),
        cdrom(inventory, vm),
        *(_nic(inventory, vm, nic, unit) for unit, nic in enumerate(vm.nics)),
    ]


def _described(label: str, summary: str) -> Any:
    return build(vim.Description, label=label, summary=summary)


def _controllers(vm: Vm) -> list[Any]:
    device = vim.vm.device
    return [
        build(device.VirtualIDEController, key=IDE_KEY, deviceInfo=_described("IDE 0", "IDE 0"), busNumber=0),
        build(device.VirtualPS2Controller, key=300, deviceInfo=_described("PS2 controller 0", "PS2 controller 0")),
        build(device.VirtualPCIController, key=PCI_KEY, deviceInfo=_described("PCI controller 0", "PCI controller 0")),
        build(
            device.VirtualVideoCard,
            key=500,
            deviceInfo=_described("Video card", "Video card"),
            controllerKey=PCI_KEY,
            unitNumber=0,
        ),
        build(
            device.ParaVirtualSCSIController,
            key=SCSI_KEY,
            deviceInfo=_described("SCSI controller 0", "VMware paravirtual SCSI"),
            controllerKey=PCI_KEY,
            unitNumber=3,
            busNumber=0,
            sharedBus=device.VirtualSCSIController.Sharing.noSharing,
            scsiCtlrUnitNumber=_SCSI_SELF,
            hotAddRemove=True,
            device=[disk.key for disk in vm.disks],
        ),
        build(
            device.VirtualAHCIController,
            key=SATA_KEY,
            deviceInfo=_described("SATA controller 0", "AHCI"),
            controllerKey=PCI_KEY,
            unitNumber=24,
            busNumber=0,
            device=[CDROM_KEY],
        ),
    ]


def _disk(inventory: Inventory, vm: Vm, disk: Disk, unit: int) -> Any:
    return build(
        vim.vm.device.VirtualDisk,
        key=disk.key,
        deviceInfo=_described(disk.label, f"{disk.capacity_bytes // _KIB:,} KB"),
        backing=_disk_backing(inventory, vm, disk, unit),
        controllerKey=SCSI_KEY,
        unitNumber=unit if unit < _SCSI_SELF else unit + 1,
        capacityInKB=disk.capacity_bytes // _KIB,
        capacityInBytes=disk.capacity_bytes,
        diskObjectId=f"{stable_number(vm.uid, _PORTS)}-{disk.key}",
    )


def _disk_backing(inventory: Inventory, vm: Vm, disk: Disk, unit: int) -> Any:
    datastore = inventory.datastore(disk.datastore_moref)
    name = datastore.name if datastore is not None else "datastore"
    common: dict[str, Any] = {
        "fileName": f"[{name}] {vm.uid}/{vm.uid}{f'_{unit}' if unit else ''}.vmdk",
        "datastore": vim.Datastore(disk.datastore_moref),
        "diskMode": disk.mode,
        "sharing": disk.sharing,
        "uuid": inventory.world.random.stable_uuid(f"disk/{vm.uid}/{disk.key}"),
    }
    mode = _RDM_MODES.get(disk.backing)
    if mode is not None:
        lun = f"vml.{stable_number(f'{vm.uid}/{disk.key}', 10**9):016d}"
        raw = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo
        return build(raw, **common, lunUuid=lun, deviceName=lun, compatibilityMode=mode)
    return build(vim.vm.device.VirtualDisk.FlatVer2BackingInfo, **common, thinProvisioned=True, writeThrough=False)


def cdrom(inventory: Inventory, vm: Vm) -> Any:
    """Return the CD-ROM drive: with the mounted ISO, or passing through the client's own drive."""
    drive = vim.vm.device.VirtualCdrom
    if vm.iso_path is not None:
        name = vm.iso_path.partition("]")[0].removeprefix("[")
        found = [vim.Datastore(each.moref) for each in inventory.datastores() if each.name == name]
        backing = build(drive.IsoBackingInfo, fileName=vm.iso_path, datastore=found[0] if found else None)
        summary = f"ISO {vm.iso_path}"
    else:
        backing = build(drive.RemotePassthroughBackingInfo, deviceName="", useAutoDetect=False, exclusive=False)
        summary = "Remote device"
    connected = vm.iso_path is not None and vm.iso_connected and vm.power is Power.ON
    return build(
        drive,
        key=CDROM_KEY,
        deviceInfo=_described("CD/DVD drive 1", summary),
        backing=backing,
        connectable=build(
            vim.vm.device.VirtualDevice.ConnectInfo,
            startConnected=vm.iso_path is not None and vm.iso_connected,
            allowGuestControl=True,
            connected=connected,
            status="ok" if connected else "untried",
        ),
        controllerKey=SATA_KEY,
        unitNumber=0,
    )


def _nic(inventory: Inventory, vm: Vm, nic: Nic, unit: int) -> Any:
    network = inventory.network(nic.network_moref)
    connected = nic.connected and vm.power is Power.ON
    adapter = getattr(vim.vm.device, nic.adapter)
    return build(
        adapter,
        key=nic.key,
        deviceInfo=_described(nic.label, network.name if network is not None else "unknown network"),
        backing=_nic_backing(inventory, vm, nic, network),
        connectable=build(
            vim.vm.device.VirtualDevice.ConnectInfo,
            migrateConnect="unset",
            startConnected=nic.connected,
            allowGuestControl=True,
            connected=connected,
            status="ok" if connected else "untried",
        ),
        controllerKey=PCI_KEY,
        unitNumber=unit + _SLOT_UNITS,
        addressType=nic.address_type,
        macAddress=nic.mac,
        wakeOnLanEnabled=True,
        externalId=nic.external_id or None,
        uptCompatibilityEnabled=True,
    )


def _nic_backing(inventory: Inventory, vm: Vm, nic: Nic, network: VcNetwork | None) -> Any:
    card = vim.vm.device.VirtualEthernetCard
    if network is None:
        return build(card.NetworkBackingInfo, deviceName="", useAutoDetect=False)
    if network.network_kind is NetworkKind.STANDARD:
        reference = inventory.network_reference(network)
        return build(card.NetworkBackingInfo, deviceName=network.name, network=reference, useAutoDetect=False)
    if network.network_kind is NetworkKind.OPAQUE:
        switch_id = logical_switch_id(inventory, network)
        return build(card.OpaqueNetworkBackingInfo, opaqueNetworkId=switch_id, opaqueNetworkType=OPAQUE_TYPE)
    switch = inventory.switch()
    connection = build(
        vim.dvs.PortConnection,
        switchUuid=inventory.switch_uuid(switch) if switch is not None else "",
        portgroupKey=network.portgroup_key,
        portKey=port_key(vm, nic),
        connectionCookie=stable_number(f"{vm.moref}/{nic.key}", 2**31),
    )
    return build(card.DistributedVirtualPortBackingInfo, port=connection)


def port_key(vm: Vm, nic: Nic) -> str:
    """Return the key of the switch port that a card is connected to."""
    return str(10 + stable_number(f"{vm.moref}/{nic.key}/{nic.network_moref}", _PORTS))


def logical_switch_id(inventory: Inventory, network: VcNetwork) -> str:
    """Return the NSX logical switch behind a network: the realised id of its segment."""
    segment = inventory.segment_of(network)
    name = f"{segment.key}/{segment.created_us}" if segment is not None else network.key
    return inventory.world.random.stable_uuid(f"logical-switch/{name}")
