"""What tasks do to meshes and appliances: resync, redeploy, delete. [D+C hcx 6]

A redeployment interrupts the layer 2 traffic of its appliance [D hcx 7]. When an appliance VM was deleted behind the
product's back, a resync fails and leaves the mesh in ``UPDATE_FAILED``; only a forced delete clears it, in about three
minutes, on the initiating site. [C hcx 7]
"""

from __future__ import annotations

from hcx_sim.hcx.appliances import Appliance, appliance_by_id, appliances, vm_of
from hcx_sim.hcx.extension.records import refresh, source_network
from hcx_sim.hcx.interconnect.tasks import end_task, find_task, start_task
from hcx_sim.hcx.mobility.mobility import mobility_of
from hcx_sim.hcx.state import Task, state_of
from hcx_sim.hcx.wire import HcxError
from hcx_sim.world.model import Bridge, Mesh, SiteName
from hcx_sim.world.world import World

RESYNC_DONE, DELETE_DONE = "hcx.resync_done", "hcx.mesh_delete_done"
REDEPLOY_BEGIN, REDEPLOY_DONE = "hcx.redeploy_begin", "hcx.redeploy_done"
FAULT_POINT = "interconnect.task"
RESYNC_SECONDS, DELETE_SECONDS, REDEPLOY_SECONDS = 60.0, 180.0, 300.0
IN_SERVICE_SECONDS = 2.0  # how long an in-service redeployment interrupts, guessed
_LEGACY_SHARE = 0.3  # of a legacy redeployment passes before the old appliance goes
LEGACY, IN_SERVICE = "legacy", "inService"


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""
    world.engine.on(RESYNC_DONE, lambda mesh_id, task_id: _resync_done(world, mesh_id, task_id))
    world.engine.on(DELETE_DONE, lambda mesh_id, task_id, force: _delete_done(world, mesh_id, task_id, force=force))
    world.engine.on(REDEPLOY_BEGIN, lambda uid: _interrupt(world, uid, begins=True))
    world.engine.on(REDEPLOY_DONE, lambda uid, task_id: _redeploy_done(world, uid, task_id))


def extensions_of(world: World, mesh: Mesh) -> list[Bridge]:
    """Return the extensions that a mesh carries."""
    return [bridge for bridge in world.bridges.values() if bridge.mesh_key == mesh.key]


def _use_of(world: World, mesh: Mesh) -> str:
    """Return why a mesh cannot be deleted, an empty string when nothing uses it."""
    if extensions_of(world, mesh):
        return "network extensions use its appliances"
    running = sorted(each.entity_name for each in mobility_of(world).store.active() if each.known.mesh_key == mesh.key)
    return f"migrations run on it ({', '.join(running[:3])}; {len(running)} in all)" if running else ""


def resync(world: World, site: SiteName, mesh: Mesh) -> Task:
    """Start to resync a mesh."""
    steps = ("Check appliances", "Push configuration", "Rebuild tunnels")
    entity = ("ServiceMesh", mesh.key, mesh.name)
    task = start_task(world, site, "RESYNC_SERVICE_MESH", entity, steps, RESYNC_SECONDS)
    after_seconds = (task.expected_us - world.now_us) / 1e6
    world.engine.schedule(after_seconds, RESYNC_DONE, mesh.name, mesh_id=mesh.key, task_id=task.task_id)
    return task


def _resync_done(world: World, mesh_id: str, task_id: str) -> None:
    task, mesh = find_task(world, task_id), world.meshes.get(mesh_id)
    if mesh is None:
        end_task(world, task, "The service mesh does not exist any more.")
        return
    missing = [each.uid for each in appliances(world) if each.mesh is mesh and vm_of(world, each.uid) is None]
    problem = f"Appliance VM {missing[0]} was not found in the inventory." if missing else struck(world, mesh.name)
    world.update(mesh, state="UPDATE_FAILED" if problem else "COMMITTED")
    end_task(world, task, problem)


def struck(world: World, name: str) -> str:
    """Return the message of the fault that strikes a task, an empty string when none does."""
    rule = world.faults.strike_engine(FAULT_POINT, name)
    return "" if rule is None else rule.message or "The operation failed on the appliance."


def delete_mesh(world: World, site: SiteName, mesh: Mesh, *, force: bool) -> Task:
    """Start to delete a mesh; raises :class:`HcxError` 409 while extensions or migrations use it [I hcx 7]."""
    if use := _use_of(world, mesh):
        raise HcxError(409, f"Service mesh {mesh.name} cannot be deleted: {use}.", code="MESH_IN_USE")
    steps = ("Remove tunnels", "Delete appliances")
    entity = ("ServiceMesh", mesh.key, mesh.name)
    task = start_task(world, site, "DELETE_SERVICE_MESH", entity, steps, DELETE_SECONDS, {"force": force})
    after_seconds = (task.expected_us - world.now_us) / 1e6
    payload = {"mesh_id": mesh.key, "task_id": task.task_id, "force": force}
    world.engine.schedule(after_seconds, DELETE_DONE, mesh.name, **payload)
    return task


def _delete_done(world: World, mesh_id: str, task_id: str, *, force: bool) -> None:
    task, mesh = find_task(world, task_id), world.meshes.get(mesh_id)
    if mesh is None:
        end_task(world, task, "The service mesh does not exist any more.")
        return
    mine = [each for each in appliances(world) if each.mesh is mesh]
    missing = [each.uid for each in mine if vm_of(world, each.uid) is None]
    if use := _use_of(world, mesh):
        end_task(world, task, f"Service mesh {mesh.name} cannot be deleted: {use}.")
        return
    if missing and not force:
        world.update(mesh, state="UPDATE_FAILED")
        end_task(world, task, f"Appliance VM {missing[0]} was not found in the inventory.")
        return
    world.remove(mesh)
    for appliance in mine:
        vm = vm_of(world, appliance.uid)
        if vm is not None:
            world.remove(vm)
    end_task(world, task)


def redeploy(world: World, appliance: Appliance, *, in_service: bool) -> Task:
    """Start to replace an appliance; legacy interrupts for most of the task, in service for seconds.

    In service fails at once when an extended port group uses ephemeral binding. [D hcx 7]
    """
    if vm_of(world, appliance.uid) is None:
        message = f"Appliance VM {appliance.uid} was not found in the inventory."
        raise HcxError(400, message, code="APPLIANCE_MISSING")
    method = IN_SERVICE if in_service else LEGACY
    steps = ("Deploy new appliance", "Switch over", "Delete old appliance")
    entity = ("Appliance", appliance.appliance_id, appliance.uid)
    kind = "REDEPLOY_APPLIANCE"
    task = start_task(world, appliance.site, kind, entity, steps, REDEPLOY_SECONDS, {"method": method})
    after_seconds = (task.expected_us - world.now_us) / 1e6
    if not (in_service and _ephemeral_networks(world, appliance.uid)):
        lead_seconds = IN_SERVICE_SECONDS if in_service else after_seconds * (1 - _LEGACY_SHARE)
        world.engine.schedule(after_seconds - lead_seconds, REDEPLOY_BEGIN, appliance.uid, uid=appliance.uid)
    world.engine.schedule(after_seconds, REDEPLOY_DONE, appliance.uid, uid=appliance.uid, task_id=task.task_id)
    return task


def _ephemeral_networks(world: World, uid: str) -> list[str]:
    carried = [bridge for bridge in world.bridges.values() if uid in bridge.appliance_uids.values()]
    networks = [network for bridge in carried if (network := source_network(world, bridge)) is not None]
    return [network.name for network in networks if network.port_binding == "ephemeral"]


def _interrupt(world: World, uid: str, *, begins: bool) -> None:
    """Take the bridges of an appliance down, or bring them back."""
    for bridge in list(world.bridges.values()):
        record = state_of(world).extensions.get(bridge.key)
        if record is not None and uid in bridge.appliance_uids.values():
            (record.redeploying.add if begins else record.redeploying.discard)(uid)
            refresh(world, bridge)


def _redeploy_done(world: World, uid: str, task_id: str) -> None:
    task = find_task(world, task_id)
    _interrupt(world, uid, begins=False)
    appliance = appliance_by_id(world, task.entity_id)
    ephemeral = _ephemeral_networks(world, uid) if task.request.get("method") == IN_SERVICE else []
    if appliance is None or vm_of(world, uid) is None:
        end_task(world, task, f"Appliance VM {uid} was not found in the inventory.")
    elif ephemeral:
        end_task(world, task, f"In-service redeployment failed: port group {ephemeral[0]} uses ephemeral binding.")
    else:
        end_task(world, task, struck(world, uid))
