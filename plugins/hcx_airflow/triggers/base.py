"""Base class of the triggers: JSON arguments, one result, and a kill that cancels nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseHook
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent
from pydantic import JsonValue
from typing_extensions import override

from hcx_airflow.clock.base import RunClock, SystemClock
from hcx_airflow.clock.thread import OwnThread
from hcx_airflow.hooks.twin import TWIN_CONTROL
from hcx_airflow.names import RETURN_VALUE
from hcx_waves.clients.errors import ClientError
from hcx_waves.model import bounded_json

if TYPE_CHECKING:
    from hcx_waves.run.results import Ended, WaitResult


class OutcomeTrigger(BaseTrigger):
    """Waits and ends with an outcome, also when waiting failed: a worker task judges it, with retries of its own.

    :param ends_task: whether to end the task in success with the outcome as its result, without any worker; else the
        outcome is an event for the operator.
    :param rehearsal: whether it waits by the time of the run's own world, and works on nothing else.
    """

    real_time: ClassVar[RunClock] = SystemClock()

    def __init__(self, *, ends_task: bool = True, rehearsal: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ends_task = ends_task
        self.rehearsal = rehearsal
        self.clock: RunClock = self.real_time

    @abstractmethod
    async def wait(self) -> WaitResult:
        """Wait, and return why it ended."""

    @abstractmethod
    def without_look(self, ended: Ended, error: Mapping[str, JsonValue] | None = None) -> WaitResult:
        """Return the result of a wait that never looked."""

    @override
    async def run(self) -> AsyncIterator[TriggerEvent]:
        outcome = (await self._outcome()).model_dump(mode="json")
        if self.ends_task:
            yield TaskSuccessEvent(xcoms={RETURN_VALUE: outcome})
        else:
            yield TriggerEvent(outcome)  # type: ignore[no-untyped-call]

    async def _outcome(self) -> WaitResult:
        from hcx_waves.run.results import Ended

        try:
            self.clock = await self._open_clock()
            async with self.clock.taking_part_async(goes_on=not self.ends_task):
                return await self.wait()
        except ClientError as error:
            return self.without_look(Ended.ERROR, error.to_dict())
        except Exception as error:
            # A trigger that raises fails its task past every retry policy; the result tells the worker task instead.
            self.log.exception("Waiting failed")
            message = f"waiting failed: {type(error).__name__}: {error}"
            return self.without_look(Ended.ERROR, {"type": "ClientError", "message": message})

    async def _open_clock(self) -> RunClock:
        """Return the time of the run; which world that is follows from the run that Airflow names."""
        if not self.rehearsal:
            return self.real_time
        from hcx_airflow.clock.twin import RunningTask, open_twin_clock

        connection = await BaseHook.aget_connection(TWIN_CONTROL)
        task = RunningTask.of(self.task_instance)
        # In a thread of its own: a server of twins that does not answer must not hold up what live runs wait for.
        thread = OwnThread(f"twin of {task.task_id}")
        try:
            return await thread.call(lambda: open_twin_clock(task, connection=connection))
        finally:
            thread.end()

    @override
    async def on_kill(self) -> None:
        # Also called when the task is cleared, after its next try has begun: what it waits for must go on.
        self.log.warning("Stopped waiting. Nothing was cancelled in HCX")


def read_json(value: Any) -> Any:
    """Return what a template has rendered: JSON text, or a value that was given as it is.

    :raises UnreadableJsonError: if a text is not JSON, or beyond the bounds of what is read.
    """
    return bounded_json.read_json(value) if isinstance(value, str) else value
