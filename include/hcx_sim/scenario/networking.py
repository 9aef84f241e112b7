"""Networks, service meshes and the stretches between the sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from hcx_sim.scenario.infrastructure import MANAGEMENT_NETWORK
from hcx_sim.scenario.schema import MeshSpec, NetworkSpec, Scenario
from hcx_sim.scenario.schema_sites import ApplianceSpec, ExtensionSpec
from hcx_sim.world import operations
from hcx_sim.world.model import (
    Bridge,
    Mesh,
    NetworkKind,
    Nic,
    PhysicalGateway,
    Port,
    Segment,
    SiteName,
    VcNetwork,
    Vm,
    VmRole,
)
from hcx_sim.world.world import World


def build_meshes(world: World, scenario: Scenario) -> None:
    """Add the meshes; their appliance VMs are made together with the other VMs."""
    for spec in scenario.meshes:
        pairs = appliance_pairs(spec)
        ix = next((pair for pair in pairs if pair.kind == "IX"), None)
        extending = [pair for pair in pairs if pair.kind == "NE"]
        world.put(
            Mesh(
                key=spec.mesh_id or f"servicemesh-{world.random.stable_uuid(f'mesh/{spec.name}')}",
                name=spec.name,
                services=list(spec.services),
                link_bits_per_second=spec.link_mbps * 1e6,
                round_trip_ms=spec.round_trip_ms,
                loss_percent=spec.loss_percent,
                tunnel_up=spec.tunnel_up,
                state=spec.state,
                ix_vm_uids={} if ix is None else _by_site(ix),
                ne_vm_uids={site.value: [_by_site(pair)[site.value] for pair in extending] for site in SiteName},
            )
        )


def appliance_pairs(spec: MeshSpec) -> list[ApplianceSpec]:
    """Return the appliances of a mesh: those it names, else as many as it asks for."""
    if spec.appliances:
        return list(spec.appliances)
    kinds: list[tuple[Literal["IX", "NE"], int]] = [("IX", 1)]
    kinds += [("NE", number + 1) for number in range(spec.network_extension_appliances)]
    here, there = SiteName.SOURCE, SiteName.DESTINATION
    return [
        ApplianceSpec(
            kind=kind,
            source=appliance_uid(spec.name, here, kind, number),
            destination=appliance_uid(spec.name, there, kind, number),
        )
        for kind, number in kinds
    ]


def _by_site(pair: ApplianceSpec) -> dict[str, str]:
    return {SiteName.SOURCE.value: pair.source, SiteName.DESTINATION.value: pair.destination}


def appliance_uid(mesh_name: str, site: SiteName, kind: str, number: int) -> str:
    """Return the uid, which is also the name, of an appliance VM: initiator at the source, responder there."""
    end = "I" if site is SiteName.SOURCE else "R"
    return f"{mesh_name}-{kind}-{end}{number}"


def build_networks(world: World, scenario: Scenario) -> None:
    """Add every network at its own site and, where it is stretched, the destination's isolated segment."""
    for spec in scenario.networks:
        kind = _kind(spec, scenario)
        if kind in ("fixed", "flexible") and f"{spec.site}/{spec.segment_id}" in world.segments:
            _second_port_group(world, spec)
        elif kind in ("fixed", "flexible"):
            segment = _segment(
                world,
                spec,
                spec.site,
                spec.segment_id or spec.name,
                fixed=kind == "fixed",
                connectivity=spec.connectivity,
            )
            segment.hcx_created = spec.hcx_created
            segment.realisation = spec.realisation
            shown = world.network_of_segment(segment)
            shown.name = spec.name
            shown.network_kind = NetworkKind.OPAQUE if spec.opaque else shown.network_kind
            _connect(world, segment, spec)
            if "vlan_ids" in spec.segment_body:
                _route_outside(world, segment, spec)
        else:
            _port_group(world, spec, kind)
        _note_more_users(world, spec)
        if spec.stretched:
            name = spec.destination_name or spec.name
            fixed = scenario.site_spec(SiteName.DESTINATION).nsx == "vmc"
            segment = _segment(world, spec, SiteName.DESTINATION, name, fixed=fixed, connectivity="OFF")
            segment.hcx_created = True


def _note_more_users(world: World, spec: NetworkSpec) -> None:
    """Remember who uses the gateway beside the VMs of the two sites: further sites and subnets, devices."""
    notes: dict[str, Any] = {}
    if spec.extended_elsewhere:
        notes["elsewhere"] = {site: list(vms) for site, vms in spec.extended_elsewhere.items()}
    if spec.secondary:
        notes["secondary"] = [str(one.network) for one in spec.secondary]
    if spec.devices:
        notes["devices"] = dict(spec.devices)
    if notes:
        network = find_network(world, spec.site, spec.name)
        network.properties = {**network.properties, **notes}


def _route_outside(world: World, segment: Segment, spec: NetworkSpec) -> None:
    """Give the gateway of a VLAN-backed segment to a physical router: NSX has none for it. [D nsx-vsphere 2.2]"""
    gateway = spec.gateway_interface
    segment.gateway_cidr, segment.connectivity_path, segment.gateway_up = None, None, False
    network = world.network_of_segment(segment)
    network.gateway = PhysicalGateway(str(gateway)) if gateway else None
    network.gateway_connected = spec.connectivity == "ON"
    network.vlan_id = next((int(one) for one in spec.segment_body["vlan_ids"] if one.isdecimal()), None)
    network.subnet = None if spec.subnet is None else str(spec.subnet)


def _second_port_group(world: World, spec: NetworkSpec) -> None:
    """Show a segment once more: NSX makes a port group for it on every switch of its transport zone."""
    moref = spec.moref or world.next_moref("dvportgroup", spec.site)
    world.put(
        VcNetwork(
            key=f"{spec.site}/{moref}",
            site=spec.site,
            moref=moref,
            name=spec.name,
            network_kind=NetworkKind.DVPG,
            portgroup_key=moref,
            segment_id=spec.segment_id,
            properties={"domain": spec.domain or spec.name},
        )
    )


def _kind(spec: NetworkSpec, scenario: Scenario) -> str:
    return spec.kind or ("fixed" if scenario.site_spec(spec.site).nsx == "vmc" else "flexible")


def _segment(world: World, spec: NetworkSpec, site: SiteName, name: str, *, fixed: bool, connectivity: str) -> Segment:
    gateway = spec.gateway_interface
    own = site is spec.site
    return operations.create_segment(
        world,
        site,
        name,
        (spec.display_name or spec.name) if own else name,
        fixed=fixed,
        gateway_cidr=str(gateway) if gateway else None,
        connectivity=connectivity,
        domain=spec.domain or spec.name,
        dhcp_ranges=spec.dhcp_ranges,
        extra={**spec.segment_body, **_second_subnet(spec)} if own else None,
        moref=spec.moref if own else None,
    )


def _second_subnet(spec: NetworkSpec) -> dict[str, Any]:
    """Return the subnet of IPv6 as :mod:`hcx_sim.nsx.segment_body` shows it."""
    return {} if spec.gateway6 is None else {"more_subnets": [{"gateway_address": str(spec.gateway6)}]}


def _connect(world: World, segment: Segment, spec: NetworkSpec) -> None:
    """Give a segment of a real site its own gateway, and the ports that no VM explains."""
    if spec.segment_id is not None and not segment.fixed:
        segment.connectivity_path = spec.connectivity_path
    segment.gateway_up = operations.wants_gateway(segment)
    for name in spec.strange_ports:
        port_id = world.random.stable_uuid(f"strange-port/{segment.key}/{name}")
        world.put(
            Port(
                key=f"{segment.key}/{port_id}",
                site=segment.site,
                segment_id=segment.segment_id,
                port_id=port_id,
                display_name=name,
                attachment_id=world.random.stable_uuid(f"strange-attachment/{segment.key}/{name}"),
                port_class="unknown",
            )
        )


def _port_group(world: World, spec: NetworkSpec, kind: str) -> None:
    gateway = spec.gateway_interface
    standard = kind == "standard"
    moref = spec.moref or world.next_moref("network" if standard else "dvportgroup", spec.site)
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
            subnet=None if spec.subnet is None else str(spec.subnet),
            properties={"domain": spec.domain or spec.name, "switch": spec.switch, **spec.properties},
        )
    )


def find_network(world: World, site: SiteName, name: str) -> VcNetwork:
    """Return the network of that MoRef or name; a missing one raises :class:`KeyError`."""
    found = world.networks.get(f"{site}/{name}")
    if found is not None:
        return found
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
    for extension in scenario.extensions:
        _extend(world, extension, meshes)


def _extend(world: World, spec: ExtensionSpec, meshes: Mapping[str, Mesh]) -> None:
    """Join two networks that are both there, on the appliances that the extension names."""
    mesh = meshes[spec.mesh] if spec.mesh else next(iter(meshes.values()))
    ends = {SiteName.SOURCE: spec.source, SiteName.DESTINATION: spec.destination}
    named = {SiteName.SOURCE: spec.source_appliance, SiteName.DESTINATION: spec.destination_appliance}
    here = mesh.ne_vm_uids[SiteName.SOURCE.value]
    number = here.index(spec.source_appliance) if spec.source_appliance in here else _least_used(world, mesh)
    living = {vm.uid for vm in world.vms.values() if vm.role is VmRole.HCX_APPLIANCE}
    known = {site: named[site] if named[site] in living else None for site in SiteName}
    uids = {site.value: known[site] or mesh.ne_vm_uids[site.value][number] for site in SiteName}
    networks = {site: find_network(world, site, name) for site, name in ends.items()}
    for site, network in networks.items():
        appliance = world.vm_by_uid(uids[site.value])
        if all(nic.network_moref != network.moref for nic in appliance.nics):
            plug(world, appliance, network)
    segment_id = networks[SiteName.DESTINATION].segment_id
    world.put(
        Bridge(
            key=spec.extension_id,
            source_network_key=networks[SiteName.SOURCE].key,
            destination_network_key=networks[SiteName.DESTINATION].key,
            destination_segment_key=f"{SiteName.DESTINATION}/{segment_id}",
            mesh_key=mesh.key,
            appliance_uids=uids,
            created_us=world.now_us,
            up=spec.up,
            mon=spec.mon,
            mon_vm_uids=list(spec.mon_vms),
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
