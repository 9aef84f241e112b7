"""Each segment's extension is there, leads where the plan says, and carries frames.

The words of ``operationStatus.state`` are published nowhere [? hcx 9.6]; one reporting script takes CONNECTED, REALIZED
and SUCCESS for healthy.
"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.hcx.extensions import HEALTHY_EXTENSION
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.resolve.network_index import same_network

_BROKEN = frozenset({"disconnected", "down", "failed", "error", "unrealized"})


def _run(context: PreflightContext) -> Iterator[Finding]:
    for segment in context.extended_segments:
        extension = context.extensions.get(segment.extension_id)
        if extension is None:
            yield blocking(
                "segment-not-extended",
                segment.name,
                f"its extension {segment.extension_id} is gone",
                "Extend the network again, then start a new run.",
            )
            continue
        if not same_network(extension.destination_network.network_id, segment.destination.network_id):
            yield blocking(
                "segment-extension-changed",
                segment.name,
                f'is extended to "{extension.destination_network.network_name}", not to "{segment.destination.name}"',
                "Start a new run, which plans the wave again.",
            )
        yield from _health(segment, extension)


def _health(segment: PlannedSegment, extension: NetworkExtension) -> Iterator[Finding]:
    state = extension.operation_status.state or ""
    if state.lower() in HEALTHY_EXTENSION:
        return
    message = f"HCX reports the state of its extension as {state or 'empty'}"
    if state.lower() in _BROKEN:
        step = "Look at the extension and its appliances in HCX; VMs that move would lose their network."
        yield blocking("segment-extension-down", segment.name, message, step)
    else:
        note = " Another task may be working on it." if segment.cutover is CutoverPolicy.NOW else ""
        yield warning(
            "segment-extension-state-unknown",
            segment.name,
            f"{message}, whose meaning is not documented",
            f"Look at the extension in HCX.{note}",
        )


CHECK = Check(
    "segment-extension",
    "Each segment's extension is healthy",
    (Product.HCX,),
    _run,
    WaveStep.CUTOVER,
    repeats=True,
)
