"""The source routes each extended segment now: otherwise its VMs have no gateway even before the wave."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.extended_segments:
        if segment.source_segment_path is None:
            continue
        found = context.source_segments.get(segment.source_segment_path)
        if found is None:
            yield blocking(
                "segment-source-missing",
                segment.name,
                f"NSX at the source has no {segment.source_segment_path}",
                "Start a new run, which plans the wave again.",
            )
        elif found.is_disconnected:
            yield blocking(
                "segment-source-disconnected",
                segment.name,
                "is disconnected at the source already while it is still extended: its VMs have no gateway",
                "Connect it again in NSX, or finish the cutover that has been started.",
                path=found.path,
            )
        elif not (state := context.source_nsx.segment_state(found.path)).is_success:
            yield warning(
                "segment-source-not-realised",
                segment.name,
                f"NSX reports its realisation as {state.state} {state.failure_message or ''}".rstrip(),
                "Look at the segment in NSX.",
            )


CHECK = Check("segment-source-gateway", "The source routes each extended segment", (Product.SOURCE_NSX,), _run)
