"""Compute profiles and network profiles: what meshes and appliances name by id, and what clients make. [C hcx 6]

A mesh uses the compute profiles that it was made with, else one of its own per site, on the site's own network profile;
what a mesh uses cannot be deleted. What clients make is kept as it was sent; a mesh is deployed all the same wherever
that says.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_list, as_text, body_of, section
from hcx_sim.hcx.interconnect.mesh_items import compute_profile_id, compute_profile_name, switches_of
from hcx_sim.hcx.interconnect.tasks import end_task, find_task, start_task
from hcx_sim.hcx.jobs import end_job, find_job, start_job
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.state import state_of
from hcx_sim.hcx.wire import HcxError, Style, json_response, legacy, newer
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.model import Mesh, SiteName
from hcx_sim.world.world import World

COMPUTE = f"{API}/interconnect/computeProfiles"
NETWORKS = f"{API}/networks"
COMPUTE_DONE, NETWORK_DONE = "hcx.compute_profile_done", "hcx.network_profile_done"
_SECONDS = 10.0
_TAGS = ["management", "uplink", "vmotion", "replication"]
_CONFIRMED = Confidence.CONFIRMED
_KEPT = ("name", "compute", "services", "deploymentContainer", "networks", "switches")
_NETWORK_KEPT = ("name", "description", "backings", "ipScopes", "mtu", "l3TenantManaged", "ownedBySystem")

coverage.fields(
    "compute profile", ("computeProfileId", "state", *_KEPT), _CONFIRMED, "TF", "kept as sent; not checked by a mesh"
)
coverage.fields("network profile", ("objectId", *_NETWORK_KEPT), _CONFIRMED, "TF LAMW", "kept as sent")


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""

    def compute_done(site: str, task_id: str, profile_id: str, body: dict[str, Any] | None) -> None:
        _store(state_of(world).compute_profiles[SiteName(site)], profile_id, body)
        end_task(world, find_task(world, task_id))

    def network_done(site: str, job_id: str, profile_id: str, body: dict[str, Any] | None) -> None:
        _store(state_of(world).network_profiles[SiteName(site)], profile_id, body)
        end_job(world, find_job(world, job_id))

    world.engine.on(COMPUTE_DONE, compute_done)
    world.engine.on(NETWORK_DONE, network_done)


def _store(profiles: dict[str, dict[str, Any]], profile_id: str, body: dict[str, Any] | None) -> None:
    if body is None:
        profiles.pop(profile_id, None)
    else:
        profiles[profile_id] = body


# Compute profiles ------------------------------------------------------------------------------------------


def _own_compute(world: World, mesh: Mesh, site: SiteName) -> dict[str, Any]:
    facts = world.site(site)
    vcenter = {"cmpId": facts.vcenter_instance_uuid, "cmpName": facts.vcenter_name, "cmpType": "VC"}
    clusters = [
        {**vcenter, "id": each.moref, "name": each.name, "type": each.type_name}
        for each in world.placements.values()
        if each.site is site and each.type_name == "ClusterComputeResource"
    ]
    stores = [
        {**vcenter, "id": each.moref, "name": each.name, "type": "Datastore"}
        for each in world.datastores.values()
        if each.site is site
    ]
    network = _own_network(world, site)
    used = {
        "id": network["objectId"],
        "name": network["name"],
        "tags": _TAGS,
        "staticRoutes": [],
        "status": {"state": "REALIZED"},
    }
    return {
        "computeProfileId": compute_profile_id(world, mesh, site),
        "name": compute_profile_name(world, mesh, site),
        "compute": clusters,
        "services": [{"name": name} for name in mesh.services],
        "deploymentContainer": {
            "compute": clusters[:1],
            "storage": stores[:1],
            "cpuReservation": 0,
            "memoryReservation": 0,
        },
        "networks": [used],
        "state": "VALID",
        "switches": switches_of(world, site),
    }


def compute_profiles(world: World, site: SiteName) -> list[dict[str, Any]]:
    """Return the compute profiles of a site: those of the meshes, and those that clients made."""
    given = state_of(world).mesh_profiles
    own = [_own_compute(world, mesh, site) for mesh in world.meshes.values() if site not in given.get(mesh.key, {})]
    made = state_of(world).compute_profiles[site]
    return [*own, *({"computeProfileId": key, "state": "VALID", **body} for key, body in made.items())]


@coverage.route(app, "GET", COMPUTE, "compute_profiles.list", _CONFIRMED, "TF AVS", "endpointId chooses the site")
async def list_compute_profiles(request: Request) -> Response:
    """List the compute profiles of this site, or of the endpoint that the query names."""
    authenticated(request)
    call = call_of(request)
    wanted = parse_qs(call.query).get("endpointId", [])
    site = _site_of(call, wanted[0]) if wanted else call.here
    return newer(200, compute_profiles(call.world, site))


def _site_of(call: Call, endpoint_id: str) -> SiteName:
    for site in SiteName:
        if call.world.site(site).hcx_endpoint_id == endpoint_id:
            return site
    raise HcxError(400, f"There is no endpoint {endpoint_id}.", code="UNKNOWN_ENDPOINT")


@coverage.route(app, "POST", COMPUTE, "compute_profiles.create", _CONFIRMED, "TF L911")
async def create_compute_profile(request: Request) -> Response:
    """Start to make a compute profile; the task says when it is there."""
    authenticated(request)
    call = call_of(request)
    body = body_of(call)
    name = as_text(body.get("name"))
    if not name or not as_list(body.get("services")) or not as_list(body.get("compute")):
        raise HcxError(400, "name, compute and services are required.", code="BAD_REQUEST")
    if any(each["name"] == name for each in compute_profiles(call.world, call.here)):
        raise HcxError(400, f"A compute profile called {name} exists already.", code="DUPLICATE_NAME")
    call.summary = {"compute_profile": name}
    profile_id = f"computeProfile-{call.world.random.uuid('hcx.compute_profile')}"
    kept = {each: body[each] for each in _KEPT if each in body}
    return _compute_task(call, "CREATE_COMPUTE_PROFILE", profile_id, name, kept)


@coverage.route(app, "DELETE", f"{COMPUTE}/{{profile_id}}", "compute_profiles.delete", _CONFIRMED, "TF")
async def delete_compute_profile(request: Request) -> Response:
    """Start to delete a compute profile; 409 for one that a service mesh uses [I hcx 6]."""
    authenticated(request)
    call = call_of(request)
    profile_id = request.path_params["profile_id"]
    every = {each["computeProfileId"]: each for each in compute_profiles(call.world, call.here)}
    if profile_id not in every:
        raise HcxError(404, f"Compute profile {profile_id} does not exist.", code="COMPUTE_PROFILE_NOT_FOUND")
    used = {compute_profile_id(call.world, mesh, call.here) for mesh in call.world.meshes.values()}
    if profile_id in used:
        raise HcxError(409, "The compute profile is in use by a service mesh.", code="COMPUTE_PROFILE_IN_USE")
    call.summary = {"compute_profile": every[profile_id]["name"]}
    return _compute_task(call, "DELETE_COMPUTE_PROFILE", profile_id, every[profile_id]["name"], None)


def _compute_task(call: Call, kind: str, profile_id: str, name: str, body: dict[str, Any] | None) -> Response:
    entity = ("ComputeProfile", profile_id, name)
    task = start_task(call.world, call.here, kind, entity, ("Validate", "Apply"), _SECONDS)
    payload = {"site": call.here.value, "task_id": task.task_id, "profile_id": profile_id, "body": body}
    call.world.engine.schedule_at(task.expected_us, COMPUTE_DONE, profile_id, **payload)
    return newer(200, data={"interconnectTaskId": task.task_id, "computeProfileId": profile_id})


# Network profiles ------------------------------------------------------------------------------------------


def _own_network(world: World, site: SiteName) -> dict[str, Any]:
    facts = world.site(site)
    return {
        "objectId": f"network-{world.random.stable_uuid(f'network-profile/{site}')}",
        "name": f"{facts.hcx_endpoint_name}-network",
        "description": "",
        "backings": [
            {
                "backingId": network.moref,
                "backingName": network.name,
                "type": "DistributedVirtualPortgroup",
                "vCenterInstanceUuid": facts.vcenter_instance_uuid,
                "vCenterName": facts.vcenter_name,
            }
            for network in list(world.networks.values())
            if network.site is site and not network.removed
        ][:1],
        "ipScopes": [],
        "mtu": 1500,
        "l3TenantManaged": False,
        "ownedBySystem": True,
    }


def network_profiles(world: World, site: SiteName) -> list[dict[str, Any]]:
    """Return the network profiles of a site: its own, and those that clients made."""
    made = state_of(world).network_profiles[site]
    return [_own_network(world, site), *({"objectId": key, **body} for key, body in made.items())]


@coverage.route(app, "GET", NETWORKS, "network_profiles.list", _CONFIRMED, "AVS", "a bare array, as the query's")
async def list_network_profiles(request: Request) -> Response:
    """List the network profiles of this site."""
    authenticated(request)
    call = call_of(request)
    return json_response(network_profiles(call.world, call.here))


@coverage.route(
    app, "POST", NETWORKS, "network_profiles.query", _CONFIRMED, "TF", "action=queryIpUsage; answers a bare array"
)
async def query_network_profiles(request: Request) -> Response:
    """List the network profiles; other actions are refused."""
    authenticated(request)
    call = call_of(request)
    if parse_qs(call.query).get("action") != ["queryIpUsage"]:
        raise HcxError(400, "Unknown action.", code="BAD_REQUEST", style=Style.LEGACY)
    wanted = section(body_of(call, Style.LEGACY), "filter").get("ownedBySystem")
    found = network_profiles(call.world, call.here)
    if wanted is False:
        found = [each for each in found if not each.get("ownedBySystem")]
    return json_response(found)


@coverage.route(
    app, "POST", "/admin/hybridity/api/networks", "network_profiles.create", _CONFIRMED, "TF LAMW AVS L911",
    "without l3TenantManaged it is a 400 [C hcx 6]",
)  # fmt: skip
async def create_network_profile(request: Request) -> Response:
    """Start to make a network profile; the job says when it is there."""
    session = authenticated(request)
    call = call_of(request)
    body = body_of(call, Style.LEGACY)
    name = as_text(body.get("name"))
    if not name or "l3TenantManaged" not in body or not as_list(body.get("backings")):
        message = "name, backings and l3TenantManaged are required."
        raise HcxError(400, message, code="BAD_REQUEST", style=Style.LEGACY)
    if any(each["name"] == name for each in network_profiles(call.world, call.here)):
        message = f"A network profile called {name} exists already."
        raise HcxError(400, message, code="DUPLICATE_NAME", style=Style.LEGACY)
    profile_id = f"network-{call.world.random.uuid('hcx.network_profile')}"
    return _network_job(call, "CreateNetworkProfile", session.username, profile_id, _kept(body))


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    return {"ownedBySystem": True, **{name: body[name] for name in _NETWORK_KEPT if name in body}}


def _made(call: Call, profile_id: str) -> dict[str, Any]:
    """Return a network profile that a client made; 404 for none, 409 for the one that meshes use [I hcx 6]."""
    made = state_of(call.world).network_profiles[call.here].get(profile_id)
    if made is not None:
        return made
    if profile_id == _own_network(call.world, call.here)["objectId"]:
        text = "The network profile is in use by compute profiles."
        raise HcxError(409, text, code="Network profile in use", style=Style.LEGACY)
    raise HcxError(404, f"Network profile {profile_id} does not exist.", code="Not found", style=Style.LEGACY)


@coverage.route(app, "PUT", f"{NETWORKS}/{{profile_id}}", "network_profiles.update", _CONFIRMED, "TF")
async def update_network_profile(request: Request) -> Response:
    """Start to change a network profile."""
    session = authenticated(request)
    call = call_of(request)
    profile_id = request.path_params["profile_id"]
    body = {**_made(call, profile_id), **_kept(body_of(call, Style.LEGACY))}
    return _network_job(call, "UpdateNetworkProfile", session.username, profile_id, body)


@coverage.route(app, "DELETE", f"{NETWORKS}/{{profile_id}}", "network_profiles.delete", _CONFIRMED, "TF")
async def delete_network_profile(request: Request) -> Response:
    """Start to delete a network profile."""
    session = authenticated(request)
    call = call_of(request)
    profile_id = request.path_params["profile_id"]
    _made(call, profile_id)
    return _network_job(call, "DeleteNetworkProfile", session.username, profile_id, None)


def _network_job(call: Call, kind: str, username: str, profile_id: str, body: dict[str, Any] | None) -> Response:
    job = start_job(call.world, call.here, kind, username, _SECONDS)
    call.summary = {"network_profile": profile_id}
    payload = {"site": call.here.value, "job_id": job.job_id, "profile_id": profile_id, "body": body}
    call.world.engine.schedule(_SECONDS, NETWORK_DONE, profile_id, **payload)
    return legacy(call.world, {"jobId": job.job_id, "objectId": profile_id})
