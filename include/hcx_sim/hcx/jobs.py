"""Jobs: what ``/jobs`` shows of site pairing and network extension. [D+C hcx 6]

Progress follows from the times when a job is read. A failed job says ``isDone`` or not, as
``settings.hcx.failed_job_is_done`` has it (hcx 9.7). The manager's own records of jobs, stages of work and their
faults belong to the modules that start jobs.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import MICROSECONDS, seconds, to_ms
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.state import Job, state_of
from hcx_sim.hcx.wire import HcxError, json_response
from hcx_sim.http.context import call_of
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

ENTERPRISE = "HybridityAdmin"
_EXPIRES_AFTER_SECONDS = 86_400
_MOST_BEFORE_END = 99

coverage.fields(
    "job",
    ("jobId", "enterprise", "organization", "username", "isQueued", "isCancelled", "isRolledBack", "createTimeEpoch",
     "absoluteExpireTimeEpoch", "startTime", "endTime", "percentComplete", "isDone", "didFail", "timeToExecute",
     "jobData", "errorMessage", "state"),
    Confidence.CONFIRMED, "XWM TF AVS PCLI",
    "errorMessage and state are known from PowerCLI; their spelling on the wire is inferred",
)  # fmt: skip
coverage.states(
    "job flags", ("isQueued", "isCancelled", "isRolledBack", "isDone", "didFail"), Confidence.CONFIRMED, "XWM TF",
    "whether a failed job sets isDone is a switch [? hcx 9.7]",
)  # fmt: skip
coverage.states(
    "job state", ("RUNNING", "DONE", "FAILED"), Confidence.GUESSED, "PCLI", "the field is known, its values are not"
)


def start_job(world: World, site: SiteName, kind: str, username: str, lasts_seconds: float) -> Job:
    """Record a new job of a manager that should last so long; its starter ends it with :func:`end_job`."""
    job_id = world.random.uuid(f"hcx.job/{site}")
    expected_us = world.now_us + seconds(lasts_seconds)
    job = Job(job_id, kind, username, created_us=world.now_us, expected_us=expected_us)
    state_of(world).jobs[site][job_id] = job
    world.audit.add("note", f"hcx.job:{job_id}", site=site.value, job=kind, state="started")
    return job


def end_job(world: World, job: Job, error_message: str = "") -> None:
    """End a job, as failed when there is an error message."""
    job.ended_us = world.now_us
    job.failed = bool(error_message)
    job.error_message = error_message
    outcome = {"error": error_message} if error_message else {}
    state = "failed" if error_message else "done"
    world.audit.add("note", f"hcx.job:{job.job_id}", job=job.kind, state=state, **outcome)


def find_job(world: World, job_id: str) -> Job:
    """Return a job of either manager; an unknown id raises :class:`KeyError`."""
    for jobs in state_of(world).jobs.values():
        if job_id in jobs:
            return jobs[job_id]
    raise KeyError(job_id)


def percent(created_us: int, expected_us: int, ended_us: int | None, now_us: int, *, failed: bool) -> int:
    """Return how much of a job or task is done, by its times; only a successful end gives 100."""
    if ended_us is not None and not failed:
        return 100
    reached_us = now_us if ended_us is None else ended_us
    span_us = max(1, expected_us - created_us)
    return max(0, min(_MOST_BEFORE_END, (reached_us - created_us) * 100 // span_us))


def job_item(world: World, job: Job) -> dict[str, Any]:
    """Return a job as the wire shows it; times in epoch milliseconds, ``timeToExecute`` in milliseconds."""
    ended = job.ended_us is not None
    done = ended and (not job.failed or world.settings.hcx.failed_job_is_done)
    item: dict[str, Any] = {
        "jobId": job.job_id,
        "enterprise": ENTERPRISE,
        "organization": ENTERPRISE,
        "username": job.username,
        "isQueued": False,
        "isCancelled": False,
        "isRolledBack": False,
        "createTimeEpoch": to_ms(job.created_us),
        "absoluteExpireTimeEpoch": to_ms(job.created_us + _EXPIRES_AFTER_SECONDS * MICROSECONDS),
        "startTime": to_ms(job.created_us),
        "endTime": to_ms(job.ended_us) if job.ended_us is not None and done else 0,
        "percentComplete": percent(job.created_us, job.expected_us, job.ended_us, world.now_us, failed=job.failed),
        "isDone": done,
        "didFail": job.failed,
        "timeToExecute": to_ms(job.ended_us - job.created_us) if job.ended_us is not None else 0,
        "state": "FAILED" if job.failed else "DONE" if done else "RUNNING",
        "jobData": dict(job.data),
    }
    if job.error_message:
        item["errorMessage"] = job.error_message
    return item


@coverage.route(app, "GET", f"{API}/jobs/{{job_id}}", "jobs.get", Confidence.CONFIRMED, "XWM TF AVS")
async def get_job(request: Request) -> Response:
    """Return a job of this manager; an unknown id is answered with 404 [I hcx 6]."""
    authenticated(request)
    call = call_of(request)
    job = state_of(call.world).jobs[call.here].get(request.path_params["job_id"])
    if job is None:
        raise HcxError(404, "The job does not exist.", code="JOB_NOT_FOUND")
    return json_response(job_item(call.world, job))
