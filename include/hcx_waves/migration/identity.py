"""Which VM at the destination a planned one has become: by the strongest identity that tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.model.plan import PlannedVm
from hcx_waves.model.spelling import as_seen, looks_the_same

_Fits = Callable[[VirtualMachineDetail], bool]


def may_be_one_of(listed: Iterable[VirtualMachineSummary], vms: Iterable[PlannedVm]) -> list[VirtualMachineSummary]:
    """Return the VMs of a light pass that planned ones may have become, to be read in full."""
    planned = list(vms)
    names = {as_seen(vm.name) for vm in planned}
    uuids = {value.lower() for vm in planned for value in (vm.instance_uuid, vm.bios_uuid) if value}
    return [one for one in listed if as_seen(one.name) in names or uuids & _uuids_of(one)]


def _uuids_of(vm: VirtualMachineSummary) -> set[str]:
    return {value.lower() for value in (vm.instance_uuid, vm.bios_uuid) if value}


def arrived_as(vm: PlannedVm, there: Iterable[VirtualMachineDetail]) -> VirtualMachineDetail | None:
    """Return the VM at the destination that a planned one has become, None if none or several fit.

    By its instance UUID; else by its MAC addresses; else by its BIOS UUID together with one of them. A Bulk migration
    may change the instance UUID [? nsx-vsphere 6.8], and clones share BIOS UUIDs, so neither alone is enough. A VM
    that was there when the plan was made is never meant.

    :param there: VMs at the destination in full.
    """
    candidates = [one for one in there if one.moref not in vm.there_before]
    for fits in _identities(vm):
        found = [one for one in candidates if fits(one)]
        if len(found) == 1:
            return found[0]
    return None


class Arrivals:
    """VMs at the destination in full, by all that they may be recognised by: a wave may have two thousand."""

    def __init__(self, there: Iterable[VirtualMachineDetail]) -> None:
        self._by_mark: dict[str, list[VirtualMachineDetail]] = defaultdict(list)
        for one in there:
            for mark in {*_uuids_of(one), *one.macs}:
                self._by_mark[mark].append(one)

    def of(self, vm: PlannedVm) -> VirtualMachineDetail | None:
        """Return what a planned VM has become; see :func:`arrived_as`."""
        marks = {*(value.lower() for value in (vm.instance_uuid, vm.bios_uuid) if value)}
        marks |= {nic.mac_address for nic in vm.nics}
        close = {one.moref: one for mark in marks for one in self._by_mark.get(mark, ())}
        return arrived_as(vm, close.values())


def _identities(vm: PlannedVm) -> Iterator[_Fits]:
    """Yield ways to recognise a VM, the strongest first."""
    macs = {nic.mac_address for nic in vm.nics}
    yield lambda one: _same(one.instance_uuid, vm.instance_uuid)
    yield lambda one: bool(macs) and one.macs == macs
    yield lambda one: _same(one.bios_uuid, vm.bios_uuid) and bool(macs & one.macs)
    if vm.options.retain_mac is False or not macs:
        # Its MAC addresses tell nothing.
        yield lambda one: _same(one.bios_uuid, vm.bios_uuid) and looks_the_same(one.name, vm.name)


def _same(value: str | None, wanted: str | None) -> bool:
    return bool(value) and bool(wanted) and str(value).lower() == str(wanted).lower()
