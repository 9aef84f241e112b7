"""No encrypted VM; encrypted vMotion is not required. [I hcx 10.1]; "Required" drops to Opportunistic [D hcx 10.1]."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

_BY_VMOTION = (MigrationType.RAV, MigrationType.VMOTION)


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.is_encrypted:
            yield blocking(
                "vm-encrypted",
                vm.name,
                "is encrypted; the destination has no access to its key",
                "Decrypt it before the wave.",
            )
        if detail.migrate_encryption == "required" and vm.migration in _BY_VMOTION:
            yield warning(
                "vm-encrypted-vmotion-required",
                vm.name,
                "requires encrypted vMotion, which HCX lowers to opportunistic",
                "Set it to opportunistic beforehand if that is acceptable.",
            )


CHECK = Check(
    "vm-encryption",
    "No VM is encrypted in a way that HCX cannot handle",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.SWITCHOVER,
    repeats=True,
)
