"""Look-ups over VMs that must not walk through ten thousand of them."""

from __future__ import annotations

from typing import Any

from hcx_sim.world.model import Entity, Vm


class VmIndex:
    """Keeps, per network, the VM keys with a NIC there, and per workload the key of its living object."""

    def __init__(self) -> None:
        """Start empty."""
        self.by_network: dict[str, dict[str, None]] = {}
        self.living: dict[str, str] = {}

    def observe(self, what: str, entity: Entity, before: dict[str, Any]) -> None:
        """Follow one change of the world."""
        if not isinstance(entity, Vm):
            return
        if what == "added":
            self._attach(entity, entity.nics)
            self._settle(entity)
        elif what == "removed":
            self._detach(entity, entity.nics)
            if self.living.get(entity.uid) == entity.key:
                del self.living[entity.uid]
        else:
            if "nics" in before:
                self._detach(entity, before["nics"])
                self._attach(entity, entity.nics)
            if "retired" in before:
                self._settle(entity)

    def _settle(self, vm: Vm) -> None:
        if not vm.retired:
            self.living[vm.uid] = vm.key
        elif self.living.get(vm.uid) == vm.key:
            del self.living[vm.uid]

    def _attach(self, vm: Vm, nics: list[Any]) -> None:
        for nic in nics:
            self.by_network.setdefault(f"{vm.site}/{nic.network_moref}", {})[vm.key] = None

    def _detach(self, vm: Vm, nics: list[Any]) -> None:
        for nic in nics:
            self.by_network.get(f"{vm.site}/{nic.network_moref}", {}).pop(vm.key, None)
