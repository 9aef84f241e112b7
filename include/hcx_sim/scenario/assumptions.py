"""What a snapshot does not know of the sites, and how it varies from night to night.

A snapshot rarely knows how much a VM writes or what the line between the sites carries, and nothing at all of how
often things fail. Who has measured that can say so when a world is made; each night then draws its own factors from
its seed, from a stream per mesh and per VM.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hcx_sim.engine.randomness import Randomness
from hcx_sim.faults.rules import FaultRule
from hcx_sim.scenario.schema import MeshSpec, Scenario, VmSpec

_BITS = 8
_POINTS = {
    "base_sync_failure": "migration.base_sync",
    "switchover_failure": "migration.switchover",
    "unextend_failure": "extension.unextend",
}


class Assumptions(BaseModel):
    """Bandwidths in bits per second, change rates in bytes per second, chances from 0 to 1.

    ``link_bits_per_second`` is for meshes and ``change_bytes_per_second`` for VMs of which the scenario does not know
    better; ``mesh_link_bits_per_second``, by mesh name, precedes what it knows, and may name meshes of other sites.
    A sigma is the standard deviation of the logarithm of a factor that each mesh, or each VM, gets for the night. A
    failure is the chance of a VM or an extended network to fail in that step, for good.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    link_bits_per_second: float | None = Field(default=None, gt=0)
    mesh_link_bits_per_second: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    bandwidth_sigma: float = Field(default=0.0, ge=0)
    change_bytes_per_second: float | None = Field(default=None, ge=0)
    change_sigma: float = Field(default=0.0, ge=0)
    base_sync_failure: float = Field(default=0.0, ge=0, le=1)
    switchover_failure: float = Field(default=0.0, ge=0, le=1)
    unextend_failure: float = Field(default=0.0, ge=0, le=1)


def assume(scenario: Scenario, assumptions: Assumptions, seed: int) -> Scenario:
    """Return a scenario in which the assumptions hold; the given one, which others may share, is not changed."""
    night = Randomness(seed)
    changed = {
        "meshes": [_mesh(mesh, assumptions, night) for mesh in scenario.meshes],
        "vms": [_vm(vm, assumptions, night) for vm in scenario.vms],
        "faults": [*scenario.faults, *_failures(assumptions)],
    }
    return scenario.model_copy(update=changed)


def _mesh(mesh: MeshSpec, assumptions: Assumptions, night: Randomness) -> MeshSpec:
    width = assumptions.mesh_link_bits_per_second.get(mesh.name)
    if width is None and mesh.link_assumed:
        width = assumptions.link_bits_per_second
    mbps = mesh.link_mbps if width is None else width / 1e6
    mbps *= _factor(assumptions.bandwidth_sigma, f"bandwidth/{mesh.name}", night)
    return mesh if mbps == mesh.link_mbps else mesh.model_copy(update={"link_mbps": mbps})


def _vm(vm: VmSpec, assumptions: Assumptions, night: Randomness) -> VmSpec:
    mbps = vm.change_rate_mbps
    if vm.change_rate_assumed and assumptions.change_bytes_per_second is not None:
        mbps = assumptions.change_bytes_per_second * _BITS / 1e6
    mbps *= _factor(assumptions.change_sigma, f"change/{vm.uid or vm.name}", night)
    return vm if mbps == vm.change_rate_mbps else vm.model_copy(update={"change_rate_mbps": mbps})


def _factor(sigma: float, name: str, night: Randomness) -> float:
    return math.exp(sigma * night.stream(f"assumed/{name}").gauss(0.0, 1.0)) if sigma else 1.0


def _failures(assumptions: Assumptions) -> Iterator[FaultRule]:
    for name, point in _POINTS.items():
        chance = getattr(assumptions, name)
        if chance:
            yield FaultRule(
                rule_id=f"assumed-{name.replace('_', '-')}",
                product="engine",
                call=point,
                behaviour="fail",
                probability=chance,
                once_decided=True,
            )
