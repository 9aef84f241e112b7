"""The destination's clusters have hosts that run, and memory for the wave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.clients.vsphere.inventory_models import Cluster, Host
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.checks.target_places import cluster_of
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    memory_mb: dict[str, int] = defaultdict(int)
    clusters: dict[str, Cluster] = {}
    for vm in context.to_move:
        cluster = cluster_of(context, vm)
        if cluster is not None:
            clusters[cluster.moref] = cluster
            memory_mb[cluster.moref] += (vm.memory_mb or 0) if vm.powered_on else 0
    for moref, cluster in clusters.items():
        hosts = [host for host in context.hosts if host.moref in cluster.hosts]
        if hosts and not any(_runs(host) for host in hosts):
            yield blocking(
                "cluster-has-no-host",
                cluster.name,
                f"none of its {len(hosts)} hosts is connected and out of maintenance",
                "Take hosts out of maintenance or reconnect them, or choose another cluster.",
            )
        room = cluster.effective_memory_mb
        if room is not None and memory_mb[moref] > room:
            yield warning(
                "cluster-memory-short",
                cluster.name,
                f"has {room} MB for VMs; the wave's running VMs have {memory_mb[moref]} MB",
                "Add hosts, or split the wave.",
            )


def _runs(host: Host) -> bool:
    return host.connection_state in (None, "connected") and not host.in_maintenance_mode


CHECK = Check(
    "cluster-capacity", "The clusters can run the VMs", (Product.DESTINATION_VCENTER,), _run, WaveStep.SWITCHOVER
)
