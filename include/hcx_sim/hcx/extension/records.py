"""What an extension is: the bridge as the fact, the managers' record beside it, and when it carries frames."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import Any

from hcx_sim.hcx.appliances import vm_of
from hcx_sim.hcx.state import Extension, state_of
from hcx_sim.hcx.wire import HcxError
from hcx_sim.world.model import Bridge, Entity, Mesh, Power, SiteName, VcNetwork, Vm, VmRole
from hcx_sim.world.world import World


def adopt(world: World) -> None:
    """Record the stretches with which a world was built, and follow what brings their bridges down and up."""
    for bridge in world.bridges.values():
        segment = world.segments.get(bridge.destination_segment_key)
        interface = IPv4Interface(segment.gateway_cidr) if segment is not None and segment.gateway_cidr else None
        gateway, netmask = (str(interface.ip), str(interface.netmask)) if interface else ("", "")
        state_of(world).extensions[bridge.key] = Extension(gateway, netmask)
    world.observers.append(lambda _what, entity, before: _follow(world, entity, before))


def _follow(world: World, entity: Entity, before: dict[str, Any]) -> None:
    if isinstance(entity, Mesh):
        if "tunnel_up" in before:
            refresh_all(world)
    elif isinstance(entity, Vm) and entity.role is VmRole.HCX_APPLIANCE and set(before) <= {"power"}:
        refresh_all(world)


def refresh_all(world: World) -> None:
    """Bring every bridge up or down as the facts have it."""
    for bridge in list(world.bridges.values()):
        refresh(world, bridge)


def refresh(world: World, bridge: Bridge) -> None:
    """Bring a bridge up or down: it needs both networks, its tunnel and both appliances, and no work on it."""
    record = state_of(world).extensions.get(bridge.key)
    if record is None:
        return
    mesh = world.meshes.get(bridge.mesh_key)
    ends = (source_network(world, bridge), destination_network(world, bridge))
    whole = all(network is not None and not network.removed for network in ends)
    running = all(_runs(world, uid) for uid in bridge.appliance_uids.values())
    tunnel_up = mesh is None or mesh.tunnel_up
    held = record.cut or record.moving or record.redeploying
    world.update(bridge, up=whole and running and tunnel_up and not held)


def _runs(world: World, uid: str) -> bool:
    vm = vm_of(world, uid)
    return vm is not None and vm.power is Power.ON


def bridge_and_record(world: World, stretch_id: str) -> tuple[Bridge, Extension]:
    """Return an extension by its id; raises the vendor's 404 when there is none."""
    bridge, record = world.bridges.get(stretch_id), state_of(world).extensions.get(stretch_id)
    if bridge is None or record is None:
        raise HcxError(404, f"Network extension {stretch_id} does not exist.", code="EXTENSION_NOT_FOUND")
    return bridge, record


def source_network(world: World, bridge: Bridge) -> VcNetwork | None:
    """Return the network that was extended, None when somebody has deleted it."""
    return world.networks.get(bridge.source_network_key)


def destination_network(world: World, bridge: Bridge) -> VcNetwork | None:
    """Return the network at the far end, None when somebody has deleted it."""
    return world.networks.get(bridge.destination_network_key)


def name_of(world: World, bridge: Bridge) -> str:
    """Return the name of the extended network, by which fault rules and random streams know the extension."""
    network = source_network(world, bridge)
    return network.name if network is not None else bridge.key


def ends_of(bridge: Bridge) -> tuple[SiteName, SiteName]:
    """Return the sites from and to which a network is extended."""
    source = SiteName(bridge.source_network_key.partition("/")[0])
    return source, source.other
