"""The placement of a VM: service mesh, cluster, resource pool, folder, datastore and storage policy, each by its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hcx_waves.clients.vsphere.inventory_models import Cluster, Folder, Host
from hcx_waves.model.formatting import listed
from hcx_waves.model.plan import ObjectRef
from hcx_waves.model.spelling import MOST_NAMES, KnownNames
from hcx_waves.resolve.other_kinds import OtherKinds, is_chosen
from hcx_waves.resolve.problems import Problems
from hcx_waves.resolve.survey import Survey
from hcx_waves.wavefile.settings import VmRequest

_VM_CHILD = "VirtualMachine"
_MESH = "service mesh"


@dataclass(frozen=True)
class Target:
    """A VM's place at the destination; None is left to HCX."""

    service_mesh_id: str | None
    cluster: ObjectRef | None
    resource_pool: ObjectRef | None
    folder: ObjectRef | None
    datastore: ObjectRef | None
    storage_policy: ObjectRef | None


class Placements:
    """Turns the names that a wave gives into ids; what is asked alike is answered, and refused, once.

    :param destination_endpoint_id: whose storage policies count.
    :param hosts: reads the destination's hosts; asked only if a name is none of what it should be.
    """

    def __init__(
        self,
        survey: Survey,
        destination_endpoint_id: str | None,
        problems: Problems,
        hosts: Callable[[], Sequence[Host]] = tuple,
    ) -> None:
        self._survey = survey
        self._endpoint_id = destination_endpoint_id
        self._problems = problems
        self._others = OtherKinds(survey, hosts)
        self._refused: set[tuple[str, str]] = set()

    def target(self, request: VmRequest) -> Target:
        """Return where a VM goes; what cannot be found is None and noted as a problem."""
        cluster = self._cluster(request.cluster)
        return Target(
            service_mesh_id=self._mesh(request.service_mesh),
            cluster=None if cluster is None else ObjectRef(object_id=cluster.moref, name=cluster.name),
            resource_pool=self._pool(request.resource_pool, cluster),
            folder=self._folder(request.folder),
            datastore=self._datastore(request.datastore),
            storage_policy=self._policy(request.storage_policy),
        )

    def _mesh(self, name: str | None) -> str | None:
        if name is None:
            return None
        found = [one.service_mesh_id for one in self._survey.meshes if name in (one.name, one.service_mesh_id)]
        return self._single(_MESH, name, found, [one.name for one in self._survey.meshes])

    def _cluster(self, name: str | None) -> Cluster | None:
        if name is None:
            return None
        by_id = {one.moref: one for one in self._survey.clusters}
        found = [one.moref for one in by_id.values() if one.name == name]
        chosen = self._single("cluster", name, found, [one.name for one in by_id.values()])
        return None if chosen is None else by_id[chosen]

    def _pool(self, name: str | None, cluster: Cluster | None) -> ObjectRef | None:
        if name is None:
            return None
        pools = [one for one in self._survey.resource_pools if cluster is None or one.owner == cluster.moref]
        found = [one.moref for one in pools if one.name == name]
        where = "resource pool" if cluster is None else f"resource pool of cluster {cluster.name}"
        return self._ref(where, name, found, [one.name for one in pools if is_chosen(one, self._survey)])

    def _folder(self, name: str | None) -> ObjectRef | None:
        folders = [one for one in self._survey.folders if _VM_CHILD in one.child_types]
        if name is None:
            return _root_of(folders)
        found = [one.moref for one in folders if name in (one.name, one.path)]
        return self._ref("VM folder", name, found, [one.name for one in folders])

    def _datastore(self, name: str | None) -> ObjectRef | None:
        if name is None:
            return None
        found = [one.moref for one in self._survey.datastores if one.name == name]
        return self._ref("datastore", name, found, [one.name for one in self._survey.datastores])

    def _policy(self, name: str | None) -> ObjectRef | None:
        if name is None:
            return None
        policies = [one for one in self._survey.storage_policies if one.endpoint_id in (None, self._endpoint_id)]
        found = [one.entity_id for one in policies if one.name == name and one.entity_id]
        return self._ref("storage policy", name, found, [one.name for one in policies])

    def _ref(self, kind: str, name: str, found: Sequence[str], known: Iterable[str]) -> ObjectRef | None:
        chosen = self._single(kind, name, found, known)
        return None if chosen is None else ObjectRef(object_id=chosen, name=name)

    def _single(self, kind: str, name: str, found: Sequence[str], known: Iterable[str]) -> str | None:
        ids = sorted(set(found))
        if len(ids) == 1:
            return ids[0]
        if (kind, name) not in self._refused:
            self._refused.add((kind, name))
            if ids:
                message = f"the destination has {len(ids)} of this name as {kind}: {listed(ids, MOST_NAMES)}"
                self._problems.add(name, message, _NARROW.get(kind, "Rename one of them."))
            else:
                where = "" if kind == _MESH else " at the destination"
                hint = self._hint(kind, name, known)
                self._problems.add(name, f"there is no such {kind}{where}", hint)
        return None

    def _hint(self, kind: str, name: str, known: Iterable[str]) -> str:
        """Say what a name was probably meant for: something of another kind, else one of this kind that is near."""
        names = KnownNames(known)
        twins = names.twins_of(name)
        others = [] if twins else [one for one in self._others.hints(name) if not one.startswith(f"That is a {kind}:")]
        return " ".join((*others[:1], names.hint(name, "of them at the destination")))


_NARROW = {
    "resource pool": "Name the cluster as well.",
    "VM folder": "Write its path, such as /Datacenter/vm/Folder.",
}


def _root_of(folders: Sequence[Folder]) -> ObjectRef | None:
    """Return the datacentre's VM folder, None (left to HCX) if there are several datacentres."""
    inside = {one.moref for one in folders}
    roots = [one for one in folders if one.parent not in inside]
    return ObjectRef(object_id=roots[0].moref, name=roots[0].name) if len(roots) == 1 else None
