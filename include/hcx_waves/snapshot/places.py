"""Converts folders, clusters, hosts, pools and datastores of a site to parts of a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hcx_snapshot.model import ClusterRulePart, DatastorePart, PlacePart
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere import inventory_models as found

ROOT_FOLDER = "group-d1"
_ROOT_CHILDREN = ("Folder", "Datacenter")


@dataclass(frozen=True)
class Furniture:
    """The places of a vCenter into which VMs can be put."""

    folders: Sequence[found.Folder]
    pools: Sequence[found.ResourcePool]
    hosts: Sequence[found.Host]
    clusters: Sequence[found.Cluster]
    datastores: Sequence[found.Datastore]

    @classmethod
    def of(cls, vcenter: VsphereClient) -> Furniture:
        """Read a vCenter.

        :raises ClientError: if it cannot be read.
        """
        return cls(
            vcenter.list_folders(),
            vcenter.list_resource_pools(),
            vcenter.list_hosts(),
            vcenter.list_clusters(),
            vcenter.list_datastores(),
        )


def places_of(furniture: Furniture, network_morefs: Collection[str]) -> tuple[PlacePart, ...]:
    """Return all places, sorted by kind and MoRef.

    :param network_morefs: the site's networks: a cluster that has them all need not list them.
    """
    places = [
        *_tree(furniture.folders),
        *(_cluster(one, furniture, network_morefs) for one in furniture.clusters),
        *_lone_hosts(furniture),
        *(_host(one) for one in furniture.hosts),
        *(PlacePart(moref=one.moref, kind="ResourcePool", name=one.name, parent=one.parent) for one in furniture.pools),
    ]
    return tuple(sorted(places, key=lambda place: (place.kind, place.moref)))


def datastores_of(furniture: Furniture) -> tuple[DatastorePart, ...]:
    """Return the datastores, sorted by MoRef; one that cannot be read has no room."""
    return tuple(
        DatastorePart(
            moref=one.moref,
            name=one.name,
            kind=one.kind,
            accessible=one.accessible is not False,
            maintenance_mode=None if one.maintenance_mode == "normal" else one.maintenance_mode,
            capacity_bytes=one.capacity_bytes or 1,
            free_bytes=one.free_bytes or 0,
        )
        for one in sorted(furniture.datastores, key=lambda store: store.moref)
    )


def _tree(folders: Sequence[found.Folder]) -> list[PlacePart]:
    """Return folders and the datacentres between them, which show in the folders' paths; the root folder, too.

    A parent that is no folder is a datacentre, or the root folder: a datacentre is a part of its children's paths.
    """
    by_path = {one.path: one for one in folders}
    known = {one.moref for one in folders}
    places = [
        PlacePart(moref=one.moref, kind="Folder", name=one.name, parent=one.parent, child_types=_kinds(one))
        for one in folders
    ]
    above: dict[str, PlacePart] = {}
    for one in folders:
        if one.parent is None or one.parent in known:
            continue
        parts = one.path.strip("/").split("/")
        if len(parts) == 1:
            above[one.parent] = PlacePart(
                moref=one.parent, kind="Folder", name="Datacenters", child_types=_ROOT_CHILDREN
            )
        else:
            higher = by_path.get("/" + "/".join(parts[:-2]))
            parent = higher.moref if higher is not None else ROOT_FOLDER
            above[one.parent] = PlacePart(moref=one.parent, kind="Datacenter", name=parts[-2], parent=parent)
    root = next((place for place in above.values() if place.kind == "Folder"), None)
    if root is None:
        root = PlacePart(moref=ROOT_FOLDER, kind="Folder", name="Datacenters", child_types=_ROOT_CHILDREN)
        above[root.moref] = root
    elif root.moref != ROOT_FOLDER:
        above = {
            moref: place.model_copy(update={"parent": root.moref}) if place.parent == ROOT_FOLDER else place
            for moref, place in above.items()
        }
    return [*places, *above.values()]


def _kinds(folder: found.Folder) -> tuple[str, ...]:
    return tuple(sorted(kind.rpartition(".")[2] for kind in folder.child_types))


def _cluster(one: found.Cluster, furniture: Furniture, network_morefs: Collection[str]) -> PlacePart:
    stores = {store.moref for store in furniture.datastores}
    known = set(network_morefs)
    networks = [moref for moref in one.networks if moref in known]
    return PlacePart(
        moref=one.moref,
        kind="ClusterComputeResource",
        name=one.name,
        parent=one.parent,
        evc_mode=one.evc_mode,
        effective_cpu_mhz=one.effective_cpu_mhz,
        effective_memory_mb=one.effective_memory_mb,
        effective_hosts=one.effective_host_count,
        datastores=None if stores <= set(one.datastores) else tuple(sorted(one.datastores)),
        networks=None if known <= set(networks) else tuple(sorted(networks)),
        rules=tuple(
            ClusterRulePart(
                name=rule.name, kind=rule.kind, enabled=rule.enabled, mandatory=rule.mandatory, vms=rule.vms
            )
            for rule in one.rules
        ),
    )


def _host(one: found.Host) -> PlacePart:
    return PlacePart(
        moref=one.moref,
        kind="HostSystem",
        name=one.name,
        parent=one.parent,
        version=one.version,
        connection_state=None if one.connection_state == "connected" else one.connection_state,
        power_state=None if one.power_state == "poweredOn" else one.power_state,
        in_maintenance_mode=bool(one.in_maintenance_mode),
        max_evc_mode=one.max_evc_mode,
        evc_mode=one.current_evc_mode,
    )


def _lone_hosts(furniture: Furniture) -> list[PlacePart]:
    """Return the compute resources of hosts that are in no cluster; they lie in the datacentre's host folder."""
    clusters = {one.moref for one in furniture.clusters}
    folder = next((one.moref for one in furniture.folders if one.name == "host"), None)
    return [
        PlacePart(moref=one.parent, kind="ComputeResource", name=one.name, parent=folder)
        for one in furniture.hosts
        if one.parent is not None and one.parent not in clusters
    ]
