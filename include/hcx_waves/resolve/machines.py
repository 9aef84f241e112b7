"""Find each VM of a wave: at the source, or at the destination if it has been migrated already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.model.formatting import listed
from hcx_waves.model.spelling import KnownNames, looks_the_same
from hcx_waves.model.uuids import byte_swapped
from hcx_waves.resolve.problems import Problems
from hcx_waves.wavefile.settings import VmRequest

_MOST_IDS = 8
_GIVE_UUID = "Write the instance_uuid of the intended VM in the wave file."


@dataclass(frozen=True)
class Located:
    """A VM of the wave and where it was found.

    :param already_there: whether it is at the destination, and not at the source.
    :param there_before: MoRefs of VMs at the destination that could be taken for it and are not.
    """

    request: VmRequest
    vm: VirtualMachineSummary
    already_there: bool
    there_before: tuple[str, ...] = ()


class Locator:
    """Finds VMs by name, or by instance UUID where the wave gives one.

    :param arrived: tells, for names that are missing at the source, which of them HCX records as migrated. A VM of
        the same name at the destination is adopted only with that record or by its instance UUID.
    """

    def __init__(
        self,
        source: Sequence[VirtualMachineSummary],
        destination: Sequence[VirtualMachineSummary],
        problems: Problems,
        arrived: Callable[[Collection[str]], Collection[str]],
    ) -> None:
        self._source, self._destination = _Index(source), _Index(destination)
        self._problems = problems
        self._arrived = arrived

    def locate(self, requests: Sequence[VmRequest]) -> list[Located]:
        """Return every VM that was found, in the wave's order; notes a problem for each of the others."""
        found = {request.name: self._source.fitting(request) for request in requests}
        unpinned = {one.name for one in requests if one.instance_uuid is None and not found[one.name]}
        recorded = self._arrived(unpinned) if unpinned else ()
        located = [self._one(request, found[request.name], request.name in recorded) for request in requests]
        return [one for one in located if one is not None]

    def _one(self, request: VmRequest, here: Sequence[VirtualMachineSummary], recorded: bool) -> Located | None:
        there = self._destination.fitting(request)
        here = [vm for vm in here if not _is_retired(vm, request, there)]
        if len(here) > 1 or (not here and len(there) > 1):
            self._ambiguous(request, here or there, "source" if here else "destination")
        elif here:
            return self._at_source(request, here[0])
        elif there:
            return self._at_destination(request, there[0], recorded)
        else:
            self._missing(request)
        return None

    def _at_source(self, request: VmRequest, vm: VirtualMachineSummary) -> Located | None:
        if not looks_the_same(vm.name, request.name):
            self._problems.add(
                request.name, f'instance UUID {vm.instance_uuid} is that of "{vm.name}"', "Correct one of the two."
            )
        elif vm.is_template:
            self._problems.add(
                request.name,
                "is a template",
                "Templates are not migrated: deploy a VM from it, or copy the template by other means.",
            )
        elif vm.instance_uuid is None:
            self._problems.add(
                request.name, "vCenter cannot read its configuration", "Repair or remove the orphaned VM first."
            )
        elif self._destination.has(vm.instance_uuid):
            self._problems.add(
                request.name,
                f"exists at both sites with instance UUID {vm.instance_uuid}",
                "An earlier migration did not finish: look at it in HCX, then remove the copy that is not in use.",
            )
        else:
            return Located(request, vm, already_there=False, there_before=self._destination.like(vm))
        return None

    def _at_destination(self, request: VmRequest, vm: VirtualMachineSummary, recorded: bool) -> Located | None:
        if recorded or request.instance_uuid is not None:
            return Located(request, vm, already_there=True)
        self._problems.add(
            request.name,
            f"is not at the source; the one at the destination ({vm.moref}) is not known to have been migrated",
            f"If that is it write its instance_uuid ({vm.instance_uuid}); otherwise correct the name.",
        )
        return None

    def _missing(self, request: VmRequest) -> None:
        pin = f" with instance UUID {request.instance_uuid}" if request.instance_uuid else ""
        self._problems.add(request.name, f"there is no such VM{pin} at either site", self._hint(request))

    def _hint(self, request: VmRequest) -> str:
        """Say what was probably meant: the VM of an id of another kind, else a name that is near."""
        if request.instance_uuid is not None:
            return self._uuid_hint(request, request.instance_uuid)
        for site in (self._source, self._destination):
            vm = site.by_moref(request.name)
            if vm is not None:
                return f"That is the MoRef of {vm.name}: write its name."
        names = self._names_here
        if names.twins_of(request.name) or names.nearest(request.name):
            return _also_by_uuid(names.hint(request.name, "VMs at the source"))
        there = self._names_there.twins_of(request.name)
        if there:
            return f"At the destination there is {there[0]}."
        return "Correct the name, or take the VM out of the wave."

    def _uuid_hint(self, request: VmRequest, uuid: str) -> str:
        for site in (self._source, self._destination):
            for one, kind in ((uuid, "the BIOS UUID"), (byte_swapped(uuid), "the BIOS UUID as a guest shows it")):
                found = site.by_bios(one)
                if found:
                    own = " or ".join(sorted({str(vm.instance_uuid) for vm in found})[:_MOST_IDS])
                    names = " and ".join(sorted({vm.name for vm in found})[:_MOST_IDS])
                    return f"That is {kind} of {names}; its instance UUID is {own}."
        namesakes = [vm for vm in self._source.named(request.name) if vm.instance_uuid]
        if namesakes:
            known = ", ".join(sorted(str(vm.instance_uuid) for vm in namesakes)[:_MOST_IDS])
            return f"{request.name} at the source has instance UUID {known}."
        near = self._names_here.nearest(request.name)
        return (
            f"Correct the UUID; of this name there is none either. Near: {', '.join(near)}."
            if near
            else ("Correct the name and the UUID, or take the VM out of the wave.")
        )

    @cached_property
    def _names_here(self) -> KnownNames:
        return KnownNames(self._source.names)

    @cached_property
    def _names_there(self) -> KnownNames:
        return KnownNames(self._destination.names)

    def _ambiguous(self, request: VmRequest, vms: Sequence[VirtualMachineSummary], site: str) -> None:
        known = listed(sorted(f"{vm.moref} ({vm.instance_uuid})" for vm in vms), _MOST_IDS)
        self._problems.add(request.name, f"{len(vms)} VMs at the {site} fit: {known}", _GIVE_UUID)


class _Index:
    """The VMs of one site by name and by instance UUID."""

    def __init__(self, vms: Sequence[VirtualMachineSummary]) -> None:
        self._by_name: dict[str, list[VirtualMachineSummary]] = defaultdict(list)
        self._by_uuid: dict[str, list[VirtualMachineSummary]] = defaultdict(list)
        self._by_bios: dict[str, list[VirtualMachineSummary]] = defaultdict(list)
        for vm in vms:
            self._by_name[vm.name].append(vm)
            if vm.bios_uuid is not None:
                self._by_bios[vm.bios_uuid.lower()].append(vm)
            if vm.instance_uuid is not None:
                self._by_uuid[vm.instance_uuid.lower()].append(vm)

    def fitting(self, request: VmRequest) -> Sequence[VirtualMachineSummary]:
        """Return the VMs that a request may mean."""
        if request.instance_uuid is not None:
            return self._by_uuid.get(request.instance_uuid.lower(), [])
        return self._by_name.get(request.name, [])

    def like(self, vm: VirtualMachineSummary) -> tuple[str, ...]:
        """Return the MoRefs of the VMs with the name or the BIOS UUID of one."""
        bios = [] if vm.bios_uuid is None else self._by_bios[vm.bios_uuid.lower()]
        return tuple(sorted({one.moref for one in (*self._by_name[vm.name], *bios)}))

    def has(self, instance_uuid: str) -> bool:
        """Whether a VM has this identity."""
        return instance_uuid.lower() in self._by_uuid

    def named(self, name: str) -> Sequence[VirtualMachineSummary]:
        """Return the VMs of a name."""
        return self._by_name.get(name, [])

    def by_bios(self, uuid: str) -> Sequence[VirtualMachineSummary]:
        """Return the VMs with a BIOS UUID."""
        return self._by_bios.get(uuid.lower(), [])

    def by_moref(self, moref: str) -> VirtualMachineSummary | None:
        """Return the VM with a MoRef."""
        return next((vm for vms in self._by_name.values() for vm in vms if vm.moref == moref), None)

    @property
    def names(self) -> Iterable[str]:
        """The names of all VMs."""
        return self._by_name.keys()


def _also_by_uuid(hint: str) -> str:
    """Add what decides between names that look the same."""
    return f"{hint[:-1]}, or write its instance_uuid." if "looks the same" in hint else hint


def _is_retired(vm: VirtualMachineSummary, request: VmRequest, there: Sequence[VirtualMachineSummary]) -> bool:
    """Whether this is what Bulk leaves at the source: powered off and renamed, the VM itself elsewhere [D hcx 4.8]."""
    renamed = vm.name != request.name and vm.name.startswith(request.name)
    return renamed and vm.power_state == "poweredOff" and any(one.name == request.name for one in there)
