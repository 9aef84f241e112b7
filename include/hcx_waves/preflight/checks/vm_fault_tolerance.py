"""Fault tolerance is off: HCX does not move such VMs. [D hcx 10.1]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.fault_tolerance_state not in (None, "notConfigured"):
            yield blocking(
                "vm-fault-tolerance",
                vm.name,
                f"has fault tolerance ({detail.fault_tolerance_state})",
                "Turn fault tolerance off.",
            )


CHECK = Check(
    "vm-fault-tolerance", "Fault tolerance is off", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
