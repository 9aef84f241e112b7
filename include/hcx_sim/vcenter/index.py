"""Look-ups over one site's inventory that must not walk through ten thousand VMs for each folder or host."""

from __future__ import annotations

from collections import defaultdict

from hcx_sim.world.model import SiteName, Vm
from hcx_sim.world.world import World

_FIRST_FIELD = 101


class SiteIndex:
    """VM ids by folder, host, pool, datastore and snapshot, and placements by parent.

    Built when first asked and again after a change of something it depends on (:meth:`invalidate`).
    """

    def __init__(self, world: World, site: SiteName) -> None:
        """Index nothing yet."""
        self._world = world
        self._site = site
        self._fresh = False
        self.vms: list[Vm] = []
        self.by_folder: dict[str, list[Vm]] = {}
        self.by_host: dict[str, list[Vm]] = {}
        self.by_pool: dict[str, list[Vm]] = {}
        self.by_datastore: dict[str, list[Vm]] = {}
        self.by_snapshot: dict[str, Vm] = {}
        self.children: dict[str | None, list[str]] = {}
        self.custom_fields: dict[str, int] = {}  # name of a custom attribute -> its key

    def invalidate(self) -> None:
        """Build again before the next look-up."""
        self._fresh = False

    def ready(self) -> SiteIndex:
        """Return the index, complete."""
        if not self._fresh:
            self._build()
            self._fresh = True
        return self

    def _build(self) -> None:
        folders: dict[str, list[Vm]] = defaultdict(list)
        hosts: dict[str, list[Vm]] = defaultdict(list)
        pools: dict[str, list[Vm]] = defaultdict(list)
        datastores: dict[str, list[Vm]] = defaultdict(list)
        self.vms = self._world.vms_at(self._site)
        self.by_snapshot = {}
        for vm in self.vms:
            folders[vm.folder_moref].append(vm)
            hosts[vm.host_moref].append(vm)
            if vm.pool_moref is not None:
                pools[vm.pool_moref].append(vm)
            for moref in {disk.datastore_moref for disk in vm.disks}:
                datastores[moref].append(vm)
            for snapshot in vm.snapshots:
                self.by_snapshot[snapshot.moref] = vm
        self.by_folder, self.by_host, self.by_pool, self.by_datastore = folders, hosts, pools, datastores
        children: dict[str | None, list[str]] = defaultdict(list)
        for placement in self._world.placements.values():
            if placement.site is self._site:
                children[placement.parent_moref].append(placement.moref)
        self.children = children
        names = sorted({name for vm in self.vms for name in vm.custom_attributes})
        self.custom_fields = {name: _FIRST_FIELD + position for position, name in enumerate(names)}
