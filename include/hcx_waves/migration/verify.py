"""Verify, VM by VM and in vCenter, that what HCX reports as migrated is at the destination and as it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import Nic, VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.migration.addresses import compare_addresses, identifying
from hcx_waves.migration.identity import Arrivals, may_be_one_of
from hcx_waves.migration.status import WaveStatus
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import NetworkRef, PlannedVm, WavePlan
from hcx_waves.model.spelling import looks_the_same
from hcx_waves.model.states import VmOutcome
from hcx_waves.model.subnets import Subnet, subnets_of

POWERED_ON = "poweredOn"
POWERED_OFF = "poweredOff"
TOOLS_RUNNING = "guestToolsRunning"
_STILL_THERE = "it is still at the source"


class NicFacts(DomainModel):
    """A NIC as it was or is."""

    mac_address: str
    network: str
    network_id: str | None = None
    ip_addresses: tuple[str, ...] = ()


class VmFacts(DomainModel):
    """A VM as it was or is."""

    site: str
    vm_id: str
    name: str
    power_state: str | None
    instance_uuid: str | None
    bios_uuid: str | None
    nics: tuple[NicFacts, ...] = ()

    @property
    def mac_addresses(self) -> tuple[str, ...]:
        """All MAC addresses, sorted."""
        return tuple(sorted(nic.mac_address for nic in self.nics))

    @property
    def ip_addresses(self) -> tuple[str, ...]:
        """All addresses that the guest reports, sorted."""
        return tuple(sorted({address for nic in self.nics for address in nic.ip_addresses}))


class VmProof(DomainModel):
    """One VM before and after."""

    name: str
    outcome: VmOutcome
    before: VmFacts
    after: VmFacts | None = None
    retired_copy: str | None = None
    """Name of the powered-off copy that a Bulk migration left at the source [D hcx 4.8]."""
    reasons: tuple[str, ...] = ()
    """Why it is not proven."""
    outstanding: tuple[str, ...] = ()
    """What may still come by itself, such as addresses once VMware Tools runs; it does not unprove."""
    changes: tuple[str, ...] = ()
    """What has changed and may: addresses that come and go, the power state of a VM that arrived before this run."""

    @property
    def is_proven(self) -> bool:
        """Whether it has arrived and is as it was."""
        return self.outcome.is_at_destination and not self.reasons

    @property
    def has_moved(self) -> bool:
        """Whether it is at the destination, and at the source no more than a retired copy of it; changed or not."""
        return self.after is not None and not any(reason.startswith(_STILL_THERE) for reason in self.reasons)

    @property
    def may_settle(self) -> bool:
        """Whether looking again may complete the proof."""
        return bool(self.outstanding)


def verify_virtual_machines(
    plan: WavePlan, status: WaveStatus, clients: SiteClients, arrived_before: Sequence[str] = ()
) -> tuple[VmProof, ...]:
    """Compare every VM of a status with its plan, at both sites.

    A VM is found at the destination by :func:`~hcx_waves.migration.identity.arrived_as`. Nothing is raised for a VM
    without proof.

    :param arrived_before: names of VMs that the plan has found at the destination, to be compared as well.
    :raises ClientError: if a vCenter cannot be read.
    """
    outcomes = {vm.name: vm.outcome for vm in status.vms}
    outcomes.update(dict.fromkeys(arrived_before, VmOutcome.ALREADY_THERE))
    if not outcomes:
        return ()
    source = _SiteView.read(clients.source_vcenter, "source")
    destination = _SiteView.read(clients.destination_vcenter, "destination")
    vms = [plan.vm(name) for name in outcomes]
    arrived = destination.find([vm for vm in vms if outcomes[vm.name].is_at_destination])
    addresses = {
        name: {address.address for nic in vm.nics for address in vm.addresses_of(nic)} for name, vm in arrived.items()
    }
    subnets = {segment.name: subnets_of(segment.gateway_addresses) for segment in plan.segments}
    words = {vm.name: f"HCX: {vm.message or vm.outcome.label.lower()}" for vm in status.vms}
    unmoved = [vm for vm in vms if not outcomes[vm.name].is_at_destination]
    found = _whereabouts(unmoved, source, destination)
    return tuple(
        _prove(vm, outcomes[vm.name], source, destination, _Guests(arrived.get(vm.name), addresses, subnets))
        if outcomes[vm.name].is_at_destination
        else VmProof(
            name=vm.name,
            outcome=outcomes[vm.name],
            before=facts_before(vm),
            after=found.get(vm.name),
            reasons=(words[vm.name],),
        )
        for vm in vms
    )


@dataclass(frozen=True)
class _Guests:
    """A VM as it has arrived, and what the guests of all of them report.

    :param addresses: the addresses of each VM, by its name.
    :param subnets: of each segment, by its name.
    """

    arrived: VirtualMachineDetail | None
    addresses: Mapping[str, Collection[str]]
    subnets: Mapping[str, Sequence[Subnet]]

    def holders(self, name: str) -> dict[str, str]:
        """Return which other VM has which address."""
        return {address: other for other, own in self.addresses.items() if other != name for address in own}


@dataclass
class _SiteView:
    """One vCenter's light pass, and details of VMs on demand."""

    vcenter: VsphereClient
    site: str
    listed: Mapping[str, VirtualMachineSummary]
    networks: Mapping[str, Network]

    @classmethod
    def read(cls, vcenter: VsphereClient, site: str) -> _SiteView:
        networks: dict[str, Network] = {}
        for network in vcenter.list_networks():
            networks.update(dict.fromkeys(_keys_of(network), network))
        return cls(vcenter, site, {vm.moref: vm for vm in vcenter.list_virtual_machines()}, networks)

    def find(self, vms: Sequence[PlannedVm]) -> dict[str, VirtualMachineDetail]:
        """Find the VMs that planned ones have become here, by name, in one read."""
        known = {vm.vm_id for vm in vms if vm.already_there}
        chosen = {one.moref for one in may_be_one_of(self.listed.values(), vms)} | (known & self.listed.keys())
        details = self.vcenter.read_virtual_machines(sorted(chosen), skip_missing=True) if chosen else []
        by_moref, arrivals = {one.moref: one for one in details}, Arrivals(details)
        found = {vm.name: by_moref.get(vm.vm_id) if vm.already_there else arrivals.of(vm) for vm in vms}
        return {name: one for name, one in found.items() if one is not None}

    def leftovers(self, vm: PlannedVm) -> list[VirtualMachineSummary]:
        """Return what there is of a planned VM: by its MoRef and by its instance uuid."""
        # The MoRef of a VM that has been at the destination from the start is that vCenter's.
        moref = None if vm.already_there else vm.vm_id
        return [one for one in self.listed.values() if one.moref == moref or _same(one.instance_uuid, vm.instance_uuid)]

    def remaining(self, vms: Sequence[PlannedVm]) -> dict[str, VirtualMachineDetail]:
        """Find the planned VMs that are still here, by name, in one read."""
        chosen = {vm.name: left[0].moref for vm in vms if (left := self.leftovers(vm))}
        details = self.vcenter.read_virtual_machines(sorted(set(chosen.values())), skip_missing=True) if chosen else []
        by_moref = {one.moref: one for one in details}
        return {name: by_moref[moref] for name, moref in chosen.items() if moref in by_moref}

    def facts(self, vm: VirtualMachineDetail) -> VmFacts:
        """Return a VM as facts."""
        nics = tuple(
            NicFacts(
                mac_address=nic.mac,
                network=self.network_name(nic),
                network_id=nic.network_id,
                ip_addresses=tuple(sorted(address.address for address in vm.addresses_of(nic))),
            )
            for nic in sorted(vm.nics, key=lambda one: one.key)
        )
        return VmFacts(
            site=self.site,
            vm_id=vm.moref,
            name=vm.name,
            power_state=vm.power_state,
            instance_uuid=vm.instance_uuid,
            bios_uuid=vm.bios_uuid,
            nics=nics,
        )

    def network_name(self, nic: Nic) -> str:
        """Return the name of the network that a NIC is in."""
        network = self.networks.get(nic.network_id or "")
        return network.name if network is not None else (nic.network_id or "none")

    def is_on(self, nic: Nic, wanted: NetworkRef) -> bool:
        """Whether a NIC is in the network that HCX was told."""
        network = self.networks.get(nic.network_id or "")
        return network is not None and network_fits(network, wanted.network_id)


def network_fits(network: Network, network_id: str) -> bool:
    """Whether a vCenter network is the one that HCX calls by an id: a MoRef, a segment's policy path or its id.

    A fixed segment's path and the short form ``/infra/segments/<id>`` mean the same segment [? nsx-vsphere 6.5].
    """
    keys = _keys_of(network)
    return network_id in keys or ("/segments/" in network_id and _last(network_id) in {_last(key) for key in keys})


def _keys_of(network: Network) -> list[str]:
    keys = [network.moref]
    if isinstance(network, DistributedVirtualPortgroup):
        keys += [key for key in (network.key, network.segment_id) if key]
    if isinstance(network, OpaqueNetwork) and network.opaque_id:
        keys.append(network.opaque_id)
    return keys


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _prove(vm: PlannedVm, outcome: VmOutcome, source: _SiteView, destination: _SiteView, guests: _Guests) -> VmProof:
    before, arrived = facts_before(vm), guests.arrived
    reasons, retired = _left_behind(vm, source)
    if arrived is None:
        reasons.append("it is not in the destination's vCenter")
        return VmProof(
            name=vm.name, outcome=VmOutcome.MISPLACED, before=before, retired_copy=retired, reasons=tuple(reasons)
        )
    reasons += _differences(vm, arrived, destination)
    outstanding: list[str] = []
    changes = _power(vm, arrived) if vm.already_there else []
    _compare_guest(vm, guests, arrived, reasons, outstanding, changes)
    return VmProof(
        name=vm.name,
        outcome=VmOutcome.MISPLACED if reasons else outcome,
        before=before,
        after=destination.facts(arrived),
        retired_copy=retired,
        reasons=tuple(reasons),
        outstanding=tuple(outstanding),
        changes=tuple(changes),
    )


def _whereabouts(vms: Sequence[PlannedVm], source: _SiteView, destination: _SiteView) -> dict[str, VmFacts]:
    """Return VMs that have not moved, or are not known to have, where they are, by name.

    Those that are at both sites or at none are left out.
    """
    there, here = destination.find(vms), source.remaining(vms)
    sites = {name: destination.facts(one) for name, one in there.items() if name not in here}
    return {**sites, **{name: source.facts(one) for name, one in here.items() if name not in there}}


def facts_before(vm: PlannedVm) -> VmFacts:
    """Return what a VM was, and at which site, when the plan was made."""
    return VmFacts(
        site="destination" if vm.already_there else "source",
        vm_id=vm.vm_id,
        name=vm.name,
        power_state=POWERED_ON if vm.powered_on else POWERED_OFF,
        instance_uuid=vm.instance_uuid,
        bios_uuid=vm.bios_uuid,
        nics=tuple(
            NicFacts(
                mac_address=nic.mac_address,
                network=nic.source.name,
                network_id=nic.source.network_id,
                ip_addresses=tuple(sorted(nic.ip_addresses)),
            )
            for nic in vm.nics
        ),
    )


def _left_behind(vm: PlannedVm, source: _SiteView) -> tuple[list[str], str | None]:
    """Judge what is still at the source: a Bulk migration leaves its powered-off original, nothing else may."""
    reasons: list[str] = []
    retired = None
    for left in source.leftovers(vm):
        # Which type moved a VM that was there before this run is not known; an original that runs is no copy.
        is_original = vm.already_there or (left.moref == vm.vm_id and vm.migration is MigrationType.BULK)
        if is_original and left.power_state == POWERED_OFF and not left.is_template:
            retired = left.name
        else:
            reasons.append(f"{_STILL_THERE} as {left.name} ({left.moref}, {left.power_state})")
    return reasons, retired


def _differences(vm: PlannedVm, arrived: VirtualMachineDetail, destination: _SiteView) -> list[str]:
    reasons = [] if vm.already_there else _power(vm, arrived)
    if not looks_the_same(arrived.name, vm.name):
        reasons.append(f"it is called {arrived.name}")
    if vm.options.retain_mac is False:
        return reasons
    by_mac = {nic.mac: nic for nic in arrived.nics}
    for nic in vm.nics:
        there = by_mac.get(nic.mac_address)
        if there is None:
            reasons.append(f"MAC {nic.mac_address} is gone")
        elif not destination.is_on(there, nic.destination):
            reasons.append(f"{nic.label} is in {destination.network_name(there)}, not in {nic.destination.name}")
    strange = sorted(set(by_mac) - {nic.mac_address for nic in vm.nics})
    reasons += [f"MAC {mac} is new" for mac in strange]
    return reasons


def _power(vm: PlannedVm, arrived: VirtualMachineDetail) -> list[str]:
    expected = POWERED_ON if vm.powered_on else POWERED_OFF
    return [] if arrived.power_state == expected else [f"it is {arrived.power_state} and was {expected}"]


def _compare_guest(
    vm: PlannedVm,
    guests: _Guests,
    arrived: VirtualMachineDetail,
    reasons: list[str],
    outstanding: list[str],
    changes: list[str],
) -> None:
    """Compare what the guest reports; before VMware Tools runs again it reports nothing."""
    if not vm.powered_on or arrived.power_state != POWERED_ON:
        return
    seen = guests.addresses[vm.name]
    holders = guests.holders(vm.name)
    silent = arrived.tools_running != TOOLS_RUNNING or not seen
    for nic in vm.nics:
        subnets = guests.subnets.get(nic.segment or "", ())
        if silent:
            missing = sorted({one.address for one in identifying(nic, subnets)} - set(seen))
            outstanding += [f"VMware Tools does not report {', '.join(missing)} yet"] if missing else []
            continue
        found = compare_addresses(nic, subnets, seen, holders)
        reasons += [f"it has {', '.join(sorted(seen))} and not {', '.join(found.lost)}"] if found.lost else []
        changes += found.changes


def _same(value: str | None, wanted: str | None) -> bool:
    return value is not None and wanted is not None and value.lower() == wanted.lower()
