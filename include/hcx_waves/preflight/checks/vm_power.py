"""VMs are powered on, or off where they are moved cold, as they were when the plan was made."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.power_state == "suspended":
            yield blocking("vm-suspended", vm.name, "is suspended", "Resume it or power it off.")
        elif (detail.power_state == "poweredOn") is not vm.powered_on:
            was = "poweredOn" if vm.powered_on else "poweredOff"
            yield blocking(
                "vm-power-changed",
                vm.name,
                f"was {was} when the wave was planned and is {detail.power_state}",
                "Start a new run, which plans the wave again: a powered-off VM is moved cold.",
            )
        elif not vm.powered_on and vm.migration is MigrationType.COLD:
            yield advice("vm-moves-cold", vm.name, "is powered off and is moved cold")


CHECK = Check(
    "vm-power",
    "VMs are in the power state that they are moved in",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.SWITCHOVER,
    repeats=True,
)
