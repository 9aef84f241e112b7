"""Which service of a mesh each migration type needs, and which meshes a plan may use. [C hcx 4.2]"""

from __future__ import annotations

from hcx_waves.clients.hcx import ServiceMesh
from hcx_waves.model.choices import MigrationType
from hcx_waves.preflight.context import PreflightContext

# Cold moves go by HCX vMotion's network file copy [D hcx 4.2].
SERVICE_OF = {
    MigrationType.RAV: "RAV",
    MigrationType.BULK: "BULK_MIGRATION",
    MigrationType.VMOTION: "VMOTION",
    MigrationType.COLD: "VMOTION",
}
NETWORK_EXTENSION = "NETWORK_EXTENSION"


def meshes_of(context: PreflightContext) -> dict[str, ServiceMesh]:
    """Return the meshes that the plan may use, by id: those it names, and all if it leaves one choice to HCX."""
    named = {vm.service_mesh_id for vm in context.to_move}
    return {mesh.service_mesh_id: mesh for mesh in context.meshes if None in named or mesh.service_mesh_id in named}


def needed_services(context: PreflightContext, service_mesh_id: str) -> set[str]:
    """Return the services that the plan needs of a mesh, or may need if HCX chooses."""
    needed = {SERVICE_OF[vm.migration] for vm in context.to_move if vm.service_mesh_id in (None, service_mesh_id)}
    return needed | ({NETWORK_EXTENSION} if context.extended_segments else set())
