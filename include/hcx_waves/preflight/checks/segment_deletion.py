"""Nothing that the wave leaves behind keeps a source segment from being deleted. [D hcx 4.8] [C nsx-vsphere 2.8]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.model.formatting import listed
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

_MOST_NAMES = 8
_PORTS = "NSX deletes no segment that has ports: the cleanup stops before it asks"


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.segments_to_cut:
        if not segment.deletes_source:
            continue
        if segment.source_segment_path is None:
            yield warning(
                "segment-not-deletable",
                segment.name,
                "is not an NSX segment at the source, so the cleanup cannot delete it and stops before it asks",
                "Write delete_source: false, and remove its port group and its router interface by hand.",
            )
            continue
        originals = sorted(
            vm.name for vm in context.to_move if segment.name in vm.segments and vm.migration is MigrationType.BULK
        )
        if originals:
            yield warning(
                "segment-originals-remain",
                segment.name,
                f"Bulk leaves the originals of {listed(originals, _MOST_NAMES)} on it, powered off, and {_PORTS}",
                "Before the cleanup, delete the originals in vCenter or connect them to another network; or write "
                "delete_source: false.",
                vms=originals,
            )
        if segment.stays:
            yield warning(
                "segment-stays-remain",
                segment.name,
                f"{listed(sorted(segment.stays), _MOST_NAMES)} may stay on it, and {_PORTS}",
                "Before the cleanup, take them off the segment; or write delete_source: false.",
            )


CHECK = Check(
    "segment-deletion",
    "Source segments can be deleted after the hold",
    (Product.SOURCE_VCENTER,),
    _run,
    WaveStep.CUTOVER,
)
