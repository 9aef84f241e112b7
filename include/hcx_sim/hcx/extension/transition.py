"""Moving active extensions to other appliances, as 9.x can: ``POST /l2NetworkExtensions/transition``. [D hcx 5.6]

The target is ready before the traffic moves, so only the moment of the change is lost. An appliance is a cluster of
one here: no scenario has HA groups.

Fault point ``extension.transition`` (object: name of the network): *fail* leaves the extension where it was, *delay*
prolongs, *stall* leaves the transition running for ever.
"""

from __future__ import annotations

from hcx_sim.engine.clock import seconds
from hcx_sim.hcx.appliances import NETWORK_EXTENSION, Appliance, appliance_by_id, extension_count, troubles, vm_of
from hcx_sim.hcx.extension.records import destination_network, ends_of, name_of, refresh, source_network
from hcx_sim.hcx.extension.rules import SERVICE
from hcx_sim.hcx.jobs import end_job, find_job, start_job
from hcx_sim.hcx.state import Extension, Job, state_of
from hcx_sim.hcx.wire import HcxError
from hcx_sim.scenario.networking import plug, unplug
from hcx_sim.world.model import Bridge, SiteName
from hcx_sim.world.world import World

MOVE, END = "hcx.transition_move", "hcx.transition_end"
FAULT_POINT = "extension.transition"


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""

    def move(stretch_id: str, struck: bool) -> None:
        _move(world, stretch_id, struck=struck)

    world.engine.on(MOVE, move)
    world.engine.on(END, lambda stretch_id: _end(world, stretch_id))


def start(world: World, site: SiteName, bridge: Bridge, record: Extension, target_id: str, username: str) -> Job:
    """Start to move an extension to another appliance and return the job, which no answer names.

    Raises :class:`HcxError` 400 when the extension or the target cannot do it. [I hcx 5.6]
    """
    name = name_of(world, bridge)
    target = _target(world, bridge, target_id)
    if record.job_id:
        raise HcxError(400, f"Another operation is in progress on network extension {name}.", code="EXTENSION_BUSY")
    if not bridge.up:
        raise HcxError(400, f"Network extension {name} is not active.", code="EXTENSION_NOT_ACTIVE")
    lasts_seconds = world.settings.hcx.transition_seconds.draw(world.random.stream(f"transition/{name}"))
    job = start_job(world, site, "TransitionNetworkExtension", username, lasts_seconds)
    record.job_id, record.moving_to = job.job_id, target.appliance_id
    world.engine.schedule(lasts_seconds, MOVE, name, stretch_id=bridge.key, struck=False)
    return job


def _target(world: World, bridge: Bridge, target_id: str) -> Appliance:
    near = ends_of(bridge)[0]
    target = appliance_by_id(world, target_id, near)
    if target is None or target.kind != NETWORK_EXTENSION:
        message = f"Cluster {target_id or '(none)'} of network extension appliances was not found at this site."
        raise HcxError(400, message, code="CLUSTER_NOT_FOUND")
    if target.uid == bridge.appliance_uids.get(near.value):
        raise HcxError(400, f"The network extension is on appliance {target.uid} already.", code="SAME_CLUSTER")
    if problem := _obstacle(world, target):
        raise HcxError(400, problem, code="CLUSTER_NOT_USABLE")
    return target


def _obstacle(world: World, target: Appliance) -> str:
    """Return why an appliance cannot take one more extension, an empty string when it can."""
    most = world.settings.hcx.extensions_per_appliance
    if extension_count(world, target.uid) >= most:
        return f"Appliance {target.uid} already carries the maximum of {most} network extensions."
    if SERVICE not in target.mesh.services or target.peer_uid is None:
        return f"Appliance {target.uid} has no peer that extends networks."
    return next(iter(troubles(world, target)), "")


def _move(world: World, stretch_id: str, *, struck: bool) -> None:
    bridge, record = world.bridges[stretch_id], state_of(world).extensions[stretch_id]
    job = find_job(world, record.job_id)
    name, near = name_of(world, bridge), ends_of(bridge)[0]
    rule = None if struck else world.faults.strike_engine(FAULT_POINT, name, near.value)
    if rule is not None and rule.behaviour == "stall":
        return
    if rule is not None and rule.behaviour == "delay":
        job.expected_us += seconds(rule.seconds)
        world.engine.schedule(rule.seconds, MOVE, name, stretch_id=stretch_id, struck=True)
        return
    target = appliance_by_id(world, record.moving_to, near)
    record.moving_to = ""
    if rule is not None:
        problem = rule.message or "the target appliance did not answer"
    else:
        problem = "the target appliance is gone" if target is None else _obstacle(world, target)
    if problem or target is None:
        record.job_id = ""
        end_job(world, job, f"Failed to move network extension {name}: {problem}")
        return
    record.moving = True
    _rewire(world, bridge, target)
    refresh(world, bridge)
    world.engine.schedule(world.settings.hcx.transition_loss_seconds, END, name, stretch_id=stretch_id)


def _rewire(world: World, bridge: Bridge, target: Appliance) -> None:
    """Take the old pair of appliances off both networks and put the new one on."""
    near, far = ends_of(bridge)
    uids = {near.value: target.uid, far.value: target.peer_uid or ""}
    for site, network in ((near, source_network(world, bridge)), (far, destination_network(world, bridge))):
        old, new = vm_of(world, bridge.appliance_uids.get(site.value)), vm_of(world, uids[site.value])
        if network is not None and old is not None:
            unplug(world, old, network)
        if network is not None and new is not None:
            plug(world, new, network)
    world.update(bridge, appliance_uids=uids, mesh_key=target.mesh.key)


def _end(world: World, stretch_id: str) -> None:
    bridge, record = world.bridges[stretch_id], state_of(world).extensions[stretch_id]
    job = find_job(world, record.job_id)
    record.job_id, record.moving = "", False
    refresh(world, bridge)
    end_job(world, job)
