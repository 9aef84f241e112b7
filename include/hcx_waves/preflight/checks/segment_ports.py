"""NSX knows everybody on a segment that is cut over: no port that belongs to no VM of vCenter."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    known = {vm.instance_uuid.lower() for vm in context.source_vms if vm.instance_uuid}
    owners = {vif.attachment_id: vif.owner_vm_id for vif in context.vifs if vif.attachment_id}
    for segment in context.segments_to_cut:
        if segment.source_segment_path is None:
            continue
        strange = [
            port
            for port in context.source_nsx.ports(segment.source_segment_path)
            if port.may_be_vm and (owners.get(port.attachment_id or "") or "").lower() not in known
        ]
        if strange:
            yield warning(
                "segment-unknown-ports",
                segment.name,
                f"has {len(strange)} port(s) in NSX that belong to no VM of the source vCenter",
                "Look at them in NSX; a segment with ports is not cut over and cannot be deleted.",
                ports=[port.display_name for port in strange],
            )


CHECK = Check(
    "segment-ports",
    "NSX ports on the segments belong to known VMs",
    (Product.SOURCE_NSX, Product.SOURCE_VCENTER),
    _run,
    WaveStep.CUTOVER,
)
