"""Disks can be replicated: none independent; no NVMe controller with Bulk. [D+C hcx 10.1]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        independent = [f"{disk.label} ({disk.disk_mode})" for disk in detail.disks if disk.is_independent]
        if independent and vm.migration.replicates:
            yield blocking(
                "vm-independent-disk",
                vm.name,
                f"{', '.join(independent)}: independent disks are not replicated",
                "Change the disk mode to dependent, or move the VM by vMotion or Cold.",
            )
        nvme = [disk.label for disk in detail.disks if disk.controller == "VirtualNVMEController"]
        if nvme and vm.migration is MigrationType.BULK:
            yield blocking(
                "vm-nvme-controller",
                vm.name,
                f"{', '.join(nvme)} is on an NVMe controller, which Bulk does not support",
                "Move the disk to a paravirtual SCSI controller, or move the VM by RAV.",
            )


CHECK = Check(
    "vm-disk-modes", "Disks can be replicated", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
