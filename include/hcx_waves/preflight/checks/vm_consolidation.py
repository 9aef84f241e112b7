"""No VM waits for its disks to be consolidated."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.consolidation_needed:
            yield blocking(
                "vm-needs-consolidation",
                vm.name,
                "vCenter reports that its disks need consolidation",
                "Consolidate them (Snapshots > Consolidate), and stop the program that leaves snapshots behind.",
            )


CHECK = Check(
    "vm-consolidation",
    "No disks need consolidation",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.SWITCHOVER,
    repeats=True,
)
