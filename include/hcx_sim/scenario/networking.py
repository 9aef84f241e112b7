"""Networks, service meshes and the stretches between the sites."""

from __future__ import annotations

from dataclasses import replace

from hcx_sim.scenario.infrastructure import MANAGEMENT_NETWORK
from hcx_sim.scenario.schema import NetworkSpec, Scenario
from hcx_sim.world import operations
from hcx_sim.world.model import Bridge, Mesh, NetworkKind, Nic, PhysicalGateway, Segment, SiteName, VcNetwork, Vm
from hcx_sim.world.world import World


def build_meshes(world: World, scenario: Scenario) -> None:
    """Add the meshes; their appliance VMs are made together with the other VMs."""
    for spec in scenario.meshes:
        world.put(
            Mesh(
                key=f"servicemesh-{world.random.stable_uuid(f'mesh/{spec.name}')}",
                name=spec.name,
                services=list(spec.services),
                link_bits_per_second=spec.link_mbps * 1e6,
                round_trip_ms=spec.round_trip_ms,
                loss_percent=spec.loss_percent,
                ix_vm_uids={site.value: appliance_uid(spec.name, site, "IX", 1) for site in SiteName},
                ne_vm_uids={
                    site.value: [
                        appliance_uid(spec.name, site, "NE", number + 1)
                        for number in range(spec.network_extension_appliances)
                    ]
                    for site in SiteName
                },
            )
        )


def appliance_uid(mesh_name: str, site: SiteName, kind: str, number: int) -> str:
    """Return the uid, which is also the name, of an appliance VM: initiator at the source, responder there."""
    end = "I" if site is SiteName.SOURCE else "R"
    return f"{mesh_name}-{kind}-{end}{number}"


def build_networks(world: World, scenario: Scenario) -> None:
    """Add every network at its own site and, where it is stretched, the destination's isolated segment."""
    for spec in scenario.networks:
        kind = _kind(spec, scenario)
        if kind in ("fixed", "flexible"):
            _segment(world, spec, spec.site, spec.name, fixed=kind == "fixed", connectivity=spec.connectivity)
        else:
            _port_group(world, spec, kind)
        if spec.stretched:
            name = spec.destination_name or spec.name
            fixed = scenario.site_spec(SiteName.DESTINATION).nsx == "vmc"
            segment = _segment(world, spec, SiteName.DESTINATION, name, fixed=fixed, connectivity="OFF")
            segment.hcx_created = True


def _kind(spec: NetworkSpec, scenario: Scenario) -> str:
    return spec.kind or ("fixed" if scenario.site_spec(spec.site).nsx == "vmc" else "flexible")


def _segment(world: World, spec: NetworkSpec, site: SiteName, name: str, *, fixed: bool, connectivity: str) -> Segment:
    gateway = spec.gateway_interface
    return operations.create_segment(
        world,
        site,
        name,
        name,
        fixed=fixed,
        gateway_cidr=str(gateway) if gateway else None,
        connectivity=connectivity,
        domain=spec.name,
        dhcp_ranges=spec.dhcp_ranges,
    )


def _port_group(world: World, spec: NetworkSpec, kind: str) -> None:
    gateway = spec.gateway_interface
    standard = kind == "standard"
    moref = world.next_moref("network" if standard else "dvportgroup", spec.site)
    world.put(
        VcNetwork(
            key=f"{spec.site}/{moref}",
            site=spec.site,
            moref=moref,
            name=spec.name,
            network_kind=NetworkKind.STANDARD if standard else NetworkKind.DVPG,
            portgroup_key=moref,
            vlan_id=spec.vlan_id or 0,
            gateway=PhysicalGateway(str(gateway)) if gateway else None,
            gateway_connected=spec.connectivity == "ON",
            port_binding=spec.port_binding,
            subnet=str(spec.subnet),
            properties={"domain": spec.name, **spec.properties},
        )
    )


def find_network(world: World, site: SiteName, name: str) -> VcNetwork:
    """Return the network of that name; a missing one raises :class:`KeyError`."""
    for network in world.networks.values():
        if network.site is site and network.name == name:
            return network
    raise KeyError(f"{site}/{name}")


def build_stretches(world: World, scenario: Scenario) -> None:
    """Join the stretched networks and plug the Network Extension appliances into them, fewest networks first."""
    meshes = {mesh.name: mesh for mesh in world.meshes.values()}
    for spec in scenario.networks:
        if not spec.stretched:
            continue
        mesh = meshes[spec.mesh] if spec.mesh else next(iter(meshes.values()))
        networks = {
            SiteName.SOURCE: find_network(world, SiteName.SOURCE, spec.name),
            SiteName.DESTINATION: find_network(world, SiteName.DESTINATION, spec.destination_name or spec.name),
        }
        number = _least_used(world, mesh)
        uids = {site.value: mesh.ne_vm_uids[site.value][number] for site in SiteName}
        for site, network in networks.items():
            plug(world, world.vm_by_uid(uids[site.value]), network)
        world.put(
            Bridge(
                key=world.random.stable_uuid(f"stretch/{spec.name}"),
                source_network_key=networks[SiteName.SOURCE].key,
                destination_network_key=networks[SiteName.DESTINATION].key,
                destination_segment_key=f"{SiteName.DESTINATION}/{networks[SiteName.DESTINATION].segment_id}",
                mesh_key=mesh.key,
                appliance_uids=uids,
                created_us=world.now_us,
                mon=spec.mon,
            )
        )


def _least_used(world: World, mesh: Mesh) -> int:
    used = [
        sum(uid in bridge.appliance_uids.values() for bridge in world.bridges.values())
        for uid in mesh.ne_vm_uids[SiteName.SOURCE.value]
    ]
    if not used:
        raise ValueError(f"mesh {mesh.name!r} has no network extension appliance")
    return used.index(min(used))


def plug(world: World, appliance: Vm, network: VcNetwork) -> None:
    """Give an appliance one more card, in ``network``."""
    key = max((nic.key for nic in appliance.nics), default=3999) + 1
    mac = "00:50:56:" + world.random.stream(f"mac/{appliance.uid}").randbytes(3).hex(":")
    template = appliance.nics[0]
    nic = replace(template, key=key, label=f"Network adapter {key - 3999}", mac=mac, network_moref=network.moref)
    world.update(appliance, nics=[*appliance.nics, replace(nic, ip_addresses=[])])


def unplug(world: World, appliance: Vm, network: VcNetwork) -> None:
    """Take an appliance's card out of ``network``."""
    world.update(appliance, nics=[nic for nic in appliance.nics if nic.network_moref != network.moref])


def management_nic(mac: str) -> Nic:
    """Return an appliance's first card."""
    return Nic(4000, "Network adapter 1", mac, MANAGEMENT_NETWORK)
