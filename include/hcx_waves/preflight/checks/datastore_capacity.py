"""The destination's datastores are usable and have room for the wave's disks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hcx_waves.clients.vsphere.inventory_models import Datastore
from hcx_waves.model.choices import DiskFormat
from hcx_waves.model.findings import Finding
from hcx_waves.model.formatting import size
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

_FULL_SIZE = (DiskFormat.THICK, DiskFormat.LAZY_ZEROED_THICK, DiskFormat.EAGER_ZEROED_THICK)


def _run(context: PreflightContext) -> Iterator[Finding]:
    known = {one.moref: one for one in context.datastores}
    needed: dict[str, int] = defaultdict(int)
    provisioned: dict[str, int] = defaultdict(int)
    for vm, detail in context.moving:
        if vm.datastore is None:
            continue
        capacity = sum(disk.capacity_bytes for disk in detail.disks)
        thick = vm.disk_format in _FULL_SIZE
        provisioned[vm.datastore.object_id] += capacity
        needed[vm.datastore.object_id] += capacity if thick else min(capacity, detail.committed_bytes or capacity)
    for moref, capacity in provisioned.items():
        store = known.get(moref)
        if store is not None:
            yield from _judge(store, needed[moref], capacity)


def _judge(store: Datastore, needed: int, provisioned: int) -> Iterator[Finding]:
    if store.accessible is False or store.maintenance_mode not in (None, "normal"):
        state = "not accessible" if store.accessible is False else f"in maintenance ({store.maintenance_mode})"
        yield blocking(
            "datastore-unusable",
            store.name,
            f"is {state}",
            "End the maintenance of the datastore, or choose another one.",
        )
    free = store.free_bytes
    if free is None:
        return
    sizes = {"free_bytes": free, "needed_bytes": needed, "provisioned_bytes": provisioned}
    if needed > free:
        yield blocking(
            "datastore-full",
            store.name,
            f"has {size(free)} free; the wave's disks take {size(needed)} now",
            "Free space, choose another datastore, or split the wave.",
            **sizes,
        )
    elif provisioned > free:
        yield warning(
            "datastore-overcommitted",
            store.name,
            f"has {size(free)} free; the wave's disks may grow to {size(provisioned)}",
            "Watch the datastore, or choose another one.",
            **sizes,
        )


CHECK = Check(
    "datastore-capacity",
    "The datastores have room",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER),
    _run,
    WaveStep.SWITCHOVER,
)
