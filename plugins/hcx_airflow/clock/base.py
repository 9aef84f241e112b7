"""The interface of a run's clock, and the system clock that live runs use."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from hcx_airflow.hooks.world import TwinWorld
    from hcx_waves.cutover.waiting import Patience

T = TypeVar("T")


def utc_now() -> datetime:
    """Return the present instant of real time."""
    return datetime.now(UTC)


class RunClock(ABC):
    """The time of a run: every "now" and every wait of its tasks comes from here."""

    twin: TwinWorld | None = None
    """The world that a rehearsal works in; None in live runs."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present instant (UTC)."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait."""

    @abstractmethod
    async def pause(self, seconds: float) -> None:
        """Wait without holding up an event loop."""

    @abstractmethod
    async def call(self, function: Callable[[], T]) -> T:
        """Call something that blocks without holding up an event loop."""

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """Take part in the run's time for as long as the block lasts; real time asks for nothing."""
        yield

    @asynccontextmanager
    async def taking_part_async(self, *, goes_on: bool) -> AsyncIterator[None]:
        """Take part from an event loop.

        :param goes_on: whether the task itself goes on afterwards, under the same name.
        """
        del goes_on
        yield

    def patience(self, **bounds: Any) -> Patience:
        """Return patience by this time; see :class:`hcx_waves.cutover.waiting.Patience` for its bounds."""
        from hcx_waves.cutover.waiting import Patience

        return Patience(now=self.now, sleep=self.sleep, **bounds)


class SystemClock(RunClock):
    """Real time."""

    @override
    def now(self) -> datetime:
        return utc_now()

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    @override
    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @override
    async def call(self, function: Callable[[], T]) -> T:
        return await asyncio.to_thread(function)
