"""Segment ports, derived from the network cards of the VMs: they come at once and go with a delay.

A port is made when a card is plugged into a segment's network and stays ``port_release_seconds`` after the card or
the VM has left [C nsx-vsphere 2.8], so a segment that looks empty in vCenter may still refuse to be deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hcx_sim.world.model import Entity, Nic, Port, Segment, Vm, VmRole
from hcx_sim.world.world import World

RELEASE = "nsx.port_released"
VM, APPLIANCE, FREE, UNKNOWN = "vm", "appliance", "free", "unknown"


@dataclass(slots=True)
class PortIndex:
    """Look-ups that must not walk through all ports or VMs."""

    by_segment: dict[str, dict[str, None]] = field(default_factory=dict)  # segment key -> port keys
    by_attachment: dict[str, str] = field(default_factory=dict)  # "<site>/<attachment id>" of a VM -> port key
    by_card: dict[tuple[str, int], str] = field(default_factory=dict)  # (vm key, device key) -> port key
    by_instance: dict[str, dict[str, None]] = field(default_factory=dict)  # "<site>/<instance uuid>" -> vm keys


class PortKeeper:
    """Observes a world and keeps its ports in step with the cards of its VMs."""

    def __init__(self, world: World, index: PortIndex) -> None:
        """Derive the ports of a loaded world and follow it from then on."""
        self._world = world
        self._index = index
        world.engine.on(RELEASE, self._released)
        world.observers.append(self.observe)
        for port in world.ports.values():
            self._index_port("added", port)
        for vm in world.vms.values():
            self._arrive(vm)

    def observe(self, what: str, entity: Entity, before: dict[str, Any]) -> None:
        """Follow one change of the world."""
        if isinstance(entity, Port):
            self._index_port(what, entity)
        elif isinstance(entity, Vm):
            if what == "added":
                self._arrive(entity)
            elif what == "removed":
                self._leave(entity)
            elif "nics" in before:
                self._replug(entity, before["nics"])

    def _arrive(self, vm: Vm) -> None:
        self._index.by_instance.setdefault(f"{vm.site}/{vm.instance_uuid}", {})[vm.key] = None
        for nic in vm.nics:
            self._plug(vm, nic)

    def _leave(self, vm: Vm) -> None:
        self._index.by_instance.get(f"{vm.site}/{vm.instance_uuid}", {}).pop(vm.key, None)
        for nic in vm.nics:
            self._unplug(vm, nic)

    def _replug(self, vm: Vm, old_nics: list[Nic]) -> None:
        old = {nic.key: nic for nic in old_nics}
        new = {nic.key: nic for nic in vm.nics}
        for key, nic in old.items():
            if key not in new or new[key].network_moref != nic.network_moref:
                self._unplug(vm, nic)
        for key, nic in new.items():
            if key not in old or old[key].network_moref != nic.network_moref:
                self._plug(vm, nic)

    def _plug(self, vm: Vm, nic: Nic) -> None:
        world = self._world
        network = world.networks.get(f"{vm.site}/{nic.network_moref}")
        segment = world.segment_of_network(network) if network is not None else None
        if segment is None:
            return
        port_id = f"default:{world.random.uuid(f'nsx.port/{vm.site}/{vm.uid}')}"
        attachment_id = nic.external_id or world.random.uuid(f"nsx.attachment/{vm.site}/{vm.uid}")
        world.put(
            Port(
                key=f"{segment.key}/{port_id}",
                site=vm.site,
                segment_id=segment.segment_id,
                port_id=port_id,
                display_name=f"{vm.name}/{vm.name}.vmx@{vm.instance_uuid}",
                attachment_id=attachment_id,
                port_class=APPLIANCE if vm.role is VmRole.HCX_APPLIANCE else VM,
                vm_uid=vm.uid,
                vm_moref=vm.moref,
                mac=nic.mac,
                device_key=nic.key,
            )
        )

    def _unplug(self, vm: Vm, nic: Nic) -> None:
        port_key = self._index.by_card.pop((vm.key, nic.key), None)
        port = self._world.ports.get(port_key) if port_key is not None else None
        if port is None:
            return
        self._world.update(port, releasing=True, attachment_state="DETACHED")
        delay_seconds = self._world.settings.nsx.port_release_seconds
        self._world.engine.schedule(delay_seconds, RELEASE, port.key, port_key=port.key)

    def _released(self, port_key: str) -> None:
        port = self._world.ports.get(port_key)
        if port is not None:
            self._world.remove(port)

    def _index_port(self, what: str, port: Port) -> None:
        index = self._index
        attachment = f"{port.site}/{port.attachment_id}"
        card = (f"{port.site}/{port.vm_moref}", port.device_key or 0)
        ports = index.by_segment.setdefault(f"{port.site}/{port.segment_id}", {})
        if what == "removed":
            ports.pop(port.key, None)
            if index.by_attachment.get(attachment) == port.key:
                del index.by_attachment[attachment]
            return
        ports[port.key] = None
        if port.vm_moref is not None and not port.releasing:
            index.by_attachment[attachment] = port.key
            index.by_card[card] = port.key


def ports_on(world: World, index: PortIndex, segment: Segment) -> list[Port]:
    """Return the ports of a segment, those that are being released included."""
    return [world.ports[key] for key in index.by_segment.get(segment.key, ())]
