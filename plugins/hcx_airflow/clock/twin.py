"""The clock of a rehearsal: the virtual time of the run's own world."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from airflow.sdk import Connection
from airflow.sdk.exceptions import TaskDeferred
from typing_extensions import override

from hcx_airflow import airflow_private
from hcx_airflow.clock.base import RunClock
from hcx_airflow.clock.quiescence import judge
from hcx_airflow.clock.thread import OwnThread
from hcx_airflow.errors import RunRefusedError, TwinRefusedError
from hcx_airflow.hooks.base import naming
from hcx_airflow.hooks.twin import TWIN_CONTROL, TwinControlHook
from hcx_airflow.hooks.world import TwinWorld
from hcx_airflow.names import REHEARSAL_PREFIX, wave_of_dag
from hcx_waves.clients.transport_wire import Ambient
from hcx_waves.twin.clock import Busy, Quiet, VirtualClock, Wall
from hcx_waves.twin.control import TwinControl
from hcx_waves.twin.models import WorldFacts
from hcx_waves.twin.names import UPSTREAM, world_id_of

logger = logging.getLogger(__name__)

SHORTEST_DEFERRAL_SECONDS = 3.0
"""Of real time. Airflow fails a task whose trigger fires before the scheduler has heard that its first leg is over
(its issue 67287); the night's own time stands meanwhile."""
T = TypeVar("T")
TaskStates = Callable[..., Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class RunningTask:
    """The task that takes part, as Airflow itself names it; no param and no conf can say otherwise.

    :param states: Airflow's answer to which state the tasks of runs are in, by run id and task id.
    """

    dag_id: str
    run_id: str
    task_id: str
    states: TaskStates

    @classmethod
    def of(cls, task_instance: Any) -> RunningTask:
        """Return the task of a task instance, in a worker or in the triggerer."""
        states = getattr(task_instance, "get_task_states", None)
        if states is None:
            states = airflow_private.task_states_function()
        return cls(str(task_instance.dag_id), str(task_instance.run_id), str(task_instance.task_id), states)

    @property
    def world_id(self) -> str:
        """The world that this run alone works in.

        :raises RunRefusedError: if the run is of no rehearsal DAG.
        """
        if not self.dag_id.startswith(REHEARSAL_PREFIX):
            raise RunRefusedError(
                f"{self.dag_id} is not a rehearsal DAG, so it has no twin. Run {REHEARSAL_PREFIX}<wave>"
            )
        return world_id_of(wave_of_dag(self.dag_id), self.run_id)


class _Quiescence:
    """Asks Airflow for task states whenever the world asks whether a task is starting."""

    def __init__(self, task: RunningTask, control: TwinControl) -> None:
        self._task = task
        self._control = control
        self._upstream: Mapping[str, Sequence[str]] | None = None

    def __call__(self) -> Quiet | Busy:
        if self._upstream is None:
            self._upstream = self._control.annotation(self._task.world_id, UPSTREAM)
        if self._upstream is None:
            raise TwinRefusedError(
                f"world {self._task.world_id} has no list of its run's tasks. Clear open_twin and its downstream tasks"
            )
        found = self._task.states(dag_id=self._task.dag_id, run_ids=[self._task.run_id])
        states = {
            name: None if state is None else str(getattr(state, "value", state))
            for name, state in found.get(self._task.run_id, {}).items()
        }
        return judge(states, self._upstream)


class TwinClock(RunClock):
    """The time of a world; the task takes part in it under its own id.

    :param control: is closed with this.
    """

    twin: TwinWorld

    def __init__(self, task: RunningTask, control: TwinControl, *, wall: Wall | None = None) -> None:
        self.task = task
        self.control = control
        self._wall = wall or Wall()
        self.virtual = VirtualClock(control, task.world_id, task.task_id, _Quiescence(task, control), wall=self._wall)
        self.facts = _own_world(control, task.world_id)
        self.twin = TwinWorld(task.world_id, control.endpoints(task.world_id), self._ambient)
        self._thread: OwnThread | None = None

    def __repr__(self) -> str:
        return f"TwinClock({self.task.world_id!r}, {self.task.task_id!r})"

    @override
    def now(self) -> datetime:
        return self.virtual.now()

    @override
    def sleep(self, seconds: float) -> None:
        self.virtual.sleep(seconds)

    @override
    async def pause(self, seconds: float) -> None:
        await self.call(lambda: self.virtual.sleep(seconds))

    @override
    async def call(self, function: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = OwnThread(f"twin {self.task.task_id}")
        try:
            return await self._thread.call(function)
        except asyncio.CancelledError:
            # The thread may be in a long wait, behind which whatever is to be closed now would have to queue.
            self.virtual.abandon()
            raise

    @override
    @contextmanager
    def taking_part(self) -> Iterator[None]:
        self.virtual.join()
        try:
            yield
        except TaskDeferred:
            # The trigger waits under the same name; were it to leave now, time could pass before that waits.
            raise
        except BaseException:
            self._leave()
            raise
        self._leave()

    def _leave(self) -> None:
        self.virtual.leave()
        self.control.close()

    @override
    @asynccontextmanager
    async def taking_part_async(self, *, goes_on: bool) -> AsyncIterator[None]:
        ended, began = False, self._wall.monotonic()
        try:
            await self.call(self.virtual.join)
            yield
            ended = True
            if goes_on:
                await asyncio.sleep(max(0.0, SHORTEST_DEFERRAL_SECONDS - (self._wall.monotonic() - began)))
        except Exception:
            ended = True
            raise
        finally:
            # Cancelled, it is waiting on elsewhere, or another try is: what it holds is no longer its own.
            self.virtual.abandon()
            if ended:
                await self.call(self.control.close if goes_on else self._leave)
            if self._thread is not None:
                self._thread.end()

    def _ambient(self, conn_id: str) -> Ambient:
        # What a client draws must not depend on the run: the same night draws the same.
        chance = random.Random(f"{self.facts.seed}/{self.task.task_id}/{conn_id}")  # noqa: S311  (no secret)
        return Ambient(clock=lambda: self.now().timestamp(), sleep=self.sleep, now=self.now, rng=chance)


def open_twin_clock(task: RunningTask, *, connection: Connection | None = None, wall: Wall | None = None) -> TwinClock:
    """Return the time of the world that a run works in.

    :param connection: ``twin_control``, where it has been fetched already.
    :param wall: real time, for the pauses between two looks at Airflow.
    :raises RunRefusedError: if the run is of no rehearsal DAG.
    :raises NotFound: if there is no such world.
    :raises TwinRefusedError: if it is no twin's.
    """
    logger.debug("Rehearses in world %s", task.world_id)
    hook = TwinControlHook(TWIN_CONTROL, connection=connection)
    with naming(TWIN_CONTROL):
        return TwinClock(task, hook.get_conn(), wall=wall)


def _own_world(control: TwinControl, world_id: str) -> WorldFacts:
    facts = control.world(world_id)
    if facts.role != "twin" or not facts.guarded or facts.clock.mode != "stepped":
        raise TwinRefusedError(
            f"world {world_id} is not a twin for rehearsals: role {facts.role}, clock {facts.clock.mode}, "
            f"{'guarded' if facts.guarded else 'not guarded'}. Clear open_twin and its downstream tasks"
        )
    return facts
