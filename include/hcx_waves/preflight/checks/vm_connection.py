"""vCenter reaches each VM."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.connection_state not in (None, "connected"):
            yield blocking(
                "vm-not-connected",
                vm.name,
                f"vCenter reads its connection state as {detail.connection_state}",
                "Restore its host or datastore, or register the VM again.",
            )


CHECK = Check(
    "vm-connection", "vCenter reaches each VM", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
