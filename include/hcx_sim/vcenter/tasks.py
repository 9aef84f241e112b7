"""Tasks: queued, running with progress, then success or error, each step an event of the engine.

An operation checks the state twice, as vCenter does: when its task starts and when it acts. A failed check is the
task's error, a typed fault. Fault points: ``vcenter.task.<operation>``, asked when the task starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.faults import Faulted, named, object_not_found, request_canceled, task_in_progress
from hcx_sim.vcenter.inventory import Found, Inventory, managed_type
from hcx_sim.vcenter.registry import Context
from hcx_sim.vcenter.state import TaskRecord, state_of
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

START = "vcenter.task_start"
PROGRESS = "vcenter.task_progress"
DONE = "vcenter.task_done"
POINT = "vcenter.task."
_STEPS = (25, 50, 75)


@dataclass(slots=True)
class Job:
    """What an operation gets: the inventory, the object and the task with its arguments."""

    inventory: Inventory
    target: Found
    task: TaskRecord

    @property
    def world(self) -> World:
        """The world."""
        return self.inventory.world

    @property
    def entity(self) -> Any:
        """The world's entity behind the object."""
        return self.target.record

    def argument(self, name: str) -> Any:
        """Return an argument of the method."""
        return self.task.arguments[name]


Check = Callable[[Job], None]
Act = Callable[[Job], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of task."""

    name: str
    check: Check | None
    act: Act
    cancelable: bool


_OPERATIONS: dict[str, Operation] = {}


def operation(name: str, check: Check | None = None, *, cancelable: bool = False) -> Callable[[Act], Act]:
    """Register what a task does when it is done; ``check`` raises ``Faulted`` when the state does not allow it."""

    def register(act: Act) -> Act:
        _OPERATIONS[name] = Operation(name, check, act, cancelable)
        return act

    return register


def fault_points() -> tuple[str, ...]:
    """Return the points at which engine faults may strike, one per operation."""
    return tuple(f"{POINT}{name}" for name in sorted(_OPERATIONS))


def install(world: World) -> None:
    """Register the event handlers in a new world."""
    for kind, handler in ((START, _start), (PROGRESS, _progress), (DONE, _done)):
        world.engine.on(kind, _bound(world, handler))


def _bound(world: World, handler: Callable[..., None]) -> Callable[..., None]:
    def run(site: str, task_id: str, **more: Any) -> None:
        task = state_of(world, SiteName(site)).tasks[task_id]
        if not task.over:
            handler(world, SiteName(site), task, **more)

    return run


def run_task(context: Context, name: str, target: Found | None = None) -> Any:
    """Queue a task for the called method and return its reference; the audit gets object, task and operation."""
    found = target or context.target
    arguments = context.arguments
    task = _new(context.world, context.inventory, found, name, context.method, context.caller.username)
    task.arguments = arguments
    task.cancelable = _OPERATIONS[name].cancelable
    context.call.summary = {"object": found.object_id, "name": task.entity_name, "task": task.task_id}
    delay_seconds = context.world.settings.vcenter.task_queue_seconds
    _schedule(context.world, context.inventory.site, task, delay_seconds, START)
    return vim.Task(task.task_id)


def _new(world: World, inventory: Inventory, found: Found, name: str, method: str, username: str) -> TaskRecord:
    task = TaskRecord(
        task_id=f"task-{inventory.state.next_id('task', first=101)}",
        operation=name,
        description_id=f"{found.type_name}.{method[0].lower()}{method[1:].removesuffix('_Task')}",
        method=method,
        entity_id=found.object_id,
        entity_name=str(getattr(found.record, "name", "")),
        username=username,
        queued_us=world.now_us,
    )
    inventory.state.tasks[task.task_id] = task
    inventory.state.changes.touch(task.task_id, task.entity_id, structure=True)
    return task


def _schedule(world: World, site: SiteName, task: TaskRecord, seconds: float, kind: str, **more: Any) -> None:
    name = f"{site}/{task.task_id}"
    world.engine.schedule(seconds, kind, name, site=site.value, task_id=task.task_id, **more)


def _changed(inventory: Inventory, task: TaskRecord) -> None:
    inventory.state.changes.touch(task.task_id, task.entity_id)


def _job(world: World, site: SiteName, task: TaskRecord) -> Job:
    inventory = Inventory(world, site)
    found = inventory.find(task.entity_id)
    if found is None:
        raise object_not_found(managed_type("ManagedEntity")(task.entity_id))
    return Job(inventory, found, task)


def _start(world: World, site: SiteName, task: TaskRecord) -> None:
    inventory = Inventory(world, site)
    task.state, task.started_us, task.progress = "running", world.now_us, 0
    try:
        _check(_job(world, site, task))
    except Faulted as error:
        _finish(inventory, task, error=error.fault)
        return
    inventory.state.running.setdefault(task.entity_id, []).append(task.task_id)
    _changed(inventory, task)
    rule = world.faults.strike_engine(f"{POINT}{task.operation}", task.entity_name, site.value)
    if rule is not None and rule.behaviour == "stall":
        return
    stream = world.random.stream(f"vcenter-task/{task.operation}/{task.entity_name}")
    duration_seconds = world.settings.vcenter.task_seconds.draw(stream)
    if rule is not None and rule.behaviour == "delay":
        duration_seconds += rule.seconds
    for percent in _STEPS:
        _schedule(world, site, task, duration_seconds * percent / 100, PROGRESS, percent=percent)
    injected = None if rule is None or rule.behaviour != "fail" else [rule.code or "SystemError", rule.message]
    _schedule(world, site, task, duration_seconds, DONE, injected=injected)


def _check(job: Job) -> None:
    for other in job.inventory.state.running.get(job.task.entity_id, ()):
        if other != job.task.task_id:
            raise task_in_progress(vim.Task(other))
    check = _OPERATIONS[job.task.operation].check
    if check is not None:
        check(job)


def _progress(world: World, site: SiteName, task: TaskRecord, percent: int) -> None:
    task.progress = percent
    _changed(Inventory(world, site), task)


def _done(world: World, site: SiteName, task: TaskRecord, injected: list[str] | None) -> None:
    inventory = Inventory(world, site)
    if injected is not None:
        _finish(inventory, task, error=named(injected[0], injected[1]))
        return
    try:
        job = _job(world, site, task)
        _check(job)
        result = _OPERATIONS[task.operation].act(job)
    except Faulted as error:
        _finish(inventory, task, error=error.fault)
    else:
        _finish(inventory, task, result=result)


def _finish(inventory: Inventory, task: TaskRecord, result: Any = None, error: Any = None) -> None:
    task.state = "success" if error is None else "error"
    task.progress = None if error is not None else 100
    task.completed_us = inventory.world.now_us
    task.result, task.error, task.cancelable = result, error, False
    unfinished = [each for each in inventory.state.running.get(task.entity_id, ()) if each != task.task_id]
    if unfinished:
        inventory.state.running[task.entity_id] = unfinished
    else:
        inventory.state.running.pop(task.entity_id, None)
    data = {"operation": task.operation, "object": task.entity_id, "name": task.entity_name, "state": task.state}
    if error is not None:
        data["fault"] = type(error)._wsdlName
    inventory.world.audit.add("note", f"vcenter-task:{inventory.site}/{task.task_id}", **data)
    _changed(inventory, task)


def cancel(inventory: Inventory, task: TaskRecord) -> None:
    """End a task early with RequestCanceled."""
    task.cancelled = True
    _finish(inventory, task, error=request_canceled().fault)


def begin_external(world: World, site: SiteName, vm_moref: str, method: str, username: str) -> str:
    """Show a task that another product runs on a VM (``RelocateVM_Task``); return its id.

    While it runs, operations of this vCenter on the same VM end with TaskInProgress.
    """
    inventory = Inventory(world, site)
    found = inventory.find(vm_moref)
    if found is None:
        raise KeyError(vm_moref)
    task = _new(world, inventory, found, "external", method, username)
    task.state, task.started_us, task.progress = "running", world.now_us, 0
    inventory.state.running.setdefault(vm_moref, []).append(task.task_id)
    return task.task_id


def end_external(world: World, site: SiteName, task_id: str, error_message: str | None = None) -> None:
    """End a task of :func:`begin_external`; one that is over already stays as it is."""
    inventory = Inventory(world, site)
    task = inventory.state.tasks[task_id]
    if not task.over:
        _finish(inventory, task, error=None if error_message is None else named("GenericVmConfigFault", error_message))
