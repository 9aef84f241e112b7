"""The destination's CPUs offer what a running VM uses, as far as EVC modes tell. [C hcx 10.1]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.checks.target_places import hosts_for
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

# vSphere's EVC mode keys, oldest first.
_INTEL = (
    "intel-merom", "intel-penryn", "intel-nehalem", "intel-westmere", "intel-sandybridge", "intel-ivybridge",
    "intel-haswell", "intel-broadwell", "intel-skylake", "intel-cascadelake", "intel-icelake", "intel-sapphirerapids",
)  # fmt: skip
_AMD = (
    "amd-rev-e", "amd-rev-f", "amd-greyhound-no3dnow", "amd-greyhound", "amd-bulldozer", "amd-piledriver",
    "amd-steamroller", "amd-zen", "amd-zen2", "amd-zen3", "amd-zen4",
)  # fmt: skip


def offers(host_mode: str, needed: str) -> bool | None:
    """Whether a host with this EVC mode can run what needs that one; None if a mode is not known."""
    for family in (_INTEL, _AMD):
        if host_mode in family and needed in family:
            return family.index(host_mode) >= family.index(needed)
    known = {*_INTEL, *_AMD}
    return False if host_mode in known and needed in known else None


def _run(context: PreflightContext) -> Iterator[Finding]:
    live = [(vm, detail) for vm, detail in context.moving if vm.migration.keeps_running and detail.min_evc_mode]
    if not live:
        return
    for vm, detail in live:
        modes = {host.name: host.current_evc_mode or host.max_evc_mode for host in hosts_for(context, vm)}
        needed = str(detail.min_evc_mode)
        verdicts = {name: offers(mode, needed) for name, mode in modes.items() if mode}
        if verdicts and all(verdict is False for verdict in verdicts.values()):
            best = ", ".join(sorted({str(mode) for mode in modes.values() if mode}))
            yield blocking(
                "vm-cpu-too-new",
                vm.name,
                f"needs EVC mode {needed}; the destination's hosts offer {best}",
                "Move it by Bulk or Cold, which restart it, or lower its EVC mode while it is powered off.",
            )


CHECK = Check(
    "vm-cpu-generation",
    "The destination's CPUs suit the running VMs",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER),
    _run,
    WaveStep.SWITCHOVER,
)
