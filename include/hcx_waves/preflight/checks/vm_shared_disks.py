"""No disk is shared: multi-writer or a shared SCSI bus. [D hcx 10.1]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        shared = [
            f"{disk.label} ({'multi-writer' if disk.sharing == 'sharingMultiWriter' else disk.bus_sharing})"
            for disk in detail.disks
            if disk.is_shared
        ]
        if shared:
            yield blocking(
                "vm-shared-disk",
                vm.name,
                f"shares {', '.join(shared)}",
                "Move the cluster's data another way; HCX supports no shared disks.",
            )


CHECK = Check(
    "vm-shared-disks", "No disk is shared", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
