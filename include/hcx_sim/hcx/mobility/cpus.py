"""CPU generations: a running VM does not move to an older CPU than it has been on. [C hcx 10.1]

Unless HCX masks features per VM, a VM that has come to newer CPUs does not go back to older ones while it runs.
"""

from __future__ import annotations

from hcx_sim.world.model import SiteName, Vm
from hcx_sim.world.world import World

_NEEDED = "runtime.minRequiredEVCModeKey"
_HOSTS_HAVE = "intel-cascadelake"  # what a host shows for its newest mode unless the scenario says otherwise
_OLDEST_FIRST = {
    "intel": (
        "merom", "penryn", "nehalem", "westmere", "sandybridge", "ivybridge", "haswell", "broadwell", "skylake",
        "cascadelake", "icelake", "sapphirerapids",
    ),
    "amd": (
        "rev-e", "rev-f", "greyhound-no3dnow", "greyhound", "bulldozer", "piledriver", "steamroller", "zen", "zen2",
        "zen3", "zen4",
    ),
}  # fmt: skip


def needed_mode(vm: Vm) -> str:
    """Return the least EVC mode that a VM needs while it runs; empty if nothing is known of it."""
    return str(vm.properties.get(_NEEDED) or "")


def offered_mode(world: World, site: SiteName, cluster_moref: str | None) -> str:
    """Return the EVC mode of a cluster's hosts, of a site's without a cluster; of several the newest."""
    hosts = [
        place.properties
        for place in world.placements.values()
        if (place.site, place.type_name) == (site, "HostSystem") and cluster_moref in (None, place.parent_moref)
    ]
    modes = [str(host.get("evc_mode") or host.get("max_evc_mode") or _HOSTS_HAVE) for host in hosts]
    return max(modes, key=_rank, default=_HOSTS_HAVE)


def is_older(offered: str, needed: str) -> bool:
    """Tell whether CPUs of one mode lack what needs the other; those of another maker do."""
    if not needed or _rank(needed) < 0 or _rank(offered) < 0:
        return False
    return offered.partition("-")[0] != needed.partition("-")[0] or _rank(offered) < _rank(needed)


def cpu_problem(world: World, vm: Vm, site: SiteName, cluster_moref: str) -> str | None:
    """Return why a running VM cannot go on running in a cluster."""
    needed, offered = needed_mode(vm), offered_mode(world, site, cluster_moref)
    if not is_older(offered, needed):
        return None
    return f"Switchover failed: {vm.name} uses CPU features of {needed}; the hosts of the target offer {offered}."


def settle_cpu(world: World, vm: Vm, cluster_moref: str, *, masked: bool) -> None:
    """Let a VM that has come to newer CPUs need them from now on, unless it was masked."""
    offered = offered_mode(world, vm.site, cluster_moref)
    if not masked and is_older(offered_mode(world, vm.site.other, None), offered):
        world.update(vm, properties={**vm.properties, _NEEDED: offered})


def _rank(mode: str) -> int:
    maker, _, name = mode.partition("-")
    known = _OLDEST_FIRST.get(maker, ())
    return known.index(name) if name in known else -1
