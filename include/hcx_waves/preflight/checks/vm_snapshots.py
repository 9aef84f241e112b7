"""Snapshots: live and cold moves need them removed, Bulk always removes them. [D hcx 4.8]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        count = detail.snapshot_count
        if count == 0:
            continue
        names = [snapshot.name for snapshot in detail.snapshots]
        # HCX removes them when it starts, not those that are taken afterwards [I hcx 4.8].
        removed = vm.options.remove_snapshots and context.step is WaveStep.START
        if vm.migration is MigrationType.BULK or removed:
            yield warning(
                "vm-has-snapshots",
                vm.name,
                f"has {count} snapshot(s), which the migration removes",
                "Make sure that they are no longer needed.",
                roots=names,
            )
        else:
            yield blocking(
                "vm-has-snapshots",
                vm.name,
                f"has {count} snapshot(s); a migration by {vm.migration} may fail in its switchover",
                "Remove them, or set options.remove_snapshots before the wave starts.",
                roots=names,
            )


CHECK = Check(
    "vm-snapshots", "VMs have no snapshots", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
