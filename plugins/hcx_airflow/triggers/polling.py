"""Poll until something has ended, the deadline has passed, or the other side does not answer."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from hcx_airflow.clock.base import RunClock, SystemClock
from hcx_airflow.documents import Document
from hcx_airflow.errors import name_connection
from hcx_airflow.triggers.standing import REFUSED_PAUSE_SECONDS, Standing
from hcx_waves.clients.errors import ClientError
from hcx_waves.model.outside import shown

if TYPE_CHECKING:
    from hcx_waves.run.results import Ended, WaitResult

logger = logging.getLogger(__name__)

GAVE_UP_AFTER = 20
Held = TypeVar("Held")


@dataclass
class Watch(ABC):
    """What is looked at. One look is one request, or a few, however many objects there are."""

    conn_ids: dict[str, str] = field(default_factory=dict)
    """The connections by product, to name them in errors."""
    clock: RunClock = field(default_factory=SystemClock)
    """The clock that says when to look."""
    said: set[str] = field(default_factory=set)
    polls: int = 0
    standing: Standing | None = None
    """Finds what has stalled; None if nobody is told."""

    @abstractmethod
    def look(self) -> Ended | None:
        """Look once, in a thread; return why it is over, or None."""

    @abstractmethod
    def result(self, **why: Any) -> WaitResult:
        """Return what was seen last.

        :param why: the fields of :class:`~hcx_waves.run.results.WaitResult`.
        """

    def say(self, *notes: str) -> None:
        """Log each note once; they quote the products' words."""
        for note in map(shown, notes):
            if note not in self.said:
                self.said.add(note)
                logger.warning("%s", note)


@dataclass
class Poller:
    """Looks, and decides whether to look again. Nothing is kept elsewhere, so it may start again at any time.

    :param deadline: the absolute instant at which waiting ends.
    :param seconds: between two looks.
    """

    watch: Watch
    deadline: datetime
    seconds: float
    failures: int = 0

    @property
    def clock(self) -> RunClock:
        """The clock that says when to look."""
        return self.watch.clock

    def now(self) -> datetime:
        """Return the present instant."""
        return self.clock.now()

    def step(self) -> WaitResult | None:
        """Look once; return the result if it is over."""
        from hcx_waves.run.results import Ended

        standing = self.watch.standing
        if standing is not None and not self.watch.polls:
            standing.begin(self.now())
        self.watch.polls += 1
        try:
            ended = self.watch.look()
        except ClientError as error:
            outcome = self._after_failure(error)
        else:
            self.failures = 0
            if ended is None and self.now() >= self.deadline:
                ended = Ended.DEADLINE
            outcome = None if ended is None else self._outcome(ended)
        if standing is not None:
            standing.note(self.now(), is_over=outcome is not None)
        return outcome

    async def run(self) -> WaitResult:
        """Look in a thread until it is over."""
        while True:
            outcome = await self.clock.call(self.step)
            if outcome is not None:
                return outcome
            await self.clock.pause(self._seconds_to_next())

    def run_here(self) -> WaitResult:
        """Look until it is over, in a worker."""
        while (outcome := self.step()) is None:
            self.clock.sleep(self._seconds_to_next())
        return outcome

    def _seconds_to_next(self) -> float:
        standing = self.watch.standing
        refused = standing is not None and standing.last_refused
        seconds = max(self.seconds, REFUSED_PAUSE_SECONDS) if refused else self.seconds
        return max(0.0, min(seconds, (self.deadline - self.now()).total_seconds()))

    def _after_failure(self, error: ClientError) -> WaitResult | None:
        from hcx_waves.run.results import Ended

        self.failures += 1
        if error.system in self.watch.conn_ids:
            name_connection(error, self.watch.conn_ids[error.system])
        # The client has repeated the call already; what goes on for longer is said once per kind.
        self.watch.say(f"polling failed: {error}")
        passes = error.is_transient and self.failures < GAVE_UP_AFTER
        if self.watch.standing is not None:
            passes = self.watch.standing.failed(error, self.now()) or (passes and not self._is_patient)
        if passes and self.now() < self.deadline:
            return None
        return self._outcome(Ended.ERROR, error.to_dict())

    @property
    def _is_patient(self) -> bool:
        standing = self.watch.standing
        return standing is not None and standing.is_patient and standing.has_looked

    def _outcome(self, ended: Ended, error: Document | None = None) -> WaitResult:
        watch = self.watch
        stalls = () if watch.standing is None else watch.standing.stalls
        notes = tuple(sorted(watch.said))
        return watch.result(ended=ended, error=error, notes=notes, polls=watch.polls, at=self.now(), stalls=stalls)


@asynccontextmanager
async def in_thread(manager: AbstractContextManager[Held], clock: RunClock) -> AsyncIterator[Held]:
    """Enter and leave a context in threads: logging in and out must not hold up the other triggers."""
    held = await clock.call(manager.__enter__)
    try:
        yield held
    finally:
        await clock.call(lambda: manager.__exit__(None, None, None))
