"""Interconnect tasks. [D+C hcx 6]

A task is queued, runs and ends; its progress and that of its steps follow from the times when it is read.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import seconds, to_ms
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_int
from hcx_sim.hcx.jobs import percent
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.state import Task, state_of
from hcx_sim.hcx.wire import HcxError, json_response
from hcx_sim.http.context import call_of
from hcx_sim.world.model import Mesh, SiteName
from hcx_sim.world.world import World

TASKS = f"{API}/interconnect/tasks"
QUEUED, RUNNING, SUCCESS, FAILED = "QUEUED", "RUNNING", "SUCCESS", "FAILED"
QUEUE_SECONDS = 2.0
_PAGE_SIZE = 100

coverage.states("interconnect task status", (QUEUED, RUNNING, SUCCESS, FAILED), Confidence.CONFIRMED, "PCLI TF AVS")
coverage.fields(
    "interconnect task",
    ("interconnectTaskId", "entityDetails", "type", "status", "progress", "message", "errorMessage", "startTime",
     "endTime", "request", "response", "steps"),
    Confidence.CONFIRMED, "PCLI TF AVS", "values of type are guesses; the list's paging is inferred",
)  # fmt: skip


def start_task(
    world: World,
    site: SiteName,
    kind: str,
    entity: tuple[str, str, str],
    step_titles: tuple[str, ...],
    lasts_seconds: float,
    request: dict[str, Any] | None = None,
) -> Task:
    """Record a new task on ``entity`` (type, id, name) that should last so long after a short wait in the queue."""
    task_id = world.random.uuid(f"hcx.task/{site}")
    starts_us = world.now_us + seconds(QUEUE_SECONDS)
    task = Task(
        task_id=task_id,
        kind=kind,
        entity_type=entity[0],
        entity_id=entity[1],
        entity_name=entity[2],
        step_titles=step_titles,
        created_us=world.now_us,
        starts_us=starts_us,
        expected_us=starts_us + seconds(lasts_seconds),
        request=request or {},
    )
    state_of(world).tasks[site][task_id] = task
    world.audit.add("note", f"hcx.task:{task_id}", site=site.value, task=kind, entity=entity[2], state="started")
    return task


def end_task(world: World, task: Task, error_message: str = "") -> None:
    """End a task, as failed when there is an error message."""
    task.ended_us = world.now_us
    task.failed = bool(error_message)
    task.error_message = error_message
    outcome = {"error": error_message} if error_message else {}
    state = "failed" if error_message else "done"
    world.audit.add("note", f"hcx.task:{task.task_id}", task=task.kind, entity=task.entity_name, state=state, **outcome)


def find_task(world: World, task_id: str) -> Task:
    """Return a task of either manager; an unknown id raises :class:`KeyError`."""
    for tasks in state_of(world).tasks.values():
        if task_id in tasks:
            return tasks[task_id]
    raise KeyError(task_id)


def record_deployment(world: World, mesh: Mesh) -> None:
    """Record, at both managers, the finished task by which a mesh came to be before the world began."""
    for site in SiteName:
        task_id = deployment_task_id(world, mesh, site)
        then_us = world.now_us - seconds(86_400)
        state_of(world).tasks[site][task_id] = Task(
            task_id=task_id,
            kind="CREATE_SERVICE_MESH",
            entity_type="ServiceMesh",
            entity_id=mesh.key,
            entity_name=mesh.name,
            step_titles=("Validate", "Deploy appliances", "Build tunnels"),
            created_us=then_us,
            starts_us=then_us,
            expected_us=then_us + seconds(900),
            ended_us=then_us + seconds(900),
        )


def deployment_task_id(world: World, mesh: Mesh, site: SiteName) -> str:
    """Return the id of the task by which a mesh came to be."""
    return world.random.stable_uuid(f"task/{site}/{mesh.key}")


def status_of(world: World, task: Task) -> str:
    """Return the status of a task at this moment."""
    if task.ended_us is not None:
        return FAILED if task.failed else SUCCESS
    return QUEUED if world.now_us < task.starts_us else RUNNING


def task_item(world: World, task: Task) -> dict[str, Any]:
    """Return a task as the wire shows it; times in epoch milliseconds."""
    progress = percent(task.starts_us, task.expected_us, task.ended_us, world.now_us, failed=task.failed)
    status = status_of(world, task)
    return {
        "interconnectTaskId": task.task_id,
        "entityDetails": {"id": task.entity_id, "type": task.entity_type, "name": task.entity_name},
        "type": task.kind,
        "status": status,
        "progress": progress,
        "message": f"{task.kind} of {task.entity_name}",
        "errorMessage": task.error_message,
        "startTime": to_ms(task.starts_us),
        "endTime": to_ms(task.ended_us) if task.ended_us is not None else 0,
        "request": task.request,
        "response": {"id": task.entity_id} if status == SUCCESS else {},
        "steps": _steps(task, status, progress),
    }


def _steps(task: Task, status: str, progress: int) -> list[dict[str, Any]]:
    """Return the steps, each with its even share of the task's progress."""
    count = len(task.step_titles)
    done = count if status == SUCCESS else progress * count // 100
    steps = []
    for number, title in enumerate(task.step_titles):
        step_status = SUCCESS if number < done else QUEUED if number > done or status == QUEUED else status
        errors = [{"message": task.error_message}] if step_status == FAILED else []
        share = {SUCCESS: 100, QUEUED: 0}.get(step_status, progress * count % 100)
        steps.append(
            {
                "title": title,
                "status": step_status,
                "progress": share,
                "message": "",
                "children": [],
                "errors": errors,
                "warnings": [],
            }
        )
    return steps


@coverage.route(app, "GET", f"{TASKS}/{{task_id}}", "interconnect.tasks.get", Confidence.CONFIRMED, "PCLI TF AVS")
async def get_task(request: Request) -> Response:
    """Return a task of this manager; an unknown id is answered with 404 [I hcx 6]."""
    authenticated(request)
    call = call_of(request)
    task = state_of(call.world).tasks[call.here].get(request.path_params["task_id"])
    if task is None:
        raise HcxError(404, "The interconnect task does not exist.", code="TASK_NOT_FOUND")
    return json_response(task_item(call.world, task))


@coverage.route(app, "GET", TASKS, "interconnect.tasks.list", Confidence.INFERRED, "PCLI", "paging by offset, pageSize")
async def list_tasks(request: Request) -> Response:
    """List the tasks of this manager, newest first."""
    authenticated(request)
    call = call_of(request)
    query = parse_qs(call.query)
    offset = max(0, as_int(query.get("offset", ["0"])[0]))
    size = max(1, as_int(query.get("pageSize", [""])[0], _PAGE_SIZE))
    tasks = sorted(state_of(call.world).tasks[call.here].values(), key=lambda task: (-task.created_us, task.task_id))
    items = [task_item(call.world, task) for task in tasks[offset : offset + size]]
    paging = {"offset": offset, "pageSize": size, "totalSize": len(tasks)}
    return json_response({"items": items, "paging": paging})
