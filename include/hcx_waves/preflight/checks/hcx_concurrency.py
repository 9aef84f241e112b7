"""No more replications at once than supported: 300 per manager, 200 per mesh [D hcx 8.1].

Whether HCX queues or refuses the rest is not documented [? hcx 8.1].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.services import meshes_of
from hcx_waves.preflight.steps import WaveStep

MOST_PER_MANAGER = 300
MOST_PER_MESH = 200
_STEP = "Split the wave, or start it when the other migrations have ended."


def _run(context: PreflightContext) -> Iterator[Finding]:
    starting = [vm for vm in context.to_move if vm.migration.replicates and context.in_flight(vm) is None]
    if not starting:
        return
    running = len(context.active_migrations)
    if running + len(starting) > MOST_PER_MANAGER:
        yield warning(
            "hcx-too-many-migrations",
            "HCX Manager",
            f"{running} migrations are under way and {len(starting)} would start; {MOST_PER_MANAGER} are supported",
            _STEP,
        )
    meshes = meshes_of(context)
    only = next(iter(meshes)) if len(meshes) == 1 else None
    for mesh_id, count in Counter(vm.service_mesh_id or only for vm in starting).items():
        if mesh_id in meshes and count > MOST_PER_MESH:
            yield warning(
                "mesh-too-many-migrations",
                meshes[str(mesh_id)].name,
                f"{count} migrations would start on it; {MOST_PER_MESH} are supported",
                "Spread the VMs over several meshes, or split the wave.",
            )


CHECK = Check("hcx-concurrency", "The wave stays within HCX's limits", (Product.HCX,), _run, WaveStep.START)
