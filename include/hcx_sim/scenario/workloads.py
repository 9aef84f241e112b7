"""VMs: the scenario's own and the HCX appliances of its meshes."""

from __future__ import annotations

from ipaddress import IPv4Address

from hcx_sim.scenario import infrastructure as places
from hcx_sim.scenario.networking import appliance_uid, management_nic
from hcx_sim.scenario.schema import DiskSpec, NicSpec, Scenario, SiteSpec, VmSpec
from hcx_sim.world.model import Disk, Nic, Power, SiteName, Snapshot, Vm, VmRole
from hcx_sim.world.world import World

_GIB = 1024**3
_USED_SHARE = 0.6
_BITS = 8


def build_vms(world: World, scenario: Scenario) -> None:
    """Add all VMs and take their space from the datastores."""
    networks = {f"{n.site}/{n.name}": n.moref for n in world.networks.values()}
    used: dict[SiteName, int] = dict.fromkeys(SiteName, 0)
    specs = [*_appliances(scenario), *scenario.vms]
    for number, spec in enumerate(specs):
        vm = _vm(world, spec, scenario.site_spec(spec.site), number, networks)
        used[vm.site] += sum(disk.used_bytes for disk in vm.disks)
        world.put(vm)
    for site, size_bytes in used.items():
        datastore = world.datastores[f"{site}/{places.DATASTORE}"]
        world.update(datastore, free_bytes=max(0, datastore.capacity_bytes - size_bytes))


def _appliances(scenario: Scenario) -> list[VmSpec]:
    specs = []
    for mesh in scenario.meshes:
        for site in SiteName:
            kinds = [("IX", 1), *(("NE", n + 1) for n in range(mesh.network_extension_appliances))]
            site_spec = scenario.site_spec(site)
            specs += [
                VmSpec(
                    name=appliance_uid(mesh.name, site, kind, number),
                    uid=appliance_uid(mesh.name, site, kind, number),
                    site=site,
                    role=VmRole.HCX_APPLIANCE,
                    disks=[DiskSpec(size_gb=8)],
                    guest_id="other3xLinux64Guest",
                    guest_name="Other 3.x or later Linux (64-bit)",
                    folder=site_spec.folders[0],
                    resource_pool=site_spec.resource_pools[-1],
                    cpus=8,
                )
                for kind, number in kinds
            ]
    return specs


def _vm(world: World, spec: VmSpec, site_spec: SiteSpec, number: int, networks: dict[str, str]) -> Vm:
    moref = world.next_moref("vm", spec.site)
    uid = spec.uid or spec.name
    running = spec.power is Power.ON
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
        folder_moref=places.folder_moref(site_spec, spec.folder),
        pool_moref=None if spec.template else places.pool_moref(site_spec, spec.resource_pool),
        host_moref=places.host_moref(site_spec, number),
        cluster_moref=places.CLUSTER,
        datacenter_moref=places.DATACENTER,
        guest_id=spec.guest_id,
        guest_name=spec.guest_name,
        host_name=spec.name,
        num_cpu=spec.cpus,
        memory_mb=int(spec.memory_gb * 1024),
        hardware_version=spec.hardware_version,
        nics=_nics(world, spec, uid, number, networks),
        disks=[_disk(disk, index) for index, disk in enumerate(spec.disks)],
        iso_path=spec.iso,
        iso_connected=spec.iso is not None,
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
        return [management_nic(_mac(number, 0))]
    return [_nic(world, spec.site, nic, uid, number, index, networks) for index, nic in enumerate(spec.nics)]


def _nic(
    world: World, site: SiteName, spec: NicSpec, uid: str, number: int, index: int, networks: dict[str, str]
) -> Nic:
    return Nic(
        key=4000 + index,
        label=f"Network adapter {index + 1}",
        mac=spec.mac or _mac(number, index),
        network_moref=networks[f"{site}/{spec.network}"],
        ip_addresses=[str(IPv4Address(ip)) for ip in spec.ips],
        connected=spec.connected,
        external_id=world.random.stable_uuid(f"vif/{uid}/{index}"),
    )


def _mac(number: int, index: int) -> str:
    value = number * 8 + index
    return f"00:50:56:{value >> 16 & 0x3F:02x}:{value >> 8 & 0xFF:02x}:{value & 0xFF:02x}"


def _disk(spec: DiskSpec, index: int) -> Disk:
    used_gb = spec.size_gb * _USED_SHARE if spec.used_gb is None else spec.used_gb
    return Disk(
        key=2000 + index,
        label=f"Hard disk {index + 1}",
        capacity_bytes=int(spec.size_gb * _GIB),
        used_bytes=int(used_gb * _GIB),
        datastore_moref=places.DATASTORE,
        mode=spec.mode,
        sharing=spec.sharing,
        backing=spec.backing,
    )


def _snapshots(world: World, spec: VmSpec, moref: str) -> list[Snapshot]:
    number = moref.removeprefix("vm-")
    chain: list[Snapshot] = []
    for index, name in enumerate(spec.snapshots):
        parent = chain[-1].moref if chain else None
        chain.append(Snapshot(f"snapshot-{number}{index}", name, "", world.now_us, parent))
    return chain
