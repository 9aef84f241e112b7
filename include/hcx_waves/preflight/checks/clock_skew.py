"""The vCenters' clocks agree, with each other and (real ones) with ours: windows are given to the products by time."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

NOTICEABLE_SECONDS = 60.0
TOO_MUCH_SECONDS = 300.0


def _run(context: PreflightContext) -> Iterator[Finding]:
    source, destination = context.clients.source_vcenter, context.clients.destination_vcenter
    # Asked before and after, as time passes with every question: much of it at a simulated site that is fast.
    before, there, after = source.server_time(), destination.server_time(), source.server_time()
    within = min(max(there, before), after)
    skews = [("destination vCenter", (there - within).total_seconds(), "the source's")]
    # A simulated site may run faster than life, so that its clock is not ours.
    if not source.identity().simulated:
        skews.append(("source vCenter", (before - context.now).total_seconds(), "ours"))
    for site, seconds, whose in skews:
        if abs(seconds) <= NOTICEABLE_SECONDS:
            continue
        make = blocking if abs(seconds) > TOO_MUCH_SECONDS else warning
        yield make(
            "clock-skew",
            site,
            f"its clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} {whose}",
            "Correct NTP on the managers before the wave.",
            skew_seconds=round(seconds, 1),
        )


CHECK = Check(
    "clock-skew",
    "The managers' clocks agree",
    (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER),
    _run,
    WaveStep.START,
)
