"""Waiting for tasks by ``WaitForUpdatesEx`` on four leaf properties.

pyVim's own ``WaitForTask`` reads the whole ``info`` and fails on an unknown method name. [C nsx-vsphere 4.4]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim, vmodl

from hcx_waves.clients.errors import ClientError, NotFound, TimedOut
from hcx_waves.clients.vsphere.faults import from_fault
from hcx_waves.clients.vsphere.inventory_models import TaskSummary
from hcx_waves.clients.vsphere.properties import PropertyPaths, PropertyReader, destroy
from hcx_waves.clients.vsphere.session import Live, VsphereSession
from hcx_waves.clients.vsphere.values import instant, text

_PropertyCollector = vmodl.query.PropertyCollector
_WATCHED = ("info.state", "info.error", "info.result", "info.progress")
_LONGEST_WAIT_SECONDS = 20
_PAUSE_SECONDS = 0.5
_SUMMARY = PropertyPaths(
    vim.Task,
    required=("info.state", "info.descriptionId", "info.entityName", "info.queueTime"),
    optional=("info.completeTime", "info.reason"),
)


@dataclass(frozen=True)
class TaskResult:
    """A task that has succeeded. ``result`` is a moref if the task made an object, else its plain result."""

    task_id: str
    result: Any = None


@dataclass
class _Watch:
    """What is known of a task so far."""

    state: str | None = None
    error: Any = None
    result: Any = None
    progress: int | None = None
    gone: bool = False

    @property
    def is_over(self) -> bool:
        return self.gone or self.state in ("success", "error")


class TaskWaiter:
    """Waits for tasks of one vCenter.

    :param clock: monotonic seconds.
    """

    def __init__(self, session: VsphereSession, reader: PropertyReader, clock: Callable[[], float]) -> None:
        self._session = session
        self._reader = reader
        self._clock = clock

    def wait(
        self,
        task_id: str,
        *,
        timeout_seconds: float,
        method: str,
        on_progress: Callable[[int], None] | None = None,
    ) -> TaskResult | ClientError:
        """Wait until a task is over; return its result, or the error that it ended with.

        A lost connection or session does not matter: the task is watched anew.

        :param method: the call that the task carries out, for errors.
        :param on_progress: called with each new percentage.
        :raises TimedOut: if the task is still running after the time-out (or cannot be watched at all).
        :raises NotFound: if vCenter no longer knows the task.
        """
        deadline = self._clock() + timeout_seconds
        watch = self._session.read(
            "WaitForUpdatesEx", task_id, lambda live: self._follow(live, task_id, deadline, on_progress)
        )
        context = self._session.context_of(method, task_id)
        if watch.gone:
            raise NotFound("vCenter no longer knows the task", **context)
        if not watch.is_over:
            context["hint"] = f"The task goes on in vCenter; wait_for_task({task_id!r}) waits for it again."
            shown = "" if watch.progress is None else f" at {watch.progress} %"
            raise TimedOut(
                f"the task is still {watch.state or 'unseen'}{shown} after {timeout_seconds:g} s",
                phase="read",
                timeout_seconds=timeout_seconds,
                **context,
            )
        if watch.state == "error":
            return from_fault(watch.error or vmodl.MethodFault(), context)
        result = watch.result
        return TaskResult(task_id, str(result._moId) if hasattr(result, "_moId") else result)

    def recent(self, kind: Any, moref: str) -> list[TaskSummary]:
        """Read the tasks that vCenter keeps for an object, in its order.

        :raises NotFound: if the object does not exist.
        """
        tasks = self._reader.one(kind, moref, "recentTask").references("recentTask")
        return [
            TaskSummary(
                task_id=found.moref,
                description_id=found.get("info.descriptionId"),
                state=text(found.get("info.state")),
                entity_name=found.get("info.entityName"),
                user_name=getattr(found.get("info.reason"), "userName", None),
                queued=instant(found.get("info.queueTime")),
                completed=instant(found.get("info.completeTime")),
            )
            for found in self._reader.some_of(_SUMMARY, tasks)
        ]

    def _follow(self, live: Live, task_id: str, deadline: float, on_progress: Callable[[int], None] | None) -> _Watch:
        """Watch a task on one session until it is over or the time is up."""
        watch = _Watch()
        collector = live.collector
        watched = collector.CreateFilter(_watch_spec(live.managed(vim.Task, task_id)), False)
        version = ""
        try:
            while not watch.is_over and self._clock() < deadline:
                asked = self._clock()
                options = _PropertyCollector.WaitOptions(maxWaitSeconds=self._patience(deadline))
                update = collector.WaitForUpdatesEx(version, options)
                if update is None:
                    self._pause_if_hasty(asked)
                    continue
                version = update.version
                _apply(watch, update, on_progress)
        finally:
            destroy(watched)
        return watch

    def _patience(self, deadline: float) -> int:
        """Return how long the server may hold the next call: always less than the read time-out."""
        read_limit = int(self._session.settings.read_seconds * 0.8)
        return max(1, min(_LONGEST_WAIT_SECONDS, read_limit, int(deadline - self._clock())))

    def _pause_if_hasty(self, asked: float) -> None:
        """Pause if the server answered "nothing new" without waiting, so as not to ask it in a tight loop."""
        if self._clock() - asked < _PAUSE_SECONDS:
            self._session.pause(_PAUSE_SECONDS)


def _watch_spec(task: Any) -> Any:
    property_spec = _PropertyCollector.PropertySpec(type=vim.Task, all=False, pathSet=list(_WATCHED))
    object_spec = _PropertyCollector.ObjectSpec(obj=task, skip=False)
    return _PropertyCollector.FilterSpec(propSet=[property_spec], objectSet=[object_spec])


def _apply(watch: _Watch, update: Any, on_progress: Callable[[int], None] | None) -> None:
    """Take over what an update says."""
    for object_update in (found for filter_set in update.filterSet for found in filter_set.objectSet or ()):
        if str(object_update.kind) == "leave":
            watch.gone = True
        for change in object_update.changeSet or ():
            _apply_change(watch, change, on_progress)


def _apply_change(watch: _Watch, change: Any, on_progress: Callable[[int], None] | None) -> None:
    name = change.name.removeprefix("info.")
    if name == "state":
        watch.state = text(change.val)
    elif name == "error":
        watch.error = getattr(change.val, "fault", change.val)
    elif name == "result":
        watch.result = change.val
    elif name == "progress" and change.val is not None and change.val != watch.progress:
        watch.progress = int(change.val)
        if on_progress is not None:
            on_progress(watch.progress)
