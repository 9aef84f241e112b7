"""The virtual hardware is new enough: version 9 for RAV and vMotion [D hcx 10.1], 7 for Bulk [C hcx 10.1]."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

LEAST = {MigrationType.RAV: 9, MigrationType.VMOTION: 9, MigrationType.BULK: 7}


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        digits = re.search(r"\d+", detail.hardware_version or "")
        least = LEAST.get(vm.migration)
        if least is not None and digits is not None and int(digits.group()) < least:
            yield blocking(
                "vm-hardware-too-old",
                vm.name,
                f"has {detail.hardware_version}; {vm.migration} needs vmx-{least:02d} or later",
                "Upgrade its virtual hardware while it is powered off, or move it another way.",
            )


CHECK = Check(
    "vm-hardware-version", "The virtual hardware is new enough", (Product.SOURCE_VCENTER,), _run, WaveStep.START
)
