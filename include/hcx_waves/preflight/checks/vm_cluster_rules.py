"""Affinity rules of the source cluster do not move with a VM; the destination needs its own."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    rules = [rule for cluster in context.source_clusters for rule in cluster.rules if rule.enabled is not False]
    for vm in context.to_move:
        own = [f"{rule.name} ({rule.kind})" for rule in rules if vm.vm_id in rule.vms]
        if own:
            yield advice(
                "vm-in-cluster-rule",
                vm.name,
                f"is in {', '.join(own)} at the source",
                "Create the same rules at the destination before the wave.",
            )


CHECK = Check(
    "vm-cluster-rules",
    "VMs are in no affinity rules of the source cluster",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.START,
)
