"""The tasks of a run, grouped into the steps that are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hcx_airflow import names
from hcx_demo.airflow_api import TaskState

# In the order of a run; the steps of a segment are named after the step and the segment.
_TASKS_BY_TITLE = {
    "Plan": (names.RESOLVE_PLAN,),
    "Preflight": (names.RUN_PREFLIGHT,),
    "Approval of the wave": (names.APPROVE_WAVE,),
    "Migration": (names.START_MIGRATIONS, names.AWAIT_MIGRATIONS, names.EVALUATE_MIGRATIONS),
    "Switchover": (names.APPROVE_SWITCHOVER, names.AWAIT_SEEDED, names.RELEASE_SWITCHOVERS),
    "Verification of the VMs": (names.VERIFY_VIRTUAL_MACHINES,),
    "Cutover": (),
    "Conclusion": (names.CONCLUDE_WAVE, names.CONFIRM_OUTCOME),
    "Schedule of the cleanup": (names.SCHEDULE_CLEANUP,),
    "Approval of the cleanup": (names.APPROVE_CLEANUP,),
    "Cleanup": (names.PROVE_SEGMENT_EMPTY, names.DELETE_SOURCE_SEGMENT, names.RENAME_DESTINATION_SEGMENT),
}
_REPORT = "Report"
_TITLES = {task_id: title for title, task_ids in _TASKS_BY_TITLE.items() for task_id in task_ids} | {
    names.WRITE_REPORT: _REPORT
}
_ORDER = list(_TASKS_BY_TITLE)
# What is shown while a task is active; the first one counts if several are.
_ACTIVITIES = {
    names.PROVE_SEGMENT_EMPTY: "proving that the segment is empty",
    names.APPROVE_CUTOVER: "waiting for approval",
    names.DISCONNECT_SOURCE_SEGMENT: "disconnecting the source segment",
    names.UNEXTEND_NETWORK: "requesting the unextend",
    names.AWAIT_UNEXTENDED: "waiting for the unextend",
    names.VERIFY_DESTINATION_ROUTED: "verifying the routing at the destination",
    names.RECONNECT_SOURCE_SEGMENT: "checking whether the source must be reconnected",
    names.START_MIGRATIONS: "starting the mobility group",
    names.AWAIT_MIGRATIONS: "waiting for HCX",
    names.EVALUATE_MIGRATIONS: "evaluating the migrations",
    names.DELETE_SOURCE_SEGMENT: "deleting the source segment",
    names.RENAME_DESTINATION_SEGMENT: "renaming the destination segment",
}
# The states of tasks in Airflow.
AWAITING_INPUT = "awaiting_input"
_ACTIVE = frozenset({"running", "deferred", "queued", "scheduled", "up_for_retry", "up_for_reschedule", "restarting"})
_FAILED = frozenset({"failed", "upstream_failed"})
_WITHOUT_WORK = frozenset({"skipped", "removed"})
_WAITS = frozenset(
    value for name, value in vars(names).items() if name.startswith(("AWAIT_", "APPROVE_")) and isinstance(value, str)
)


class StepState(StrEnum):
    """The state of a step."""

    AHEAD = "ahead"
    RUNNING = "running"
    ASKING = "asking"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


FINAL_STATES = frozenset({StepState.DONE, StepState.SKIPPED, StepState.FAILED})


@dataclass(frozen=True)
class Step:
    """One step of a run.

    :param detail: the current activity.
    """

    title: str
    state: StepState
    detail: str
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """Its duration in wall seconds; None until it has ended."""
        if self.began_at is None or self.ended_at is None or self.state not in FINAL_STATES:
            return None
        return (self.ended_at - self.began_at).total_seconds()


def fold(tasks: Iterable[TaskState]) -> tuple[Step, ...]:
    """Return the steps of a run in their order."""
    groups: dict[str, list[TaskState]] = {}
    for task in tasks:
        groups.setdefault(_title_of(task.task_id), []).append(task)
    return tuple(_step(title, groups[title]) for title in sorted(groups, key=_rank))


def own_seconds(tasks: Sequence[TaskState]) -> tuple[float, float]:
    """Return the wall seconds of a run so far, and the part that was not spent waiting for the sites or for people."""
    begun = [(task, task.began_at) for task in tasks if task.began_at is not None]
    if not begun:
        return 0.0, 0.0
    first = min(began for _, began in begun)
    last = max(task.ended_at or began for task, began in begun)
    waits = sorted((began, task.ended_at or last) for task, began in begun if _name_of(task.task_id) in _WAITS)
    waited, covered = 0.0, first
    for began, ended in waits:
        waited += max(0.0, (ended - max(began, covered)).total_seconds())
        covered = max(covered, ended)
    total = (last - first).total_seconds()
    return total, total - waited


def _name_of(task_id: str) -> str:
    return task_id.rpartition(".")[2]


def _title_of(task_id: str) -> str:
    group, _, name = task_id.rpartition(".")
    for prefix, word in ((names.CUTOVER_GROUP_PREFIX, "Cutover"), (names.CLEANUP_GROUP_PREFIX, "Cleanup")):
        if group.startswith(prefix):
            return f"{word} of {group.removeprefix(prefix)}"
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _rank(title: str) -> tuple[int, str]:
    kind = title.partition(" of ")[0] if title not in _ORDER else title
    if title == _REPORT:
        return len(_ORDER) + 1, title
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER)), title


def _step(title: str, tasks: Sequence[TaskState]) -> Step:
    state = _state(tasks)
    ended = [task.ended_at for task in tasks if task.ended_at is not None]
    return Step(
        title=title,
        state=state,
        detail=_detail(tasks, state),
        began_at=min((task.began_at for task in tasks if task.began_at is not None), default=None),
        ended_at=max(ended) if ended and state in FINAL_STATES else None,
    )


def _state(tasks: Sequence[TaskState]) -> StepState:
    states = {task.state for task in tasks}
    if AWAITING_INPUT in states:
        return StepState.ASKING
    if states & _ACTIVE:
        return StepState.RUNNING
    if None in states:
        # For a moment between two tasks, none is active.
        return StepState.RUNNING if states - {None} else StepState.AHEAD
    if "failed" in states:
        return StepState.FAILED
    worked = states - _WITHOUT_WORK - _FAILED
    if "upstream_failed" in states or not worked:
        return StepState.SKIPPED
    return StepState.DONE


def _detail(tasks: Sequence[TaskState], state: StepState) -> str:
    names = [_name_of(task.task_id) for task in tasks if task.state in _ACTIVE or task.state == AWAITING_INPUT]
    if state is StepState.FAILED:
        failed = sorted(_name_of(task.task_id) for task in tasks if task.state == "failed")
        return f"{', '.join(failed)} failed"
    retries = max((task.try_number for task in tasks), default=0)
    activity = next((text for name, text in _ACTIVITIES.items() if name in names), "")
    if retries > 1 and state is StepState.RUNNING:
        return f"{activity or 'running'} (try {retries})"
    return activity
