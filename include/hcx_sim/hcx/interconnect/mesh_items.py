"""Service meshes and appliances as the wire shows them. [D+C hcx 6]"""

from __future__ import annotations

from typing import Any

from hcx_sim.engine.clock import to_ms
from hcx_sim.hcx.appliances import (
    INTERCONNECT,
    NETWORK_EXTENSION,
    Appliance,
    appliance_id_of,
    extension_count,
    mesh_troubles,
    troubles,
)
from hcx_sim.hcx.interconnect.tasks import RUNNING, deployment_task_id, status_of
from hcx_sim.hcx.inventory.entities import DEFAULT_MAX_MTU, SWITCH_TYPE
from hcx_sim.hcx.state import Task, state_of
from hcx_sim.hcx.versions import release
from hcx_sim.world.model import Mesh, SiteName
from hcx_sim.world.world import World

_ON_EXTENSION_APPLIANCE = "NETWORK_EXTENSION"


def compute_profile_id(world: World, mesh: Mesh, site: SiteName) -> str:
    """Return the id of the compute profile that a mesh uses at a site: the one it was made with, else its own."""
    given = state_of(world).mesh_profiles.get(mesh.key, {}).get(site)
    if given is not None:
        return given
    return f"computeProfile-{world.random.stable_uuid(f'profile/{site}/{mesh.key}')}"


def compute_profile_name(world: World, mesh: Mesh, site: SiteName) -> str:
    """Return the name of the compute profile that a mesh uses at a site."""
    made = state_of(world).compute_profiles[site].get(compute_profile_id(world, mesh, site))
    if made is not None:
        return str(made["name"])
    return f"{mesh.name}-profile-{site}"


def status_word(world: World, up: bool) -> str:
    """Return the word for up or down; apart from "up" the words are not published [? hcx 9.6]."""
    word = "up" if up else "down"
    return world.settings.hcx.appliance_states.get(word, word)


def mesh_item(world: World, mesh: Mesh, site: SiteName) -> dict[str, Any]:
    """Return a mesh as the manager of ``site`` shows it."""
    return {
        "serviceMeshId": mesh.key,
        "name": mesh.name,
        "state": mesh.state,
        "isLocalMesh": site is SiteName.SOURCE,
        "updateAvailable": False,
        "computeProfiles": [_profile(world, mesh, each) for each in SiteName],
        "switchPairCount": [_switch_pairs(world, mesh, site)],
        "wanoptConfig": {"uplinkMaxBandwidth": int(mesh.link_bits_per_second // 1000)},
        "trafficEnggCfg": {"isAppPathResiliencyEnabled": False, "isTcpFlowConditioningEnabled": False},
        "services": [{"name": name} for name in mesh.services],
        "backingApplianceType": "OVA",
        "lastTaskDetails": last_task_details(world, mesh, site),
        "status": {"timestamp": to_ms(world.now_us), "services": service_states(world, mesh)},
    }


def _profile(world: World, mesh: Mesh, site: SiteName) -> dict[str, Any]:
    facts = world.site(site)
    return {
        "computeProfileId": compute_profile_id(world, mesh, site),
        "computeProfileName": compute_profile_name(world, mesh, site),
        "endpointId": facts.hcx_endpoint_id,
        "endpointName": facts.hcx_endpoint_name,
    }


def _switch_pairs(world: World, mesh: Mesh, site: SiteName) -> dict[str, Any]:
    count = len(mesh.ne_vm_uids.get(site.value, []))
    return {"switches": switches_of(world, site), "l2cApplianceCount": count}


def switches_of(world: World, site: SiteName) -> list[dict[str, Any]]:
    """Return the distributed switches of a site."""
    return [
        {
            "cmpId": world.site(site).vcenter_instance_uuid,
            "id": placement.moref,
            "name": placement.name,
            "type": SWITCH_TYPE,
            "maxMtu": placement.properties.get("max_mtu", DEFAULT_MAX_MTU),
        }
        for placement in world.placements.values()
        if placement.site is site and placement.type_name == SWITCH_TYPE
    ]


def service_states(world: World, mesh: Mesh) -> list[dict[str, Any]]:
    """Return each service with its status: network extension hangs on its own appliances, the rest on the IX."""
    found = mesh_troubles(world, mesh)
    states = []
    for name in mesh.services:
        reasons = found[NETWORK_EXTENSION if name == _ON_EXTENSION_APPLIANCE else INTERCONNECT]
        states.append({"serviceName": name, "status": status_word(world, not reasons), "reason": list(reasons)})
    return states


def last_task_details(world: World, mesh: Mesh, site: SiteName) -> dict[str, Any]:
    """Return the last task on a mesh; the product may leave it at RUNNING for weeks, which is a switch. [C hcx 7]"""
    tasks = state_of(world).tasks[site]
    on_it = [task for task in tasks.values() if task.entity_id == mesh.key]
    last: Task | None = max(on_it, key=lambda task: (task.created_us, task.task_id), default=None)
    if last is None:
        return {"interconnectTaskId": deployment_task_id(world, mesh, site), "type": "", "status": ""}
    stuck = world.settings.hcx.task_status_stuck
    return {
        "interconnectTaskId": last.task_id,
        "type": last.kind,
        "status": RUNNING if stuck else status_of(world, last),
    }


def appliance_item(world: World, appliance: Appliance) -> dict[str, Any]:
    """Return an appliance; the words of ``overallStatus`` are switches."""
    reasons = troubles(world, appliance)
    peers = []
    if appliance.peer_uid is not None:
        peers.append(
            {
                "applianceId": appliance_id_of(world, appliance.peer_uid),
                "applianceName": appliance.peer_uid,
                "endpointId": world.site(appliance.site.other).hcx_endpoint_id,
            }
        )
    return {
        "applianceId": appliance.appliance_id,
        "applianceName": appliance.uid,
        "applianceType": appliance.kind,
        "endpointId": world.site(appliance.site).hcx_endpoint_id,
        "serviceMeshId": appliance.mesh.key,
        "serviceMeshName": appliance.mesh.name,
        "computeProfileId": compute_profile_id(world, appliance.mesh, appliance.site),
        "networkExtensionCount": extension_count(world, appliance.uid),
        "applianceVersion": _version(world),
        "peerAppliances": peers,
        "status": {"summary": {"overallStatus": status_word(world, not reasons), "reasons": reasons}},
    }


def _version(world: World) -> dict[str, Any]:
    major, minor, patch = (*release(world), 0, 0, 0)[:3]
    build = world.settings.hcx.build
    return {"major": major, "minor": minor, "patch": patch, "build": int(build) if build.isdigit() else build}
