"""Cluster, resource pool, folder and datastore of each VM exist, and the cluster reaches datastore and networks."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.vsphere.inventory_models import Cluster, Host
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import ObjectRef, PlannedVm
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    known = {
        "cluster": {one.moref for one in context.clusters},
        "resource pool": {one.moref for one in context.resource_pools},
        "folder": {one.moref for one in context.folders},
        "datastore": {one.moref for one in context.datastores},
    }
    for vm in context.to_move:
        places: tuple[tuple[str, ObjectRef | None], ...] = (
            ("cluster", vm.cluster),
            ("resource pool", vm.resource_pool),
            ("folder", vm.folder),
            ("datastore", vm.datastore),
        )
        for kind, place in places:
            if place is not None and place.object_id not in known[kind]:
                yield blocking(
                    "target-missing",
                    place.name,
                    f"the destination has no {kind} {place.object_id} any more",
                    "Start a new run, which plans the wave again.",
                )
        cluster = cluster_of(context, vm)
        if cluster is not None:
            yield from _reach(context, vm, cluster)


def hosts_for(context: PreflightContext, vm: PlannedVm) -> tuple[Host, ...]:
    """Return the destination's hosts that a VM may come to: those of its cluster; all where HCX chooses one."""
    cluster = cluster_of(context, vm)
    return tuple(host for host in context.hosts if cluster is None or host.moref in cluster.hosts)


def cluster_of(context: PreflightContext, vm: PlannedVm) -> Cluster | None:
    """Return the cluster that a VM goes to: its own, else that of its resource pool; None if HCX chooses."""
    if vm.cluster is not None:
        wanted: str | None = vm.cluster.object_id
    else:
        pools = {one.moref: one.owner for one in context.resource_pools}
        wanted = None if vm.resource_pool is None else pools.get(vm.resource_pool.object_id)
    return next((one for one in context.clusters if one.moref == wanted), None)


def _reach(context: PreflightContext, vm: PlannedVm, cluster: Cluster) -> Iterator[Finding]:
    if vm.datastore is not None and cluster.datastores and vm.datastore.object_id not in cluster.datastores:
        yield blocking(
            "cluster-lacks-datastore",
            cluster.name,
            f'its hosts do not mount datastore "{vm.datastore.name}"',
            "Choose a datastore of that cluster.",
        )
    for nic in vm.nics:
        behind = context.destination_networks.meant_by(nic.destination.network_id)
        if behind and cluster.networks and not any(one.moref in cluster.networks for one in behind):
            yield blocking(
                "cluster-lacks-network",
                cluster.name,
                f'its hosts do not have network "{nic.destination.name}"',
                "Extend the network to that cluster, or choose another cluster.",
            )


CHECK = Check(
    "target-places",
    "The VMs' places at the destination exist",
    (Product.DESTINATION_VCENTER, Product.HCX),
    _run,
    WaveStep.START,
)
