"""Changes of the world that more than one product makes: segments with their realisation, and moving VMs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hcx_sim.world.model import (
    Datastore,
    Disk,
    NetworkKind,
    Nic,
    Power,
    Segment,
    SiteName,
    VcNetwork,
    Vm,
)
from hcx_sim.world.world import World

REALISE = "segment.realise"
MIGRATED_FOLDER = "Migrated VMs"


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""

    def realise(segment_key: str, revision: int, step: str) -> None:
        _realise(world, segment_key, revision, step)

    world.engine.on(REALISE, realise)


def segment_path(world: World, segment: Segment) -> str:
    """Return the policy path; fixed segments are children of the tier-1. [D nsx-vsphere 2.1]"""
    if segment.fixed:
        return f"/infra/tier-1s/{world.site(segment.site).tier1_id}/segments/{segment.segment_id}"
    return f"/infra/segments/{segment.segment_id}"


def create_segment(
    world: World,
    site: SiteName,
    segment_id: str,
    display_name: str,
    *,
    fixed: bool,
    gateway_cidr: str | None,
    connectivity: str | None = "ON",
    domain: str | None = None,
    hcx_created: bool = False,
    dhcp_ranges: Iterable[str] = (),
    extra: Mapping[str, Any] | None = None,
    moref: str | None = None,
) -> Segment:
    """Create a segment, realised at once, and the vCenter network that shows it.

    ``domain`` joins networks of both sites that carry the same subnet, for the oracle; ``moref`` is the network's,
    a fresh one unless given. Raises :class:`ValueError` when the id is in use at the site.
    """
    moref = moref or world.next_moref("network-o" if world.settings.vcenter.opaque_networks else "dvportgroup", site)
    opaque = world.settings.vcenter.opaque_networks
    key = f"{site}/{segment_id}"
    if key in world.segments:
        raise ValueError(f"segment {key!r} exists already")
    tier1_path = f"/infra/tier-1s/{world.site(site).tier1_id}"
    segment = Segment(
        key=key,
        site=site,
        segment_id=segment_id,
        fixed=fixed,
        display_name=display_name,
        gateway_cidr=gateway_cidr,
        connectivity=connectivity,
        gateway_up=connectivity != "OFF" and gateway_cidr is not None,
        network_moref=moref,
        dhcp_ranges=list(dhcp_ranges),
        connectivity_path=tier1_path,
        extra=dict(extra or {}),
        created_us=world.now_us,
        modified_us=world.now_us,
        hcx_created=hcx_created,
    )
    network = VcNetwork(
        key=f"{site}/{moref}",
        site=site,
        moref=moref,
        name=display_name,
        network_kind=NetworkKind.OPAQUE if opaque else NetworkKind.DVPG,
        portgroup_key=moref,
        segment_id=segment_id,
        properties={"domain": domain or display_name},
    )
    world.put(network)
    return world.put(segment)


def change_segment(world: World, segment: Segment, **changes: Any) -> bool:
    """Change the intent of a segment; the data plane and vCenter follow when it is realised.

    Returns whether anything changed. The revision grows by one per change; realisation goes from pending over
    in_progress to success within ``settings.nsx.realisation_seconds`` and may be failed by an engine fault at
    the point ``segment.realise``.
    """
    if all(getattr(segment, name) == value for name, value in changes.items()):
        return False
    revision = segment.revision + 1
    world.update(segment, **changes, revision=revision, realisation="pending", modified_us=world.now_us)
    delay_seconds = world.settings.nsx.realisation_seconds
    for step, share in (("in_progress", 0.5), ("success", 1.0)):
        name = f"{segment.key}/{share}"
        payload = {"segment_key": segment.key, "revision": revision, "step": step}
        world.engine.schedule(delay_seconds * share, REALISE, name, **payload)
    return True


def _realise(world: World, segment_key: str, revision: int, step: str) -> None:
    segment = world.segments.get(segment_key)
    if segment is None or segment.revision != revision:
        return
    if step == "success":
        rule = world.faults.strike_engine("segment.realise", segment.display_name, segment.site.value)
        if rule is not None and rule.behaviour == "fail":
            world.update(segment, realisation="failed")
            return
        if rule is not None and rule.behaviour == "delay":
            payload = {"segment_key": segment_key, "revision": revision, "step": step}
            world.engine.schedule(rule.seconds, REALISE, f"{segment_key}/delayed", **payload)
            return
        if rule is not None:
            return
        world.update(world.network_of_segment(segment), name=segment.display_name)
        world.update(segment, gateway_up=wants_gateway(segment))
    world.update(segment, realisation=step)


def wants_gateway(segment: Segment) -> bool:
    """Return whether the intent is a connected gateway. Absent connectivity means ON. [C nsx-vsphere 2.2]"""
    routed = segment.connectivity != "OFF" and segment.gateway_cidr is not None
    return routed and (segment.fixed or segment.connectivity_path is not None)


def delete_segment(world: World, segment: Segment) -> None:
    """Remove a segment and the vCenter network that shows it.

    A forced deletion can leave connectivity inconsistent [D nsx-vsphere 2.1]: cards that are still there stay in
    a port group that carries nothing any more, and an extension of the segment loses its frames.
    """
    network = world.network_of_segment(segment)
    for bridge in world.bridges.values():
        if network.key in (bridge.source_network_key, bridge.destination_network_key):
            world.update(bridge, up=False)
    world.remove(segment)
    if world.vms_on(network):
        world.update(network, removed=True, segment_id=None)
    else:
        world.remove(network)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a VM goes: morefs at the other site; ``networks`` maps each NIC's MAC to a network moref there."""

    site: SiteName
    folder_moref: str
    pool_moref: str | None
    cluster_moref: str
    datacenter_moref: str
    host_moref: str
    datastore_moref: str
    networks: Mapping[str, str]


def relocate(
    world: World,
    vm: Vm,
    destination: Destination,
    *,
    power: Power | None = None,
    new_macs: Mapping[str, str] | None = None,
    keep_uuids: bool = True,
) -> Vm:
    """Move a living VM to the other site and return its new object.

    The moref is new [C hcx 4.8]; name, MACs, addresses and (``keep_uuids``) UUIDs stay. ``new_macs`` maps old to new
    MACs when they are not retained. Space on the datastores is moved with the disks. Raises :class:`KeyError`
    when a NIC has no network in ``destination.networks``.
    """
    arrived = _arrival(world, vm, destination, power or vm.power, dict(new_macs or {}), keep_uuids)
    _move_space(world, vm, destination)
    world.remove(vm)
    return world.put(arrived)


def leave_retired_copy(world: World, vm: Vm, name: str, folder_moref: str, bios_uuid: str | None = None) -> Vm:
    """Turn the VM object at hand into the powered-off leftover of a bulk migration. [D hcx 4.8]

    Call it on the source object after :func:`copy_arrival` made the living one.
    """
    world.update(
        vm,
        retired=True,
        power=Power.OFF,
        name=name,
        folder_moref=folder_moref,
        tools_running=False,
        bios_uuid=bios_uuid or vm.bios_uuid,
    )
    return vm


def copy_arrival(
    world: World,
    vm: Vm,
    destination: Destination,
    *,
    retired_name: str,
    retired_folder_moref: str,
    power: Power,
    new_macs: Mapping[str, str] | None = None,
    keep_uuids: bool = True,
) -> Vm:
    """Bulk: the replica becomes the living VM at the other site, the original stays as a retired copy."""
    arrived = _arrival(world, vm, destination, power, dict(new_macs or {}), keep_uuids)
    _take_space(world, destination, sum(disk.used_bytes for disk in vm.disks))
    leave_retired_copy(world, vm, retired_name, retired_folder_moref)
    return world.put(arrived)


def _arrival(
    world: World, vm: Vm, destination: Destination, power: Power, new_macs: dict[str, str], keep_uuids: bool
) -> Vm:
    site = destination.site
    moref = world.next_moref("vm", site)
    return replace(
        vm,
        key=f"{site}/{moref}",
        site=site,
        moref=moref,
        power=power,
        retired=False,
        folder_moref=destination.folder_moref,
        pool_moref=destination.pool_moref,
        cluster_moref=destination.cluster_moref,
        datacenter_moref=destination.datacenter_moref,
        host_moref=destination.host_moref,
        instance_uuid=vm.instance_uuid if keep_uuids else world.random.uuid(f"instance/{vm.uid}"),
        bios_uuid=vm.bios_uuid if keep_uuids else world.random.uuid(f"bios/{vm.uid}"),
        nics=[_moved_nic(world, vm, nic, destination, new_macs) for nic in vm.nics],
        disks=[replace(disk, datastore_moref=destination.datastore_moref) for disk in vm.disks],
        tools_running=vm.tools_running and power is Power.ON,
        snapshots=[],
        iso_path=None,
        iso_connected=False,
        change_version=vm.change_version + 1,
    )


def _moved_nic(world: World, vm: Vm, nic: Nic, destination: Destination, new_macs: dict[str, str]) -> Nic:
    external_id = world.random.uuid(f"vif/{vm.uid}/{nic.key}") if nic.external_id else ""
    mac = new_macs.get(nic.mac, nic.mac)
    return replace(nic, network_moref=destination.networks[nic.mac], mac=mac, external_id=external_id)


def _move_space(world: World, vm: Vm, destination: Destination) -> None:
    for disk in vm.disks:
        datastore = world.datastores.get(f"{vm.site}/{disk.datastore_moref}")
        if datastore is not None:
            world.update(datastore, free_bytes=datastore.free_bytes + disk.used_bytes)
    _take_space(world, destination, sum(disk.used_bytes for disk in vm.disks))


def _take_space(world: World, destination: Destination, size_bytes: int) -> None:
    datastore: Datastore = world.datastores[f"{destination.site}/{destination.datastore_moref}"]
    world.update(datastore, free_bytes=max(0, datastore.free_bytes - size_bytes))


def total_disk_bytes(disks: Iterable[Disk]) -> int:
    """Return the bytes that a first replication copies."""
    return sum(disk.used_bytes for disk in disks)
