"""VMware Tools run: Bulk needs them to shut the guest down, and without them addresses cannot be proven.

[D+C hcx 10.1]
"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

_RUNNING = ("guestToolsRunning", "guestToolsExecutingScripts")


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.power_state != "poweredOn" or detail.tools_running in _RUNNING:
            continue
        state = "not installed" if detail.tools_version == "guestToolsNotInstalled" else "not running"
        if vm.migration is MigrationType.BULK and not vm.options.force_power_off:
            yield blocking(
                "vm-tools-not-running",
                vm.name,
                f"VMware Tools are {state}; Bulk cannot shut the guest down",
                "Start VMware Tools, or set options.force_power_off.",
            )
        else:
            yield warning(
                "vm-tools-not-running",
                vm.name,
                f"VMware Tools are {state}; its IP addresses cannot be compared after the move",
                "Start VMware Tools.",
            )


CHECK = Check("vm-tools", "VMware Tools run", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True)
