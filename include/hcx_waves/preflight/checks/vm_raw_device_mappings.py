"""No raw device mapping, but in virtual compatibility mode with Bulk. [D hcx 10.1]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        mapped = [disk for disk in detail.disks if disk.raw_device_mapping is not None]
        if not mapped:
            continue
        names = ", ".join(f"{disk.label} ({disk.raw_device_mapping})" for disk in mapped)
        if vm.migration is MigrationType.BULK and all(disk.raw_device_mapping == "virtualMode" for disk in mapped):
            yield warning(
                "vm-raw-device-mapping",
                vm.name,
                f"{names} becomes an ordinary disk at the destination",
                "Make sure that nothing else uses the LUN.",
            )
        else:
            yield blocking(
                "vm-raw-device-mapping",
                vm.name,
                f"{names} is a raw device mapping, which {vm.migration} does not move",
                "Convert it to a virtual disk; in virtual compatibility mode Bulk can move it.",
            )


CHECK = Check(
    "vm-raw-device-mappings",
    "No raw device mappings",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.SWITCHOVER,
    repeats=True,
)
