"""Converts the VMs of a snapshot to those of a scenario, with their ids; facts without a field override properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from hcx_sim.scenario.schema import DiskSpec, NicSpec, SnapshotSpec, VmSpec
from hcx_sim.world.model import Power, SiteName, VmRole
from hcx_snapshot.model import (
    DiskPart,
    MediumPart,
    NicPart,
    SitePart,
    Snapshot,
    VmPart,
    VmSnapshotPart,
)

_GIB = 1024**3
_MIB = 1024**2
_BITS = 8
_CARDS = frozenset({
    "VirtualE1000", "VirtualE1000e", "VirtualPCNet32", "VirtualSriovEthernetCard", "VirtualVmxnet", "VirtualVmxnet2",
    "VirtualVmxnet3", "VirtualVmxnet3Vrdma",
})  # fmt: skip
_RUNNING = ("guestToolsRunning", "guestToolsExecutingScripts")
_MAPPINGS = {"physicalMode": "rdmPhysical", "virtualMode": "rdmVirtual"}
_CDROM_KEY = 16000
_SCSI_KEY = 1000
_NVME_KEY = 31000
_DEVICES = "config.hardware.device"
_PASSTHROUGH = {"usb": "VirtualUSB", "pci": "VirtualPCIPassthrough"}
_BACKINGS = {
    ("cdrom", "host"): "VirtualCdromAtapiBackingInfo",
    ("cdrom", "client"): "VirtualCdromRemotePassthroughBackingInfo",
    ("cdrom", "iso"): "VirtualCdromIsoBackingInfo",
    ("floppy", "host"): "VirtualFloppyDeviceBackingInfo",
    ("floppy", "client"): "VirtualFloppyRemoteDeviceBackingInfo",
    ("floppy", "image"): "VirtualFloppyImageBackingInfo",
}


class VmNames:
    """The name of each VM in the world: its own, unless another VM has the same name."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Count the names of both sites."""
        self._count = Counter(vm.name for site in (snapshot.source, snapshot.destination) for vm in site.vms)

    def of(self, site: SiteName, vm: VmPart) -> str:
        """Return the workload's id."""
        return vm.name if self._count[vm.name] == 1 else f"{vm.name} ({vm.moref} at the {site})"


def vm_of(
    site: SiteName, vm: VmPart, part: SitePart, names: VmNames, assumed_change_mbps: float, stopped: Collection[str]
) -> VmSpec:
    """Return a VM. ``stopped`` are appliances that are switched off whatever the snapshot says."""
    iso = _iso(vm)
    rate = vm.change_bytes_per_second
    folders = [place.moref for place in part.places if place.kind == "Folder" and "VirtualMachine" in place.child_types]
    pools = [place.moref for place in part.places if place.kind in ("ResourcePool", "VirtualApp")]
    return VmSpec(
        name=vm.name,
        moref=vm.moref,
        uid=vm.name if vm.hcx_appliance else names.of(site, vm),
        site=site,
        instance_uuid=vm.instance_uuid,
        bios_uuid=vm.bios_uuid,
        power=Power.OFF if vm.hcx_appliance and vm.name in stopped else Power(vm.power),
        template=vm.template,
        role=_role(vm),
        folder=vm.folder or (folders[0] if folders else ""),
        resource_pool=vm.pool if vm.pool in pools else (pools[0] if pools else ""),
        host=vm.host,
        host_name=vm.host_name,
        cpus=vm.cpus or 1,
        memory_gb=(vm.memory_mb or 1024) / 1024,
        guest_id=vm.guest_id or "otherGuest64",
        guest_name=vm.guest or "Other (64-bit)",
        hardware_version=vm.hardware or "vmx-19",
        tools_running=vm.tools_running in _RUNNING,
        tools_version_status=vm.tools_version or "guestToolsNotInstalled",
        change_rate_mbps=assumed_change_mbps if rate is None else rate * _BITS / 1e6,
        change_rate_assumed=rate is None,
        snapshots=[_snapshot(one) for one in vm.snapshots],
        iso=iso.path if iso is not None else None,
        iso_connected=iso is not None and (iso.connected or iso.start_connected),
        tags=list(vm.tags),
        custom_attributes={f"attribute-{key}": "" for key in vm.custom_attributes},
        nics=[_nic(vm, nic) for nic in vm.nics],
        disks=[_disk(disk) for disk in vm.disks],
        properties={**_facts(vm), **_hardware(vm, iso)},
    )


def _role(vm: VmPart) -> VmRole:
    if vm.hcx_appliance:
        return VmRole.HCX_APPLIANCE
    return VmRole.ROUTER if vm.stays else VmRole.WORKLOAD


def _nic(vm: VmPart, nic: NicPart) -> NicSpec:
    starts = nic.start_connected is not False
    connected = starts if nic.connected is None or vm.power != Power.ON.value else nic.connected
    return NicSpec.model_validate(
        {
            "network": nic.network,
            "mac": nic.mac,
            "connected": connected,
            "key": nic.key,
            "label": nic.label,
            "adapter": nic.card if nic.card in _CARDS else "VirtualVmxnet3",
            "address_type": nic.address_type or "assigned",
            "external_id": nic.external_id,
            "ips": [address.ip for address in nic.addresses],
        }
    )


def _disk(disk: DiskPart) -> DiskSpec:
    return DiskSpec.model_validate(
        {
            "size_gb": max(disk.capacity_bytes, 1) / _GIB,
            "used_gb": disk.used_bytes / _GIB,
            "mode": disk.mode or "persistent",
            "sharing": disk.sharing or "sharingNone",
            "backing": _MAPPINGS.get(disk.mapping or "", "flat"),
            "datastore": disk.datastore,
            "key": disk.key,
            "label": disk.label,
        }
    )


def _snapshot(one: VmSnapshotPart) -> SnapshotSpec:
    return SnapshotSpec(moref=one.moref, name=one.name, parent=one.parent, created_ms=one.created_ms or 0)


def _facts(vm: VmPart) -> dict[str, Any]:
    """Return the overrides of what a simulated VM is not by itself."""
    given = {
        "runtime.connectionState": _unless(vm.connection_state, "connected"),
        "runtime.consolidationNeeded": vm.consolidation_needed or None,
        "runtime.faultToleranceState": _unless(vm.fault_tolerance, "notConfigured"),
        "runtime.minRequiredEVCModeKey": vm.min_evc_mode,
        "runtime.toolsInstallerMounted": vm.tools_installer_mounted or None,
        "config.migrateEncryption": _unless(vm.migrate_encryption, "opportunistic"),
        "config.changeTrackingEnabled": vm.change_tracking or None,
        "parentVApp": None if vm.vapp is None else f"VirtualApp:{vm.vapp}",
    }
    facts: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if vm.question is not None:
        choice = {"_type": "ChoiceOption", "choiceInfo": [{"label": "OK", "summary": "OK", "key": "0"}]}
        facts["runtime.question"] = {"id": "1", "text": vm.question, "choice": choice}
    if vm.encrypted:
        facts["config.keyId"] = {"keyId": "not carried", "providerId": {"id": "not carried"}}
    if vm.managed_by is not None and not vm.hcx_appliance:
        facts["config.managedBy"] = {"extensionKey": vm.managed_by, "type": ""}
    if vm.instance_uuid is None:
        facts["config.instanceUuid"] = None
    if vm.folder is None:
        facts["parent"] = None
    swap = (vm.memory_mb or 0) * _MIB if vm.power == Power.ON.value else 0
    if vm.committed_bytes not in (None, sum(disk.used_bytes for disk in vm.disks) + swap):
        facts["summary.storage.committed"] = vm.committed_bytes
    return facts


def _unless(value: str | None, usual: str) -> str | None:
    return None if value == usual else value


def _hardware(vm: VmPart, iso: MediumPart | None) -> dict[str, Any]:
    """Return the overrides of the device list: what is appended, and which controller a disk hangs on."""
    added: list[dict[str, Any]] = [
        {"_type": _PASSTHROUGH[one.kind], "key": one.key, "deviceInfo": _described(one.label)} for one in vm.passthrough
    ]
    added += [_drive(medium) for medium in vm.media if medium is not iso]
    overrides: dict[str, Any] = {}
    if iso is not None:
        overrides[f"{_DEVICES}[{_CDROM_KEY}].deviceInfo"] = _described(iso.label)
    for number, (controller, disks) in enumerate(_controllers(vm)):
        added.append({**controller, "busNumber": number + 1})
        overrides |= {f"{_DEVICES}[{disk.key}].controllerKey": controller["key"] for disk in disks}
    return {f"{_DEVICES}+": added, **overrides} if added else overrides


def _controllers(vm: VmPart) -> Iterator[tuple[dict[str, Any], list[DiskPart]]]:
    """Yield the controllers that matter to a migration, with their disks: NVMe, and buses that are shared."""
    groups: dict[tuple[bool, str | None], list[DiskPart]] = {}
    for disk in vm.disks:
        shared = disk.bus_sharing if disk.bus_sharing not in (None, "noSharing") else None
        groups.setdefault((disk.controller == "VirtualNVMEController", shared), []).append(disk)
    for number, ((nvme, shared), disks) in enumerate(groups.items(), start=1):
        if nvme:
            yield {"_type": "VirtualNVMEController", "key": _NVME_KEY + number}, disks
        elif shared is not None:
            yield {"_type": "ParaVirtualSCSIController", "key": _SCSI_KEY + number, "sharedBus": shared}, disks


def _iso(vm: VmPart) -> MediumPart | None:
    """Return the drive that the simulator has a field for."""
    return next((one for one in vm.media if one.kind == "cdrom" and one.backing == "iso" and one.path), None)


def _drive(medium: MediumPart) -> dict[str, Any]:
    backing: dict[str, Any] = {"_type": _BACKINGS.get((medium.kind, medium.backing), _BACKINGS[medium.kind, "host"])}
    backing |= {"fileName": medium.path} if medium.backing in ("iso", "image") else {"deviceName": medium.path or "-"}
    return {
        "_type": "VirtualCdrom" if medium.kind == "cdrom" else "VirtualFloppy",
        "key": medium.key + (1 if medium.key == _CDROM_KEY else 0),
        "deviceInfo": _described(medium.label),
        "backing": backing,
        "connectable": {
            "startConnected": medium.start_connected,
            "allowGuestControl": True,
            "connected": medium.connected,
        },
    }


def _described(label: str) -> dict[str, str]:
    return {"label": label, "summary": label}
