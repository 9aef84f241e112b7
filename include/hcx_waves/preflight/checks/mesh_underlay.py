"""The underlay is good enough, as far as HCX measures it.

vMotion and RAV need 150 Mbit/s [D hcx 8.2]; a loss of 0.1 % and 150 ms round trip, and for Bulk and Cold
50 Mbit/s and 1 %, are from a later table [C hcx 8.2].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hcx_waves.clients.hcx import UplinkMetric
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.services import meshes_of
from hcx_waves.preflight.steps import WaveStep

_KBPS_PER_MBPS = 1000


@dataclass(frozen=True)
class Minimum:
    """What a kind of migration asks of the underlay."""

    what: str
    mbps: int
    loss_percent: float
    round_trip_ms: float | None


LIVE = Minimum("RAV and vMotion", 150, 0.1, 150.0)
OTHER = Minimum("Bulk and Cold", 50, 1.0, None)


def _run(context: PreflightContext) -> Iterator[Finding]:
    meshes = meshes_of(context)
    least = LIVE if any(vm.migration.keeps_running for vm in context.to_move) else OTHER
    for health in context.underlay:
        mesh = meshes.get(str(health.service_mesh_id))
        for uplink in health.uplinks if mesh is not None else ():
            yield from _judge(mesh.name if mesh is not None else "", uplink, least)


def _judge(mesh: str, uplink: UplinkMetric, least: Minimum) -> Iterator[Finding]:
    rates = [rate for rate in (uplink.upload_kbps, uplink.download_kbps) if rate is not None]
    if rates and min(rates) < least.mbps * _KBPS_PER_MBPS:
        yield blocking(
            "mesh-bandwidth-low",
            mesh,
            f"{uplink.uplink_name}: {min(rates) / _KBPS_PER_MBPS:g} Mbit/s measured; {least.what} need {least.mbps}",
            "Free bandwidth on the uplink, or move the VMs by Bulk or Cold.",
        )
    if uplink.loss_rate is not None and uplink.loss_rate > least.loss_percent:
        yield warning(
            "mesh-loss-high",
            mesh,
            f"{uplink.uplink_name}: {uplink.loss_rate:g} % loss measured; {least.what} accept {least.loss_percent:g} %",
            "Look for congestion or a wrong MTU on the path.",
        )
    if least.round_trip_ms is not None and (uplink.latency or 0.0) > least.round_trip_ms:
        yield warning(
            "mesh-latency-high",
            mesh,
            f"{uplink.uplink_name}: {uplink.latency:g} ms round trip measured; {least.what} accept "
            f"{least.round_trip_ms:g} ms",
            "Use a shorter path, or move the VMs by Bulk or Cold.",
        )


CHECK = Check("mesh-underlay", "The underlay is good enough", (Product.HCX,), _run, WaveStep.SWITCHOVER)
