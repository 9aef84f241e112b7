"""The services of the meshes are up, and so are their interconnect appliances and tunnels.

The status of a mesh's last task is not looked at: it can be stale for weeks [C hcx 7].
"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.hcx import ServiceMesh
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.services import meshes_of, needed_services
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.preflight.words import is_bad, spoken_reasons

_STEP = "Look at the mesh under Interconnect in HCX; do not start the wave before it is healthy."
_INTERCONNECT = "HCX-WAN-IX"


def _run(context: PreflightContext) -> Iterator[Finding]:
    for mesh in meshes_of(context).values():
        yield from _services(context, mesh)
        if (mesh.state or "").upper().endswith("FAILED"):
            yield warning("mesh-state-failed", mesh.name, f"its state is {mesh.state}", _STEP)
        for appliance in context.appliances:
            summary = appliance.status.summary
            is_ours = appliance.service_mesh_id == mesh.service_mesh_id and appliance.appliance_type == _INTERCONNECT
            if is_ours and is_bad(summary.overall_status):
                yield blocking(
                    "mesh-appliance-down",
                    appliance.appliance_name or appliance.appliance_id,
                    f"HCX reports it {summary.overall_status}{spoken_reasons(summary.reasons)}",
                    "Look at the appliance and its tunnels under Interconnect in HCX; redeploy it if it stays down.",
                )


def _services(context: PreflightContext, mesh: ServiceMesh) -> Iterator[Finding]:
    needed = needed_services(context, mesh.service_mesh_id)
    ailing = [one for one in mesh.status.services if not one.is_up]
    bad = [
        f"{one.service_name} {one.status}{spoken_reasons(one.reason)}" for one in ailing if one.service_name in needed
    ]
    other = [f"{one.service_name} {one.status}" for one in ailing if one.service_name not in needed]
    if bad:
        yield blocking("mesh-service-down", mesh.name, "; ".join(bad), _STEP)
    elif other:
        yield warning("mesh-other-service-down", mesh.name, f"{'; '.join(other)}, which this wave does not need", _STEP)
    if not mesh.status.services:
        yield warning("mesh-tells-no-health", mesh.name, "HCX reports no status of its services", _STEP)


CHECK = Check("mesh-health", "The meshes are up", (Product.HCX,), _run, WaveStep.SWITCHOVER)
