"""A virtual machine as vCenter reports it: frozen results of the two passes.

States and kinds are the vendor's own words (``poweredOn``, ``guestToolsRunning``, ``vmx-19``); None means that
vCenter does not set the property. MAC addresses are lower case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

NicBacking = Literal["distributed", "opaque", "standard", "none"]
MediumKind = Literal["cdrom", "floppy"]
MediumBacking = Literal["iso", "image", "host", "client", "none"]


@dataclass(frozen=True)
class UnreadableProperty:
    """A property that vCenter withholds, with the fault it gives (usually ``NoPermission``)."""

    path: str
    fault: str


@dataclass(frozen=True)
class Nic:
    """A virtual network card.

    :param key: device key (``4000`` and up); NSX knows the card by it.
    :param label: e.g. ``Network adapter 1``.
    :param card: vendor type, e.g. ``VirtualVmxnet3``; ``VirtualSriovEthernetCard`` is SR-IOV.
    :param address_type: ``manual``, ``generated`` or ``assigned``.
    :param connected: None when the VM has never been on.
    :param network_id: the port group's key (``distributed``), the opaque network's id (``opaque``), or the
        network's moref, else its name (``standard``).
    :param external_id: the NSX side's id of the card.
    :param direct_path: whether DirectPath I/O may be used.
    """

    key: int
    label: str
    card: str
    mac: str
    address_type: str | None
    connected: bool | None
    start_connected: bool | None
    backing: NicBacking
    network_id: str | None
    network_type: str | None = None
    switch_uuid: str | None = None
    port_key: str | None = None
    external_id: str | None = None
    subnet_id: str | None = None
    direct_path: bool | None = None

    @property
    def is_sriov(self) -> bool:
        """Whether this is an SR-IOV card, which cannot be moved live."""
        return self.card == "VirtualSriovEthernetCard"


@dataclass(frozen=True)
class Medium:
    """A CD-ROM or floppy drive. ``path`` is ``[datastore] file`` for an ``iso`` or ``image``."""

    key: int
    label: str
    kind: MediumKind
    backing: MediumBacking
    path: str | None
    connected: bool | None
    start_connected: bool | None

    @property
    def is_mounted(self) -> bool:
        """Whether a medium is in the drive and visible to the guest now."""
        return self.backing != "none" and bool(self.connected)


@dataclass(frozen=True)
class Disk:
    """A virtual disk.

    :param disk_mode: e.g. ``persistent``, ``independent_persistent``.
    :param sharing: ``sharingNone`` or ``sharingMultiWriter``.
    :param raw_device_mapping: ``physicalMode`` or ``virtualMode`` for a mapped LUN, else None.
    :param controller: vendor type, e.g. ``ParaVirtualSCSIController``, ``VirtualNVMEController``.
    :param bus_sharing: ``noSharing``, ``virtualSharing`` or ``physicalSharing``; None for no SCSI controller.
    """

    key: int
    label: str
    capacity_bytes: int
    file_name: str | None
    datastore: str | None
    disk_mode: str | None
    sharing: str | None
    thin: bool | None
    raw_device_mapping: str | None
    controller: str | None
    bus_sharing: str | None

    @property
    def is_independent(self) -> bool:
        """Whether snapshots leave the disk out."""
        return (self.disk_mode or "").startswith("independent")

    @property
    def is_shared(self) -> bool:
        """Whether several machines may write to it: by multi-writer or by a shared SCSI bus."""
        return self.sharing == "sharingMultiWriter" or self.bus_sharing not in (None, "noSharing")


@dataclass(frozen=True)
class Passthrough:
    """A device of the host that is handed through, which ties the VM to it."""

    key: int
    label: str
    kind: Literal["usb", "pci"]


@dataclass(frozen=True)
class SnapshotTree:
    """A snapshot and those below it."""

    moref: str
    name: str
    description: str
    created: datetime | None
    power_state: str | None
    quiesced: bool | None
    children: tuple[SnapshotTree, ...] = ()

    def count(self) -> int:
        """Return how many snapshots this subtree has, itself included."""
        return 1 + sum(child.count() for child in self.children)


@dataclass(frozen=True)
class GuestAddress:
    """An IP address that the guest reports; never a link-local one. ``state`` is e.g. ``preferred``."""

    address: str
    prefix_length: int | None = None
    state: str | None = None
    origin: str | None = None


@dataclass(frozen=True)
class GuestNic:
    """A network card as VMware Tools sees it.

    ``device_key`` is the key of the :class:`Nic`; None for a card that only the guest knows (a bridge, a VPN).
    """

    mac: str
    device_key: int | None
    connected: bool | None
    network: str | None
    addresses: tuple[GuestAddress, ...] = ()


@dataclass(frozen=True)
class PendingQuestion:
    """A question that blocks the VM until somebody answers it."""

    question_id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class VirtualMachineSummary:
    """The light pass.

    :param name: empty only if it is among ``unreadable``.
    :param instance_uuid: unset while the VM's configuration cannot be read (orphaned, inaccessible).
    :param bios_uuid: ``config.uuid``.
    :param folder: moref of the parent folder; unset inside a vApp.
    :param resource_pool: moref; unset for templates.
    :param networks: morefs, cheap and without the NICs' order.
    """

    moref: str
    name: str
    instance_uuid: str | None
    bios_uuid: str | None
    power_state: str | None
    networks: tuple[str, ...]
    folder: str | None
    is_template: bool
    resource_pool: str | None
    host: str | None
    unreadable: tuple[UnreadableProperty, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VirtualMachineDetail(VirtualMachineSummary):
    """The full pass: what proofs and preflight look at.

    :param vapp: moref of the vApp the VM is in.
    :param hardware_version: ``vmx-NN``.
    :param tools_running: ``guestToolsRunning``, ``guestToolsNotRunning``, ``guestToolsExecutingScripts``.
    :param tools_version: e.g. ``guestToolsCurrent``, ``guestToolsNotInstalled``.
    :param migrate_encryption: ``disabled``, ``opportunistic`` or ``required``.
    :param min_evc_mode: the least EVC mode the running VM needs.
    :param managed_by: key of the extension that owns the VM.
    :param tags: vSphere tag keys as the managed object lists them.
    :param custom_values: ``(field key, value)`` of the custom attributes.
    """

    vapp: str | None = None
    connection_state: str | None = None
    consolidation_needed: bool | None = None
    fault_tolerance_state: str | None = None
    question: PendingQuestion | None = None
    datastores: tuple[str, ...] = ()
    vm_path: str | None = None
    hardware_version: str | None = None
    guest_id: str | None = None
    guest_full_name: str | None = None
    cpu_count: int | None = None
    memory_mb: int | None = None
    committed_bytes: int | None = None
    change_version: str | None = None
    change_tracking: bool | None = None
    is_encrypted: bool = False
    migrate_encryption: str | None = None
    min_evc_mode: str | None = None
    managed_by: str | None = None
    tools_running: str | None = None
    tools_version: str | None = None
    tools_installer_mounted: bool | None = None
    guest_host_name: str | None = None
    guest_address: str | None = None
    guest_nics: tuple[GuestNic, ...] = ()
    nics: tuple[Nic, ...] = ()
    disks: tuple[Disk, ...] = ()
    media: tuple[Medium, ...] = ()
    passthrough: tuple[Passthrough, ...] = ()
    snapshots: tuple[SnapshotTree, ...] = ()
    tags: tuple[str, ...] = ()
    custom_values: tuple[tuple[int, str], ...] = field(default=())

    @property
    def macs(self) -> frozenset[str]:
        """The MAC addresses of the NICs."""
        return frozenset(nic.mac for nic in self.nics)

    @property
    def snapshot_count(self) -> int:
        """How many snapshots there are in all."""
        return sum(snapshot.count() for snapshot in self.snapshots)

    def addresses_of(self, nic: Nic) -> tuple[GuestAddress, ...]:
        """Return the guest's addresses of a NIC, matched by device key, else by MAC."""
        by_key = [guest for guest in self.guest_nics if guest.device_key == nic.key]
        matching = by_key or [guest for guest in self.guest_nics if guest.mac == nic.mac]
        return tuple(address for guest in matching for address in guest.addresses)
