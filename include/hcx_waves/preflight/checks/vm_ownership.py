"""No VM belongs to another product or to a vApp, either of which would miss it."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.gateway_users.machines import HCX_OWNER
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        owner = detail.managed_by
        if owner is not None and owner.startswith(HCX_OWNER):
            yield blocking("vm-is-hcx-appliance", vm.name, "is an appliance of HCX", "Remove it from the wave.")
        elif owner is not None:
            yield warning(
                "vm-managed-by-extension",
                vm.name,
                f"is managed by {owner}",
                "Ask that product's documentation whether its VMs may be moved.",
            )
        if detail.vapp is not None:
            yield warning(
                "vm-in-vapp",
                vm.name,
                f"is in vApp {detail.vapp}, whose start order and settings it leaves",
                "Write them down, and configure what is needed at the destination.",
            )


CHECK = Check(
    "vm-ownership", "No VM belongs to another product or a vApp", (Product.SOURCE_VCENTER,), _run, WaveStep.START
)
