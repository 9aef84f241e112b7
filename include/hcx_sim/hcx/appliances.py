"""The appliances of the service meshes, as they stand: derived from meshes, VMs and extensions."""

from __future__ import annotations

from dataclasses import dataclass

from hcx_sim.hcx.state import state_of
from hcx_sim.world.model import Mesh, Power, SiteName, Vm
from hcx_sim.world.world import World

INTERCONNECT = "HCX-WAN-IX"
NETWORK_EXTENSION = "HCX-NET-EXT"


@dataclass(frozen=True, slots=True)
class Appliance:
    """One appliance; ``uid`` is the workload id of its VM, ``peer_uid`` that of its peer at the other site."""

    appliance_id: str
    uid: str
    kind: str
    site: SiteName
    mesh: Mesh
    peer_uid: str | None


def appliance_id_of(world: World, uid: str) -> str:
    """Return the id under which the managers know an appliance."""
    return world.random.stable_uuid(f"appliance/{uid}")


def appliances(world: World, site: SiteName | None = None) -> list[Appliance]:
    """Return the appliances of all meshes, of one site or of both."""
    return [
        appliance
        for mesh in world.meshes.values()
        for each in SiteName
        if site in (None, each)
        for appliance in _of_mesh(world, mesh, each)
    ]


def _of_mesh(world: World, mesh: Mesh, site: SiteName) -> list[Appliance]:
    found = []
    here, there = mesh.ix_vm_uids.get(site.value), mesh.ix_vm_uids.get(site.other.value)
    if here is not None:
        found.append(Appliance(appliance_id_of(world, here), here, INTERCONNECT, site, mesh, there))
    peers = mesh.ne_vm_uids.get(site.other.value, [])
    for number, uid in enumerate(mesh.ne_vm_uids.get(site.value, [])):
        peer = peers[number] if number < len(peers) else None
        found.append(Appliance(appliance_id_of(world, uid), uid, NETWORK_EXTENSION, site, mesh, peer))
    return found


def appliance_by_id(world: World, appliance_id: str, site: SiteName | None = None) -> Appliance | None:
    """Return an appliance by the managers' id, None when there is none."""
    return next((each for each in appliances(world, site) if each.appliance_id == appliance_id), None)


def vm_of(world: World, uid: str | None) -> Vm | None:
    """Return an appliance's VM, None when somebody has deleted it."""
    try:
        return world.vm_by_uid(uid) if uid is not None else None
    except KeyError:
        return None


def extension_count(world: World, uid: str) -> int:
    """Return how many networks an appliance carries, those that are about to come included."""
    state, appliance_id = state_of(world), appliance_id_of(world, uid)
    carried = sum(uid in bridge.appliance_uids.values() for bridge in world.bridges.values())
    coming = sum(record.moving_to == appliance_id for record in state.extensions.values())
    return carried + coming + sum(plan.appliance_uid == uid for plan in state.extending.values())


def troubles(world: World, appliance: Appliance) -> list[str]:
    """Return why an appliance is not up; empty when it is."""
    vm, peer = vm_of(world, appliance.uid), vm_of(world, appliance.peer_uid)
    found = []
    if vm is None:
        found.append(f"Appliance VM {appliance.uid} was not found in the inventory")
    elif vm.power is not Power.ON:
        found.append(f"Appliance VM {appliance.uid} is not powered on")
    if not appliance.mesh.tunnel_up:
        found.append(f"Tunnel to peer appliance {appliance.peer_uid} is down")
    elif vm is not None and (peer is None or peer.power is not Power.ON):
        found.append(f"Peer appliance {appliance.peer_uid} is not reachable")
    return found


def mesh_troubles(world: World, mesh: Mesh) -> dict[str, list[str]]:
    """Return for each kind of appliance why a mesh's services on it are down."""
    found: dict[str, list[str]] = {INTERCONNECT: [], NETWORK_EXTENSION: []}
    for site in SiteName:
        for appliance in _of_mesh(world, mesh, site):
            found[appliance.kind] += troubles(world, appliance)
    return {kind: list(dict.fromkeys(reasons)) for kind, reasons in found.items()}
