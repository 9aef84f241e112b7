"""No ISO image, host drive or Tools installer is connected. [D hcx 10.1]: unsupported; an option removes ISOs."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedVm
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        yield from _media(context.step, vm, detail)
        if detail.tools_installer_mounted:
            yield blocking(
                "vm-tools-installer-mounted",
                vm.name,
                "the VMware Tools installer is mounted",
                "End or unmount the installation.",
            )


def _media(step: WaveStep, vm: PlannedVm, detail: VirtualMachineDetail) -> Iterator[Finding]:
    mounted = [medium for medium in detail.media if medium.is_mounted]
    if not mounted or detail.tools_installer_mounted:
        return
    what = ", ".join(f"{medium.label} ({medium.path or medium.backing})" for medium in mounted)
    # HCX disconnects them when it starts, not those that are connected afterwards [I hcx 4.8].
    if step is WaveStep.START and vm.options.remove_isos and all(medium.backing == "iso" for medium in mounted):
        yield warning(
            "vm-media-connected",
            vm.name,
            f"{what} is connected, which the migration disconnects",
            "Make sure that the guest does not need it.",
        )
    else:
        yield blocking(
            "vm-media-connected",
            vm.name,
            f"{what} is connected",
            "Disconnect it, or (ISO images) set options.remove_isos.",
        )


CHECK = Check(
    "vm-media", "No removable media are connected", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
