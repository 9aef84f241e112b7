"""The virtual hardware is new enough to be moved, and old enough for the destination's hosts.

Version 9 for RAV and vMotion [D hcx 10.1], 7 for Bulk [C hcx 10.1]; a host runs no version newer than it knows
[D hcx 10.1].
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hcx_waves.clients.vsphere.inventory_models import Host
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedVm
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.checks.target_places import hosts_for
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

LEAST = {MigrationType.RAV: 9, MigrationType.VMOTION: 9, MigrationType.BULK: 7}
# By the release of ESXi that brought it; the updates of 6.7 cannot be told apart by their version.
_NEWEST = {
    (5, 0, 0): 8, (5, 1, 0): 9, (5, 5, 0): 10, (6, 0, 0): 11, (6, 5, 0): 13, (6, 7, 0): 15,
    (7, 0, 0): 17, (7, 0, 1): 18, (7, 0, 2): 19, (8, 0, 0): 20, (8, 0, 2): 21, (9, 0, 0): 22,
}  # fmt: skip


def newest_hardware(version: str | None) -> int | None:
    """Return the newest virtual hardware that a release of ESXi runs; None for a release that is not known."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version or "")[:3])
    release = (*numbers, 0, 0, 0)[:3]
    fitting = [known for known in _NEWEST if known[:2] == release[:2] and known <= release]
    return _NEWEST[max(fitting)] if numbers and fitting else None


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        digits = re.search(r"\d+", detail.hardware_version or "")
        if digits is None:
            continue
        has = int(digits.group())
        least = LEAST.get(vm.migration)
        if least is not None and has < least:
            yield blocking(
                "vm-hardware-too-old",
                vm.name,
                f"has {detail.hardware_version}; {vm.migration} needs vmx-{least:02d} or later",
                "Upgrade its virtual hardware while it is powered off, or move it another way.",
            )
        yield from _too_new(vm, has, hosts_for(context, vm))


def _too_new(vm: PlannedVm, has: int, hosts: tuple[Host, ...]) -> Iterator[Finding]:
    newest = {host.name: newest_hardware(host.version) for host in hosts}
    short = sorted(name for name, runs in newest.items() if runs is not None and runs < has)
    if not short:
        return
    best = max(runs for runs in newest.values() if runs is not None)
    versions = ", ".join(sorted({str(host.version) for host in hosts if host.name in short}))
    if len(short) == len(newest):
        yield blocking(
            "vm-hardware-too-new",
            vm.name,
            f"has vmx-{has}; the destination's hosts (ESXi {versions}) run at most vmx-{best}",
            "Choose a cluster with newer hosts, or upgrade the hosts; virtual hardware cannot be downgraded.",
        )
    else:
        yield warning(
            "vm-hardware-too-new",
            vm.name,
            f"has vmx-{has}, which {len(short)} of the destination's {len(newest)} hosts (ESXi {versions}) do not run",
            "Choose a cluster whose hosts all run it; else it cannot move between hosts freely.",
            hosts=short,
        )


CHECK = Check(
    "vm-hardware-version",
    "The virtual hardware suits the migration and the destination's hosts",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER),
    _run,
    WaveStep.START,
)
