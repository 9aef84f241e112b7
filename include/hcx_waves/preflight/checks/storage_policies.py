"""The storage policies of the plan exist."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    wanted = {vm.storage_policy.object_id: vm.storage_policy.name for vm in context.to_move if vm.storage_policy}
    if not wanted:
        return
    known = {one.entity_id for one in context.storage_policies}
    for policy_id, name in wanted.items():
        if policy_id not in known:
            yield blocking(
                "storage-policy-missing",
                name,
                f"HCX knows no storage policy {policy_id}",
                "The policy was deleted or created again: start a new run, which plans the wave again.",
            )


CHECK = Check("storage-policies", "The storage policies exist", (Product.HCX,), _run, WaveStep.START)
