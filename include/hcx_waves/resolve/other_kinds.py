"""What else the destination has of a name that is none of the kind that was asked for, and what to write for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from hcx_waves.clients.vsphere.inventory_models import Folder, Host, ResourcePool
from hcx_waves.model.spelling import as_seen
from hcx_waves.resolve.survey import Survey


class OtherKinds:
    """The objects of the destination by what they may be called: name, MoRef or id, folders by path as well.

    :param hosts: reads the destination's hosts; asked only if a name is looked up.
    """

    def __init__(self, survey: Survey, hosts: Callable[[], Sequence[Host]]) -> None:
        self._survey = survey
        self._read_hosts = hosts

    def hints(self, name: str) -> list[str]:
        """Return a sentence for each thing of that name."""
        seen = as_seen(name)
        return [hint for names, hint in self._known if seen in names]

    @cached_property
    def _known(self) -> list[tuple[set[str], str]]:
        found = self._survey
        known = [*self._hosts(), *(self._pool(pool) for pool in found.resource_pools if is_chosen(pool, found))]
        known += [({one.name, one.moref}, f"That is a cluster: write cluster: {one.name}.") for one in found.clusters]
        known += [({one.name, one.path, one.moref}, _folder(one)) for one in found.folders]
        for one in found.datastores:
            known.append(({one.name, one.moref}, f"That is a datastore: write datastore: {one.name}."))
        for policy in found.storage_policies:
            names = {policy.name, policy.entity_id or policy.name}
            known.append((names, f"That is a storage policy: write storage_policy: {policy.name}."))
        for mesh in found.meshes:
            known.append(({mesh.name}, f"That is a service mesh: write service_mesh: {mesh.name}."))
        return [({as_seen(name) for name in names}, hint) for names, hint in known]

    def _hosts(self) -> Iterator[tuple[set[str], str]]:
        clusters = self._clusters
        for host in self._read_hosts():
            home = clusters.get(host.parent or "")
            names = {host.name, host.name.partition(".")[0], host.moref}
            yield names, f"That is a host of cluster {home}: write the cluster." if home else "That is a host."

    def _pool(self, pool: ResourcePool) -> tuple[set[str], str]:
        home = self._clusters.get(pool.owner or "")
        where = f" of cluster {home}" if home else ""
        return {pool.name, pool.moref}, f"That is a resource pool{where}: write resource_pool: {pool.name}."

    @cached_property
    def _clusters(self) -> dict[str, str]:
        return {one.moref: one.name for one in self._survey.clusters}


def is_chosen(pool: ResourcePool, survey: Survey) -> bool:
    """Whether a pool has been made by somebody; every cluster has a root pool."""
    return pool.moref not in {cluster.resource_pool for cluster in survey.clusters}


def _folder(folder: Folder) -> str:
    if "VirtualMachine" in folder.child_types:
        return f"That is a VM folder: write folder: {folder.path}."
    return f"{folder.path} is a folder, but not of VMs."
