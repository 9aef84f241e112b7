"""Verify, VM by VM and in vCenter, that what HCX reports as migrated is at the destination and as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import Nic, VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.migration.status import VmStatus, WaveStatus
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import NetworkRef, PlannedVm, WavePlan
from hcx_waves.model.states import VmOutcome

POWERED_ON = "poweredOn"
POWERED_OFF = "poweredOff"
TOOLS_RUNNING = "guestToolsRunning"


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

    @property
    def is_proven(self) -> bool:
        """Whether it has arrived and is as it was."""
        return self.outcome.is_at_destination and not self.reasons

    @property
    def may_settle(self) -> bool:
        """Whether looking again may complete the proof."""
        return bool(self.outstanding)


def verify_virtual_machines(plan: WavePlan, status: WaveStatus, clients: SiteClients) -> tuple[VmProof, ...]:
    """Compare every VM of a status with its plan, at both sites.

    A VM is found at the destination by its instance uuid, else by its BIOS uuid, else by name and MAC addresses
    (whether Bulk keeps the uuids is not published [? nsx-vsphere 6.8]). Nothing is raised for a VM without proof.

    :raises ClientError: if a vCenter cannot be read.
    """
    source = _SiteView.read(clients.source_vcenter, "source")
    destination = _SiteView.read(clients.destination_vcenter, "destination")
    return tuple(_prove(plan.vm(vm.name), vm, source, destination) for vm in status.vms)


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

    def find(self, vm: PlannedVm) -> VirtualMachineDetail | None:
        """Find the VM that a planned one has become here."""
        for name, wanted in (("instance_uuid", vm.instance_uuid), ("bios_uuid", vm.bios_uuid)):
            fitting = [one for one in self.listed.values() if _same(getattr(one, name), wanted)]
            if len(fitting) == 1:
                return next(iter(self._detail(fitting)), None)
        namesakes = self._detail([one for one in self.listed.values() if one.name == vm.name])
        macs = {nic.mac_address for nic in vm.nics}
        return next((one for one in namesakes if macs and one.macs == macs), None)

    def leftovers(self, vm: PlannedVm) -> list[VirtualMachineSummary]:
        """Return what there is of a planned VM: by its MoRef and by its instance uuid."""
        return [
            one for one in self.listed.values() if one.moref == vm.vm_id or _same(one.instance_uuid, vm.instance_uuid)
        ]

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

    def _detail(self, vms: Sequence[VirtualMachineSummary]) -> list[VirtualMachineDetail]:
        return self.vcenter.read_virtual_machines([one.moref for one in vms], skip_missing=True)


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


def _prove(vm: PlannedVm, status: VmStatus, source: _SiteView, destination: _SiteView) -> VmProof:
    before, outcome = facts_before(vm), status.outcome
    if outcome is not VmOutcome.MIGRATED:
        words = f"HCX: {status.message or outcome.label.lower()}"
        found = _found(vm, source, destination)
        return VmProof(name=vm.name, outcome=outcome, before=before, after=found, reasons=(words,))
    arrived = destination.find(vm)
    reasons, retired = _left_behind(vm, source)
    if arrived is None:
        reasons.append("it is not in the destination's vCenter")
        return VmProof(
            name=vm.name, outcome=VmOutcome.MISPLACED, before=before, retired_copy=retired, reasons=tuple(reasons)
        )
    after = destination.facts(arrived)
    reasons += _differences(vm, arrived, destination)
    outstanding: list[str] = []
    _compare_addresses(vm, arrived, after, reasons, outstanding)
    return VmProof(
        name=vm.name,
        outcome=VmOutcome.MISPLACED if reasons else VmOutcome.MIGRATED,
        before=before,
        after=after,
        retired_copy=retired,
        reasons=tuple(reasons),
        outstanding=tuple(outstanding),
    )


def _found(vm: PlannedVm, source: _SiteView, destination: _SiteView) -> VmFacts | None:
    """Return a VM that has not moved, or is not known to have, where it is; None unless it is at exactly one site."""
    there, here = destination.find(vm), source.find(vm)
    if (there is None) == (here is None):
        return None
    return source.facts(here) if here is not None else None if there is None else destination.facts(there)


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
        is_original = left.moref == vm.vm_id and vm.migration is MigrationType.BULK
        if is_original and left.power_state == POWERED_OFF and not left.is_template:
            retired = left.name
        else:
            reasons.append(f"it is still at the source as {left.name} ({left.moref}, {left.power_state})")
    return reasons, retired


def _differences(vm: PlannedVm, arrived: VirtualMachineDetail, destination: _SiteView) -> list[str]:
    reasons = []
    expected = POWERED_ON if vm.powered_on else POWERED_OFF
    if arrived.power_state != expected:
        reasons.append(f"it is {arrived.power_state} and was {expected}")
    if arrived.name != vm.name:
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


def _compare_addresses(
    vm: PlannedVm, arrived: VirtualMachineDetail, after: VmFacts, reasons: list[str], outstanding: list[str]
) -> None:
    """Compare what the guest reports; before VMware Tools runs again it reports nothing."""
    expected = {address for nic in vm.nics for address in nic.ip_addresses}
    if not expected or not vm.powered_on:
        return
    seen = set(after.ip_addresses)
    missing = sorted(expected - seen)
    if missing and (arrived.tools_running != TOOLS_RUNNING or not seen):
        outstanding.append(f"VMware Tools does not report {', '.join(missing)} yet")
    elif missing:
        reasons.append(f"it has {', '.join(sorted(seen))} and not {', '.join(missing)}")


def _same(value: str | None, wanted: str | None) -> bool:
    return value is not None and wanted is not None and value.lower() == wanted.lower()
