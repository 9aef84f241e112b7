"""Where VMs are at the source before they are moved: what the plan keeps for a way back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.model.plan import ObjectRef, SourcePlace
from hcx_waves.resolve.network_index import NetworkIndex


class SourcePlaces:
    """Names the places of VMs at the source. Each kind is listed once, and only if a VM is asked for.

    :param networks: the source's networks.
    """

    def __init__(self, vcenter: VsphereClient, networks: NetworkIndex) -> None:
        self._vcenter, self._networks = vcenter, networks

    def of(self, vm: VirtualMachineDetail) -> SourcePlace:
        """Return where a VM is now. What the account may not see has its MoRef for a name.

        :raises ClientError: if vCenter cannot be read.
        """
        found = [self._networks.of_nic(nic) for nic in vm.nics]
        networks = dict.fromkeys(one.moref for one in found if one is not None)
        names = {one.moref: one.name for one in found if one is not None}
        owner = None if vm.resource_pool is None else self._owners.get(vm.resource_pool)
        return SourcePlace(
            host=_ref(vm.host, self._hosts),
            cluster=_ref(owner, self._clusters) if owner in self._clusters else None,
            resource_pool=_ref(vm.resource_pool, self._pools),
            folder=_ref(vm.folder, self._folders),
            datastores=_refs(self._of_files_first(vm), self._datastores),
            networks=_refs(networks, names),
            hardware_version=vm.hardware_version,
            committed_bytes=vm.committed_bytes,
        )

    def _of_files_first(self, vm: VirtualMachineDetail) -> list[str]:
        """Return the datastores of a VM, that of its configuration file first."""
        home = (vm.vm_path or "").partition("]")[0].removeprefix("[")
        return sorted(vm.datastores, key=lambda moref: (self._datastores.get(moref) != home, moref))

    @cached_property
    def _hosts(self) -> dict[str, str]:
        return {one.moref: one.name for one in self._vcenter.list_hosts()}

    @cached_property
    def _clusters(self) -> dict[str, str]:
        return {one.moref: one.name for one in self._vcenter.list_clusters()}

    @cached_property
    def _listed_pools(self) -> tuple[tuple[str, str, str | None], ...]:
        return tuple((one.moref, one.name, one.owner) for one in self._vcenter.list_resource_pools())

    @cached_property
    def _pools(self) -> dict[str, str]:
        return {moref: name for moref, name, _ in self._listed_pools}

    @cached_property
    def _owners(self) -> dict[str, str]:
        return {moref: owner for moref, _, owner in self._listed_pools if owner is not None}

    @cached_property
    def _folders(self) -> dict[str, str]:
        return {one.moref: one.name for one in self._vcenter.list_folders()}

    @cached_property
    def _datastores(self) -> dict[str, str]:
        return {one.moref: one.name for one in self._vcenter.list_datastores()}


def _ref(moref: str | None, names: dict[str, str]) -> ObjectRef | None:
    return None if moref is None else ObjectRef(object_id=moref, name=names.get(moref, moref))


def _refs(morefs: Iterable[str], names: dict[str, str]) -> tuple[ObjectRef, ...]:
    return tuple(ObjectRef(object_id=moref, name=names.get(moref, moref)) for moref in morefs)
