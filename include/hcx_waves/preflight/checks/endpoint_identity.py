"""All endpoints belong together: the vCenters of the plan, all real or all of one simulated world."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    clients, plan = context.clients, context.plan
    for site, vcenter, planned in (
        ("source vCenter", clients.source_vcenter, plan.source),
        ("destination vCenter", clients.destination_vcenter, plan.destination),
    ):
        uuid = vcenter.about().instance_uuid
        if (uuid or "").lower() != planned.compute_resource_id.lower():
            yield blocking(
                "endpoint-changed",
                site,
                f"is {uuid}, not {planned.compute_resource_id} as planned",
                "Check the connection, then start a new run.",
            ).model_copy(update={"waivable": False})
    told = _identities(context)
    if len({(one.simulated, one.world_id, one.role) for one in told.values()}) > 1:
        yield blocking(
            "endpoints-mixed",
            "connections",
            f"endpoints of different worlds: {'; '.join(f'{name} is a {told[name]}' for name in sorted(told))}",
            "Point all connections of a wave at the same pair of sites.",
        ).model_copy(update={"waivable": False})


def _identities(context: PreflightContext) -> dict[str, EndpointIdentity]:
    clients = context.clients
    told = {
        "HCX Manager": clients.hcx.identity(),
        "source vCenter": clients.source_vcenter.identity(),
        "destination vCenter": clients.destination_vcenter.identity(),
        "destination NSX": clients.destination_nsx.identity(),
    }
    if clients.source_nsx is not None:
        told["source NSX"] = clients.source_nsx.identity()
    return told


CHECK = Check(
    "endpoint-identity",
    "All endpoints belong together",
    (Product.HCX, Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER, Product.DESTINATION_NSX),
    _run,
    WaveStep.START,
)
