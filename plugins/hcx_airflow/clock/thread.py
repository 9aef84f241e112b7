"""A separate thread for calls that may block for as long as a whole night takes."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class OwnThread:
    """Makes calls one after the other in a thread of its own.

    An event loop's common threads are few: were they all to wait for one world's time, the call that would let it
    move could not be made. The thread holds up nobody's exit.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def call(self, function: Callable[[], T]) -> T:
        """Make a call and wait for its end without holding up the event loop; it logs where the caller logs."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        future: asyncio.Future[T] = loop.create_future()

        def settle(setter: Callable[[Any], None], value: Any) -> None:
            if not future.done():
                setter(value)

        def work() -> None:
            try:
                result = context.run(function)
            except BaseException as error:  # noqa: BLE001  (it is raised where the call is awaited)
                outcome: tuple[Callable[[Any], None], Any] = (future.set_exception, error)
            else:
                outcome = (future.set_result, result)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, *outcome)

        self._calls.put(work)
        return await future

    def end(self) -> None:
        """End the thread after the calls that were asked for."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
