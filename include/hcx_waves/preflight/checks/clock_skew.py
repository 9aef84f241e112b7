"""The vCenters' clocks agree, with each other and (real ones) with ours: windows are given to the products by time."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.domain.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext

NOTICEABLE_SECONDS = 60.0
TOO_MUCH_SECONDS = 300.0


def _run(context: PreflightContext) -> Iterator[Finding]:
    source, destination = context.clients.source_vcenter, context.clients.destination_vcenter
    here, there = source.server_time(), destination.server_time()
    skews = [("destination vCenter", (there - here).total_seconds(), "from the source's")]
    # A simulated site may run faster than life, so that its clock is not ours.
    if not source.identity().simulated:
        skews.append(("source vCenter", (here - context.now).total_seconds(), "from ours"))
    for site, seconds, whose in skews:
        if abs(seconds) <= NOTICEABLE_SECONDS:
            continue
        make = blocking if abs(seconds) > TOO_MUCH_SECONDS else warning
        yield make(
            "clock-skew",
            site,
            f"its clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'} {whose}",
            "Correct NTP on the managers before the wave.",
            skew_seconds=round(seconds, 1),
        )


CHECK = Check("clock-skew", "The managers' clocks agree", (Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER), _run)
