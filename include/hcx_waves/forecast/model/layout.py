"""The VMs of a wave as columns of numbers, grouped by service mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.inputs import ForecastInput, ForecastVm, Progress
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.tables import BLOCK, Columns
from hcx_waves.model.choices import MigrationType

RAV, BULK, VMOTION, COLD, EMPTY = range(5)
_KINDS = {
    MigrationType.RAV: RAV,
    MigrationType.BULK: BULK,
    MigrationType.VMOTION: VMOTION,
    MigrationType.COLD: COLD,
}
NO_LANE = -1


@dataclass(frozen=True)
class Layout:
    """Facts of one column per VM; columns that only fill a block up hold nobody.

    Columns are grouped by mesh and sorted by name in each; :attr:`rank` sorts all by name, which is how ties are
    decided. RAV switchovers have a lane per mesh, vMotions one lane for all [C hcx 8.1].
    """

    vms: tuple[ForecastVm | None, ...]
    mesh_names: tuple[str, ...]
    kind: NDArray[np.int8]
    mesh: NDArray[np.int64]
    block_mesh: NDArray[np.int64]
    lane: NDArray[np.int64]
    rank: NDArray[np.int64]
    disk_bytes: Numbers
    memory_bytes: Numbers
    change_bytes_per_second: Numbers
    link_bits_per_second: Numbers
    """One per mesh."""
    columns: dict[str, int]
    """By VM name."""

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.vms)

    @property
    def lanes(self) -> int:
        """How many lanes there are; the last is that of vMotion."""
        return len(self.mesh_names) + 1

    @property
    def replicates(self) -> NDArray[np.bool_]:
        """Which columns hold VMs that are replicated ahead of their switchover."""
        found: NDArray[np.bool_] = (self.kind == RAV) | (self.kind == BULK)
        return found

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Which columns hold a VM."""
        found: NDArray[np.bool_] = self.kind != EMPTY
        return found

    def standing(self, *progress: Progress) -> Columns:
        """Return the columns of the VMs that stand so when the nights begin, by name."""
        chosen = sorted(vm.name for vm in self.vms if vm is not None and vm.progress in progress)
        return np.array([self.columns[name] for name in chosen], dtype=np.int64)


def layout_of(subject: ForecastInput, parameters: ModelParameters) -> Layout:
    """Return the columns of a wave, with the parameters' figures where the input knows none."""
    mesh_names = subject.mesh_names
    vms: list[ForecastVm | None] = []
    mesh: list[int] = []
    for number, name in enumerate(mesh_names):
        members = sorted((vm for vm in subject.vms if vm.mesh == name), key=lambda vm: vm.name)
        missing = -len(members) % BLOCK
        vms += [*members, *[None] * missing]
        mesh += [number] * (len(members) + missing)
    kind = np.array([EMPTY if vm is None else _KINDS[vm.migration] for vm in vms], dtype=np.int8)
    meshes = np.array(mesh, dtype=np.int64)
    transfer = parameters.transfer
    links = [
        transfer.mesh_link_bits_per_second.get(name) or subject.link_of(name) or transfer.link_bits_per_second
        for name in mesh_names
    ]
    by_name = sorted((vm.name, column) for column, vm in enumerate(vms) if vm is not None)
    rank = np.full(len(vms), len(vms), dtype=np.int64)
    rank[[column for _, column in by_name]] = np.arange(len(by_name))
    lane = np.where(kind == RAV, meshes, np.where(kind == VMOTION, len(mesh_names), NO_LANE))
    unknown = transfer.change_bytes_per_second
    return Layout(
        vms=tuple(vms),
        mesh_names=mesh_names,
        kind=kind,
        mesh=meshes,
        block_mesh=meshes[::BLOCK],
        lane=lane,
        rank=rank,
        disk_bytes=_column(vms, lambda vm: vm.disk_bytes),
        memory_bytes=_column(vms, lambda vm: vm.memory_bytes if vm.migration is MigrationType.VMOTION else 0.0),
        change_bytes_per_second=_column(
            vms, lambda vm: unknown if vm.change_bytes_per_second is None else vm.change_bytes_per_second
        ),
        link_bits_per_second=np.array(links),
        columns=dict(by_name),
    )


def _column(vms: list[ForecastVm | None], value: Callable[[ForecastVm], float]) -> Numbers:
    return np.array([0.0 if vm is None else value(vm) for vm in vms])
