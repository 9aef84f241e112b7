"""The service's own objects: who the vCenter is, its managers, views, collectors and tasks."""

from __future__ import annotations

from functools import cache
from typing import Any

from pyVmomi import vim, vmodl

from hcx_sim.engine.clock import to_datetime
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.inventory import Inventory, managed_type
from hcx_sim.vcenter.selection import view_members
from hcx_sim.vcenter.singletons import CONTENT
from hcx_sim.vcenter.state import Collector, Filter, Session, TaskRecord, View
from hcx_sim.vcenter.versions import offered
from hcx_sim.world.model import Placement

_LOCALE = "en"


def identity_suffix(inventory: Inventory) -> str:
    """Return what tells a client that this is a simulation, and whether it plays a site or a twin."""
    return f"[hcx-sim world={inventory.world.world_id} role={inventory.world.role}]"


def about(inventory: Inventory) -> Any:
    """Return who this vCenter says it is."""
    site = inventory.identity
    full = f"VMware vCenter Server {site.vcenter_version} build-{site.vcenter_build} {identity_suffix(inventory)}"
    return vim.AboutInfo(
        name="VMware vCenter Server",
        fullName=full,
        vendor="VMware, Inc.",
        version=site.vcenter_version,
        build=site.vcenter_build,
        localeVersion="INTL",
        localeBuild="000",
        osType="linux-x64",
        productLineId="vpx",
        apiType="VirtualCenter",
        apiVersion=offered(site.vcenter_version)[0],
        instanceUuid=site.vcenter_instance_uuid,
        licenseProductName="VMware VirtualCenter Server",
        licenseProductVersion=site.vcenter_version.partition(".")[0] + ".0",
    )


def product_info(inventory: Inventory, host: Placement) -> Any:
    """Return a host's product information."""
    version = str(host.properties.get("version", inventory.identity.vcenter_version))
    build = str(host.properties.get("build", inventory.identity.vcenter_build))
    return vim.AboutInfo(
        name="VMware ESXi",
        fullName=f"VMware ESXi {version} build-{build}",
        vendor="VMware, Inc.",
        version=version,
        build=build,
        localeVersion="INTL",
        localeBuild="000",
        osType="vmnix-x86",
        productLineId="embeddedEsx",
        apiType="HostAgent",
        apiVersion=version,
        licenseProductName="VMware ESX Server",
        licenseProductVersion=version.partition(".")[0] + ".0",
    )


@provides("ServiceInstance", "content")
def service_content(inventory: Inventory, _record: Any) -> Any:
    """Return the entrance to everything."""
    managers = {name: managed_type(kind)(moref) for name, (moref, kind) in CONTENT.items()}
    root = vim.Folder(inventory.root_id())
    return vim.ServiceInstanceContent(rootFolder=root, about=about(inventory), **managers)


@provides("ServiceInstance", "serverClock")
def _server_clock(inventory: Inventory, _record: Any) -> Any:
    return to_datetime(inventory.world.now_us)


@provides("ServiceInstance", "capability")
def _capability(_inventory: Inventory, _record: Any) -> Any:
    return vim.Capability(provisioningSupported=True, multiHostSupported=True, userShellAccessSupported=False)


# Sessions --------------------------------------------------------------------------------------------------


def session_info(session: Session) -> Any:
    """Return a log-in as vSphere shows it."""
    return vim.UserSession(
        key=session.key,
        userName=session.username,
        fullName=session.username,
        loginTime=to_datetime(session.login_us),
        lastActiveTime=to_datetime(session.last_used_virtual_us),
        locale=_LOCALE,
        messageLocale=_LOCALE,
        extensionSession=False,
        ipAddress=session.client,
        userAgent=session.agent,
        callCount=session.calls,
    )


@provides("SessionManager", "sessionList")
def _session_list(inventory: Inventory, _record: Any) -> Any:
    return [session_info(session) for session in inventory.state.sessions.values()]


@provides("SessionManager", "currentSession")
def _current_session(inventory: Inventory, _record: Any) -> Any:
    key = inventory.session_key
    mine = (session for session in inventory.state.sessions.values() if key and session.key == key)
    return next((session_info(session) for session in mine), None)


@provides("SessionManager", "message")
def _message(inventory: Inventory, _record: Any) -> Any:
    return inventory.state.message or None


@provides("SessionManager", "defaultLocale")
def _default_locale(_inventory: Inventory, _record: Any) -> Any:
    return _LOCALE


@provides("SessionManager", "supportedLocaleList", "messageLocaleList")
def _locales(_inventory: Inventory, _record: Any) -> Any:
    return [_LOCALE]


# Views and collectors --------------------------------------------------------------------------------------


@provides("ViewManager", "viewList")
def _view_list(inventory: Inventory, _record: Any) -> Any:
    mine = (view for view in inventory.state.views.values() if view.session_key == inventory.session_key)
    return [managed_type(view.kind)(view.view_id) for view in mine]


@provides("ContainerView", "view")
@provides("ListView", "view")
def _view(inventory: Inventory, view: View) -> Any:
    return [found.reference for found in view_members(inventory, view)]


@provides("ContainerView", "container")
def _container(inventory: Inventory, view: View) -> Any:
    return inventory.reference(view.container_id)


@provides("ContainerView", "type")
def _view_types(_inventory: Inventory, view: View) -> Any:
    return [managed_type(name) for name in view.types]


@provides("ContainerView", "recursive")
def _recursive(_inventory: Inventory, view: View) -> Any:
    return view.recursive


@provides("PropertyCollector", "filter")
def _filters(_inventory: Inventory, record: Any) -> Any:
    filters = record.filters if isinstance(record, Collector) else {}
    return [vmodl.query.PropertyCollector.Filter(name) for name in filters]


@provides("PropertyFilter", "spec")
def _filter_spec(_inventory: Inventory, record: Filter) -> Any:
    return record.spec


@provides("PropertyFilter", "partialUpdates")
def _partial(_inventory: Inventory, _record: Filter) -> Any:
    return False


# Tasks -----------------------------------------------------------------------------------------------------


@provides("TaskManager", "recentTask")
def _recent_tasks(inventory: Inventory, _record: Any) -> Any:
    return [vim.Task(task.task_id) for task in inventory.state.tasks.values() if not task.over]


@provides("TaskManager", "maxCollector")
def _max_collector(_inventory: Inventory, _record: Any) -> Any:
    return 32


@provides("Task", "info.state")
def _task_state(_inventory: Inventory, task: TaskRecord) -> Any:
    return vim.TaskInfo.State(task.state)


@provides("Task", "info.progress")
def _task_progress(_inventory: Inventory, task: TaskRecord) -> Any:
    return task.progress


@provides("Task", "info.error")
def _task_error(_inventory: Inventory, task: TaskRecord) -> Any:
    return task.error


@provides("Task", "info.result")
def _task_result(_inventory: Inventory, task: TaskRecord) -> Any:
    return task.result


@cache
def _method(type_name: str, wire_name: str) -> Any:
    kind = managed_type(type_name)
    for info in kind._GetMethodList():
        if info.wsdlName == wire_name:
            return getattr(kind, info.name[0].upper() + info.name[1:])
    return None


@provides("Task", "info")
def task_info(inventory: Inventory, task: TaskRecord) -> Any:
    """Return a whole task."""
    entity = inventory.find(task.entity_id)
    return vim.TaskInfo(
        key=task.task_id,
        task=vim.Task(task.task_id),
        description=vmodl.LocalizableMessage(key=task.description_id, message=task.description_id),
        name=_method(entity.type_name, task.method) if entity is not None else None,
        descriptionId=task.description_id,
        entity=entity.reference if entity is not None and entity.type_name != "VirtualMachineSnapshot" else None,
        entityName=task.entity_name,
        state=vim.TaskInfo.State(task.state),
        cancelled=task.cancelled,
        cancelable=task.cancelable,
        error=task.error,
        result=task.result,
        progress=task.progress,
        reason=vim.TaskReasonUser(userName=task.username),
        queueTime=to_datetime(task.queued_us),
        startTime=None if task.started_us is None else to_datetime(task.started_us),
        completeTime=None if task.completed_us is None else to_datetime(task.completed_us),
        eventChainId=int(task.task_id.rpartition("-")[2]),
    )


# Snapshots -------------------------------------------------------------------------------------------------


@provides("VirtualMachineSnapshot", "vm")
def _snapshot_vm(_inventory: Inventory, record: Any) -> Any:
    return vim.VirtualMachine(record.vm.moref)


@provides("VirtualMachineSnapshot", "childSnapshot")
def _child_snapshots(_inventory: Inventory, record: Any) -> Any:
    below = (each for each in record.vm.snapshots if each.parent_moref == record.moref)
    return [vim.vm.Snapshot(each.moref) for each in below]
