"""Network extension appliances are up and carry no more networks than supported: 8 each [D hcx 8.1]."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.preflight.words import is_bad, is_good, spoken_reasons

NETWORK_EXTENSION = "HCX-NET-EXT"
MOST_NETWORKS = 8


def _run(context: PreflightContext) -> Iterator[Finding]:
    used = {
        context.extensions[one.extension_id].source_appliance.appliance_id
        for one in context.extended_segments
        if one.extension_id in context.extensions
    }
    for appliance in context.appliances:
        if appliance.appliance_type != NETWORK_EXTENSION or appliance.appliance_id not in used:
            continue
        name = appliance.appliance_name or appliance.appliance_id
        summary = appliance.status.summary
        if is_bad(summary.overall_status):
            yield blocking(
                "extension-appliance-down",
                name,
                f"HCX reports it {summary.overall_status}{spoken_reasons(summary.reasons)}",
                "Look at the appliance and its tunnels under Interconnect in HCX; redeploy it if it stays down.",
            )
        elif not is_good(summary.overall_status):
            yield warning(
                "extension-appliance-state-unknown",
                name,
                f"HCX reports it {summary.overall_status or 'without a status'}",
                "Look at the appliance under Interconnect in HCX; the meaning of this status is not documented.",
            )
        count = appliance.network_extension_count or 0
        if count > MOST_NETWORKS:
            yield warning(
                "extension-appliance-overloaded",
                name,
                f"carries {count} networks; {MOST_NETWORKS} are supported",
                "Spread them over more appliances.",
            )
        elif count == MOST_NETWORKS:
            yield advice(
                "extension-appliance-full",
                name,
                f"carries {count} networks, all that it may",
                "A network that has to be extended again needs the slot that its unextend frees.",
            )


CHECK = Check(
    "extension-appliances", "Network extension appliances are up and not full", (Product.HCX,), _run, WaveStep.START
)
