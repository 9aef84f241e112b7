"""Extending a network: a job that makes or reuses the destination segment and brings the bridge up.

Fault point ``extension.extend`` (object: name of the network): *fail* fails the job and leaves nothing behind,
*delay* prolongs it, *stall* leaves it running for ever.
"""

from __future__ import annotations

from ipaddress import IPv4Interface

from hcx_sim.engine.clock import seconds
from hcx_sim.hcx.appliances import appliance_by_id, appliance_id_of, vm_of
from hcx_sim.hcx.extension.records import refresh
from hcx_sim.hcx.extension.rules import Wish, new_segment_name, segment_for
from hcx_sim.hcx.jobs import end_job, find_job, start_job
from hcx_sim.hcx.state import Extending, Extension, Job, state_of
from hcx_sim.scenario.networking import plug
from hcx_sim.world.model import Bridge, Segment, SiteName, VcNetwork
from hcx_sim.world.operations import change_segment, create_segment
from hcx_sim.world.world import World

DONE = "hcx.extend_done"
FAULT_POINT = "extension.extend"


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""

    def done(network_key: str, struck: bool) -> None:
        _done(world, network_key, struck=struck)

    world.engine.on(DONE, done)


def start(world: World, wish: Wish, username: str) -> Job:
    """Start to extend a network and return the job."""
    network = wish.network
    lasts_seconds = world.settings.hcx.extend_seconds.draw(world.random.stream(f"extend/{network.name}"))
    job = start_job(world, network.site, "CreateNetworkExtension", username, lasts_seconds)
    state_of(world).extending[network.key] = Extending(
        network_key=network.key,
        appliance_uid=wish.appliance.uid,
        gateway=str(wish.interface.ip),
        netmask=str(wish.interface.netmask),
        mon=wish.mon,
        egress_optimization=wish.egress_optimization,
        job_id=job.job_id,
    )
    world.engine.schedule(lasts_seconds, DONE, network.key, network_key=network.key, struck=False)
    return job


def _done(world: World, network_key: str, *, struck: bool) -> None:
    state = state_of(world)
    plan = state.extending[network_key]
    job = find_job(world, plan.job_id)
    network = world.networks.get(network_key)
    name = network.name if network is not None else network_key
    site = SiteName(network_key.partition("/")[0])
    rule = None if struck else world.faults.strike_engine(FAULT_POINT, name, site.value)
    if rule is not None and rule.behaviour == "stall":
        return
    if rule is not None and rule.behaviour == "delay":
        job.expected_us = world.now_us + seconds(rule.seconds)
        world.engine.schedule(rule.seconds, DONE, network_key, network_key=network_key, struck=True)
        return
    del state.extending[network_key]
    try:
        if rule is not None:
            raise ValueError(rule.message or "the network extension appliance did not answer")
        if network is None or network.removed:
            raise ValueError("the source network is gone")
        _bring_up(world, network, plan)
    except ValueError as error:
        end_job(world, job, f"Failed to extend network {name}: {error}")
    else:
        end_job(world, job)


def _bring_up(world: World, network: VcNetwork, plan: Extending) -> None:
    near, far = network.site, network.site.other
    appliance = appliance_by_id(world, appliance_id_of(world, plan.appliance_uid), near)
    peer_uid = appliance.peer_uid if appliance is not None else None
    cards = {near: vm_of(world, plan.appliance_uid), far: vm_of(world, peer_uid)}
    if appliance is None or peer_uid is None or not all(cards.values()):
        raise ValueError("an appliance is missing")
    stretch_id = world.random.uuid("hcx.stretch")
    segment = _destination_segment(world, network, plan, stretch_id)
    far_network = world.network_of_segment(segment)
    for site, there in ((near, network), (far, far_network)):
        vm = cards[site]
        if vm is not None:
            plug(world, vm, there)
    state_of(world).extensions[stretch_id] = Extension(plan.gateway, plan.netmask, plan.egress_optimization)
    bridge = world.put(
        Bridge(
            key=stretch_id,
            source_network_key=network.key,
            destination_segment_key=segment.key,
            destination_network_key=far_network.key,
            mesh_key=appliance.mesh.key,
            appliance_uids={near.value: plan.appliance_uid, far.value: peer_uid},
            created_us=world.now_us,
            mon=plan.mon,
        )
    )
    refresh(world, bridge)


def _destination_segment(world: World, network: VcNetwork, plan: Extending, stretch_id: str) -> Segment:
    """Return the segment at the far end with its gateway off: the one of the same subnet, else a new one."""
    far = network.site.other
    interface = IPv4Interface(f"{plan.gateway}/{plan.netmask}")
    domain = str(network.properties.get("domain", network.name))
    _mark(world, network, domain)
    segment = segment_for(world, far, interface.network)
    if segment is not None:
        _mark(world, world.network_of_segment(segment), domain)
        change_segment(world, segment, connectivity="OFF")
        return segment
    name = new_segment_name(network.name, stretch_id)
    fixed = world.site(far).nsx_flavour == "vmc"
    return create_segment(
        world,
        far,
        name,
        name,
        fixed=fixed,
        gateway_cidr=str(interface),
        connectivity="OFF",
        domain=domain,
        hcx_created=True,
    )


def _mark(world: World, network: VcNetwork, domain: str) -> None:
    """Note that a network belongs to a subnet that both sites carry; the oracle keeps the pair together."""
    if network.properties.get("domain") != domain:
        world.update(network, properties={**network.properties, "domain": domain})
