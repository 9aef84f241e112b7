"""Which virtual hardware the hosts of a cluster run: none newer than their release of ESXi knows. [D hcx 10.1]"""

from __future__ import annotations

from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

# The first release of ESXi that runs a version, oldest first.
_SINCE = (
    ((6, 0, 0), 11), ((6, 5, 0), 13), ((6, 7, 0), 14), ((6, 7, 2), 15), ((7, 0, 0), 17), ((7, 0, 1), 18),
    ((7, 0, 2), 19), ((8, 0, 0), 20), ((8, 0, 2), 21), ((9, 0, 0), 22),
)  # fmt: skip


def newest_hardware(world: World, site: SiteName, cluster_moref: str) -> int:
    """Return the newest virtual hardware that any host of a cluster runs."""
    hosts = [
        place
        for place in world.placements.values()
        if (place.site, place.type_name, place.parent_moref) == (site, "HostSystem", cluster_moref)
    ]
    versions = [str(host.properties.get("version", world.site(site).vcenter_version)) for host in hosts]
    return max(map(_newest, versions), default=_newest(world.site(site).vcenter_version))


def _newest(version: str) -> int:
    release = tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
    return max((newest for since, newest in _SINCE if since <= release), default=_SINCE[0][1])
