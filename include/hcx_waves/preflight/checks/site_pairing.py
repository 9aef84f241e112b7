"""HCX still pairs the two vCenters of the plan."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    plan, hcx = context.plan, context.clients.hcx
    pairs = [one for one in hcx.cloud_configs() if one.endpoint_id == plan.destination.endpoint_id]
    if not pairs:
        yield blocking(
            "sites-not-paired",
            plan.destination.endpoint_name,
            f"the HCX manager has no site pairing with endpoint {plan.destination.endpoint_id}",
            "Restore the site pairing, then start a new run.",
        )
        return
    ours, theirs = hcx.version().text, pairs[0].version or ""
    if ours[:1].isdigit() and "x" not in ours and theirs and theirs.partition("-")[0] != ours.partition("-")[0]:
        yield advice(
            "hcx-versions-differ",
            plan.destination.endpoint_name,
            f"HCX is version {theirs} at the destination and {ours} at the source",
            "Upgrade one of the managers so that both have the same version; not during the wave.",
        )


CHECK = Check("site-pairing", "The sites are paired", (Product.HCX,), _run, WaveStep.START)
