"""Creating a service mesh: a task that deploys its appliances at both sites. [C hcx 6]"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hcx_sim.hcx.body import as_int, as_list, as_text, section
from hcx_sim.hcx.interconnect.operations import struck
from hcx_sim.hcx.interconnect.tasks import end_task, find_task, start_task
from hcx_sim.hcx.state import Task, state_of
from hcx_sim.hcx.wire import HcxError
from hcx_sim.scenario.networking import appliance_uid, management_nic
from hcx_sim.world.model import Disk, Mesh, Placement, Power, SiteName, Vm, VmRole
from hcx_sim.world.world import World

DEPLOYED = "hcx.mesh_deployed"
DEPLOY_SECONDS = 600.0
MOST_EXTENSION_APPLIANCES = 32
_DEFAULT_KBPS = 1_000_000
_APPLIANCE_DISK_BYTES = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class Plan:
    """A mesh to be made: its services, its extension appliances per site, its uplink and its compute profiles."""

    name: str
    services: tuple[str, ...]
    extension_appliances: int
    kbps: int
    profiles: tuple[str, ...] = ()


def service_names(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the services that a body asks for."""
    entries = as_list(body.get("services"))
    return tuple(as_text(each.get("name") if isinstance(each, dict) else each) for each in entries)


def plan_of(body: Mapping[str, Any]) -> Plan:
    """Read a body whose services have been checked; raises :class:`HcxError` 400 for impossible numbers."""
    services = service_names(body)
    pairs = [each for each in as_list(body.get("switchPairCount")) if isinstance(each, dict)]
    wanted = sum(as_int(each.get("l2cApplianceCount"), 1) for each in pairs) if pairs else 1
    if not 0 <= wanted <= MOST_EXTENSION_APPLIANCES:
        message = f"l2cApplianceCount must be between 0 and {MOST_EXTENSION_APPLIANCES}."
        raise HcxError(400, message, code="BAD_REQUEST")
    kbps = as_int(section(body, "wanoptConfig").get("uplinkMaxBandwidth"))
    appliances = wanted if "NETWORK_EXTENSION" in services else 0
    named = [each for each in as_list(body.get("computeProfiles")) if isinstance(each, dict)]
    profiles = tuple(as_text(each.get("computeProfileId")) for each in named)
    return Plan(as_text(body.get("name")), services, appliances, kbps if kbps > 0 else _DEFAULT_KBPS, profiles)


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""

    def deployed(task_id: str, plan: dict[str, Any]) -> None:
        _deployed(world, find_task(world, task_id), Plan(**plan))

    world.engine.on(DEPLOYED, deployed)


def deploy(world: World, site: SiteName, plan: Plan) -> Task:
    """Start to create a mesh; raises :class:`HcxError` 400 when the name is in use."""
    if _name_in_use(world, plan.name):
        raise HcxError(400, f"A service mesh called {plan.name} exists already.", code="DUPLICATE_NAME")
    mesh_id = f"servicemesh-{world.random.uuid('hcx.mesh')}"
    steps = ("Validate", "Deploy appliances", "Build tunnels")
    entity = ("ServiceMesh", mesh_id, plan.name)
    task = start_task(world, site, "CREATE_SERVICE_MESH", entity, steps, DEPLOY_SECONDS)
    payload = {
        "name": plan.name,
        "services": plan.services,
        "extension_appliances": plan.extension_appliances,
        "kbps": plan.kbps,
        "profiles": plan.profiles,
    }
    world.engine.schedule_at(task.expected_us, DEPLOYED, plan.name, task_id=task.task_id, plan=payload)
    return task


def _name_in_use(world: World, name: str) -> bool:
    return any(mesh.name == name for mesh in world.meshes.values())


def _deployed(world: World, task: Task, plan: Plan) -> None:
    problem = f"A service mesh called {plan.name} exists already." if _name_in_use(world, plan.name) else ""
    problem = problem or struck(world, plan.name)
    if not problem:
        _keep_profiles(world, task.entity_id, plan)
        world.put(_mesh(world, task.entity_id, plan))
    end_task(world, task, problem)


def _keep_profiles(world: World, mesh_id: str, plan: Plan) -> None:
    """Remember the compute profiles that a mesh was made with, as far as they were made by a client."""
    state = state_of(world)
    known = {site: state.compute_profiles[site].keys() & set(plan.profiles) for site in SiteName}
    state.mesh_profiles[mesh_id] = {site: min(found) for site, found in known.items() if found}


def _mesh(world: World, mesh_id: str, plan: Plan) -> Mesh:
    """Deploy the appliances and return the mesh that they make."""
    mesh = Mesh(mesh_id, plan.name, list(plan.services), plan.kbps * 1000.0)
    for site in SiteName:
        mesh.ix_vm_uids[site.value] = _appliance(world, site, plan.name, "IX", 1)
        numbers = range(1, plan.extension_appliances + 1)
        mesh.ne_vm_uids[site.value] = [_appliance(world, site, plan.name, "NE", number) for number in numbers]
    return mesh


def _appliance(world: World, site: SiteName, mesh_name: str, kind: str, number: int) -> str:
    """Put an appliance VM into the first cluster of a site and return its workload id."""
    uid = appliance_uid(mesh_name, site, kind, number)
    moref = world.next_moref("vm", site)
    mac = "00:50:56:" + world.random.stream(f"mac/{uid}").randbytes(3).hex(":")
    datastore = next(store for store in world.datastores.values() if store.site is site)
    disk = Disk(2000, "Hard disk 1", _APPLIANCE_DISK_BYTES, _APPLIANCE_DISK_BYTES // 2, datastore.moref)
    world.put(
        Vm(
            key=f"{site}/{moref}",
            uid=uid,
            site=site,
            moref=moref,
            name=uid,
            instance_uuid=world.random.uuid(f"instance/{uid}"),
            bios_uuid=world.random.uuid(f"bios/{uid}"),
            power=Power.ON,
            role=VmRole.HCX_APPLIANCE,
            template=False,
            folder_moref=_workload_folder(world, site).moref,
            pool_moref=_last(world, site, "ResourcePool").moref,
            host_moref=_last(world, site, "HostSystem").moref,
            cluster_moref=_last(world, site, "ClusterComputeResource").moref,
            datacenter_moref=_last(world, site, "Datacenter").moref,
            guest_id="other3xLinux64Guest",
            guest_name="Other 3.x or later Linux (64-bit)",
            host_name=uid,
            num_cpu=8,
            memory_mb=4096,
            hardware_version="vmx-19",
            nics=[management_nic(mac)],
            disks=[disk],
        )
    )
    world.update(datastore, free_bytes=max(0, datastore.free_bytes - disk.used_bytes))
    return uid


def _last(world: World, site: SiteName, type_name: str) -> Placement:
    return [p for p in world.placements.values() if p.site is site and p.type_name == type_name][-1]


def _workload_folder(world: World, site: SiteName) -> Placement:
    folders = [p for p in world.placements.values() if p.site is site and p.type_name == "Folder"]
    return next(p for p in reversed(folders) if "VirtualMachine" in p.properties.get("child_type", []))
