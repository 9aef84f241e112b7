"""Converts virtual machines, as vCenter reports them, to parts of a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Literal

from hcx_snapshot.model import AddressPart, DiskPart, MediumPart, NicPart, PassthroughPart, VmPart, VmSnapshotPart
from hcx_waves.clients.vsphere import models as found
from hcx_waves.resolve.network_index import NetworkIndex

HCX_OWNER = "com.vmware.hybridity"
ASSUMED_USED_SHARE = 0.6
_MIB = 1024**2
_POWER: Mapping[str | None, Literal["poweredOn", "poweredOff", "suspended"]] = {
    "poweredOn": "poweredOn",
    "suspended": "suspended",
}


def vm_of(
    vm: found.VirtualMachineDetail,
    networks: NetworkIndex,
    *,
    stays: Collection[str] = (),
    appliances: Collection[str] = (),
    change_rates: Mapping[str, float] | None = None,
) -> VmPart:
    """Return a VM as it was read.

    :param stays: names of VMs that a wave lets remain on a segment that it cuts over.
    :param appliances: names of HCX's appliances, which count where vCenter names no owner.
    :param change_rates: bytes per second by VM name.
    """
    owner = vm.managed_by
    is_appliance = owner.startswith(HCX_OWNER) if owner is not None else vm.name in appliances
    return VmPart(
        moref=vm.moref,
        name=vm.name,
        instance_uuid=vm.instance_uuid,
        bios_uuid=vm.bios_uuid,
        power=_POWER.get(vm.power_state, "poweredOff"),
        template=vm.is_template,
        hcx_appliance=is_appliance,
        stays=vm.name in stays,
        folder=vm.folder,
        pool=vm.resource_pool,
        host=vm.host,
        vapp=vm.vapp,
        guest_id=vm.guest_id,
        guest=vm.guest_full_name,
        host_name=vm.guest_host_name,
        hardware=vm.hardware_version,
        cpus=vm.cpu_count,
        memory_mb=vm.memory_mb,
        committed_bytes=vm.committed_bytes,
        change_bytes_per_second=(change_rates or {}).get(vm.name),
        tools_running=vm.tools_running,
        tools_version=vm.tools_version,
        tools_installer_mounted=bool(vm.tools_installer_mounted),
        connection_state=_unless(vm.connection_state, "connected"),
        consolidation_needed=bool(vm.consolidation_needed),
        fault_tolerance=_unless(vm.fault_tolerance_state, "notConfigured"),
        question=None if vm.question is None else vm.question.text,
        encrypted=vm.is_encrypted,
        migrate_encryption=_unless(vm.migrate_encryption, "opportunistic"),
        min_evc_mode=vm.min_evc_mode,
        managed_by=None if is_appliance else owner,
        change_tracking=vm.change_tracking or None,
        nics=tuple(_nic(vm, nic, networks) for nic in sorted(vm.nics, key=lambda nic: nic.key)),
        disks=_disks(vm),
        media=tuple(_medium(one) for one in vm.media if one.backing != "none"),
        passthrough=tuple(PassthroughPart(key=one.key, label=one.label, kind=one.kind) for one in vm.passthrough),
        snapshots=tuple(_snapshots(vm.snapshots, None)),
        tags=tuple(sorted(vm.tags)),
        custom_attributes=tuple(sorted(key for key, _ in vm.custom_values)),
    )


def _unless(value: str | None, usual: str) -> str | None:
    return None if value == usual else value


def _nic(vm: found.VirtualMachineDetail, nic: found.Nic, networks: NetworkIndex) -> NicPart:
    network = networks.of_nic(nic)
    return NicPart(
        key=nic.key,
        label=nic.label,
        card=nic.card,
        mac=nic.mac,
        network=None if network is None else network.moref,
        address_type=nic.address_type,
        connected=nic.connected,
        start_connected=nic.start_connected,
        external_id=nic.external_id,
        addresses=tuple(
            AddressPart(ip=one.address, prefix=one.prefix_length)
            for one in vm.addresses_of(nic)
            if _is_address(one.address)
        ),
    )


def _is_address(text: str) -> bool:
    """Whether what a guest reports is an address; old Tools report all kinds of text."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _disks(vm: found.VirtualMachineDetail) -> tuple[DiskPart, ...]:
    disks = sorted(vm.disks, key=lambda disk: disk.key)
    return tuple(
        DiskPart(
            key=disk.key,
            label=disk.label,
            capacity_bytes=disk.capacity_bytes,
            used_bytes=used,
            datastore=disk.datastore,
            mode=_unless(disk.disk_mode, "persistent"),
            sharing=_unless(disk.sharing, "sharingNone"),
            thin=disk.thin,
            mapping=disk.raw_device_mapping,
            controller=disk.controller,
            bus_sharing=_unless(disk.bus_sharing, "noSharing"),
        )
        for disk, used in zip(disks, used_bytes(vm, disks), strict=True)
    )


def used_bytes(vm: found.VirtualMachineDetail, disks: Sequence[found.Disk]) -> list[int]:
    """Share what a VM takes on its datastores among its disks: thick ones are full, the rest goes by size.

    vCenter counts the swap file of a running VM, which is its memory, and snapshots with it. Without the figure
    each disk is taken to be used to 60 %.
    """
    sizes = [disk.capacity_bytes for disk in disks]
    if vm.committed_bytes is None:
        return [int(size * ASSUMED_USED_SHARE) for size in sizes]
    swap = (vm.memory_mb or 0) * _MIB if vm.power_state == "poweredOn" else 0
    left = max(0, vm.committed_bytes - swap)
    used = [size if disk.thin is False else 0 for disk, size in zip(disks, sizes, strict=True)]
    left = max(0, left - sum(used))
    thin = [index for index, disk in enumerate(disks) if disk.thin is not False]
    room = sum(sizes[index] for index in thin)
    for index in thin:
        share = min(sizes[index], left * sizes[index] // room) if room else 0
        used[index], left, room = share, left - share, room - sizes[index]
    return used


def _medium(medium: found.Medium) -> MediumPart:
    return MediumPart(
        key=medium.key,
        label=medium.label,
        kind=medium.kind,
        backing=medium.backing,
        path=medium.path,
        connected=bool(medium.connected),
        start_connected=bool(medium.start_connected),
    )


def _snapshots(trees: Sequence[found.SnapshotTree], parent: str | None) -> Iterator[VmSnapshotPart]:
    for tree in trees:
        created_ms = None if tree.created is None else int(tree.created.timestamp() * 1000)
        yield VmSnapshotPart(moref=tree.moref, name=tree.name, parent=parent, created_ms=created_ms)
        yield from _snapshots(tree.children, tree.moref)
