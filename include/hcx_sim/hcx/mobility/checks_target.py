"""Checks of where an intent's VM is to go: mesh, containers, datastore, networks and windows. Wording is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hcx_sim.hcx.mobility.case import Case
from hcx_sim.hcx.mobility.intent import NetworkWish
from hcx_sim.hcx.mobility.model import MigrationType, Target
from hcx_sim.hcx.networks import find_network
from hcx_sim.world.model import Datastore, Mesh, Nic, Placement, SiteName, VcNetwork
from hcx_sim.world.operations import total_disk_bytes

_KINDS = {
    "cluster": "ClusterComputeResource",
    "folder": "Folder",
    "datacenter": "Datacenter",
    "resourcepool": "ResourcePool",
    "host": "HostSystem",
}
_DATASTORE_TYPES = ("", "datastore")
_SEGMENT_PATH = re.compile(r"(?:/[\w-]+)*/segments/([^/]+)$")


def check_mesh(case: Case) -> None:
    """Find the service mesh, or choose one as HCX does; check its service and its tunnel."""
    if case.kind is None:
        return
    service = case.kind.service
    if not case.intent.mesh_id:
        case.mesh = _choose_mesh(case, service)
        if case.mesh is not None:
            case.batch.chosen[case.mesh.key] += 1
        else:
            case.refuse(f"No service mesh offers the service {service} with its tunnel up.")
        return
    mesh = case.world.meshes.get(case.intent.mesh_id)
    if mesh is None:
        case.refuse(f"Service mesh '{case.intent.mesh_id}' was not found.")
    elif service not in mesh.services:
        case.refuse(f"Service mesh '{mesh.name}' does not offer the service {service}.")
    elif not mesh.tunnel_up:
        case.refuse(f"The tunnel of service mesh '{mesh.name}' is down.")
    else:
        case.mesh = mesh


def _choose_mesh(case: Case, service: str) -> Mesh | None:
    fit = [mesh for mesh in case.world.meshes.values() if service in mesh.services and mesh.tunnel_up]
    if len(fit) < 2:
        return fit[0] if fit else None
    load = {mesh.key: case.batch.chosen[mesh.key] for mesh in fit}
    for migration in case.mobility.store.active():
        if migration.known.mesh_key in load:
            load[migration.known.mesh_key] += 1
    return min(fit, key=lambda mesh: (load[mesh.key], mesh.name))


@dataclass(frozen=True, slots=True)
class _Compute:
    cluster: Placement
    pool_moref: str
    host_moref: str


def check_placement(case: Case) -> None:
    """Resolve folder, datacentre and compute; morefs must be bare (``domain-c9``). [C hcx 1]"""
    if case.destination is None:
        return
    found: dict[str, Placement] = {}
    complete = True
    for wish in case.intent.placement:
        type_name = _KINDS.get(wish.type_name)
        if type_name is None:
            case.refuse(f"Placement type '{wish.type_name}' is not supported.")
            complete = False
            continue
        placement = case.world.placements.get(f"{case.destination}/{wish.moref}")
        if placement is None or placement.type_name != type_name:
            case.refuse(f"Target {wish.type_name} '{wish.moref or wish.name}' was not found at the destination.")
            complete = False
            continue
        found[type_name] = placement
    if complete:
        _settle_placement(case, found)


def _settle_placement(case: Case, found: dict[str, Placement]) -> None:
    compute = _compute(case, found)
    datastore = _datastore(case)
    below = found.get("Folder") or (compute.cluster if compute is not None else None)
    datacenter = found.get("Datacenter") or _above(case, below, "Datacenter")
    folder = found.get("Folder") or (_root_folder(case, datacenter) if datacenter else None)
    if compute is None or folder is None or datacenter is None or datastore is None:
        if folder is None or datacenter is None:
            case.refuse("The target folder or datacenter is missing.")
        return
    case.target = Target(
        folder_moref=folder.moref,
        pool_moref=compute.pool_moref,
        cluster_moref=compute.cluster.moref,
        datacenter_moref=datacenter.moref,
        host_moref=compute.host_moref,
        datastore_moref=datastore.moref,
    )


def _compute(case: Case, found: dict[str, Placement]) -> _Compute | None:
    """Return cluster, pool and host from whichever of them is given."""
    pool, host, cluster = found.get("ResourcePool"), found.get("HostSystem"), found.get("ClusterComputeResource")
    cluster = cluster or _above(case, pool or host, "ClusterComputeResource")
    if cluster is None:
        case.refuse("The target cluster, host or resource pool is missing.")
        return None
    if pool is not None and _above(case, pool, "ClusterComputeResource") is not cluster:
        case.refuse(f"Resource pool '{pool.name}' is not in cluster '{cluster.name}'.")
        return None
    pool = pool or _child(case, cluster, "ResourcePool")
    host = host or _host_for(case, cluster)
    if pool is None or host is None:
        case.refuse(f"Cluster '{cluster.name}' has no host to run the virtual machine.")
        return None
    return _Compute(cluster, pool.moref, host.moref)


def _above(case: Case, placement: Placement | None, type_name: str) -> Placement | None:
    while placement is not None and placement.type_name != type_name:
        placement = case.world.placements.get(f"{placement.site}/{placement.parent_moref}")
    return placement


def _children(case: Case, parent: Placement, type_name: str) -> list[Placement]:
    return [
        placement
        for placement in case.world.placements.values()
        if placement.parent_moref == parent.moref and placement.site is parent.site and placement.type_name == type_name
    ]


def _child(case: Case, parent: Placement, type_name: str) -> Placement | None:
    children = _children(case, parent, type_name)
    return children[0] if children else None


def _host_for(case: Case, cluster: Placement) -> Placement | None:
    """Choose a host the way DRS might: spread by the VM's name, always the same for the same VM."""
    hosts = _children(case, cluster, "HostSystem")
    if not hosts:
        return None
    name = case.vm.uid if case.vm is not None else case.intent.entity_id
    return hosts[sum(name.encode()) % len(hosts)]


def _root_folder(case: Case, datacenter: Placement) -> Placement | None:
    folders = _children(case, datacenter, "Folder")
    return next((folder for folder in folders if "VirtualMachine" in folder.properties.get("child_type", ())), None)


def _datastore(case: Case) -> Datastore | None:
    """Find the datastore; a datastore cluster cannot hold seed data. [D hcx 4.8]"""
    intent = case.intent
    if intent.storage_type not in _DATASTORE_TYPES:
        if intent.long_recovery:
            case.refuse("A seed checkpoint needs a specific datastore, not a datastore cluster.")
        else:
            case.refuse(f"Storage '{intent.storage_id}' of type '{intent.storage_type}' was not found.")
        return None
    datastore = case.world.datastores.get(f"{case.destination}/{intent.storage_id}")
    if datastore is None:
        missing = f"Target datastore '{intent.storage_id}' was not found." if intent.storage_id else ""
        case.refuse(missing or "The target datastore is missing.")
        return None
    _check_space(case, datastore)
    return datastore


def _check_space(case: Case, datastore: Datastore) -> None:
    if case.vm is None:
        return
    seed = case.mobility.store.seeds.get((case.vm.uid, datastore.key))
    need = total_disk_bytes(case.vm.disks) - (seed.seeded_bytes if seed else 0)
    case.batch.claimed[datastore.key] += max(0, need)
    claimed = case.batch.claimed[datastore.key]
    if claimed > datastore.free_bytes:
        case.refuse(
            f"Datastore '{datastore.name}' has {datastore.free_bytes / 2**30:.1f} GiB free, "
            f"{claimed / 2**30:.1f} GiB are needed for '{case.vm.name}' and what is before it in the request."
        )


def check_networks(case: Case) -> None:
    """Map each network card to an existing network of the destination, by MAC or by network."""
    if case.vm is None or case.destination is None:
        return
    for number, nic in enumerate(case.vm.nics, start=1):
        wish = _wish_for(case, nic)
        if wish is None:
            case.refuse(f"No target network is given for network adapter {number} ({nic.mac}) of '{case.vm.name}'.")
            continue
        network = _network_for(case, case.destination, wish)
        if network is None:
            name = wish.destination_id or wish.destination_name
            case.refuse(f"Target network '{name}' of network adapter {number} was not found at the destination.")
        else:
            case.networks[nic.mac] = network.moref


def _network_for(case: Case, site: SiteName, wish: NetworkWish) -> VcNetwork | None:
    """Return the network that a wish means: by its id, else by name, which may also stand in the place of the id."""
    network = find_network(case.world, site, wish.destination_id)
    wanted = wish.destination_id or wish.destination_name
    if network is not None or not wanted:
        return network
    named = (each for each in case.world.networks.values() if each.site is site and each.name == wanted)
    return next((each for each in named if not each.removed), None)


def _wish_for(case: Case, nic: Nic) -> NetworkWish | None:
    wishes = case.intent.networks
    own = next((wish for wish in wishes if wish.mac == nic.mac.lower()), None)
    if own is not None:
        return own
    vm = case.vm
    network = case.world.networks.get(f"{vm.site}/{nic.network_moref}") if vm is not None else None
    if network is None:
        return None
    segment = case.world.segment_of_network(network)
    ids = {network.moref, *((f"/infra/segments/{segment.segment_id}", segment.segment_id) if segment else ())}
    general = [wish for wish in wishes if not wish.mac]
    by_id = next((wish for wish in general if _matches(wish.source_id, ids)), None)
    by_name = (wish for wish in general if not wish.source_id and wish.source_name == network.name)
    return by_id or next(by_name, None)


def _matches(source_id: str, ids: set[str]) -> bool:
    path = _SEGMENT_PATH.match(source_id)
    return source_id in ids or (path is not None and path.group(1) in ids)


def check_schedule(case: Case) -> None:
    """Check that the windows make sense and are not over; vMotion has none. [D hcx 4.8]"""
    intent, now_us = case.intent, case.world.now_us
    for problem in intent.problems:
        case.refuse(problem)
    for what, window in (("transfer", intent.transfer_window), ("switchover", intent.switchover_window)):
        if window.expired(now_us):
            case.refuse(f"The {what} schedule is already over.")
    live_now = case.kind in (MigrationType.VMOTION, MigrationType.XVMOTION)
    if live_now and intent.switchover_window.pending(now_us):
        case.warn(f"{case.intent.migration_type} cannot be scheduled; it starts at once.")
