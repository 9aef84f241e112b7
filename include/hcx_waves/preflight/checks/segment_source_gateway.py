"""The source routes each extended segment now: otherwise its VMs have no gateway even before the wave."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.model.choices import CutoverPolicy, Disconnect
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


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
            ).model_copy(update={"waivable": False})
        elif not found.has_gateway:
            yield from _elsewhere(segment, found)
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


def _elsewhere(segment: PlannedSegment, found: NsxSegment) -> Iterator[Finding]:
    """Refuse to switch a gateway in NSX that NSX does not have; otherwise a check command tells its state."""
    if segment.cutover is not CutoverPolicy.NOW or segment.disconnect is not Disconnect.NSX:
        return
    yield blocking(
        "segment-gateway-not-in-nsx",
        segment.name,
        f"NSX at the source has no gateway for it, as {found.why_no_gateway}: there is nothing that NSX could switch "
        "off, and the router that has the gateway would go on",
        "Set disconnect to hook or manual, for the router that has the gateway, then start a new run.",
        path=found.path,
        vlan_ids=list(found.vlan_ids),
    ).model_copy(update={"waivable": False})


CHECK = Check(
    "segment-source-gateway", "The source routes each extended segment", (Product.SOURCE_NSX,), _run, WaveStep.CUTOVER
)
