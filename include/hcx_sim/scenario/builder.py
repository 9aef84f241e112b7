"""From a scenario document to a world: infrastructure, networks, stretches and VMs of both sites."""

from __future__ import annotations

from hcx_sim.engine.clock import VirtualClock
from hcx_sim.scenario.history import HISTORY, History
from hcx_sim.scenario.infrastructure import build_site
from hcx_sim.scenario.networking import build_meshes, build_networks, build_stretches
from hcx_sim.scenario.schema import Scenario
from hcx_sim.scenario.workloads import build_vms
from hcx_sim.world import operations
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World


def build_world(scenario: Scenario, world_id: str, role: str, clock: VirtualClock, seed: int | None = None) -> World:
    """Return a complete world without products; ``seed`` overrides the scenario's.

    ``role`` is ``site`` or ``twin``; any other raises :class:`ValueError`.
    """
    if role not in ("site", "twin"):
        raise ValueError(f"a world plays a site or a twin, not {role!r}")
    world = World(world_id, role, scenario.seed if seed is None else seed, scenario.settings, clock)
    operations.install(world)
    world.audit.recording = False
    furniture = {site: build_site(world, site, scenario.site_spec(site)) for site in SiteName}
    build_meshes(world, scenario)
    build_networks(world, scenario)
    build_vms(world, scenario, furniture)
    build_stretches(world, scenario)
    world.products[HISTORY] = History(list(scenario.groups), list(scenario.migrations))
    for rule in scenario.faults:
        world.faults.add(rule)
    world.audit.recording = True
    world.audit.add("note", f"world:{world_id}", scenario=scenario.name, role=role, vms=len(scenario.vms))
    return world
