"""The plan of a wave: exactly what is moved from where to where.

A plan is JSON, so that it can be stored, shown and compared. Its digest is what a person approves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field

from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import CutoverPolicy, Disconnect, DiskFormat, MigrationOptions, MigrationType
from hcx_waves.model.digest import digest_of
from hcx_waves.model.schedule import WaveClock

_NOT_APPROVED: dict[str, Any] = {
    "resolved_at": True,
    "segments": {"__all__": {"extension_gateway_id", "extension_appliance_id"}},
    "vms": {
        "__all__": {
            "there_before": True,
            "source_place": True,
            "nics": {"__all__": {"ip_addresses", "guest_addresses"}},
        }
    },
}
_Named = TypeVar("_Named", "PlannedVm", "PlannedSegment")
MacAddress = Annotated[str, AfterValidator(str.lower)]


class NetworkRef(DomainModel):
    """A network as HCX names it in a mapping."""

    network_id: str
    """A MoRef (``dvportgroup-20``) or a policy path (``/infra/segments/app``)."""
    name: str
    network_type: str
    """``DistributedVirtualPortgroup``, ``NsxtSegment`` and the like."""


class ObjectRef(DomainModel):
    """An object of the destination's inventory."""

    object_id: str
    """Its MoRef; a storage policy's id."""
    name: str


class PlannedAddress(DomainModel):
    """An address of a guest as VMware Tools reported it; None where Tools did not say."""

    address: str
    prefix_length: int | None = None
    origin: str | None = None
    """vSphere's word: ``manual``, ``dhcp``, ``linklayer``, ``random`` or ``other``; Tools of Linux set none."""


class PlannedNic(DomainModel):
    """A NIC, where it is and where it goes."""

    label: str
    """``Network adapter 1``."""
    mac_address: MacAddress
    source: NetworkRef
    destination: NetworkRef
    connected: bool = True
    """Whether it is connected at the destination."""
    segment: str | None = None
    """The name of the wave's segment that it is in; None for any other network."""
    ip_addresses: tuple[str, ...] = ()
    """What the guest reported; not part of the digest, as guests report it late and anew."""
    guest_addresses: tuple[PlannedAddress, ...] = ()
    """The same with prefix length and origin; empty in plans of releases that did not read them."""


class SourcePlace(DomainModel):
    """Where a VM is at the source when the plan is made, and with what hardware: what a way back is made of.

    None, or nothing, for what vCenter does not tell.
    """

    host: ObjectRef | None = None
    cluster: ObjectRef | None = None
    resource_pool: ObjectRef | None = None
    folder: ObjectRef | None = None
    datastores: tuple[ObjectRef, ...] = ()
    """The datastore of its files first."""
    networks: tuple[ObjectRef, ...] = ()
    """Those that its NICs are in, by the MoRefs of vCenter."""
    hardware_version: str | None = None
    """``vmx-19`` and the like."""
    committed_bytes: int | None = None
    """What it takes in its datastores."""


class PlannedVm(DomainModel):
    """A VM, what it is now and how it is moved."""

    name: str
    vm_id: str
    """Its MoRef in the source vCenter; in the destination's if it is there already."""
    already_there: bool = False
    """Whether it was found at the destination, where an earlier run has moved it: there is nothing to migrate."""
    instance_uuid: str
    bios_uuid: str | None = None
    powered_on: bool
    guest: str | None = None
    """The guest's operating system, for people."""
    cpus: int | None = None
    memory_mb: int | None = None
    disk_bytes: int | None = None
    """Provisioned size of all its disks."""
    migration: MigrationType
    """The type that will be used, with powered-off VMs turned to ``Cold``."""
    service_mesh_id: str | None = None
    cluster: ObjectRef | None = None
    resource_pool: ObjectRef | None = None
    folder: ObjectRef | None = None
    datastore: ObjectRef | None = None
    storage_policy: ObjectRef | None = None
    disk_format: DiskFormat = DiskFormat.SAME_AS_SOURCE
    options: MigrationOptions = MigrationOptions()
    there_before: tuple[str, ...] = ()
    """MoRefs of VMs at the destination that have its name or BIOS UUID and are not it; not part of the digest."""
    source_place: SourcePlace | None = None
    """Where it is at the source, for a way back; not part of the digest, as DRS moves VMs. None for a VM that is at
    the destination already, and in plans of releases that did not read it."""
    nics: tuple[PlannedNic, ...] = ()

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the wave's segments that it has NICs in, sorted."""
        return tuple(sorted({nic.segment for nic in self.nics if nic.segment is not None}))


class PlannedSegment(DomainModel):
    """A segment at both sites, and its extension."""

    name: str
    key: str
    """What it contributes to task ids."""
    cutover: CutoverPolicy
    disconnect: Disconnect
    source: NetworkRef
    source_segment_path: str | None = None
    """Its policy path in the source's NSX; None for a network without NSX."""
    destination: NetworkRef
    destination_segment_path: str
    """Its policy path in the destination's NSX."""
    extension_id: str
    """HCX's id of the extension; empty if an earlier run has cut the segment over: there is nothing to unextend."""
    gateway_addresses: tuple[str, ...] = ()
    """In CIDR form."""
    stays: tuple[str, ...] = ()
    """VMs that may remain at the source."""
    deletes_source: bool = True
    rename_destination: str | None = None
    extension_gateway_id: str | None = None
    """The destination's gateway that HCX has extended it to; for extending it again, so not part of the digest."""
    extension_appliance_id: str | None = None
    """The appliance at the source that carries it; the same."""


class PlannedSite(DomainModel):
    """One side, as HCX knows it."""

    endpoint_id: str
    endpoint_name: str
    compute_resource_id: str
    """The vCenter's instance uuid."""
    vcenter_name: str | None = None


class WavePlan(DomainModel):
    """Everything that a wave will do, as far as it is known before it starts."""

    wave: str
    wave_hash: str
    """Of the wave file that it was made from; operators refuse when the file has changed."""
    resolved_at: AwareDatetime
    """When the inventory was read; not part of the digest."""
    mobility_group: str
    """The mobility group's name, the same for each run of the wave."""
    source: PlannedSite
    destination: PlannedSite
    clock: WaveClock
    vms: tuple[PlannedVm, ...] = Field(min_length=1)
    segments: tuple[PlannedSegment, ...] = ()
    switchover_order: tuple[str, ...] = ()

    def vm(self, name: str) -> PlannedVm:
        """Return a VM by name.

        :raises KeyError: if it is not in the plan.
        """
        return _by_name(self.vms, name, "VM")

    def segment(self, name: str) -> PlannedSegment:
        """Return a segment by name.

        :raises KeyError: if it is not in the plan.
        """
        return _by_name(self.segments, name, "segment")

    def vms_of(self, segment: str) -> tuple[PlannedVm, ...]:
        """Return the VMs that have a NIC in a segment."""
        return tuple(vm for vm in self.vms if segment in vm.segments)

    def digest(self) -> str:
        """Return the SHA-256 (hex) of what is approved.

        The order in which the inventory named things, when it was read, and what guests reported make no difference.
        """
        approved = self.model_dump(mode="json", exclude=_NOT_APPROVED)
        return digest_of(approved, ordered=("switchover_order",))

    def differences(self, later: WavePlan) -> tuple[str, ...]:
        """Say what has changed in a later plan, one sentence each, for as long as the digests differ."""
        mine, other = (plan.model_dump(mode="json", exclude=_NOT_APPROVED) for plan in (self, later))
        return tuple(_differences("", mine, other, ordered=False))


def _by_name(items: Sequence[_Named], name: str, kind: str) -> _Named:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(f'the plan has no {kind} "{name}"')


def _differences(place: str, old: Any, new: Any, *, ordered: bool) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            below = f"{place} {key}".strip()
            yield from _differences(below, old.get(key), new.get(key), ordered=key == "switchover_order")
    elif isinstance(old, list) and isinstance(new, list) and not ordered:
        yield from _list_differences(place, old, new)
    elif old != new:
        yield f"{place}: was {_shown(old)}, is {_shown(new)}"


def _list_differences(place: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    before, after = ({_key(item): item for item in items} for items in (old, new))
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            yield f"{place}: {key} is gone"
        elif key not in before:
            yield f"{place}: {key} is new"
        else:
            yield from _differences(f"{place} {key}", before[key], after[key], ordered=False)


def _key(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return str(next((item[name] for name in ("name", "mac_address", "segment") if name in item), item))


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
