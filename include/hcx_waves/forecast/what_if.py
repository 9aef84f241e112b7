"""Change the circumstances of a wave: bandwidth, a second mesh, the order of switchovers, the start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hcx_waves.forecast.model.inputs import ForecastInput, ForecastMesh, ForecastVm
from hcx_waves.forecast.model.parameters import ModelParameters

SECOND = " (second)"
_Key = Callable[[ForecastVm], tuple[object, ...]]
_ORDERS: dict[str, _Key] = {
    "smallest": lambda vm: (vm.disk_bytes, vm.name),
    "largest": lambda vm: (-vm.disk_bytes, vm.name),
    "segment": lambda vm: (vm.segments, vm.name),
    "name": lambda vm: (vm.name,),
}
ORDERS = tuple(_ORDERS)
"""Words that stand for an order of all VMs; ``segment`` keeps those of a segment together."""


def with_bandwidth(subject: ForecastInput, parameters: ModelParameters, bits_per_second: float) -> ModelParameters:
    """Return parameters with that bandwidth between the sites for each service mesh."""
    links = dict.fromkeys(subject.mesh_names, bits_per_second)
    return _linked(parameters, links)


def with_second_mesh(subject: ForecastInput, parameters: ModelParameters) -> tuple[ForecastInput, ModelParameters]:
    """Return the wave with a second mesh beside each, which takes every other VM.

    The two share the line that the one had, half each; what is gained is a second IX appliance and a second lane for
    RAV switchovers.
    """
    transfer = parameters.transfer
    links: dict[str, float] = {}
    for name in subject.mesh_names:
        line = transfer.mesh_link_bits_per_second.get(name) or subject.link_of(name) or transfer.link_bits_per_second
        links[name] = links[name + SECOND] = line / 2
    moved: set[str] = set()
    for name in subject.mesh_names:
        ranked = sorted((vm for vm in subject.vms if vm.mesh == name), key=lambda vm: (-vm.disk_bytes, vm.name))
        moved |= {vm.name for vm in ranked[1::2]}
    vms = tuple(vm.model_copy(update={"mesh": vm.mesh + SECOND}) if vm.name in moved else vm for vm in subject.vms)
    meshes = tuple(ForecastMesh(name=name, link_bits_per_second=rate) for name, rate in links.items())
    return subject.model_copy(update={"vms": vms, "meshes": meshes}), _linked(parameters, links)


def with_order(subject: ForecastInput, order: str | Sequence[str]) -> ForecastInput:
    """Return the wave with another order of switchovers, released one by one.

    :param order: one of :data:`ORDERS`, or names of VMs: these first, then all others together.
    :raises ValueError: if a name is not of the wave, or stands there twice.
    """
    if isinstance(order, str):
        if order not in _ORDERS:
            raise ValueError(f'"{order}" is not an order: {", ".join(ORDERS)}, or names of VMs')
        names = [vm.name for vm in sorted(subject.vms, key=_ORDERS[order])]
    else:
        names = list(order)
    unknown = sorted(set(names) - {vm.name for vm in subject.vms})
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not moved by wave {subject.wave}")
    if len(set(names)) != len(names):
        raise ValueError("an order names a VM once")
    return subject.model_copy(update={"switchover_order": tuple(names)})


def with_start(subject: ForecastInput, starts_at: datetime) -> ForecastInput:
    """Return the wave with another start; its windows stay where they are."""
    return subject.model_copy(update={"starts_at": starts_at})


def _linked(parameters: ModelParameters, links: dict[str, float]) -> ModelParameters:
    transfer = parameters.transfer.model_copy(update={"mesh_link_bits_per_second": links})
    return parameters.model_copy(update={"transfer": transfer})
