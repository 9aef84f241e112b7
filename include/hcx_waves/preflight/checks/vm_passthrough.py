"""No device ties a VM to its host: USB, PCI passthrough, SR-IOV. [D hcx 10.1]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        tied = [f"{device.label} ({device.kind})" for device in detail.passthrough]
        tied += [f"{nic.label} (SR-IOV)" for nic in detail.nics if nic.is_sriov]
        if tied:
            yield blocking(
                "vm-passthrough-device",
                vm.name,
                f"is tied to its host by {', '.join(tied)}",
                "Remove the device, or replace an SR-IOV card by VMXNET3.",
            )


CHECK = Check(
    "vm-passthrough",
    "No device ties a VM to its host",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.SWITCHOVER,
    repeats=True,
)
