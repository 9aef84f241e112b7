"""Calls beside the test, in threads that can hold up neither the test nor the exit of the process.

``ThreadPoolExecutor`` is not for tests: its ``with`` block, and the interpreter's exit, wait for calls that may never
end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

A = TypeVar("A")
T = TypeVar("T")

LET_GO_SECONDS = 10.0
"""How long the end of an interrupted test waits for calls that have been let go."""


class TestThread(threading.Thread):
    """A thread that a test has started; the guard against leftovers knows it by its class."""

    __test__ = False


class Threads:
    """Starts calls, each in a thread of its own.

    As a context manager it waits for all calls. When the block is left by an error, or a time limit ends the wait, it
    lets the calls go and waits for ``LET_GO_SECONDS`` at most.

    :param name: begins the names of the threads.
    :param let_go: makes calls that wait for something end, for example by dropping the world that they wait in.
    """

    def __init__(self, name: str = "beside the test", let_go: Callable[[], object] = lambda: None) -> None:
        self._name = name
        self._let_go = let_go
        self._threads: list[TestThread] = []

    def submit(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Future[T]:
        """Start a call; the future has its result or its error."""
        future: Future[T] = Future()

        def work() -> None:
            try:
                result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  (raised where the result is asked for)
                future.set_exception(error)
            else:
                future.set_result(result)

        future.set_running_or_notify_cancel()
        named = getattr(function, "__name__", "call")
        thread = TestThread(target=work, name=f"{self._name}: {named} {len(self._threads) + 1}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return future

    def results(self, function: Callable[[A], T], arguments: Iterable[A]) -> list[T]:
        """Make one call per argument, all at once; return their results in the order of the arguments."""
        return [future.result() for future in [self.submit(function, one) for one in arguments]]

    def join(self, within_seconds: float) -> bool:
        """Wait for all calls to end; return whether they did in time."""
        deadline = time.monotonic() + within_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        try:
            if kind is None:
                for thread in self._threads:
                    thread.join()
        except BaseException:
            self._end()
            raise
        if kind is not None:
            self._end()

    def _end(self) -> None:
        self._let_go()
        self.join(LET_GO_SECONDS)
