"""Each VM has a mesh that offers the service of its migration type."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.services import SERVICE_OF, meshes_of
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    meshes = meshes_of(context)
    wanted: dict[tuple[str | None, str], list[str]] = {}
    for vm in context.to_move:
        wanted.setdefault((vm.service_mesh_id, SERVICE_OF[vm.migration]), []).append(vm.name)
    for (mesh_id, service), names in wanted.items():
        choice = [mesh for mesh in meshes.values() if mesh_id in (None, mesh.service_mesh_id)]
        if any(service in mesh.service_names for mesh in choice):
            continue
        subject = choice[0].name if mesh_id is not None and choice else mesh_id or "service meshes"
        what = f"does not offer {service}" if choice else "is not there"
        yield blocking(
            "mesh-lacks-service",
            subject,
            f"{what}, which {_listed(names)} need",
            "Add the service to the mesh, choose another mesh, or move the VMs another way.",
            vms=names,
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


CHECK = Check("mesh-services", "The meshes offer what the wave needs", (Product.HCX,), _run, WaveStep.START)
