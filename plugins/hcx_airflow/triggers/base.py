"""What the triggers have in common: arguments as plain JSON, one outcome, and a kill that cancels nothing."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from airflow.sdk import BaseHook
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent
from typing_extensions import override

from hcx_airflow.hooks.twin import TWIN_CONTROL
from hcx_airflow.pace.base import Pace, WallPace, utc_now
from hcx_airflow.pace.thread import OwnThread
from hcx_airflow.triggers.polling import Ended
from hcx_waves.clients.errors import ClientError


class OutcomeTrigger(BaseTrigger):
    """Waits and ends with an outcome, also when waiting failed: a worker task judges it, with retries of its own.

    :param ends_task: whether to end the task in success with the outcome as its result, without any worker; else the
        outcome is an event for the operator.
    :param rehearsal: whether it waits by the time of the run's own world, and works on nothing else.
    """

    real_time: ClassVar[Pace] = WallPace()

    def __init__(self, *, ends_task: bool = True, rehearsal: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ends_task = ends_task
        self.rehearsal = rehearsal
        self.pace: Pace = self.real_time

    @abstractmethod
    async def wait(self) -> dict[str, Any]:
        """Wait, and return the outcome."""

    @override
    async def run(self) -> AsyncIterator[TriggerEvent]:
        outcome = await self._outcome()
        if self.ends_task:
            yield TaskSuccessEvent(xcoms={"return_value": outcome})
        else:
            yield TriggerEvent(outcome)  # type: ignore[no-untyped-call]

    async def _outcome(self) -> dict[str, Any]:
        try:
            self.pace = await self._open_pace()
            async with self.pace.taking_part_async(goes_on=not self.ends_task):
                return await self.wait()
        except ClientError as error:
            return failed_outcome(error.to_dict())
        except Exception as error:
            # A trigger that raises fails its task past every retry policy; the outcome tells the worker task instead.
            self.log.exception("waiting failed")
            message = f"waiting failed: {type(error).__name__}: {error}"
            return failed_outcome({"type": "ClientError", "message": message})

    async def _open_pace(self) -> Pace:
        """Return the time of the run; which world that is follows from the run that Airflow names."""
        if not self.rehearsal:
            return self.real_time
        from hcx_airflow.pace.twin import RunningTask, open_pace

        connection = await BaseHook.aget_connection(TWIN_CONTROL)
        task = RunningTask.of(self.task_instance)
        # In a thread of its own: a server of twins that does not answer must not hold up what live runs wait for.
        thread = OwnThread(f"twin of {task.task_id}")
        try:
            return await thread.call(lambda: open_pace(task, connection=connection))
        finally:
            thread.end()

    @override
    async def on_kill(self) -> None:
        # Also called when the task is cleared, after its next try has begun: what it waits for must go on.
        self.log.warning("No longer waiting; nothing was cancelled at the other side")


def failed_outcome(
    error: Mapping[str, Any] | None, ended: Ended = Ended.ERROR, pace: Pace | None = None
) -> dict[str, Any]:
    """Return the outcome of a wait that never looked."""
    return {
        "status": None,
        "ended": ended.value,
        "error": None if error is None else dict(error),
        "notes": [],
        "polls": 0,
        "at": (utc_now() if pace is None else pace.now()).isoformat(),
    }


def read_json(value: Any) -> Any:
    """Return what a template has rendered: JSON text, or a value that was given as it is."""
    return json.loads(value) if isinstance(value, str) else value
