"""The fault scenarios there are."""

from __future__ import annotations

import random
from typing import Any

from hcx_sim.faults.rules import FaultRule
from hcx_sim.faults.scenarios import FaultScenario, NamedFault, Strike
from hcx_sim.world.model import Datastore, Mesh, Power, SiteName, VmRole
from hcx_sim.world.world import World

_GIB = 1024**3


def _running_vms(world: World) -> list[str]:
    return [
        vm.name
        for vm in world.vms.values()
        if vm.site is SiteName.SOURCE
        and vm.role is VmRole.WORKLOAD
        and vm.power is Power.ON
        and not (vm.template or vm.retired)
    ]


def _stretched(world: World) -> list[str]:
    return [world.networks[bridge.source_network_key].name for bridge in world.bridges.values()]


def _meshes_up(world: World) -> list[str]:
    return [mesh.name for mesh in world.meshes.values() if mesh.tunnel_up]


def _mesh_names(world: World) -> list[str]:
    return [mesh.name for mesh in world.meshes.values()]


def _datastore_names(world: World) -> list[str]:
    return [datastore.name for datastore in _at_destination(world)]


def _at_destination(world: World) -> list[Datastore]:
    return [each for each in world.datastores.values() if each.site is SiteName.DESTINATION]


def _meshes(world: World, strike: Strike) -> list[Mesh]:
    return [mesh for mesh in world.meshes.values() if mesh.name in strike.objects]


def _lose_switchover(world: World, strike: Strike) -> None:
    hcx = world.settings.hcx
    lost = [*hcx.tracker_lost_entities, *strike.objects]
    changed = hcx.model_copy(update={"tracker_lost_entities": lost})
    world.settings = world.settings.model_copy(update={"hcx": changed})


def _fail(world: World, strike: Strike, point: str) -> None:
    for number, name in enumerate(strike.objects):
        rule = FaultRule(
            rule_id=f"{strike.scenario}-{strike.number}-{number}",
            product="engine",
            call=point,
            object=name,
            exact=True,
            count=strike.detail.get("times"),
            behaviour="fail",
            seconds=strike.detail.get("fails_after_seconds", 0.0),
        )
        world.faults.add(rule)


def _fail_switchover(world: World, strike: Strike) -> None:
    _fail(world, strike, "migration.switchover")


def _fail_unextend(world: World, strike: Strike) -> None:
    _fail(world, strike, "extension.unextend")


def _tunnel_down(world: World, strike: Strike) -> None:
    for mesh in _meshes(world, strike):
        world.update(mesh, tunnel_up=False)


def _tunnel_up(world: World, strike: Strike) -> None:
    for mesh in _meshes(world, strike):
        world.update(mesh, tunnel_up=True)


def _slow_down(world: World, strike: Strike) -> None:
    for mesh in _meshes(world, strike):
        strike.kept[mesh.key] = mesh.link_bits_per_second
        world.update(mesh, link_bits_per_second=mesh.link_bits_per_second * strike.detail["factor"])


def _speed_up(world: World, strike: Strike) -> None:
    for mesh in _meshes(world, strike):
        world.update(mesh, link_bits_per_second=strike.kept.get(mesh.key, mesh.link_bits_per_second))


def _fill(world: World, strike: Strike) -> None:
    for datastore in _at_destination(world):
        if datastore.name in strike.objects:
            left = min(datastore.free_bytes, int(strike.detail["free_gb"] * _GIB))
            strike.kept[datastore.key] = datastore.free_bytes - left
            world.update(datastore, free_bytes=left)


def _drain(world: World, strike: Strike) -> None:
    for key, taken in strike.kept.items():
        datastore = world.datastores.get(key)
        if datastore is not None:
            world.update(datastore, free_bytes=min(datastore.capacity_bytes, datastore.free_bytes + taken))


def _refuse(world: World, strike: Strike) -> None:
    for site in strike.objects:
        rule_id = f"{strike.scenario}-{strike.number}-{site}"
        rule = {"rule_id": rule_id, "product": "vcenter", "site": site, "behaviour": "refuse"}
        world.faults.add(FaultRule.model_validate(rule))


def _accept(world: World, strike: Strike) -> None:
    for site in strike.objects:
        rule_id = f"{strike.scenario}-{strike.number}-{site}"
        if any(rule["rule_id"] == rule_id for rule in world.faults.listing()):
            world.faults.remove(rule_id)


def _failure(fault: NamedFault, stream: random.Random) -> dict[str, Any]:
    return {"times": fault.times, "fails_after_seconds": float(stream.randint(20, 90))}


def _job_failure(fault: NamedFault, _stream: random.Random) -> dict[str, Any]:
    return {"times": fault.times or 1}


def _slowness(fault: NamedFault, stream: random.Random) -> dict[str, Any]:
    drawn = round(stream.uniform(0.2, 0.6), 2)
    return {"factor": fault.factor or drawn}


def _space(fault: NamedFault, _stream: random.Random) -> dict[str, Any]:
    return {"free_gb": fault.free_gb or 0.0}


_VMS = "running workload VMs of the source"
_LINK = "service meshes"

_ALL = (
    FaultScenario(
        name="stuck-switchover",
        description="The scheduled switchover of a VM never fires until it is rescheduled or the HCX services are"
        " restarted (KB 321654). Migrations without a switchover schedule are not struck.",
        objects=_VMS,
        candidates=_running_vms,
        begin=_lose_switchover,
    ),
    FaultScenario(
        name="failing-switchover",
        description="The switchover of a VM fails after 20 to 90 seconds and rolls back to the source; every time, or"
        " so many times.",
        objects=_VMS,
        candidates=_running_vms,
        begin=_fail_switchover,
        parameters=frozenset({"times"}),
        draw=_failure,
    ),
    FaultScenario(
        name="tunnel-down",
        description="The tunnel of a service mesh goes down in the night and comes back: transfers stand, its"
        " extensions carry nothing, switchovers fail. Default: for 10 to 60 minutes, half an hour to six hours after"
        " the world's start.",
        objects="service meshes whose tunnel is up",
        candidates=_meshes_up,
        begin=_tunnel_down,
        end=_tunnel_up,
        timed=True,
        lasts_seconds=(600.0, 3600.0),
    ),
    FaultScenario(
        name="unextend-fails",
        description="Unextending a network fails and leaves the extension as it was; once, or so many times.",
        objects="extended networks of the source",
        candidates=_stretched,
        begin=_fail_unextend,
        parameters=frozenset({"times"}),
        draw=_job_failure,
    ),
    FaultScenario(
        name="destination-full",
        description="The datastores of the destination have no space left (free_gb of it): HCX's validation says how"
        " much is free and how much is needed; with at, those whose transfer begins later fail as they do not fit."
        " Lasts until the end unless seconds are given.",
        objects="datastores of the destination",
        candidates=_datastore_names,
        begin=_fill,
        end=_drain,
        parameters=frozenset({"free_gb"}),
        count=None,
        timed=True,
        draw=_space,
    ),
    FaultScenario(
        name="slow-link",
        description="The links of all service meshes carry 20 to 60 % of their bandwidth (factor), from the start to"
        " the end unless at and seconds are given.",
        objects=_LINK,
        candidates=_mesh_names,
        begin=_slow_down,
        end=_speed_up,
        parameters=frozenset({"factor"}),
        count=None,
        timed=True,
        draw=_slowness,
    ),
    FaultScenario(
        name="vcenter-flaps",
        description="The vCenter of a site refuses connections two to four times, for 5 to 40 virtual seconds each;"
        " a switchover that is under way then fails. Clients have to wait in virtual time before they try again.",
        objects="sites (source, destination)",
        candidates=lambda _world: [site.value for site in SiteName],
        begin=_refuse,
        end=_accept,
        timed=True,
        lasts_seconds=(5.0, 40.0),
        strikes=(2, 4),
    ),
)

FAULT_SCENARIOS: dict[str, FaultScenario] = {scenario.name: scenario for scenario in _ALL}
