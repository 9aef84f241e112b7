"""Base class of the triggers: JSON arguments, one result, and a kill that cancels nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.sdk import BaseHook
from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSuccessEvent, TriggerEvent
from pydantic import JsonValue
from typing_extensions import override

from hcx_airflow.clock.base import RunClock, SystemClock
from hcx_airflow.clock.thread import OwnThread
from hcx_airflow.errors import WaveTaskError
from hcx_airflow.hooks.twin import TWIN_CONTROL
from hcx_airflow.names import RETURN_VALUE
from hcx_airflow.results import Results, Slot, from_json
from hcx_airflow.waits import WaitNote
from hcx_waves.clients.errors import ClientError
from hcx_waves.model import bounded_json

if TYPE_CHECKING:
    from hcx_waves.run.results import Ended, WaitResult

T = TypeVar("T")


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
        if not self.ends_task:
            yield TriggerEvent(outcome)  # type: ignore[no-untyped-call]
            return
        try:
            sealed = await self._in_own_thread(lambda: self.results().sealed(outcome))
        except WaveTaskError as error:
            self.log.error("The result of this wait cannot be stored: %s", error)
            yield TaskFailedEvent()
        else:
            yield TaskSuccessEvent(xcoms={RETURN_VALUE: sealed})

    def results(self) -> Results:
        """Return the results of the run of the task that waits here."""
        return Results({"ti": self.task_instance}, rehearsal=self.rehearsal)

    def wait_note(self, poll_seconds: float) -> WaitNote | None:
        """Return what is noted of each look for the watchdog; None in rehearsals, which it does not watch."""
        ti = self.task_instance
        if self.rehearsal or ti is None:
            return None
        return WaitNote(
            dag_id=str(ti.dag_id),
            run_id=str(ti.run_id),
            task_id=str(ti.task_id),
            looked_at=self.clock.now(),
            poll_seconds=poll_seconds,
        )

    async def read_started(self, value: Any, slot: Slot[T]) -> T | None:
        """Return what the task that started the waiting has left; None if nothing.

        :param value: the document, or its JSON text. One that Airflow has rendered must have the task's seal; one that
            a task of ours has handed over was read by it.
        :raises UnreadableResultError: if it cannot be read, or is not what the task has left.
        """
        document = read_json(value)
        if not self.ends_task:
            return from_json(slot, document, slot.task) if document else None
        results = self.results()
        group = results.writer.task_id.rpartition(".")[0]
        return await self._in_own_thread(lambda: results.trusted(document, slot, group))

    async def _in_own_thread(self, call: Callable[[], T]) -> T:
        """Call what may read and write the ledger of a live run, which is a file."""
        thread = OwnThread(f"results of {type(self).__name__}")
        try:
            return await thread.call(call)
        finally:
            thread.end()

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
        await self._in_own_thread(self._end_note)

    def _end_note(self) -> None:
        """Let the watchdog know that nobody waits any more."""
        note = self.wait_note(0.0)
        last = None if note is None else note.last()
        if last is not None:
            last.model_copy(update={"is_over": True}).write()


def read_json(value: Any) -> Any:
    """Return what a template has rendered: JSON text, or a value that was given as it is.

    :raises UnreadableJsonError: if a text is not JSON, or beyond the bounds of what is read.
    """
    return bounded_json.read_json(value) if isinstance(value, str) else value
