"""VMs: the scenario's own and the HCX appliances of its meshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hcx_sim.scenario.furniture import Furniture
from hcx_sim.scenario.networking import appliance_pairs, management_nic
from hcx_sim.scenario.schema import DiskSpec, NicSpec, Scenario, SiteSpec, VmSpec
from hcx_sim.scenario.schema_sites import PlaceSpec
from hcx_sim.world.model import Disk, Nic, Power, SiteName, Snapshot, Vm, VmRole
from hcx_sim.world.world import World

_GIB = 1024**3
_USED_SHARE = 0.6
_BITS = 8


def build_vms(world: World, scenario: Scenario, furniture: Mapping[SiteName, Furniture]) -> None:
    """Add all VMs and take their space from the datastores whose free space is not given."""
    networks = {f"{n.site}/{n.name}": n.moref for n in world.networks.values()}
    networks |= {f"{n.site}/{n.moref}": n.moref for n in world.networks.values()}
    used: dict[str, int] = {}
    specs = [*_appliances(scenario), *scenario.vms]
    for number, spec in enumerate(specs):
        vm = _vm(world, spec, furniture[spec.site], number, networks)
        for disk in vm.disks:
            key = f"{vm.site}/{disk.datastore_moref}"
            used[key] = used.get(key, 0) + disk.used_bytes
        world.put(vm)
    stated = {
        f"{site}/{store.moref}"
        for site in SiteName
        for store in scenario.site_spec(site).datastores
        if store.free_gb is not None
    }
    for key, size_bytes in used.items():
        if key not in stated:
            datastore = world.datastores[key]
            world.update(datastore, free_bytes=max(0, datastore.capacity_bytes - size_bytes))


def _appliances(scenario: Scenario) -> list[VmSpec]:
    """Return the appliances that the scenario has no VMs for."""
    given = {(vm.site, vm.uid or vm.name) for vm in scenario.vms if vm.role is VmRole.HCX_APPLIANCE}
    specs = []
    for mesh in scenario.meshes:
        for site in SiteName:
            site_spec = scenario.site_spec(site)
            for pair in appliance_pairs(mesh):
                name = pair.source if site is SiteName.SOURCE else pair.destination
                if (site, name) not in given:
                    specs.append(_appliance(name, site, site_spec))
    return specs


def _appliance(name: str, site: SiteName, site_spec: SiteSpec) -> VmSpec:
    folder, pool = site_spec.folders[0], site_spec.resource_pools[-1]
    if site_spec.places:
        folder = next(p.moref for p in site_spec.places if _holds_vms(p))
        pool = next(p.moref for p in reversed(site_spec.places) if p.kind == "ResourcePool")
    return VmSpec(
        name=name,
        uid=name,
        site=site,
        role=VmRole.HCX_APPLIANCE,
        disks=[DiskSpec(size_gb=8)],
        guest_id="other3xLinux64Guest",
        guest_name="Other 3.x or later Linux (64-bit)",
        folder=folder,
        resource_pool=pool,
        cpus=8,
    )


def _holds_vms(place: PlaceSpec) -> bool:
    return place.kind == "Folder" and "VirtualMachine" in place.properties.get("child_type", ["VirtualMachine"])


def _vm(world: World, spec: VmSpec, furniture: Furniture, number: int, networks: dict[str, str]) -> Vm:
    moref = spec.moref or world.next_moref("vm", spec.site)
    uid = spec.uid or spec.name
    running = spec.power is Power.ON
    pool = None if spec.template else furniture.pool(spec.resource_pool)
    host = furniture.host(spec.host, number, pool)
    return Vm(
        key=f"{spec.site}/{moref}",
        uid=uid,
        site=spec.site,
        moref=moref,
        name=spec.name,
        instance_uuid=spec.instance_uuid or world.random.stable_uuid(f"instance/{uid}"),
        bios_uuid=spec.bios_uuid or world.random.stable_uuid(f"bios/{uid}"),
        power=Power.OFF if spec.template else spec.power,
        role=spec.role,
        template=spec.template,
        folder_moref=furniture.folder(spec.folder),
        pool_moref=pool,
        host_moref=host,
        cluster_moref=furniture.cluster_of(host),
        datacenter_moref=furniture.datacenter_of(host),
        guest_id=spec.guest_id,
        guest_name=spec.guest_name,
        host_name=spec.host_name or spec.name,
        num_cpu=spec.cpus,
        memory_mb=int(spec.memory_gb * 1024),
        hardware_version=spec.hardware_version,
        nics=_nics(world, spec, uid, number, networks),
        disks=[_disk(disk, index, furniture) for index, disk in enumerate(spec.disks)],
        iso_path=spec.iso,
        iso_connected=spec.iso is not None and spec.iso_connected,
        tools_running=spec.tools_running and running and not spec.template,
        tools_version_status=spec.tools_version_status,
        snapshots=_snapshots(world, spec, moref),
        change_rate_bytes_per_second=spec.change_rate_mbps * 1e6 / _BITS,
        retired=spec.retired,
        tags=list(spec.tags),
        custom_attributes=dict(spec.custom_attributes),
        properties=dict(spec.properties),
    )


def _nics(world: World, spec: VmSpec, uid: str, number: int, networks: dict[str, str]) -> list[Nic]:
    if spec.role is VmRole.HCX_APPLIANCE and not spec.nics:
        card = management_nic(_mac(number, 0))
        is_there = f"{spec.site}/{card.network_moref}" in networks
        return [card if is_there else replace(card, network_moref="")]
    return [_nic(world, spec.site, nic, uid, number, index, networks) for index, nic in enumerate(spec.nics)]


def _nic(
    world: World, site: SiteName, spec: NicSpec, uid: str, number: int, index: int, networks: dict[str, str]
) -> Nic:
    return Nic(
        key=spec.key or 4000 + index,
        label=spec.label or f"Network adapter {index + 1}",
        mac=spec.mac or _mac(number, index),
        network_moref="" if spec.network is None else networks[f"{site}/{spec.network}"],
        ip_addresses=[str(ip) for ip in spec.ips],
        origins=dict(spec.origins),
        connected=spec.connected,
        address_type=spec.address_type,
        external_id=_external_id(world, spec, uid, index),
        adapter=spec.adapter,
    )


def _external_id(world: World, spec: NicSpec, uid: str, index: int) -> str:
    """Return NSX's id of a card: the given one, none for a real card without one, else one made up."""
    if spec.external_id is not None or spec.key is not None:
        return spec.external_id or ""
    return world.random.stable_uuid(f"vif/{uid}/{index}")


def _mac(number: int, index: int) -> str:
    value = number * 8 + index
    return f"00:50:56:{value >> 16 & 0x3F:02x}:{value >> 8 & 0xFF:02x}:{value & 0xFF:02x}"


def _disk(spec: DiskSpec, index: int, furniture: Furniture) -> Disk:
    used_gb = spec.size_gb * _USED_SHARE if spec.used_gb is None else spec.used_gb
    return Disk(
        key=spec.key or 2000 + index,
        label=spec.label or f"Hard disk {index + 1}",
        capacity_bytes=int(spec.size_gb * _GIB),
        used_bytes=int(used_gb * _GIB),
        datastore_moref=furniture.datastore(spec.datastore),
        mode=spec.mode,
        sharing=spec.sharing,
        backing=spec.backing,
    )


def _snapshots(world: World, spec: VmSpec, moref: str) -> list[Snapshot]:
    """Return the snapshots: those given by name alone are each the child of the one before."""
    number = moref.removeprefix("vm-")
    chain: list[Snapshot] = []
    for index, given in enumerate(spec.snapshots):
        parent = chain[-1].moref if chain else None
        if isinstance(given, str):
            chain.append(Snapshot(f"snapshot-{number}{index}", given, "", world.now_us, parent))
        else:
            chain.append(Snapshot(given.moref, given.name, "", given.created_ms * 1000, given.parent))
    return chain
