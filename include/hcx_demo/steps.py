"""A run's tasks, folded into the steps that a person thinks in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hcx_demo.airflow_api import TaskState

_CUTOVER, _CLEANUP = "cutover_", "cleanup_"
_TITLES = {
    "resolve_plan": "Plan",
    "run_preflight": "Preflight",
    "approve_wave": "Approval of the wave",
    "start_migrations": "Migration",
    "await_migrations": "Migration",
    "evaluate_migrations": "Migration",
    "approve_switchover": "Switchover",
    "await_seeded": "Switchover",
    "release_switchovers": "Switchover",
    "verify_virtual_machines": "Verification of the VMs",
    "conclude_wave": "Conclusion",
    "confirm_outcome": "Conclusion",
    "schedule_cleanup": "Schedule of the cleanup",
    "approve_cleanup": "Approval of the cleanup",
    "prove_segment_empty": "Cleanup",
    "delete_source_segment": "Cleanup",
    "rename_destination_segment": "Cleanup",
    "write_report": "Report",
}
_ORDER = [
    "Plan",
    "Preflight",
    "Approval of the wave",
    "Migration",
    "Switchover",
    "Verification of the VMs",
    "Cutover",
    "Conclusion",
    "Schedule of the cleanup",
    "Approval of the cleanup",
    "Cleanup",
]
# In the order in which a task of a group is named when several are under way.
_WORDS = {
    "prove_segment_empty": "proving the segment empty",
    "approve_cutover": "waiting for approval",
    "disconnect_source_segment": "disconnecting the source segment",
    "unextend_network": "asking for the unextend",
    "await_unextended": "waiting for the unextend",
    "verify_destination_routed": "verifying that the destination routes",
    "reconnect_source_segment": "looking whether the source must be reconnected",
    "start_migrations": "starting the mobility group",
    "await_migrations": "waiting for HCX",
    "evaluate_migrations": "weighing the outcomes",
    "delete_source_segment": "deleting the source segment",
    "rename_destination_segment": "renaming the destination segment",
}
_ACTIVE = frozenset({"running", "deferred", "queued", "scheduled", "up_for_retry", "up_for_reschedule", "restarting"})
_WAITING_FOR_PEOPLE = "awaiting_input"
_FAILED = frozenset({"failed", "upstream_failed"})
_WITHOUT_WORK = frozenset({"skipped", "removed"})


class StepState(StrEnum):
    """How a step stands."""

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

    :param detail: what is being done right now.
    """

    title: str
    state: StepState
    detail: str
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it took, in wall seconds; None until it has ended."""
        if self.began_at is None or self.ended_at is None or self.state not in FINAL_STATES:
            return None
        return (self.ended_at - self.began_at).total_seconds()


def fold(tasks: Iterable[TaskState]) -> tuple[Step, ...]:
    """Return the steps of a run in the order in which they happen."""
    groups: dict[str, list[TaskState]] = {}
    for task in tasks:
        groups.setdefault(_title_of(task.task_id), []).append(task)
    return tuple(_step(title, groups[title]) for title in sorted(groups, key=_rank))


def own_seconds(tasks: Sequence[TaskState]) -> tuple[float, float]:
    """Return the wall seconds of a run so far, and how many of them were the orchestrator's own.

    The rest is waiting for the sites (``await_*``) and for people (``approve_*``).
    """
    begun = [(task, task.began_at) for task in tasks if task.began_at is not None]
    if not begun:
        return 0.0, 0.0
    first = min(began for _, began in begun)
    last = max(task.ended_at or began for task, began in begun)
    waits = sorted(
        (began, task.ended_at or last)
        for task, began in begun
        if _name_of(task.task_id).startswith(("await_", "approve_"))
    )
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
    for prefix, word in ((_CUTOVER, "Cutover"), (_CLEANUP, "Cleanup")):
        if group.startswith(prefix):
            return f"{word} of {group.removeprefix(prefix)}"
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _rank(title: str) -> tuple[int, str]:
    kind = title.partition(" of ")[0] if title not in _ORDER else title
    if title == "Report":
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
    if _WAITING_FOR_PEOPLE in states:
        return StepState.ASKING
    if states & _ACTIVE:
        return StepState.RUNNING
    if None in states:
        # Between two tasks nothing is under way for a moment.
        return StepState.RUNNING if states - {None} else StepState.AHEAD
    if "failed" in states:
        return StepState.FAILED
    worked = states - _WITHOUT_WORK - _FAILED
    if "upstream_failed" in states or not worked:
        return StepState.SKIPPED
    return StepState.DONE


def _detail(tasks: Sequence[TaskState], state: StepState) -> str:
    names = [_name_of(task.task_id) for task in tasks if task.state in _ACTIVE or task.state == _WAITING_FOR_PEOPLE]
    if state is StepState.FAILED:
        failed = sorted(_name_of(task.task_id) for task in tasks if task.state == "failed")
        return f"{', '.join(failed)} failed"
    retries = max((task.try_number for task in tasks), default=0)
    words = next((text for name, text in _WORDS.items() if name in names), "")
    if retries > 1 and state is StepState.RUNNING:
        return f"{words or 'running'} (try {retries})"
    return words
