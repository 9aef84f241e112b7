"""NSX knows everybody on a segment that is cut over: no port that belongs to no VM of vCenter."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.gateway_users.model import FoundKind
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.gateway_users import gateway_users
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        strange = gateway_users(context, segment).of(FoundKind.UNKNOWN_PORT)
        if strange:
            yield warning(
                "segment-unknown-ports",
                segment.name,
                f"has {len(strange)} port(s) in NSX that belong to no VM of the source vCenter",
                "Look at them in NSX; a segment with ports is not cut over and cannot be deleted.",
                ports=[port.name for port in strange],
            )


CHECK = Check(
    "segment-ports",
    "NSX ports on the segments belong to known VMs",
    (Product.SOURCE_NSX, Product.SOURCE_VCENTER),
    _run,
    WaveStep.CUTOVER,
)
