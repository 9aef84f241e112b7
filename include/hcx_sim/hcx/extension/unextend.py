"""Unextending a network: a job that takes the bridge down and, when asked, connects the destination gateway.

The bridge goes down after ``settings.hcx.unextend_bridge_share`` of the job. The product has no guard against VMs that
are still at the source, nor against a source gateway that is still connected. [D+C hcx 5.4]

Fault points (object: name of the network): ``extension.unextend`` before the bridge goes down (*fail* fails the job
and leaves the extension as it was, *delay* prolongs, *stall* leaves the job running for ever); ``extension.connect``
before the destination is connected (*fail* fails the job, the extension is gone and the destination stays isolated;
*delay*, *stall*: the record stays listed).
"""

from __future__ import annotations

from hcx_sim.engine.clock import MICROSECONDS, seconds
from hcx_sim.faults.rules import FaultRule
from hcx_sim.hcx.appliances import vm_of
from hcx_sim.hcx.extension.records import destination_network, ends_of, name_of, refresh, source_network
from hcx_sim.hcx.jobs import end_job, find_job, start_job
from hcx_sim.hcx.state import Extension, Job, state_of
from hcx_sim.hcx.wire import HcxError
from hcx_sim.scenario.networking import unplug
from hcx_sim.world.model import Bridge, SiteName
from hcx_sim.world.operations import change_segment
from hcx_sim.world.world import World

CUT, END = "hcx.unextend_cut", "hcx.unextend_end"
CUT_POINT, CONNECT_POINT = "extension.unextend", "extension.connect"


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""

    def cut(stretch_id: str, connect: bool, struck: bool) -> None:
        _cut(world, stretch_id, connect=connect, struck=struck)

    def end(stretch_id: str, connect: bool, struck: bool) -> None:
        _end(world, stretch_id, connect=connect, struck=struck)

    world.engine.on(CUT, cut)
    world.engine.on(END, end)


def start(world: World, site: SiteName, bridge: Bridge, record: Extension, username: str, *, connect: bool) -> Job:
    """Start to unextend and return the job; raises :class:`HcxError` 400 while another unextend runs on it."""
    name = name_of(world, bridge)
    if record.job_id:
        raise HcxError(400, f"Another operation is in progress on network extension {name}.", code="EXTENSION_BUSY")
    lasts_seconds = world.settings.hcx.unextend_seconds.draw(world.random.stream(f"unextend/{name}"))
    job = start_job(world, site, "DeleteNetworkExtension", username, lasts_seconds)
    record.job_id = job.job_id
    cut_after_seconds = lasts_seconds * world.settings.hcx.unextend_bridge_share
    world.engine.schedule(cut_after_seconds, CUT, name, stretch_id=bridge.key, connect=connect, struck=False)
    return job


def _cut(world: World, stretch_id: str, *, connect: bool, struck: bool) -> None:
    bridge, record = world.bridges[stretch_id], state_of(world).extensions[stretch_id]
    job = find_job(world, record.job_id)
    name = name_of(world, bridge)
    rule = None if struck else world.faults.strike_engine(CUT_POINT, name, ends_of(bridge)[0].value)
    if rule is not None:
        if rule.behaviour == "fail":
            record.job_id = ""
            end_job(world, job, rule.message or f"Failed to unextend network {name}: the appliance did not answer")
        elif rule.behaviour == "delay":
            _postpone(world, job, rule, CUT, name, stretch_id, connect=connect)
        return
    record.cut = True
    refresh(world, bridge)
    _unplug(world, bridge)
    rest_seconds = max(0, job.expected_us - world.now_us) / MICROSECONDS
    world.engine.schedule(rest_seconds, END, name, stretch_id=stretch_id, connect=connect, struck=False)


def _postpone(world: World, job: Job, rule: FaultRule, kind: str, name: str, stretch_id: str, *, connect: bool) -> None:
    job.expected_us += seconds(rule.seconds)
    world.engine.schedule(rule.seconds, kind, name, stretch_id=stretch_id, connect=connect, struck=True)


def _unplug(world: World, bridge: Bridge) -> None:
    for site_name, uid in bridge.appliance_uids.items():
        near = site_name == ends_of(bridge)[0].value
        network = source_network(world, bridge) if near else destination_network(world, bridge)
        vm = vm_of(world, uid)
        if vm is not None and network is not None:
            unplug(world, vm, network)


def _end(world: World, stretch_id: str, *, connect: bool, struck: bool) -> None:
    bridge, record = world.bridges[stretch_id], state_of(world).extensions[stretch_id]
    job = find_job(world, record.job_id)
    name = name_of(world, bridge)
    rule = None
    if connect and not struck:
        rule = world.faults.strike_engine(CONNECT_POINT, name, ends_of(bridge)[1].value)
    if rule is not None and rule.behaviour != "fail":
        if rule.behaviour == "delay":
            _postpone(world, job, rule, END, name, stretch_id, connect=connect)
        return
    del state_of(world).extensions[stretch_id]
    world.remove(bridge)
    problem = "" if not connect else _connect(world, bridge, rule)
    end_job(world, job, problem and f"Failed to connect the destination of {name}: {problem}")


def _connect(world: World, bridge: Bridge, rule: FaultRule | None) -> str:
    """Connect the destination segment to its gateway; return what went wrong, an empty string if nothing."""
    segment = world.segments.get(bridge.destination_segment_key)
    if segment is None:
        return "the destination segment does not exist"
    if rule is not None:
        return rule.message or "the gateway did not accept the change"
    tier1_path = f"/infra/tier-1s/{world.site(segment.site).tier1_id}"
    path = segment.connectivity_path or tier1_path
    change_segment(world, segment, connectivity="ON", connectivity_path=path)
    return ""
